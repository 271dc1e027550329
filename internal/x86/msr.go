package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Model-specific registers that the processor has by itself (SDM vol. 4).
const (
	MSRTSC          = 0x10
	MSRAPICBase     = 0x1B
	MSRTSCAdjust    = 0x3B
	MSRSpecCtrl     = 0x48
	MSRPredCmd      = 0x49
	MSRBiosSign     = 0x8B
	MSRArchCaps     = 0x10A
	MSRSysenterCS   = 0x174
	MSRSysenterESP  = 0x175
	MSRSysenterEIP  = 0x176
	MSRMiscEnable   = 0x1A0
	MSRPAT          = 0x277
	MSRTSCDeadline  = 0x6E0
	MSRXSS          = 0xDA0
	MSRX2APICFirst  = 0x800
	MSRX2APICLast   = 0x8FF
	MSREFER         = 0xC000_0080
	MSRSTAR         = 0xC000_0081
	MSRLSTAR        = 0xC000_0082
	MSRCSTAR        = 0xC000_0083
	MSRFMASK        = 0xC000_0084
	MSRFSBase       = 0xC000_0100
	MSRGSBase       = 0xC000_0101
	MSRKernelGSBase = 0xC000_0102
	MSRTSCAux       = 0xC000_0103
)

// ResetPAT is the page attribute table after reset (SDM vol. 3, table 12-12).
const ResetPAT = 0x0007_0406_0007_0406

// specCtrlKeep is what IA32_SPEC_CTRL may hold (SDM vol. 4, table 2-2): IBRS, STIBP, SSBD, and what leaf 7.2 of CPUID
// announces: IPRED_DIS, RRSBA_DIS, PSFD, BHI_DIS_S.
const specCtrlKeep = 1<<0 | 1<<1 | 1<<2 | 3<<3 | 3<<5 | 1<<7 | 1<<10

// msrs are the registers that have no better place.
type msrs struct {
	star, lstar, cstar, fmask uint64
	kernelGSBase, tscAux      uint64
	sysenter                  [3]uint64
	pat, specCtrl             uint64
	tscAdjust                 uint64
}

func readMSR(c *CPU, _ *uop.Uop) bool {
	index := uint32(c.R[uop.RCX])
	v, action := c.platform.ReadMSR(c, index)
	if action == Native {
		var ok bool
		if v, ok = c.MSR(index); !ok {
			return c.raise(uop.VectorGP, 0)
		}
	} else if action != Done {
		return false
	}
	c.R[uop.RAX], c.R[uop.RDX] = uint64(uint32(v)), v>>32
	return true
}

func writeMSR(c *CPU, _ *uop.Uop) bool {
	index, v := uint32(c.R[uop.RCX]), uint64(uint32(c.R[uop.RAX]))|c.R[uop.RDX]<<32
	switch c.platform.WriteMSR(c, index, v) {
	case Native:
		if index == MSREFER {
			return c.writeEFER(v)
		}
		return c.SetMSR(index, v) || c.raise(uop.VectorGP, 0)
	case Done:
		return true
	}
	return false
}

// MSR reads one of the processor's own registers; ok is false where it has none of that number.
func (c *CPU) MSR(index uint32) (v uint64, ok bool) {
	if x2 := index >= MSRX2APICFirst && index <= MSRX2APICLast; x2 || index == MSRTSCDeadline {
		if x2 && !c.APIC.x2APIC() {
			return 0, false
		}
		return c.APIC.ReadMSR(index)
	}
	switch index {
	case MSRTSC:
		return c.readTSC(), true
	case MSRTSCAdjust:
		return c.msr.tscAdjust, true
	case MSRAPICBase:
		return c.APIC.base(), true
	case MSRXSS:
		return 0, true // there is no supervisor state
	case MSREFER:
		return c.efer, true
	case MSRFSBase:
		return c.R[uop.FSBase], true
	case MSRGSBase:
		return c.R[uop.GSBase], true
	}
	if p := c.storedMSR(index); p != nil {
		return *p, true
	}
	return 0, false
}

