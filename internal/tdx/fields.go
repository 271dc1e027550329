package tdx

import (
	"slices"

	"github.com/tacit-vm/tacit/tdx/abi"
)

// A field is a stretch of TD-scope metadata: elements whose codes follow one another within a class. An identifier's class
// and code say which element it is; the module looks at nothing else of it (md_find_entry_idx in metadata_generic.c), but
// at what has to be 0 ([abi.Field.Single]).
type field struct {
	class    uint8
	first, n uint32 // codes
	readable bool   // by the guest: its read mask is not 0
}

// Fields of which a guest gets more than zeros.
var (
	fieldNumVCPUs      = field{0x10, 0x01, 1, true}
	fieldAttributes    = field{0x11, 0x00, 1, true}
	fieldXFAM          = field{0x11, 0x01, 1, true}
	fieldMaxVCPUs      = field{0x11, 0x02, 1, true}
	fieldGPAW          = field{0x11, 0x03, 1, true}
	fieldTSCFrequency  = field{0x11, 0x0C, 1, true}
	fieldNotifyEnables = field{0x11, 0x10, 1, true}
	fieldConfigFlags   = field{0x11, 0x16, 1, true}
	fieldTDCtls        = field{0x11, 0x17, 1, true}
	fieldRTMR          = field{0x13, 0x40, 24, true}
)

// The identifiers that have CPUID leaves in them.
const classCPUIDValues = 0x14

