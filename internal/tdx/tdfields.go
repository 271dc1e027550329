package tdx

import (
	"slices"

	"github.com/tacit-vm/tacit/tdx/abi"
)

// Fields of a TD of which a guest gets more than zeros, by the identifiers of their first elements.
const (
	idNumVCPUs      abi.Field = 0x9010_0002_0000_0001
	idAttributes    abi.Field = 0x1110_0003_0000_0000
	idXFAM          abi.Field = 0x1110_0003_0000_0001
	idMaxVCPUs      abi.Field = 0x1110_0002_0000_0002
	idGPAW          abi.Field = 0x1110_0000_0000_0003
	idTSCFrequency  abi.Field = 0x1110_0001_0000_000C
	idNotifyEnables abi.Field = 0x9110_0003_0000_0010
	idConfigFlags   abi.Field = 0x1110_0003_0000_0016
	idTDCtls        abi.Field = 0x1110_0003_0000_0017
	idRTMR          abi.Field = 0x1310_0003_0000_0040
)

// The identifiers that have CPUID leaves in them: their class, and the entry in the table.
const (
	classCPUIDValues           = 0x14
	idCPUIDValues    abi.Field = 0x9410_0003_0000_0000
)

// tdFields is tdr_tdcs_lookup of the module (auto_gen/tdr_tdcs_fields_lookup.c), for a TD without L2 VMs: without the last
// three entries, which are their secure EPT roots (md_get_num_of_td_vp_ctx_unused_entries).
var tdFields = table{
	{0x8010_0000_0000_0001, 1, 1, false}, // FATAL
	{0x8010_0002_0000_0002, 1, 1, false}, // NUM_TDCX
	{0x8010_0003_0000_0004, 1, 1, false}, // CHLDCNT
	{0x8010_0002_0000_0005, 1, 1, false}, // LIFECYCLE_STATE
	{0x8010_0003_0000_0010, 9, 1, false}, // TDCX_PA
	{0x8010_0003_0000_0020, 1, 4, true},  // TD_UUID
	{0x8110_0001_0000_0001, 1, 1, false}, // HKID
	{0x8110_0003_0000_0002, 1, 1, false}, // PKG_CONFIG_BITMAP
	{0x8210_0001_0000_0000, 1, 1, false}, // HANDOFF_VERSION
	{0x8210_0003_0000_0001, 1, 1, false}, // SEAMDB_INDEX
	{0x8210_0003_0000_0002, 1, 4, false}, // SEAMDB_NONCE
	{idNumVCPUs, 1, 1, true},
	{0x9010_0002_0000_0002, 1, 1, false}, // NUM_ASSOC_VCPUS
	{0x9010_0002_0000_0004, 1, 1, false}, // OP_STATE
	{0x9010_0001_0000_0005, 1, 1, true},  // NUM_L2_VMS
	{idAttributes, 1, 1, true},
	{idXFAM, 1, 1, true},
	{idMaxVCPUs, 1, 1, true},
	{idGPAW, 1, 1, true},
	{0x1110_0003_0000_0004, 1, 1, false}, // EPTP
	{0x1110_0003_0000_000A, 1, 1, false}, // TSC_OFFSET
	{0x1110_0003_0000_000B, 1, 1, false}, // TSC_MULTIPLIER
	{idTSCFrequency, 1, 1, true},
	{0x1110_0003_0000_000D, 1, 1, false}, // VIRTUAL_TSC
	{0x9110_0001_0000_000E, 1, 1, false}, // NUM_CPUID_VALUES
	{0x9110_0002_0000_000F, 1, 1, false}, // XBUFF_SIZE
	{idNotifyEnables, 1, 1, true},
	{0x9110_0003_0000_0011, 1, 1, false}, // HP_LOCK_TIMEOUT
	{0x9110_0003_0000_0012, 4, 1, false}, // VM_CTLS
	{idConfigFlags, 1, 1, true},
	{idTDCtls, 1, 1, true},
	{0x9110_0000_0000_0080, 80, 1, false}, // CPUID_VALID
	{0x9110_0002_0000_0800, 19, 1, false}, // XBUFF_OFFSETS
	{0x9210_0003_0000_0000, 1, 1, false},  // TD_EPOCH
	{0x9210_0001_0000_0001, 2, 1, false},  // REFCOUNT
	{0x1310_0003_0000_0000, 1, 6, true},   // MRTD
	{0x1310_0003_0000_0010, 1, 6, true},   // MRCONFIGID
	{0x1310_0003_0000_0018, 1, 6, true},   // MROWNER
	{0x1310_0003_0000_0020, 1, 6, true},   // MROWNERCONFIG
	{idRTMR, 4, 6, true},
	{idCPUIDValues, 80, 2, false},
	{0x9610_0003_0000_010A, 1, 1, false},   // VIRTUAL_IA32_ARCH_CAPABILITIES
	{0x9610_0003_0000_0480, 1, 1, false},   // VIRTUAL_IA32_VMX_BASIC
	{0x9610_0003_0000_0485, 1, 1, false},   // VIRTUAL_IA32_VMX_MISC
	{0x9610_0003_0000_0486, 1, 1, false},   // VIRTUAL_IA32_VMX_CR0_FIXED0
	{0x9610_0003_0000_0487, 1, 1, false},   // VIRTUAL_IA32_VMX_CR0_FIXED1
	{0x9610_0003_0000_0488, 1, 1, false},   // VIRTUAL_IA32_VMX_CR4_FIXED0
	{0x9610_0003_0000_0489, 1, 1, false},   // VIRTUAL_IA32_VMX_CR4_FIXED1
	{0x9610_0003_0000_048B, 1, 1, false},   // VIRTUAL_IA32_VMX_PROCBASED_CTLS2
	{0x9610_0003_0000_048C, 1, 1, false},   // VIRTUAL_IA32_VMX_EPT_VPID_CAP
	{0x9610_0003_0000_048D, 1, 1, false},   // VIRTUAL_IA32_VMX_TRUE_PINBASED_CTLS
	{0x9610_0003_0000_048E, 1, 1, false},   // VIRTUAL_IA32_VMX_TRUE_PROCBASED_CTLS
	{0x9610_0003_0000_048F, 1, 1, false},   // VIRTUAL_IA32_VMX_TRUE_EXIT_CTLS
	{0x9610_0003_0000_0490, 1, 1, false},   // VIRTUAL_IA32_VMX_TRUE_ENTRY_CTLS
	{0x9610_0003_0000_0491, 1, 1, false},   // VIRTUAL_IA32_VMX_VMFUNC
	{0x9610_0003_0000_0492, 1, 1, false},   // VIRTUAL_IA32_VMX_PROCBASED_CTLS3
	{0x9610_0003_0000_0493, 1, 1, false},   // VIRTUAL_IA32_VMX_EXIT_CTLS2
	{0x9810_0000_0000_0001, 1, 1, false},   // MIG_DEC_KEY_SET
	{0x9810_0002_0000_0002, 1, 1, false},   // EXPORT_COUNT
	{0x9810_0002_0000_0003, 1, 1, false},   // IMPORT_COUNT
	{0x9810_0002_0000_0004, 1, 1, false},   // MIG_EPOCH
	{0x9810_0003_0000_0005, 1, 1, false},   // BW_EPOCH
	{0x9810_0003_0000_0006, 1, 1, false},   // TOTAL_MB_COUNT
	{0x9810_0003_0000_0010, 1, 4, false},   // MIG_DEC_KEY
	{0x9810_0003_0000_0014, 1, 4, false},   // MIG_DEC_WORKING_KEY
	{0x9810_0003_0000_0018, 1, 4, false},   // MIG_ENC_KEY
	{0x9810_0003_0000_001C, 1, 4, false},   // MIG_ENC_WORKING_KEY
	{0x9810_0001_0000_0020, 1, 1, false},   // MIG_VERSION
	{0x9810_0001_0000_0021, 1, 1, false},   // MIG_WORKING_VERSION
	{0x9810_0003_0000_0030, 1, 1, false},   // DIRTY_COUNT
	{0x9810_0003_0000_0031, 1, 1, false},   // MIG_COUNT
	{0x9810_0001_0000_0032, 1, 1, false},   // NUM_MIGS
	{0x9810_0002_0000_0034, 1, 1, false},   // NUM_MIGRATED_VCPUS
	{0x9810_0003_0000_0040, 1, 4, true},    // PRE_IMPORT_UUID
	{0x9910_0003_0000_0000, 1, 6, true},    // SERVTD_HASH
	{0x9910_0001_0000_0006, 1, 1, true},    // SERVTD_NUM
	{0x9910_0003_0000_0080, 1, 16, true},   // SERVTD_BINDINGS_TABLE
	{0x9A10_0003_0000_0000, 512, 1, false}, // MIGSC_LINKS
	{0x2010_0003_0000_0000, 512, 1, false}, // MSR_BITMAPS
	{0x2110_0003_0000_0000, 512, 1, false}, // SEPT_ROOT
}

