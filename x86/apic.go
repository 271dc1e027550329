package x86

import "math/bits"

// x2APIC registers by MSR (SDM vol. 3, table 11-6).
const (
	apicID       = 0x802
	apicVersion  = 0x803
	apicTPR      = 0x808
	apicPPR      = 0x80A
	apicEOI      = 0x80B
	apicLDR      = 0x80D
	apicSVR      = 0x80F
	apicISR      = 0x810 // eight registers each
	apicTMR      = 0x818
	apicIRR      = 0x820
	apicESR      = 0x828
	apicCMCI     = 0x82F
	apicICR      = 0x830
	apicTimer    = 0x832
	apicThermal  = 0x833
	apicPerf     = 0x834
	apicLINT0    = 0x835
	apicLINT1    = 0x836
	apicError    = 0x837
	apicInitial  = 0x838
	apicCurrent  = 0x839
	apicDivide   = 0x83E
	apicSelfIPI  = 0x83F
	apicEnabled  = 1 << 8 // of SVR: software enable
	apicLVTMask  = 1 << 16
	apicPeriodic = 1 << 17
	apicDeadline = 1 << 18

	// APICTimerHz is the frequency of the timer before division: the crystal that CPUID leaf 0x15 tells of.
	APICTimerHz = 25_000_000

	apicVersionValue = 0x14 | 5<<16 // integrated, six local vector table entries

	lvtTimer = 0 // positions in the local vector table, as the registers stand
	lvtError = 5

	// Bits of ESR (SDM vol. 3, 11.5.3).
	apicSendIllegal    = 1 << 5
	apicReceiveIllegal = 1 << 6
)

// What may be written; the other bits are reserved, and setting one raises #GP (SDM vol. 3, 11.12.1.3; figures 11-8, 11-10, 11-23, 11-28).
const (
	lvtCommon = 0xFF | 1<<12 | apicLVTMask // vector, delivery status, mask
	lvtMode   = 7 << 8
	lvtPin    = 1<<13 | 1<<14 | 1<<15 // polarity, remote IRR, trigger mode
	lvtStatus = 1<<12 | 1<<14         // delivery status and remote IRR cannot be changed

	svrWritable    = 0xFF | apicEnabled
	divideWritable = 0xB
	icrWritable    = 0xFFFF_FFFF<<32 | 3<<18 | 3<<14 | 0xFFF
)

var lvtWritable = [...]uint64{
	lvtCommon | apicPeriodic | apicDeadline, lvtCommon | lvtMode, lvtCommon | lvtMode, lvtCommon | lvtMode | lvtPin, lvtCommon | lvtMode | lvtPin, lvtCommon,
}

// An IPI is an interrupt that one processor sends.
type IPI struct {
	Vector   uint8
	Mode     uint8 // delivery mode: 0 fixed, 4 NMI, 5 INIT, 6 start-up (SDM vol. 3, 11.6.1)
	Logical  bool
	Dest     uint32
	Shortcut uint8 // 0 none, 1 self, 2 all, 3 all but self
}

// A LocalAPIC is a local interrupt controller in x2APIC mode, the only mode there is.
type LocalAPIC struct {
	id            uint32
	irr, isr, tmr [4]uint64
	tpr           uint64
	svr           uint64
	esr, errors   uint64 // ESR as it reads, and what has come since it was written
	icr           uint64
	lvt           [6]uint64 // timer, thermal, performance, LINT0, LINT1, error

	divide  uint64
	initial uint64 // timer's initial count, 0 stopped
	expiry  int64  // virtual ns of the next timer interrupt, or noTimer

	now  func() int64
	hz   uint64 // of the TSC, for TSC-deadline mode
	tsc  func() uint64
	ddl  uint64
	eoi  func(vector uint8) // hears of the end of level-triggered interrupts
	send func(IPI)
}

const noTimer = int64(^uint64(0) >> 1)

