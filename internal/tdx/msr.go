package tdx

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// What becomes of an access to a model-specific register.
type msrAction uint8

const (
	msrVE      msrAction = iota // #VE: the guest asks the host
	msrGP                       // #GP: the feature is not there
	msrNative                   // the processor's own register
	msrVirtual                  // the module answers
)

// An msrRow says what becomes of the registers first to last.
type msrRow struct {
	first, last uint32
	read, write msrAction
}

// msrRows is msr_lookup of the module (auto_gen/msr_config_lookup.c), for a TD with XFAM 3 and none of PERFMON, PKS,
// TSX, WAITPKG, TSC-deadline, DCA, TME: the rows whose bits depend on those raise #GP here. What is in no row raises
// #VE. Ascending.
var msrRows = []msrRow{
	{0x10, 0x10, msrNative, msrVE},     // IA32_TIME_STAMP_COUNTER
	{0x48, 0x49, msrNative, msrNative}, // IA32_SPEC_CTRL, IA32_PRED_CMD
	{0x87, 0x87, msrGP, msrGP},         // IA32_MKTME_PARTITIONING
	{0x8C, 0x8F, msrGP, msrGP},         // IA32_SGXLEPUBKEYHASHx
	{0x98, 0x9B, msrGP, msrGP},         // MSR_WBINVDP, MSR_WBNOINVDP, MSR_INTR_PENDING, IA32_SMM_MONITOR_CTL
	{0x9E, 0x9E, msrGP, msrGP},         // IA32_SMBASE
	{0xBC, 0xBC, msrNative, msrVE},     // IA32_MISC_PACKAGE_CTLS
	{msrXAPICDisableStatus, msrXAPICDisableStatus, msrVirtual, msrNative},
	{0xC1, 0xC8, msrGP, msrGP}, // IA32_PMCx
	{0xE1, 0xE1, msrGP, msrGP}, // IA32_UMWAIT_CONTROL
	{msrArchCapabilities, msrArchCapabilities, msrVirtual, msrNative},
	{0x10B, 0x10B, msrNative, msrNative}, // IA32_FLUSH_CMD
	{0x122, 0x122, msrGP, msrGP},         // IA32_TSX_CTRL
	{0x174, 0x176, msrNative, msrNative}, // IA32_SYSENTER_CS, ESP, EIP
	{0x186, 0x18D, msrGP, msrGP},         // IA32_PERFEVTSELx
	{0x195, 0x195, msrGP, msrGP},         // IA32_OVERCLOCKING_STATUS
	{msrMiscEnable, msrMiscEnable, msrVirtual, msrVE},
	{0x1A6, 0x1A7, msrGP, msrGP}, // MSR_OFFCORE_RSPx
	{0x1C4, 0x1C5, msrGP, msrGP}, // IA32_XFD, IA32_XFD_ERR
	{msrDebugCtl, msrDebugCtl, msrVirtual, msrVirtual},
	{0x1F8, 0x1FA, msrGP, msrGP},         // IA32_PLATFORM_DCA_CAP, IA32_CPU_DCA_CAP, IA32_DCA_0_CAP
	{0x276, 0x276, msrGP, msrGP},         // MSR_SLAM_ENABLE
	{0x277, 0x277, msrNative, msrNative}, // IA32_PAT
	{0x309, 0x310, msrGP, msrGP},         // IA32_FIXED_CTRx
	{0x329, 0x329, msrGP, msrGP},         // IA32_PERF_METRICS
	{msrPerfCapabilities, msrPerfCapabilities, msrVirtual, msrGP},
	{0x38D, 0x392, msrGP, msrGP}, // IA32_FIXED_CTR_CTRL, IA32_PERF_GLOBAL_*
	{0x3F1, 0x3F2, msrGP, msrGP}, // IA32_PEBS_ENABLE, MSR_PEBS_MATRIX_VECT
	{0x3F6, 0x3F7, msrGP, msrGP}, // MSR_PEBS_LD_LATENCY, MSR_PEBS_FRONTEND

	// IA32_VMX_*: a TD with TD partitioning reads some of them. This module has none, so that reading raises #VE as
	// the rest of them does.
	{0x480, 0x492, msrVE, msrGP},

	{0x4C1, 0x4C8, msrGP, msrGP},         // IA32_A_PMCx
	{0x500, 0x500, msrGP, msrGP},         // IA32_SGX_SVN_STATUS
	{0x560, 0x561, msrGP, msrGP},         // IA32_RTIT_OUTPUT_*
	{0x570, 0x572, msrGP, msrGP},         // IA32_RTIT_CTL, STATUS, CR3_MATCH
	{0x580, 0x587, msrGP, msrGP},         // IA32_RTIT_ADDRx
	{0x600, 0x600, msrNative, msrNative}, // IA32_DS_AREA
	{0x6A0, 0x6A0, msrGP, msrGP},         // IA32_U_CET
	{0x6A2, 0x6A2, msrGP, msrGP},         // IA32_S_CET
	{0x6A4, 0x6A8, msrGP, msrGP},         // IA32_PLx_SSP, IA32_INTERRUPT_SSP_TABLE_ADDR
	{0x6E0, 0x6E1, msrGP, msrGP},         // IA32_TSC_DEADLINE, IA32_PKRS
	{0x800, 0x801, msrGP, msrGP},
	{0x804, 0x807, msrGP, msrGP},
	{0x808, 0x80C, msrNative, msrNative}, // IA32_X2APIC_TPR, PPR, EOI, and what is reserved between them
	{0x80E, 0x80E, msrNative, msrNative},
	{0x810, 0x827, msrNative, msrNative}, // IA32_X2APIC_ISRx, TMRx, IRRx
	{0x829, 0x82E, msrGP, msrGP},
	{0x831, 0x831, msrGP, msrGP},
	{0x83F, 0x83F, msrNative, msrNative}, // IA32_X2APIC_SELF_IPI
	{0x840, 0x8FF, msrGP, msrGP},
	{0x981, 0x98A, msrGP, msrGP},     // IA32_TME_*, IA32_UINTR_*
	{0xC80, 0xC80, msrNative, msrVE}, // IA32_DEBUG_INTERFACE
	{0xD90, 0xD90, msrGP, msrGP},     // IA32_BNDCFGS
	{0xD93, 0xD93, msrGP, msrGP},     // IA32_PASID
	{msrXSS, msrXSS, msrNative, msrVirtual},
	{0x1200, 0x12FF, msrGP, msrGP},         // IA32_LBR_INFO
	{0x14CE, 0x14CF, msrGP, msrGP},         // IA32_LBR_CTL, DEPTH
	{0x1500, 0x16FF, msrGP, msrGP},         // IA32_LBR_x_FROM_IP, TO_IP
	{0x1B01, 0x1B01, msrNative, msrNative}, // IA32_UARCH_MISC_CTL
	{msrEFER, msrEFER, msrNative, msrVirtual},
	{0xC000_0081, 0xC000_0082, msrNative, msrNative}, // IA32_STAR, LSTAR
	{0xC000_0084, 0xC000_0084, msrNative, msrNative}, // IA32_FMASK
	{0xC000_0100, 0xC000_0103, msrNative, msrNative}, // IA32_FS_BASE, GS_BASE, KERNEL_GS_BASE, TSC_AUX
}