// lookUpTD finds the entry of tdFields that an identifier stands for, and which of its elements. Where there is none, s says so;
// it says also of a CPUID leaf that the module knows and does not answer that it cannot be read, whatever is to be done with it.
func lookUpTD(id abi.Field) (f field, element uint32, s abi.Status) {
	if !id.Single() {
		return field{}, 0, abi.MetadataFieldIDIncorrect
	}
	if id.Class() == classCPUIDValues {
		if s := cpuidValue(id.Code()); s != abi.Success {
			return field{}, 0, s
		}
		id = idCPUIDValues
	}
	entry, element := tdFields.find(id)
	if entry < 0 {
		return field{}, 0, abi.MetadataFieldIDIncorrect
	}
	return tdFields[entry], element, abi.Success
}

// cpuidValue says whether the module has the leaf that the code of a CPUID_VALUES identifier names: bit 0 the element, 7:1 the
// subleaf, 8 that there is none, 15:9 and 16 the leaf, of which 16 is bit 31 (module, md_field_id_t; md_td_get_element in
// metadata_td.c).
func cpuidValue(code uint32) abi.Status {
	leaf, subleaf := code>>9&0x7F|code>>16&1<<31, code>>1&0x7F
	if code>>8&1 != 0 {
		subleaf = anySubleaf
	}
	switch {
	case code>>17 != 0:
		return abi.MetadataFieldIDIncorrect
	case slices.ContainsFunc(cpuidFaulting, func(f [2]uint32) bool { return f[0] == leaf && (f[1] == anySubleaf || f[1] == subleaf) }):
		return abi.MetadataNotReadable
	case !virtualLeaf(leaf, subleaf):
		return abi.MetadataFieldIDIncorrect
	}
	return abi.Success
}

// cpuidFaulting are leaves, and their subleaves, that the module knows and does not answer.
var cpuidFaulting = [][2]uint32{{0x6, anySubleaf}, {0x1F, 0}, {0x1F, 1}, {0x1F, 2}, {0x1F, 3}, {0x1F, 4}, {0x1F, 5}, {0x8000_0006, anySubleaf}}