func newLocalAPIC(c *CPU) *LocalAPIC {
	a := &LocalAPIC{id: uint32(c.id), svr: 0xFF, expiry: noTimer, now: c.Now, tsc: c.tsc, hz: c.tscHz}
	for i := range a.lvt {
		a.lvt[i] = apicLVTMask
	}
	return a
}

// OnEOI sets the function that hears of the end of a level-triggered interrupt.
func (a *LocalAPIC) OnEOI(f func(vector uint8)) { a.eoi = f }

// OnIPI sets the function that takes interrupts for other processors.
func (a *LocalAPIC) OnIPI(f func(IPI)) { a.send = f }

// base is IA32_APIC_BASE: enabled, in x2APIC mode, bootstrap processor.
func (a *LocalAPIC) base() uint64 {
	v := uint64(0xFEE0_0C00)
	if a.id == 0 {
		v |= 1 << 8
	}
	return v
}

// Deliver requests an interrupt. A controller that is not enabled takes none (SDM vol. 3, 11.4.7.2).
func (a *LocalAPIC) Deliver(vector uint8, level bool) {
	if a.svr&apicEnabled == 0 {
		return
	}
	if vector < 16 {
		a.failed(apicReceiveIllegal)
		return
	}
	i, m := vector/64, uint64(1)<<(vector%64)
	a.irr[i] |= m
	if level {
		a.tmr[i] |= m
	} else {
		a.tmr[i] &^= m
	}
}

// failed notes an error for ESR and requests the error interrupt, once for each kind.
func (a *LocalAPIC) failed(kind uint64) {
	if a.errors&kind != 0 {
		return
	}
	a.errors |= kind
	if v := a.lvt[lvtError]; v&apicLVTMask == 0 {
		a.Deliver(uint8(v), false)
	}
}

// Accepts says whether an interrupt with this destination is for this controller (SDM vol. 3, 11.6.2 and 11.12.10).
func (a *LocalAPIC) Accepts(dest uint32, logical bool) bool {
	if dest == 0xFFFF_FFFF || dest == 0xFF && !logical {
		return true
	}
	if !logical {
		return dest == a.id
	}
	return dest>>16 == a.id>>4 && dest&(1<<(a.id&15)) != 0
}

func highest(r *[4]uint64) int {
	for i := 3; i >= 0; i-- {
		if r[i] != 0 {
			return i*64 + 63 - bits.LeadingZeros64(r[i])
		}
	}
	return -1
}

func (a *LocalAPIC) taskPriority() uint64     { return a.tpr }
func (a *LocalAPIC) setTaskPriority(v uint64) { a.tpr = v & 0xFF }

// processorPriority is the class of what may not be interrupted.
func (a *LocalAPIC) processorPriority() uint64 {
	isr := uint64(max(highest(&a.isr), 0))
	if a.tpr>>4 >= isr>>4 {
		return a.tpr
	}
	return isr & 0xF0
}

// pending says whether an interrupt would be taken if IF allowed.
func (a *LocalAPIC) pending() bool {
	if a.irr == ([4]uint64{}) {
		return false
	}
	return uint64(highest(&a.irr))>>4 > a.processorPriority()>>4
}

// acknowledge moves the highest requested interrupt to service and returns its vector.
func (a *LocalAPIC) acknowledge() uint8 {
	v := highest(&a.irr)
	m := uint64(1) << (v % 64)
	a.irr[v/64] &^= m
	a.isr[v/64] |= m
	return uint8(v)
}

// next returns when the timer fires, or deadline where that is earlier.
func (a *LocalAPIC) next(deadline int64) int64 { return min(a.expiry, deadline) }

// NextEvent returns the virtual time, in nanoseconds, at which the timer fires; ok is false where it is not armed.
func (a *LocalAPIC) NextEvent() (ns int64, ok bool) { return a.expiry, a.expiry != noTimer }

