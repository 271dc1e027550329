package x86

import "math/bits"

// An IPI is an interrupt that one processor sends.
type IPI struct {
	Vector   uint8
	Mode     uint8 // delivery mode: 0 fixed, 1 lowest priority, 4 NMI, 5 INIT, 6 start-up (SDM vol. 3, 11.6.1)
	Logical  bool
	Dest     uint32
	Shortcut uint8 // 0 none, 1 self, 2 all, 3 all but self
}

// A LocalAPIC is a local interrupt controller. Its registers are here as x2APIC mode has them; xapic.go has the other modes.
type LocalAPIC struct {
	id            uint32
	mode          uint64 // of IA32_APIC_BASE: off, xAPIC or x2APIC
	ldr, dfr      uint64 // of xAPIC
	irr, isr, tmr [4]uint64
	tpr           uint64
	svr           uint64
	esr, errors   uint64 // ESR as it reads, and what has come since it was written
	icr           uint64
	lvt           [6]uint64 // timer, thermal, performance, LINT0, LINT1, error

	divide  uint64
	initial uint64 // timer's initial count, 0 stopped
	expiry  int64  // virtual ns of the next timer interrupt, or noTimer

	intr bool         // the line of an external controller, INTR
	inta func() uint8 // acknowledges it

	now     func() int64
	hz      uint64 // of the TSC, for TSC-deadline mode
	timerHz uint64 // of the timer before division
	tsc     func() uint64
	ddl     uint64
	eoi     func(vector uint8) // hears of the end of level-triggered interrupts
	send    func(IPI)
	nmi     func()
}

func newLocalAPIC(c *CPU, timerHz uint64) *LocalAPIC {
	a := &LocalAPIC{id: c.topology.APICID(c.id), mode: apicBaseMode, dfr: resetDFR, svr: 0xFF, expiry: noTimer, now: c.Now, tsc: c.tsc, hz: c.tscHz, timerHz: timerHz, nmi: c.NMI}
	for i := range a.lvt {
		a.lvt[i] = apicLVTMask
	}
	return a
}

// OnEOI sets the function that hears of the end of a level-triggered interrupt.
func (a *LocalAPIC) OnEOI(f func(vector uint8)) { a.eoi = f }

// OnIPI sets the function that takes interrupts for other processors.
func (a *LocalAPIC) OnIPI(f func(IPI)) { a.send = f }

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

// OnINTA sets the function that acknowledges an interrupt of the external controller on LINT0 and returns its vector.
func (a *LocalAPIC) OnINTA(f func() uint8) { a.inta = f }

// INTR is the line of that controller, at LINT0. Where the local vector table does not say that it is one's, an edge is an
// interrupt or an NMI of its own.
func (a *LocalAPIC) INTR(asserted bool) {
	rising := asserted && !a.intr
	a.intr = asserted
	const fixed, nmi = 0 << 8, 4 << 8
	switch v := a.lvt[lvtLINT0]; {
	case !rising || v&apicLVTMask != 0:
	case v&lvtMode == nmi:
		a.nmi()
	case v&lvtMode == fixed:
		a.Deliver(uint8(v), false)
	}
}

// external says whether LINT0 takes the external controller's interrupts: virtual wire mode. Neither priority nor end of
// interrupt are the local APIC's then (SDM vol. 3, 11.5.1, ExtINT).
func (a *LocalAPIC) external() bool {
	const extINT = 7 << 8
	if a.mode == 0 {
		return a.inta != nil // LINT0 is INTR where there is no controller
	}
	return a.lvt[lvtLINT0]&(lvtMode|apicLVTMask) == extINT && a.inta != nil
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
	if a.mode == 0 {
		return false
	}
	if dest == 0xFFFF_FFFF || dest == 0xFF && !logical {
		return true
	}
	switch {
	case !logical:
		return dest == a.id
	case !a.x2APIC():
		return a.logical8(dest)
	}
	return dest>>16 == a.id>>4 && dest&(1<<(a.id&15)) != 0
}

// Priority is what an interrupt that goes to one of several is decided by: that with the lowest takes it. There is none where
// the controller is not enabled (SDM vol. 3, 11.6.2.4; KVM, kvm_irq_delivery_to_apic).
func (a *LocalAPIC) Priority() (class uint8, enabled bool) {
	return uint8(a.processorPriority() >> 4), a.svr&apicEnabled != 0
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
	if a.intr && a.external() {
		return true
	}
	if a.irr == ([4]uint64{}) {
		return false
	}
	return uint64(highest(&a.irr))>>4 > a.processorPriority()>>4
}

// waiting is pending, or true where it costs more to tell.
func (a *LocalAPIC) waiting() bool { return a.intr || a.irr != ([4]uint64{}) }

// acknowledge moves the highest requested interrupt to service and returns its vector.
func (a *LocalAPIC) acknowledge() uint8 {
	if a.intr && a.external() {
		return a.inta()
	}
	v := highest(&a.irr)
	m := uint64(1) << (v % 64)
	a.irr[v/64] &^= m
	a.isr[v/64] |= m
	return uint8(v)
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
	if ipi.Mode <= 1 && ipi.Vector < 16 {
		a.failed(apicSendIllegal)
		return
	}
	const nmi = 4
	switch {
	case self && ipi.Mode == 0:
		a.Deliver(ipi.Vector, false)
	case self && ipi.Mode == nmi && ipi.Shortcut != 1: // to itself by shorthand is for fixed ones (SDM vol. 3, table 11-3)
		a.nmi()
	}
	const deassert, init = 1 << 15, 5 // a level that ends: INIT's has no effect since the Pentium Pro (SDM vol. 3, 11.6.1)
	if ipi.Mode == init && v&(1<<14|deassert) == deassert {
		return
	}
	if a.send != nil && ipi.Shortcut != 1 {
		a.send(ipi)
	}
}
