package tdx

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// Fields of the module itself of which a guest gets more than zeros.
const (
	idVendorID           abi.Field = 0x0800_0002_0000_0000
	idMinorVersion       abi.Field = 0x0800_0001_0000_0003
	idMajorVersion       abi.Field = 0x0800_0001_0000_0004
	idNumTDXFeatures     abi.Field = 0x0A00_0000_0000_0001
	idTDXFeatures0       abi.Field = 0x0A00_0003_0000_0008
	idGuestL2GPAAttrMask abi.Field = 0xA200_0001_0000_0000
)

// sysFields is global_sys_lookup of the module (auto_gen/global_sys_fields_lookup.c).
var sysFields = table{
	{0x0000_0002_0000_0000, 1, 1, false}, // NUM_PKGS
	{0x0000_0002_0000_0001, 8, 1, false}, // PKG_FMS
	{idVendorID, 1, 1, true},
	{0x8800_0002_0000_0001, 1, 1, false}, // BUILD_DATE
	{0x8800_0001_0000_0002, 1, 1, false}, // BUILD_NUM
	{idMinorVersion, 1, 1, true},
	{idMajorVersion, 1, 1, true},
	{0x0800_0001_0000_0005, 1, 1, false}, // UPDATE_VERSION
	{0x0800_0001_0000_0006, 1, 1, false}, // INTERNAL_VERSION
	{0x8900_0001_0000_0000, 1, 1, false}, // MODULE_HV
	{0x8900_0001_0000_0001, 1, 1, false}, // MIN_UPDATE_HV
	{0x8900_0000_0000_0002, 1, 1, false}, // NO_DOWNGRADE
	{0x8900_0001_0000_0003, 1, 1, false}, // NUM_HANDOFF_PAGES
	{0x8900_0000_0000_0004, 1, 1, false}, // HANDOFF_DATA_VALID
	{0x8900_0001_0000_0005, 1, 1, false}, // HANDOFF_DATA_HV
	{0x8900_0002_0000_0006, 1, 1, false}, // HANDOFF_DATA_SIZE
	{0x0A00_0002_0000_0000, 1, 1, true},  // SYS_ATTRIBUTES
	{idNumTDXFeatures, 1, 1, true},
	{idTDXFeatures0, 1, 1, true},
	{0x9000_0001_0000_0000, 1, 1, false},  // NUM_CMRS
	{0x9000_0003_0000_0080, 32, 1, false}, // CMR_BASE
	{0x9000_0003_0000_0100, 32, 1, false}, // CMR_SIZE
	{0x9100_0001_0000_0008, 1, 1, false},  // MAX_TDMRS
	{0x9100_0001_0000_0009, 1, 1, false},  // MAX_RESERVED_PER_TDMR
	{0x9100_0001_0000_0010, 1, 1, false},  // PAMT_4K_ENTRY_SIZE
	{0x9100_0001_0000_0011, 1, 1, false},  // PAMT_2M_ENTRY_SIZE
	{0x9100_0001_0000_0012, 1, 1, false},  // PAMT_1G_ENTRY_SIZE
	{0x9800_0001_0000_0000, 1, 1, false},  // TDR_BASE_SIZE
	{0x9800_0001_0000_0100, 1, 1, false},  // TDCS_BASE_SIZE
	{0x9800_0001_0000_0101, 1, 1, false},  // TDCS_SIZE_PER_L2_VM
	{0x9800_0001_0000_0200, 1, 1, false},  // TDVPS_BASE_SIZE
	{0x9800_0001_0000_0201, 1, 1, false},  // TDVPS_SIZE_PER_L2_VM
	{0x1900_0003_0000_0000, 1, 1, false},  // ATTRIBUTES_FIXED0
	{0x1900_0003_0000_0001, 1, 1, false},  // ATTRIBUTES_FIXED1
	{0x1900_0003_0000_0002, 1, 1, false},  // XFAM_FIXED0
	{0x1900_0003_0000_0003, 1, 1, false},  // XFAM_FIXED1
	{0x9900_0001_0000_0004, 1, 1, false},  // NUM_CPUID_CONFIG
	{0x9900_0003_0000_0006, 1, 1, false},  // CONFIG_FLAGS_FIXED0
	{0x9900_0003_0000_0007, 1, 1, false},  // CONFIG_FLAGS_FIXED1
	{0x9900_0003_0000_0400, 32, 1, false}, // CPUID_CONFIG_LEAVES
	{0x9900_0003_0000_0500, 32, 2, false}, // CPUID_CONFIG_VALUES
	{0x9900_0003_0000_0600, 1, 1, false},  // IA32_ARCH_CAPABILITIES_CONFIG_MASK
	{0x9900_0001_0000_0800, 1, 1, false},  // NUM_ALLOWED_FMS
	{0x9900_0001_0000_0801, 1, 1, false},  // NUM_DISALLOWED_FMS
	{0x9900_0003_0000_0810, 64, 1, false}, // ALLOWED_FMS
	{0x9900_0003_0000_0850, 64, 1, false}, // DISALLOWED_FMS
	{0xA000_0003_0000_0000, 1, 1, true},   // MIG_ATTRIBUTES
	{0x2000_0001_0000_0001, 1, 1, true},   // MIN_EXPORT_VERSION
	{0x2000_0001_0000_0002, 1, 1, true},   // MAX_EXPORT_VERSION
	{0x2000_0001_0000_0003, 1, 1, true},   // MIN_IMPORT_VERSION
	{0x2000_0001_0000_0004, 1, 1, true},   // MAX_IMPORT_VERSION
	{0xA000_0001_0000_0010, 1, 1, false},  // MAX_MIGS
	{0xA000_0000_0000_0020, 1, 1, false},  // NUM_IMMUTABLE_STATE_PAGES
	{0xA000_0000_0000_0021, 1, 1, false},  // NUM_TD_STATE_PAGES
	{0xA000_0000_0000_0022, 1, 1, false},  // NUM_VP_STATE_PAGES
	{0xA100_0001_0000_0000, 1, 1, false},  // MAX_SERV_TDS
	{0xA100_0003_0000_0001, 1, 1, false},  // SERVTD_ATTR_FIXED0
	{0xA100_0003_0000_0002, 1, 1, false},  // SERVTD_ATTR_FIXED1
	{idGuestL2GPAAttrMask, 1, 1, true},
	{0xA200_0003_0000_0001, 1, 1, false}, // VM_CTLS_FIXED0
	{0xA200_0003_0000_0002, 1, 1, false}, // VM_CTLS_FIXED1
	{0xA200_0003_0000_0003, 1, 1, false}, // VPCU_L2_CTLS_FIXED0
	{0xA200_0003_0000_0004, 1, 1, false}, // VCPU_L2_CTLS_FIXED1
	{0xA200_0003_0000_0005, 1, 1, false}, // VPCU_L2_DEBUG_CTLS_FIXED0
	{0xA200_0003_0000_0006, 1, 1, false}, // VCPU_L2_DEBUG_CTLS_FIXED1
}