// Registers that the module virtualises.
const (
	msrXAPICDisableStatus = 0xBD
	msrArchCapabilities   = 0x10A
	msrMiscEnable         = 0x1A0
	msrDebugCtl           = 0x1D9
	msrPerfCapabilities   = 0x345
	msrXSS                = 0xDA0
	msrEFER               = 0xC000_0080
)

// msrActions returns what becomes of reading and writing a register.
func msrActions(index uint32) (read, write msrAction) {
	for i := range msrRows {
		if r := &msrRows[i]; index <= r.last {
			if index >= r.first {
				return r.read, r.write
			}
			break
		}
	}
	return msrVE, msrVE
}

// archHidden are the bits of IA32_ARCH_CAPABILITIES that are 0 in a TD whatever the processor has (module,
// init_virt_ia32_arch_capabilities): TSX_CTRL, MCU_CTLS, MISC_PACKAGE_CTLS, ENERGY_FILTERING_CTL, 16, FB_CLEAR,
// FB_CLEAR_CTRL, XAPIC_DISABLE_STATUS, 22, OVERCLOCKING_STATUS and 63:25.
const archHidden = 1<<7 | 7<<9 | 7<<16 | 7<<21 | ^uint64(1<<25-1)

// rdmsr serves RDMSR (module, td_rdmsr_exit).
func (m *Module) rdmsr(c *x86.CPU, in *x86.Instruction) x86.Action {
	index := uint32(c.R[x86.RCX])
	read, _ := msrActions(index)
	switch read {
	case msrNative:
		return x86.Native
	case msrGP:
		return m.raiseGP(c)
	case msrVE:
		return m.raiseVE(c, abi.ReasonRDMSR, 0, in.Length)
	}
	var value uint64
	switch index {
	case msrXAPICDisableStatus:
		value = 1 // LEGACY_XAPIC_DISABLED
	case msrArchCapabilities:
		value = x86.ArchCapabilities &^ archHidden
	case msrMiscEnable:
		value = miscEnable
	case msrDebugCtl:
		value = m.vpOf(c).debugctl
	case msrPerfCapabilities:
		value = 0 // no PERFMON
	}
	c.R[x86.RAX], c.R[x86.RDX] = value&0xFFFF_FFFF, value>>32
	c.Charge(cost.ModuleCall, 1)
	return x86.Done
}