// advance fires the timer where it is due.
func (a *LocalAPIC) advance(now int64) {
	for a.expiry <= now {
		if timer := a.lvt[lvtTimer]; timer&apicLVTMask == 0 {
			a.Deliver(uint8(timer), false)
		}
		if a.timerMode() != apicPeriodic {
			a.expiry, a.ddl = noTimer, 0
			return
		}
		// Periods that passed unseen are one interrupt, since the request register has one bit; the next one keeps the beat.
		period := a.duration(a.initial)
		a.expiry += period
		if a.expiry <= now {
			a.expiry += (now - a.expiry) / period * period
		}
	}
}

// duration converts timer counts to nanoseconds.
func (a *LocalAPIC) duration(count uint64) int64 {
	return int64(count * a.divisor() * (1_000_000_000 / APICTimerHz))
}

// divisor is what the timer's input is divided by: bits 3, 1 and 0 count from 2 on, and all ones is 1 (SDM vol. 3, figure 11-10).
func (a *LocalAPIC) divisor() uint64 {
	n := a.divide&3 | a.divide>>1&4
	return 1 << ((n + 1) & 7)
}

// timerMode is 0 for one shot, apicPeriodic, apicDeadline, or both bits: that is reserved, and counts nothing (SDM vol. 3, figure 11-8).
func (a *LocalAPIC) timerMode() uint64 { return a.lvt[lvtTimer] & (apicPeriodic | apicDeadline) }

// startTimer sets the initial count and counts down from there. In TSC-deadline mode the write is ignored (SDM vol. 3, 11.5.4.1).
func (a *LocalAPIC) startTimer(initial uint64) {
	if a.timerMode()&apicDeadline != 0 {
		return
	}
	a.initial, a.expiry = initial, noTimer
	if initial != 0 {
		a.expiry = a.now() + a.duration(initial)
	}
}

// current is the count: it falls by one at each tick, and is 0 when the timer fires.
func (a *LocalAPIC) current() uint64 {
	if a.expiry == noTimer || a.timerMode()&apicDeadline != 0 {
		return 0
	}
	left, tick := uint64(max(a.expiry-a.now(), 0)), a.divisor()*(1_000_000_000/APICTimerHz)
	return (left + tick - 1) / tick
}

// armDeadline sets the timer for TSC-deadline mode: it fires when the TSC is not below the deadline, both taken as unsigned.
func (a *LocalAPIC) armDeadline(tsc uint64) {
	a.ddl, a.expiry = tsc, noTimer
	if tsc == 0 {
		return
	}
	now, ticks := a.now(), a.tsc()
	if tsc <= ticks {
		a.expiry = now
		return
	}
	hi, lo := bits.Mul64(tsc-ticks, 1_000_000_000)
	if hi >= a.hz {
		return // later than time goes
	}
	ns, rest := bits.Div64(hi, lo, a.hz)
	if rest != 0 {
		ns++
	}
	if ns < uint64(noTimer-now) {
		a.expiry = now + int64(ns)
	}
}

// ReadMSR reads a register; ok is false for those that do not exist or cannot be read.
func (a *LocalAPIC) ReadMSR(index uint32) (v uint64, ok bool) {
	half := func(r *[4]uint64, first uint32) uint64 {
		i := index - first
		return uint64(uint32(r[i/2] >> (32 * (i % 2))))
	}
	switch {
	case index >= apicISR && index < apicISR+8:
		return half(&a.isr, apicISR), true
	case index >= apicTMR && index < apicTMR+8:
		return half(&a.tmr, apicTMR), true
	case index >= apicIRR && index < apicIRR+8:
		return half(&a.irr, apicIRR), true
	case index >= apicTimer && index <= apicError:
		return a.lvt[index-apicTimer], true
	}
	switch index {
	case apicID:
		return uint64(a.id), true
	case apicVersion:
		return apicVersionValue, true
	case apicTPR:
		return a.tpr, true
	case apicPPR:
		return a.processorPriority(), true
	case apicLDR:
		return uint64(a.id>>4<<16 | 1<<(a.id&15)), true
	case apicSVR:
		return a.svr, true
	case apicESR:
		return a.esr, true
	case apicICR:
		return a.icr, true
	case apicInitial:
		return a.initial, true
	case apicCurrent:
		return a.current(), true
	case apicDivide:
		return a.divide, true
	case MSRTSCDeadline:
		return a.ddl, true
	}
	return 0, false
}

