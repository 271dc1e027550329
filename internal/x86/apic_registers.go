package x86

// The local APIC's registers, which in x2APIC mode are model-specific ones.

// x2APIC registers by MSR (SDM vol. 3, table 11-6).
const (
	apicFirst   = 0x800
	apicID      = 0x802
	apicVersion = 0x803
	apicTPR     = 0x808
	apicPPR     = 0x80A
	apicEOI     = 0x80B
	apicLDR     = 0x80D
	apicSVR     = 0x80F
	apicISR     = 0x810 // eight registers each
	apicTMR     = 0x818
	apicIRR     = 0x820
	apicESR     = 0x828
	apicICR     = 0x830
	apicTimer   = 0x832
	apicThermal = 0x833
	apicPerf    = 0x834
	apicLINT0   = 0x835
	apicLINT1   = 0x836
	apicError   = 0x837
	apicInitial = 0x838
	apicCurrent = 0x839
	apicDivide  = 0x83E
	apicSelfIPI = 0x83F
	apicEnabled = 1 << 8 // of SVR: software enable
	apicLVTMask = 1 << 16

	apicVersionValue = 0x14 | 5<<16 // integrated, six local vector table entries

	lvtTimer = 0 // positions in the local vector table, as the registers stand
	lvtLINT0 = 3
	lvtError = 5

	// Bits of ESR (SDM vol. 3, 11.5.3).
	apicSendIllegal     = 1 << 5
	apicReceiveIllegal  = 1 << 6
	apicIllegalRegister = 1 << 7

	resetDFR = 0xFFFF_FFFF
)

// What may be written; the other bits are reserved, and setting one raises #GP (SDM vol. 3, 11.12.1.3; figures 11-8,
// 11-10, 11-23, 11-28).
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

// setLocal writes an entry of the local vector table. Between TSC-deadline mode and the others the timer is disarmed
// (SDM vol. 3, 11.5.4.1).
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