// fields is tdr_tdcs_lookup of the module (auto_gen/tdr_tdcs_fields_lookup.c), for a TD without L2 VMs: without the last
// three entries, which are their secure EPT roots (md_get_num_of_td_vp_ctx_unused_entries).
var fields = []field{
	{0x00, 0x01, 1, false}, // FATAL
	{0x00, 0x02, 1, false}, // NUM_TDCX
	{0x00, 0x04, 1, false}, // CHLDCNT
	{0x00, 0x05, 1, false}, // LIFECYCLE_STATE
	{0x00, 0x10, 9, false}, // TDCX_PA
	{0x00, 0x20, 4, true},  // TD_UUID
	{0x01, 0x01, 1, false}, // HKID
	{0x01, 0x02, 1, false}, // PKG_CONFIG_BITMAP
	{0x02, 0x00, 1, false}, // HANDOFF_VERSION
	{0x02, 0x01, 1, false}, // SEAMDB_INDEX
	{0x02, 0x02, 4, false}, // SEAMDB_NONCE
	fieldNumVCPUs,
	{0x10, 0x02, 1, false}, // NUM_ASSOC_VCPUS
	{0x10, 0x04, 1, false}, // OP_STATE
	{0x10, 0x05, 1, true},  // NUM_L2_VMS
	fieldAttributes,
	fieldXFAM,
	fieldMaxVCPUs,
	fieldGPAW,
	{0x11, 0x04, 1, false}, // EPTP
	{0x11, 0x0A, 1, false}, // TSC_OFFSET
	{0x11, 0x0B, 1, false}, // TSC_MULTIPLIER
	fieldTSCFrequency,
	{0x11, 0x0D, 1, false}, // VIRTUAL_TSC
	{0x11, 0x0E, 1, false}, // NUM_CPUID_VALUES
	{0x11, 0x0F, 1, false}, // XBUFF_SIZE
	fieldNotifyEnables,
	{0x11, 0x11, 1, false}, // HP_LOCK_TIMEOUT
	{0x11, 0x12, 4, false}, // VM_CTLS
	fieldConfigFlags,
	fieldTDCtls,
	{0x11, 0x80, 80, false},  // CPUID_VALID
	{0x11, 0x800, 19, false}, // XBUFF_OFFSETS
	{0x12, 0x00, 1, false},   // TD_EPOCH
	{0x12, 0x01, 2, false},   // REFCOUNT
	{0x13, 0x00, 6, true},    // MRTD
	{0x13, 0x10, 6, true},    // MRCONFIGID
	{0x13, 0x18, 6, true},    // MROWNER
	{0x13, 0x20, 6, true},    // MROWNERCONFIG
	fieldRTMR,
	{0x14, 0x00, 160, false}, // CPUID_VALUES
	{0x16, 0x10A, 1, false},  // VIRTUAL_IA32_ARCH_CAPABILITIES
	{0x16, 0x480, 1, false},  // VIRTUAL_IA32_VMX_BASIC
	{0x16, 0x485, 1, false},  // VIRTUAL_IA32_VMX_MISC
	{0x16, 0x486, 1, false},  // VIRTUAL_IA32_VMX_CR0_FIXED0
	{0x16, 0x487, 1, false},  // VIRTUAL_IA32_VMX_CR0_FIXED1
	{0x16, 0x488, 1, false},  // VIRTUAL_IA32_VMX_CR4_FIXED0
	{0x16, 0x489, 1, false},  // VIRTUAL_IA32_VMX_CR4_FIXED1
	{0x16, 0x48B, 1, false},  // VIRTUAL_IA32_VMX_PROCBASED_CTLS2
	{0x16, 0x48C, 1, false},  // VIRTUAL_IA32_VMX_EPT_VPID_CAP
	{0x16, 0x48D, 1, false},  // VIRTUAL_IA32_VMX_TRUE_PINBASED_CTLS
	{0x16, 0x48E, 1, false},  // VIRTUAL_IA32_VMX_TRUE_PROCBASED_CTLS
	{0x16, 0x48F, 1, false},  // VIRTUAL_IA32_VMX_TRUE_EXIT_CTLS
	{0x16, 0x490, 1, false},  // VIRTUAL_IA32_VMX_TRUE_ENTRY_CTLS
	{0x16, 0x491, 1, false},  // VIRTUAL_IA32_VMX_VMFUNC
	{0x16, 0x492, 1, false},  // VIRTUAL_IA32_VMX_PROCBASED_CTLS3
	{0x16, 0x493, 1, false},  // VIRTUAL_IA32_VMX_EXIT_CTLS2
	{0x18, 0x01, 1, false},   // MIG_DEC_KEY_SET
	{0x18, 0x02, 1, false},   // EXPORT_COUNT
	{0x18, 0x03, 1, false},   // IMPORT_COUNT
	{0x18, 0x04, 1, false},   // MIG_EPOCH
	{0x18, 0x05, 1, false},   // BW_EPOCH
	{0x18, 0x06, 1, false},   // TOTAL_MB_COUNT
	{0x18, 0x10, 4, false},   // MIG_DEC_KEY
	{0x18, 0x14, 4, false},   // MIG_DEC_WORKING_KEY
	{0x18, 0x18, 4, false},   // MIG_ENC_KEY
	{0x18, 0x1C, 4, false},   // MIG_ENC_WORKING_KEY
	{0x18, 0x20, 1, false},   // MIG_VERSION
	{0x18, 0x21, 1, false},   // MIG_WORKING_VERSION
	{0x18, 0x30, 1, false},   // DIRTY_COUNT
	{0x18, 0x31, 1, false},   // MIG_COUNT
	{0x18, 0x32, 1, false},   // NUM_MIGS
	{0x18, 0x34, 1, false},   // NUM_MIGRATED_VCPUS
	{0x18, 0x40, 4, true},    // PRE_IMPORT_UUID
	{0x19, 0x00, 6, true},    // SERVTD_HASH
	{0x19, 0x06, 1, true},    // SERVTD_NUM
	{0x19, 0x80, 16, true},   // SERVTD_BINDINGS_TABLE
	{0x1A, 0x00, 512, false}, // MIGSC_LINKS
	{0x20, 0x00, 512, false}, // MSR_BITMAPS
	{0x21, 0x00, 512, false}, // SEPT_ROOT
}

// lookUp finds the field that an identifier stands for, and which of its elements. Where there is none, s says so; it says
// also of a CPUID leaf that the module knows and does not answer that it cannot be read, whatever is to be done with it.
func lookUp(id abi.Field) (f field, element uint32, s abi.Status) {
	if !id.Single() {
		return field{}, 0, abi.MetadataFieldIDIncorrect
	}
	if id.Class() == classCPUIDValues {
		if s := cpuidValue(id.Code()); s != abi.Success {
			return field{}, 0, s
		}
	}
	i := slices.IndexFunc(fields, func(f field) bool { return f.class == id.Class() && f.holds(id) })
	if i < 0 {
		return field{}, 0, abi.MetadataFieldIDIncorrect
	}
	return fields[i], id.Code() - fields[i].first, abi.Success
}

func (f field) holds(id abi.Field) bool {
	return f.class == classCPUIDValues || id.Code() >= f.first && id.Code()-f.first < f.n
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
