package host

import "github.com/tacit-vm/tacit/internal/x86"

// Registers of AMD processors and of KVM that Linux looks at in an SEV-SNP guest.
const (
	msrTSC         = 0x10
	msrTSCAdjust   = 0x3B
	msrTSCDeadline = 0x6E0
	msrEventSel0   = 0xC001_0000 // to 0xC0010003, and the counters after them
	msrCounter3    = 0xC001_0007
	msrSYSCFG      = 0xC001_0010
	msrHWCR        = 0xC001_0015
	msrTopMem      = 0xC001_001A
	msrNBCfg       = 0xC001_001F
	msrTopMem2     = 0xC001_001D
	msrDECfg       = 0xC001_1029
	msrKVMWall     = 0x4B56_4D00
	msrKVMClock    = 0x4B56_4D01
)

const (
	hwcrTSCFreqSel  = 1 << 24 // the TSC counts at one rate: Linux warns where it is not set
	deCfgSerialize  = 1 << 1  // LFENCE serializes
	amdPatchLevel   = 0x0100_0065
	mtrrFirmware    = 1<<11 | 6 // as firmware leaves it: enabled, write-back by default
	clockWantsClock = 1         // bit 0 of KVM's clock: enabled
)

// ReadMSR answers RDMSR of what a guest does not reach by itself, as KVM does.
func (h *SNP) ReadMSR(c *x86.CPU, index uint32) (uint64, bool) {
	switch index {
	case msrTSC, msrTSCAdjust, msrTSCDeadline:
		return c.MSR(index)
	case msrBiosSignID:
		return amdPatchLevel, true
	case msrSYSCFG, msrTopMem, msrTopMem2, msrNBCfg:
		return 0, true
	case msrHWCR:
		return hwcrTSCFreqSel, true
	case msrDECfg:
		return deCfgSerialize, true
	case msrMTRRDefType:
		if v, written := h.msrs[msrKey{c.ID(), index}]; written {
			return v, true
		}
		return mtrrFirmware, true
	case msrKVMClock:
		return h.clock[c.ID()], true
	case msrFeatureControl, msrMiscFeatures, msrPlatformInfo, msrPowerControl:
		return 0, false // Intel's
	}
	if index >= msrEventSel0 && index <= msrCounter3 {
		return 0, true // the guest has no performance counters, and KVM says so by their value
	}
	return h.Host.ReadMSR(c, index)
}

// WriteMSR answers WRMSR.
func (h *SNP) WriteMSR(c *x86.CPU, index uint32, value uint64) bool {
	switch index {
	case msrTSC, msrTSCAdjust:
		if !c.SetMSR(index, value) {
			return false
		}
		h.showClock(c)
		return true
	case msrTSCDeadline:
		return c.SetMSR(index, value)
	case msrSYSCFG, msrHWCR, msrTopMem, msrTopMem2, msrDECfg:
		v, _ := h.ReadMSR(c, index)
		return value == v
	case msrNBCfg:
		return true // ignored
	case msrKVMWall:
		h.showWallClock(c, value)
		return true
	case msrKVMClock:
		h.clock[c.ID()] = value
		h.showClock(c)
		return true
	case msrFeatureControl, msrMiscFeatures, msrPlatformInfo, msrPowerControl:
		return false
	}
	if index >= msrEventSel0 && index <= msrCounter3 {
		return true
	}
	return h.Host.WriteMSR(c, index, value)
}
