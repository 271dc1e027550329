package host

import (
	"fmt"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/mem"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/x86"
)

// SNPConfig is what a host of an SEV-SNP guest has beyond a [Config].
type SNPConfig struct {
	// CPUID is the guest's CPUID as the hypervisor knows it.
	CPUID func(c *x86.CPU, leaf, subleaf uint32) [4]uint32

	// WallClock is the time at virtual time 0, in seconds since 1970, and TSCHz the frequency of the guest's TSC: for
	// KVM's clock. 0 is 1 GHz.
	WallClock int64
	TSCHz     uint64

	// ConvertLimit is how many bytes a page state change converts before the guest has to ask again: a multiple of 4
	// KiB. 0 is 64 MiB.
	ConvertLimit uint64
}

// SNP is the honest host of an SEV-SNP guest. It differs from the honest host of a TD in what it is asked, not in its
// policy.
type SNP struct {
	*Host
	snp   SNPConfig
	clock map[int]uint64 // where each processor wants its clock; bit 0 is set
}

// NewSNP returns a host that has yet to be given its guest, with [Host.Serve].
func NewSNP(cfg Config, snp SNPConfig) (*SNP, error) {
	h, err := New(cfg)
	if err != nil {
		return nil, err
	}
	if snp.TSCHz == 0 {
		snp.TSCHz = 1_000_000_000
	}
	if snp.ConvertLimit == 0 {
		snp.ConvertLimit = maxConvert
	}
	switch {
	case snp.CPUID == nil:
		return nil, fmt.Errorf("host: no CPUID")
	case snp.ConvertLimit%mem.PageSize != 0:
		return nil, fmt.Errorf("host: converts %#x bytes at a time: want a multiple of 4 KiB", snp.ConvertLimit)
	}
	return &SNP{Host: h, snp: snp, clock: make(map[int]uint64)}, nil
}

// ChangePageState makes pages private or shared at the guest's request, up to the limit. It returns the address that it
// has come to, and whether it will go on from there: memory that is not the guest's cannot be converted. Pages are
// assigned to the guest when it first touches or validates them (KVM, sev_gmem_prepare).
func (h *SNP) ChangePageState(c *x86.CPU, start, end uint64, size record.PageSize, to mem.Plane) (next uint64, ok bool) {
	end = min(end, start+h.snp.ConvertLimit)
	h.charge(c, cost.PageStateChange, 1)
	if !h.isRAM(start, end) {
		return start, false
	}
	event := cost.PageStateChange4K
	if size == record.Size2M {
		event = cost.PageStateChange2M
	}
	h.charge(c, event, (end-start+size.Bytes()-1)/size.Bytes())
	convert := h.guest.Unshare
	if to == mem.Shared {
		convert = h.share
	}
	if convert(c, start, end) != nil {
		return start, false
	}
	return end, true
}

// CPUID answers what the hypervisor knows better than the guest's table.
func (h *SNP) CPUID(c *x86.CPU, leaf, subleaf uint32) [4]uint32 { return h.snp.CPUID(c, leaf, subleaf) }

// Registers of AMD processors and of KVM that Linux looks at in an SEV-SNP guest.
const (
	msrTSC         = 0x10
	msrTSCAdjust   = 0x3B
	msrTSCDeadline = 0x6E0
	msrEventSel0   = 0xC001_0000 // to 0xC0010003, and the counters behind them
	msrCounter3    = 0xC001_0007
	msrSYSCFG      = 0xC001_0010
	msrHWCR        = 0xC001_0015
	msrTopMem      = 0xC001_001A
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
	case msrSYSCFG, msrTopMem, msrTopMem2:
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