// SetMSR writes one of the processor's own registers other than EFER; ok is false where there is none of that number or
// it may not hold the value.
func (c *CPU) SetMSR(index uint32, v uint64) (ok bool) {
	if x2 := index >= MSRX2APICFirst && index <= MSRX2APICLast; x2 || index == MSRTSCDeadline {
		if x2 && !c.APIC.x2APIC() {
			return false
		}
		defer c.stopBehind() // a timer may have been armed, or an interrupt sent
		return c.APIC.WriteMSR(index, v)
	}
	switch index {
	case MSRTSC:
		c.adjustTSC(c.msr.tscAdjust + v - c.tsc())
		return true
	case MSRTSCAdjust:
		c.adjustTSC(v)
		return true
	case MSRAPICBase:
		return c.setAPICBase(v)
	case MSRXSS:
		return v == 0
	case MSRPredCmd:
		return v&^1 == 0
	case MSRFSBase, MSRGSBase:
		if !c.CanonicalBase(v) {
			return false
		}
		c.R[uop.FSBase+index-MSRFSBase] = v
		return true
	case MSRKernelGSBase, MSRLSTAR, MSRCSTAR, MSRSysenterESP, MSRSysenterEIP:
		if !c.CanonicalBase(v) {
			return false
		}
	case MSRPAT:
		if !validPAT(v) {
			return false
		}
	case MSRTSCAux, MSRFMASK:
		if v>>32 != 0 {
			return false
		}
	case MSRSpecCtrl:
		if v&^specCtrlKeep != 0 {
			return false
		}
	case MSRSysenterCS:
		v = uint64(uint32(v))
	}
	p := c.storedMSR(index)
	if p == nil {
		return false
	}
	*p = v
	return true
}

// storedMSR finds a register that is no more than memory.
func (c *CPU) storedMSR(index uint32) *uint64 {
	m := &c.msr
	switch index {
	case MSRSTAR:
		return &m.star
	case MSRLSTAR:
		return &m.lstar
	case MSRCSTAR:
		return &m.cstar
	case MSRFMASK:
		return &m.fmask
	case MSRKernelGSBase:
		return &m.kernelGSBase
	case MSRTSCAux:
		return &m.tscAux
	case MSRSysenterCS, MSRSysenterESP, MSRSysenterEIP:
		return &m.sysenter[index-MSRSysenterCS]
	case MSRPAT:
		return &m.pat
	case MSRSpecCtrl:
		return &m.specCtrl
	}
	return nil
}

// validPAT says whether each of the eight entries is a memory type: 0, 1, 4, 5, 6 or 7 (SDM vol. 3, 12.12.2).
func validPAT(v uint64) bool {
	for range 8 {
		if t := v & 0xFF; t > 7 || t == 2 || t == 3 {
			return false
		}
		v >>= 8
	}
	return true
}

// adjustTSC moves the time-stamp counter, and the moment at which it reaches the timer's deadline.
func (c *CPU) adjustTSC(v uint64) {
	c.msr.tscAdjust = v
	if c.APIC.ddl != 0 {
		c.APIC.armDeadline(c.APIC.ddl)
		c.stopBehind()
	}
}

// tsc returns the time-stamp counter: virtual time in ticks of the TSC's frequency, and what the guest has added.
func (c *CPU) tsc() uint64 { return ticks(c.Now(), c.tscHz) + c.msr.tscAdjust }

// readTSC is tsc for software, which reads no less than it has read on any processor.
func (c *CPU) readTSC() uint64 {
	t := ticks(c.Now(), c.tscHz)
	if c.lastTSC != nil {
		t = max(t, *c.lastTSC)
		*c.lastTSC = t
	}
	return t + c.msr.tscAdjust
}

// ticks converts nanoseconds to ticks of a clock, without overflow.
func ticks(ns int64, hz uint64) uint64 {
	hi, lo := bits.Mul64(uint64(ns), hz)
	q, _ := bits.Div64(hi%1_000_000_000, lo, 1_000_000_000)
	return q
}