// IA32_MISC_ENABLE as the module shows it (rdmsr_ia32_misc_enables): the processor's, without performance monitoring.
const (
	miscFastStrings     = 1 << 0
	miscBTSUnavailable  = 1 << 11
	miscPEBSUnavailable = 1 << 12

	miscEnable = miscFastStrings | miscBTSUnavailable | miscPEBSUnavailable
)

// IA32_DEBUGCTL (SDM vol. 3, 18.4.1; module, wrmsr_ia32_debugctl).
const (
	debugCtlBusLock   = 1 << 2
	debugCtlTR        = 1 << 6
	debugCtlBTS       = 1 << 7
	debugCtlUncorePMI = 1 << 13
	debugCtlReserved  = ^uint64(0xFFC7) // bits 5:3 and 63:16
)

// wrmsr serves WRMSR (module, td_wrmsr_exit).
func (m *Module) wrmsr(c *x86.CPU, in *x86.Instruction) x86.Action {
	index := uint32(c.R[x86.RCX])
	value := c.R[x86.RAX]&0xFFFF_FFFF | c.R[x86.RDX]<<32
	_, write := msrActions(index)
	switch write {
	case msrNative:
		return x86.Native
	case msrGP:
		return m.raiseGP(c)
	case msrVE:
		return m.raiseVE(c, abi.ReasonWRMSR, 0, in.Length)
	}
	switch index {
	case msrXSS:
		if value != 0 {
			return m.raiseGP(c) // XFAM has no supervisor state
		}
		return x86.Native
	case msrEFER:
		if (value^c.State().EFER)&^(x86.EFERSCE|x86.EFERLMA) != 0 {
			return m.raiseVE(c, abi.ReasonWRMSR, 0, in.Length) // only SCE may change; LMA is read-only
		}
		return x86.Native
	case msrDebugCtl:
		// What the bits ask for does not happen but for bus locks: branch records and single steps on branches are only kept.
		switch {
		case value&debugCtlReserved != 0:
			return m.raiseGP(c)
		case value&debugCtlTR != 0 && value&debugCtlBTS == 0:
			return m.raiseVE(c, abi.ReasonWRMSR, 0, in.Length)
		}
		m.vpOf(c).debugctl = value &^ debugCtlUncorePMI
		c.DetectBusLocks(value&debugCtlBusLock != 0)
	}
	c.Charge(cost.ModuleCall, 1)
	return x86.Done
}

// Registers of features that the processor has in a TD and nowhere else here (always1ECX and its kin).
const (
	msrFlushCmd = 0x10B // IA32_FLUSH_CMD: writing 1 flushes a cache, of which nothing is seen
	msrDSArea   = 0x600 // IA32_DS_AREA: kept; without PERFMON nothing is stored there
)

// ReadMSR implements [x86.Platform]: RDMSR is intercepted, what is left is the processor's.
func (m *Module) ReadMSR(c *x86.CPU, index uint32) (uint64, x86.Action) {
	if index == msrDSArea {
		return m.vpOf(c).dsArea, x86.Done
	}
	return 0, x86.Native
}

// WriteMSR implements [x86.Platform].
func (m *Module) WriteMSR(c *x86.CPU, index uint32, value uint64) x86.Action {
	switch {
	case index == msrFlushCmd && value&^1 == 0:
		return x86.Done
	case index == msrDSArea && c.CanonicalBase(value):
		m.vpOf(c).dsArea = value
		return x86.Done
	}
	return x86.Native // which raises #GP where it knows none of that number
}
