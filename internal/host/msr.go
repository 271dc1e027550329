package host

import "github.com/tacit-vm/tacit/internal/x86"

// An msrKey is a register of one processor.
type msrKey struct {
	cpu   int
	index uint32
}

// Registers that KVM emulates for a TD (arch/x86/kvm/vmx/tdx.c, tdx_has_emulated_msr).
const (
	msrAPICBase       = 0x1B
	msrFeatureControl = 0x3A
	msrBiosSignID     = 0x8B
	msrPlatformInfo   = 0xCE
	msrMTRRCap        = 0xFE
	msrMiscFeatures   = 0x140
	msrMCGCap         = 0x179
	msrMCGStatus      = 0x17A
	msrMiscEnable     = 0x1A0
	msrPowerControl   = 0x1FC
	msrMTRRPhysBase0  = 0x200
	msrMTRRPhysMask7  = 0x20F
	msrMTRRFix64K     = 0x250
	msrMTRRFix16K     = 0x258 // and 0x259
	msrMTRRFix4K      = 0x268 // to 0x26F
	msrMTRRDefType    = 0x2FF
	msrX2APIC         = 0x800
	msrX2APICEnd      = 0x900
)

// What they read as before they are written. Registers that can be written are those of writable.
const (
	featureControlLocked = 1
	biosSignID           = 1 << 32          // KVM's microcode revision
	mtrrCap              = 8 | 1<<8 | 1<<10 // eight variable ranges, fixed ranges, write combining
)

// ReadMSR answers RDMSR of what the platform leaves to the host, as KVM does for a TD.
func (h *Host) ReadMSR(c *x86.CPU, index uint32) (uint64, bool) {
	switch index {
	case msrAPICBase:
		return apicBase(c), true
	case msrFeatureControl:
		return featureControlLocked, true
	case msrBiosSignID:
		return biosSignID, true
	case msrMTRRCap:
		return mtrrCap, true
	case msrPlatformInfo, msrMCGCap: // no CPUID faulting, no machine check banks
		return 0, true
	}
	if index >= msrX2APIC && index < msrX2APICEnd {
		return c.APIC.ReadMSR(index)
	}
	if writable(index) {
		return h.msrs[msrKey{c.ID(), index}], true
	}
	return 0, false
}

// WriteMSR answers WRMSR.
func (h *Host) WriteMSR(c *x86.CPU, index uint32, value uint64) bool {
	switch {
	case index >= msrX2APIC && index < msrX2APICEnd:
		return c.APIC.WriteMSR(index, value)
	case index == msrBiosSignID:
		return true // ignored
	case !writable(index), index == msrMCGStatus && value != 0, index == msrMiscFeatures && value != 0:
		return false
	}
	h.msrs[msrKey{c.ID(), index}] = value
	return true
}

// writable says whether a register only keeps what it is told: about 30 for each processor.
func writable(index uint32) bool {
	switch index {
	case msrMiscFeatures, msrMCGStatus, msrMiscEnable, msrPowerControl, msrMTRRFix64K, msrMTRRFix16K, msrMTRRFix16K + 1, msrMTRRDefType:
		return true
	}
	return index >= msrMTRRPhysBase0 && index <= msrMTRRPhysMask7 || index >= msrMTRRFix4K && index < msrMTRRFix4K+8
}

// apicBase is IA32_APIC_BASE, which KVM lets no TD change: enabled, in x2APIC mode.
func apicBase(c *x86.CPU) uint64 {
	const enabled, bootstrap = 0xFEE0_0000 | 1<<11 | 1<<10, 1 << 8
	if c.ID() == 0 {
		return enabled | bootstrap
	}
	return enabled
}