// WriteMSR writes a register; ok is false for those that do not exist, cannot be written, or have reserved bits set.
func (a *LocalAPIC) WriteMSR(index uint32, v uint64) (ok bool) {
	if index != apicICR && index != MSRTSCDeadline && v>>32 != 0 {
		return false
	}
	if index >= apicTimer && index <= apicError {
		return a.setLocal(int(index-apicTimer), v)
	}
	switch index {
	case apicTPR:
		if v > 0xFF {
			return false
		}
		a.tpr = v
	case apicEOI:
		if v != 0 {
			return false
		}
		a.endOfInterrupt()
	case apicSVR:
		if v&^svrWritable != 0 {
			return false
		}
		a.svr = v
		a.maskLocal()
	case apicESR:
		if v != 0 {
			return false
		}
		a.esr, a.errors = a.errors, 0
	case apicICR:
		if v&^icrWritable != 0 {
			return false
		}
		a.icr = v
		a.interprocessor(v)
	case apicInitial:
		a.startTimer(v)
	case apicDivide:
		if v&^divideWritable != 0 {
			return false
		}
		a.divide = v
	case apicSelfIPI:
		if v > 0xFF {
			return false
		}
		a.interprocessor(1<<18 | v)
	case MSRTSCDeadline:
		if a.timerMode() == apicDeadline {
			a.armDeadline(v)
		}
	default:
		return false
	}
	return true
}

// setLocal writes an entry of the local vector table. Between TSC-deadline mode and the others the timer is disarmed (SDM vol. 3, 11.5.4.1).
func (a *LocalAPIC) setLocal(i int, v uint64) bool {
	if v&^lvtWritable[i] != 0 {
		return false
	}
	before := a.timerMode()
	a.lvt[i] = v &^ lvtStatus
	if now := a.timerMode(); now != before && (now|before)&apicDeadline != 0 {
		a.ddl, a.expiry = 0, noTimer
	}
	a.maskLocal()
	return true
}

// maskLocal keeps the local vector table masked as long as the controller is not enabled.
func (a *LocalAPIC) maskLocal() {
	if a.svr&apicEnabled != 0 {
		return
	}
	for i := range a.lvt {
		a.lvt[i] |= apicLVTMask
	}
}

func (a *LocalAPIC) endOfInterrupt() {
	v := highest(&a.isr)
	if v < 0 {
		return
	}
	m := uint64(1) << (v % 64)
	a.isr[v/64] &^= m
	if a.tmr[v/64]&m != 0 && a.eoi != nil {
		a.eoi(uint8(v))
	}
}

// interprocessor sends what was written to the interrupt command register (SDM vol. 3, 11.12.9).
func (a *LocalAPIC) interprocessor(v uint64) {
	ipi := IPI{Vector: uint8(v), Mode: uint8(v >> 8 & 7), Logical: v>>11&1 != 0, Dest: uint32(v >> 32), Shortcut: uint8(v >> 18 & 3)}
	self := ipi.Shortcut == 1 || ipi.Shortcut == 2 || ipi.Shortcut == 0 && a.Accepts(ipi.Dest, ipi.Logical)
	if ipi.Mode == 0 && ipi.Vector < 16 {
		a.failed(apicSendIllegal)
		return
	}
	if self && ipi.Mode == 0 {
		a.Deliver(ipi.Vector, false)
	}
	if a.send != nil && ipi.Shortcut != 1 {
		a.send(ipi)
	}
}
