package tdx

import (
	"slices"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// Fields of a virtual processor that a guest may read, by the identifiers of their first elements.
const (
	idVCPUIndex         abi.Field = 0xA020_0002_0000_0002
	idCPUIDSupervisorVE abi.Field = 0xA020_0000_0000_0007
	idCPUIDUserVE       abi.Field = 0xA020_0000_0000_0008
	idL2Ctls            abi.Field = 0xA020_0003_0000_0050
	idTSCDeadline       abi.Field = 0xA020_0003_0000_0058
	idCPUIDControl      abi.Field = 0xA120_0000_0000_0000
)

// vpFields is tdvps_lookup of the module (auto_gen/tdvps_fields_lookup.c), for a TD without L2 VMs: without the last nine
// entries, which are theirs (md_get_num_of_td_vp_ctx_unused_entries).
var vpFields = table{
	{0x0120_0003_0000_0000, 128, 1, false},  // VAPIC
	{0x0220_0002_0000_0000, 1, 1, false},    // EXIT_REASON
	{0x0220_0002_0000_0001, 1, 1, false},    // VALID
	{0x0220_0003_0000_0002, 1, 1, false},    // EXIT_QUALIFICATION
	{0x0220_0003_0000_0003, 1, 1, false},    // GLA
	{0x0220_0003_0000_0004, 1, 1, false},    // GPA
	{0x0220_0001_0000_0005, 1, 1, false},    // EPTP_INDEX
	{0x8220_0002_0000_0010, 1, 1, false},    // INSTRUCTION_LENGTH
	{0x8220_0002_0000_0011, 1, 1, false},    // INSTRUCTION_INFORMATION
	{0x1020_0003_0000_0000, 1, 1, false},    // RAX
	{0x1020_0003_0000_0001, 1, 1, false},    // RCX
	{0x1020_0003_0000_0002, 1, 1, false},    // RDX
	{0x1020_0003_0000_0003, 1, 1, false},    // RBX
	{0x1020_0003_0000_0004, 1, 1, false},    // RSP_PLACEHOLDER
	{0x1020_0003_0000_0005, 1, 1, false},    // RBP
	{0x1020_0003_0000_0006, 1, 1, false},    // RSI
	{0x1020_0003_0000_0007, 1, 1, false},    // RDI
	{0x1020_0003_0000_0008, 1, 1, false},    // R8
	{0x1020_0003_0000_0009, 1, 1, false},    // R9
	{0x1020_0003_0000_000A, 1, 1, false},    // R10
	{0x1020_0003_0000_000B, 1, 1, false},    // R11
	{0x1020_0003_0000_000C, 1, 1, false},    // R12
	{0x1020_0003_0000_000D, 1, 1, false},    // R13
	{0x1020_0003_0000_000E, 1, 1, false},    // R14
	{0x1020_0003_0000_000F, 1, 1, false},    // R15
	{0x1120_0003_0000_0000, 1, 1, false},    // DR0
	{0x1120_0003_0000_0001, 1, 1, false},    // DR1
	{0x1120_0003_0000_0002, 1, 1, false},    // DR2
	{0x1120_0003_0000_0003, 1, 1, false},    // DR3
	{0x1120_0003_0000_0006, 1, 1, false},    // DR6
	{0x1120_0003_0000_0020, 1, 1, false},    // XCR0
	{0x1120_0003_0000_0028, 1, 1, false},    // CR2
	{0x9120_0003_0000_0100, 1, 1, false},    // VCPU_STATE_DETAILS
	{0x1220_0003_0000_0000, 1536, 1, false}, // XBUFF
	{0x1320_0003_0000_0048, 1, 1, false},    // IA32_SPEC_CTRL
	{0x1320_0003_0000_00E1, 1, 1, false},    // IA32_UMWAIT_CONTROL
	{0x1320_0003_0000_0122, 1, 1, false},    // IA32_TSX_CTRL
	{0x1320_0003_0000_0186, 8, 1, false},    // IA32_PERFEVTSELx
	{0x1320_0003_0000_01A6, 2, 1, false},    // MSR_OFFCORE_RSPx
	{0x1320_0003_0000_01C4, 1, 1, false},    // IA32_XFD
	{0x1320_0003_0000_01C5, 1, 1, false},    // IA32_XFD_ERR
	{0x1320_0003_0000_0309, 7, 1, false},    // IA32_FIXED_CTRx
	{0x1320_0003_0000_0329, 1, 1, false},    // IA32_PERF_METRICS
	{0x1320_0003_0000_038D, 1, 1, false},    // IA32_FIXED_CTR_CTRL
	{0x1320_0003_0000_038E, 1, 1, false},    // IA32_PERF_GLOBAL_STATUS
	{0x1320_0003_0000_03F1, 1, 1, false},    // IA32_PEBS_ENABLE
	{0x1320_0003_0000_03F2, 1, 1, false},    // MSR_PEBS_DATA_CFG
	{0x1320_0003_0000_03F6, 1, 1, false},    // MSR_PEBS_LD_LAT
	{0x1320_0003_0000_03F7, 1, 1, false},    // MSR_PEBS_FRONTEND
	{0x1320_0003_0000_04C1, 8, 1, false},    // IA32_A_PMCx
	{0x1320_0003_0000_0600, 1, 1, false},    // IA32_DS_AREA
	{0x1320_0003_0000_0DA0, 1, 1, false},    // IA32_XSS
	{0x1320_0003_0000_14CF, 1, 1, false},    // IA32_LBR_DEPTH
	{0x1320_0003_0000_1B01, 1, 1, false},    // IA32_UARCH_MISC_CTL
	{0x1320_0003_0000_2081, 1, 1, false},    // IA32_STAR
	{0x1320_0003_0000_2082, 1, 1, false},    // IA32_LSTAR
	{0x1320_0003_0000_2084, 1, 1, false},    // IA32_FMASK
	{0x1320_0003_0000_2102, 1, 1, false},    // IA32_KERNEL_GS_BASE
	{0x1320_0003_0000_2103, 1, 1, false},    // IA32_TSC_AUX
	{0xA020_0000_0000_0000, 1, 1, false},    // VCPU_STATE
	{idVCPUIndex, 1, 1, true},
	{0xA020_0000_0000_0003, 1, 1, false}, // NUM_TDVPS_PAGES
	{0xA020_0002_0000_0004, 1, 1, false}, // ASSOC_LPID
	{0xA020_0003_0000_0006, 1, 1, false}, // VCPU_EPOCH
	{idCPUIDSupervisorVE, 1, 1, true},
	{idCPUIDUserVE, 1, 1, true},
	{0xA020_0003_0000_000A, 1, 1, false},  // LAST_EXIT_TSC
	{0x2020_0000_0000_000B, 1, 1, false},  // PEND_NMI
	{0x2020_0003_0000_000C, 1, 1, false},  // XFAM
	{0xA020_0000_0000_000D, 1, 1, false},  // LAST_EPF_GPA_LIST_IDX
	{0xA020_0000_0000_000E, 1, 1, false},  // POSSIBLY_EPF_STEPPING
	{0xA020_0000_0000_000F, 1, 1, false},  // LAST_TD_EXIT
	{0xA020_0003_0000_0010, 15, 1, false}, // TDVPS_PAGE_PA
	{0xA020_0003_0000_0030, 1, 1, false},  // HP_LOCK_BUSY_START
	{0xA020_0000_0000_0031, 1, 1, false},  // HP_LOCK_BUSY
	{0xA020_0003_0000_0032, 1, 1, false},  // LAST_SEAMDB_INDEX
	{0xA020_0000_0000_0040, 1, 1, false},  // NMI_UNBLOCKING_DUE_TO_IRET
	{0xA020_0001_0000_0041, 1, 1, false},  // CURR_VM
	{0xA020_0000_0000_0042, 1, 1, false},  // L2_EXIT_HOST_ROUTING
	{0xA020_0000_0000_0044, 4, 1, false},  // VM_LAUNCHED
	{0xA020_0000_0000_0048, 4, 1, false},  // LP_DEPENDENT_HPA_UPDATED
	{0xA020_0000_0000_004C, 4, 1, false},  // MODULE_DEPENDENT_FIELDS_UPDATED
	{idL2Ctls, 4, 1, true},
	{0xA020_0003_0000_0054, 4, 1, false}, // L2_DEBUG_CTLS
	{idTSCDeadline, 4, 1, true},
	{0xA020_0003_0000_005C, 4, 1, false}, // SHADOW_TSC_DEADLINE
	{0xA020_0003_0000_0080, 1, 1, false}, // BASE_L2_CR0_GUEST_HOST_MASK
	{0xA020_0003_0000_0081, 1, 1, false}, // BASE_L2_CR0_READ_SHADOW
	{0xA020_0003_0000_0082, 1, 1, false}, // BASE_L2_CR4_GUEST_HOST_MASK
	{0xA020_0003_0000_0083, 1, 1, false}, // BASE_L2_CR4_READ_SHADOW
	{0xA020_0003_0000_0084, 4, 1, false}, // SHADOW_CR0_GUEST_HOST_MASK
	{0xA020_0003_0000_0088, 4, 1, false}, // SHADOW_CR0_READ_SHADOW
	{0xA020_0003_0000_008C, 4, 1, false}, // SHADOW_CR4_GUEST_HOST_MASK
	{0xA020_0003_0000_0090, 4, 1, false}, // SHADOW_CR4_READ_SHADOW
	{0xA020_0002_0000_0094, 4, 1, false}, // SHADOW_INSTRUCTION_TIMEOUT_CONTROL
	{0xA020_0003_0000_0098, 4, 1, false}, // SHADOW_PID_HPA
	{0xA020_0002_0000_009C, 4, 1, false}, // SHADOW_PINBASED_EXEC_CTLS
	{0xA020_0002_0000_00A4, 4, 1, false}, // SHADOW_PLE_GAP
	{0xA020_0002_0000_00A8, 4, 1, false}, // SHADOW_PLE_WINDOW
	{0xA020_0001_0000_00AC, 4, 1, false}, // SHADOW_POSTED_INT_NOTIFICATION_VECTOR
	{0xA020_0002_0000_00B0, 4, 1, false}, // SHADOW_PROCBASED_EXEC_CTLS2
	{0xA020_0003_0000_00B4, 4, 1, false}, // SHADOW_SHARED_EPTP
	{0xA020_0003_0000_0100, 4, 1, false}, // L2_ENTER_GUEST_STATE_GPA
	{0xA020_0003_0000_0104, 4, 1, false}, // L2_ENTER_GUEST_STATE_HPA
	{0xA020_0003_0000_0108, 4, 1, false}, // VE_INFO_GPA
	{0xA020_0003_0000_010C, 4, 1, false}, // VE_INFO_HPA
	{0xA020_0003_0000_0110, 4, 1, false}, // L2_VAPIC_GPA
	{0xA020_0003_0000_0114, 4, 1, false}, // L2_VAPIC_HPA
	{idCPUIDControl, 128, 1, true},
	{0xA220_0003_0000_0200, 32, 1, false}, // LAST_EPF_GPA_LIST
}

// classVMCS is of fields whose codes are the processor's encodings of those of a VMCS.
const classVMCS = 0

// vmcsFields are the encodings in td_vmcs_lookup of the module (auto_gen/td_vmcs_fields_lookup.c), first and last of stretches of
// even ones. An odd encoding is the high half of a field, which has no identifier (md_vp_get_element in metadata_vp.c). None is
// the guest's to read. Which of them a processor has is its own affair; here it has them all.
var vmcsFields = [...][2]uint32{
	{0x0, 0x6}, {0x800, 0x814}, {0x2000, 0x202E}, {0x2032, 0x2040}, {0x204A, 0x204C}, {0x2400, 0x2400}, {0x2800, 0x2810}, {0x2814, 0x2818},
	{0x4000, 0x4026}, {0x4400, 0x440E}, {0x4800, 0x482A}, {0x482E, 0x482E}, {0x6000, 0x600E}, {0x6400, 0x640A}, {0x6800, 0x682C},
	{0x6C08, 0x6C08}, {0x6C14, 0x6C16}, {0x6C1A, 0x6C1A},
}

// lookUpVP finds the entry of vpFields that an identifier stands for, and which of its elements; a VMCS's has nothing that could be
// read or written.
func lookUpVP(id abi.Field) (f field, element uint32, s abi.Status) {
	if !id.Single() {
		return field{}, 0, abi.MetadataFieldIDIncorrect
	}
	if id.Class() == classVMCS {
		if code := id.Code(); code%2 != 0 || !slices.ContainsFunc(vmcsFields[:], func(r [2]uint32) bool { return code >= r[0] && code <= r[1] }) {
			return field{}, 0, abi.MetadataFieldIDIncorrect
		}
		return field{id: id}, 0, abi.Success
	}
	entry, element := vpFields.find(id)
	if entry < 0 {
		return field{}, 0, abi.MetadataFieldIDIncorrect
	}
	return vpFields[entry], element, abi.Success
}

// readVP returns the value of an element of a field that a guest may read.
func (m *Module) readVP(c *x86.CPU, f field, element uint32) uint64 {
	v := m.vpOf(c)
	switch f.id {
	case idVCPUIndex:
		return uint64(c.ID())
	case idCPUIDSupervisorVE:
		return uint64(v.cpuidSupervisorVE)
	case idCPUIDUserVE:
		return uint64(v.cpuidUserVE)
	case idL2Ctls:
		return v.l2Ctls[element]
	case idTSCDeadline:
		return v.tscDeadline[element]
	case idCPUIDControl:
		return uint64(v.cpuidControl[element])
	}
	return 0
}

// writeVP changes it. What is about VMs of the TD's own does nothing, where it has none (module, md_vp_element_tdvps_wr_handle).
func (m *Module) writeVP(c *x86.CPU, f field, element uint32, value uint64) {
	v := m.vpOf(c)
	switch f.id {
	case idCPUIDSupervisorVE:
		v.cpuidSupervisorVE = uint8(value)
	case idCPUIDUserVE:
		v.cpuidUserVE = uint8(value)
	case idL2Ctls:
		v.l2Ctls[element] = value
	case idTSCDeadline:
		v.tscDeadline[element] = value
	case idCPUIDControl:
		v.cpuidControl[element] = uint8(value)
	}
}

// writableVP are the bits of a field that a guest may write.
func writableVP(f field) uint64 {
	switch f.id {
	case idCPUIDSupervisorVE, idCPUIDUserVE:
		return 0xFF
	case idL2Ctls:
		return 7
	case idTSCDeadline:
		return ^uint64(0)
	case idCPUIDControl:
		return cpuidControlSupervisor | cpuidControlUser
	}
	return 0
}