// readSys returns the value of a field of the module's that a guest may read (module, metadata_sys.c). The others are zero: no
// attributes are defined, and it exports and imports no version of a TD's state.
func readSys(f field) uint64 {
	switch f.id {
	case idVendorID:
		return 0x8086
	case idMinorVersion:
		return 5
	case idMajorVersion, idNumTDXFeatures:
		return 1
	case idTDXFeatures0:
		return features0
	case idGuestL2GPAAttrMask:
		return 0x807F // VALID, and the seven attributes of a page in an L2 VM
	}
	return 0
}

// features0 is TDX_FEATURES0: all that the module can do for a TD that is made so, whatever this one is, but for local attestation,
// which takes a processor with SEAMVERIFYREPORT.
const features0 = 0xF_0EBF

// sysRead is TDG.SYS.RD: RDX is the field and becomes the next that there is, R8 its value (module, tdg_sys_rd.c).
func (m *Module) sysRead(c *x86.CPU) abi.Status {
	id := abi.Field(c.R[x86.RDX])
	c.R[x86.RDX], c.R[x86.R8] = uint64(abi.NoField), 0
	if id.IsNone() {
		c.R[x86.RDX] = uint64(sysFields.from(0))
		return abi.MetadataFirstFieldID
	}
	if id = id.In(abi.ContextSys); !id.Single() {
		return abi.MetadataFieldIDIncorrect
	}
	entry, _ := sysFields.find(id)
	switch {
	case entry < 0:
		return abi.MetadataFieldIDIncorrect
	case !sysFields[entry].readable:
		return abi.MetadataNotReadable
	}
	c.R[x86.RDX], c.R[x86.R8] = uint64(sysFields.after(id)), readSys(sysFields[entry])
	return abi.Success
}

// sysReadAll is TDG.SYS.RDALL: it writes all fields from R8 on to the private page at RDX; R8 becomes the one to go on with, which
// is none, since they are few (module, tdg_sys_rdall.c; md_dump_list in metadata_generic.c).
func (m *Module) sysReadAll(c *x86.CPU) x86.Action {
	name := abi.LeafSysReadAll.String()
	id, gpa := abi.Field(c.R[x86.R8]), c.R[x86.RDX]
	c.R[x86.R8] = uint64(abi.NoField) // also where the host has to add the page first, and all begins anew
	if gpa%mem.PageSize != 0 || gpa >= m.sharedBit {
		return m.tdcallDone(c, name, abi.OperandInvalid.With(abi.OperandRDX))
	}
	t, r := m.Resolve(c, gpa, x86.Access{Kind: x86.Write})
	if c.Refused(r) {
		return x86.Raised
	}
	from := 0
	if !id.IsNone() {
		var element uint32
		from, element = sysFields.find(id)
		if from < 0 || element%sysFields[from].elements != 0 || id.SizeCode() != sysFields[from].id.SizeCode() {
			return m.tdcallDone(c, name, abi.MetadataFieldIDIncorrect)
		}
	}
	if stopped(c, m.mem.Write(t.Frame.Plane(), t.GPA, sysFields[from:].list())) {
		return x86.Raised
	}
	return m.tdcallDone(c, name, abi.Success)
}

// list is a metadata list of what is readable: how long it is and of how many sequences, and each of those, which begins with an
// identifier that says how many fields of the same kind follow one another.
func (t table) list() []byte {
	const header = 8
	le := binary.LittleEndian
	b := make([]byte, header)
	sequences, at, next := 0, 0, abi.NoField // how many, where the last begins, and what would go on with it
	for _, f := range t {
		if !f.readable {
			continue
		}
		if f.id == next {
			le.PutUint64(b[at:], le.Uint64(b[at:])+abi.FieldOneMore)
		} else {
			sequences, at = sequences+1, len(b)
			b = le.AppendUint64(b, uint64(f.id))
		}
		b = le.AppendUint64(b, readSys(f))
		next = f.id + 1
	}
	le.PutUint16(b, uint16(len(b)))
	le.PutUint16(b[2:], uint16(sequences))
	return b
}
