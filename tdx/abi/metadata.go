package abi

// ATTRIBUTES of a TD, in RDX after TDG.VP.INFO (ABI, ATTRIBUTES; Linux, arch/x86/include/asm/shared/tdx.h).
const (
	AttrDebug         = 1 << 0 // the host may look into it
	AttrHGSPlusProf   = 1 << 4
	AttrPerfProf      = 1 << 5
	AttrPMTProf       = 1 << 6
	AttrICSSD         = 1 << 16
	AttrLASS          = 1 << 27
	AttrSEPTVEDisable = 1 << 28 // access to a pending page ends the machine instead of raising #VE
	AttrMigratable    = 1 << 29
	AttrPKS           = 1 << 30
	AttrKL            = 1 << 31
	AttrTPA           = 1 << 62
	AttrPerfmon       = 1 << 63
)

// A Field is the identifier of a field of metadata, in RDX of TDG.VM.RD, TDG.VP.RD and their kin (ABI, "Metadata field
// identifier"; module, md_field_id_t): which it is, its size, and how to go through arrays of them.
type Field uint64

// NoField names no field: asked for, it stands for the first that there is, and it follows the last (module, MD_FIELD_ID_NA).
const NoField Field = 1<<64 - 1

// Contexts: whose metadata it is. A leaf knows, and does not look at what the identifier says of it.
const (
	ContextSys = 0 // the module's
	ContextTD  = 1
	ContextVP  = 2 // the virtual processor's
)

// Fields of a TD that a guest reads or writes while it boots (module, auto_gen/tdr_tdcs_fields_lookup.c).
const (
	FieldConfigFlags            Field = 0x1110_0003_0000_0016 // CONFIG_FLAGS
	FieldTDCtls                 Field = 0x1110_0003_0000_0017 // TD_CTLS
	FieldNotifyEnables          Field = 0x9100_0000_0000_0010 // NOTIFY_ENABLES
	FieldTopologyEnumConfigured Field = 0x9100_0000_0000_0019 // TOPOLOGY_ENUM_CONFIGURED
)

const (
	fieldCode     = 0xFF_FFFF
	fieldReserved = 0xFF<<24 | 7<<47 | 1<<55 | 1<<62
	fieldLast     = 0xF<<34 | 0x1FF<<38 // LAST_ELEMENT_IN_FIELD, LAST_FIELD_IN_SEQUENCE: 0 for one element
	fieldClass    = 56                  // position of six bits
	fieldNonArch  = 1 << 63
	fieldContext  = 52 // position of three bits
	fieldSize     = 32 // position of two bits: the power of two of an element's bytes

	// FieldOneMore is one field more in a sequence, in LAST_FIELD_IN_SEQUENCE of the identifier before it.
	FieldOneMore = 1 << 38
)

// Code and Class say which field of its context it is, with NonArch.
func (f Field) Code() uint32  { return uint32(f & fieldCode) }
func (f Field) Class() uint8  { return uint8(f >> fieldClass & 0x3F) }
func (f Field) NonArch() bool { return f&fieldNonArch != 0 }

// SizeCode is the power of two that an element has bytes.
func (f Field) SizeCode() int { return int(f >> fieldSize & 3) }

// In returns f as one of a context.
func (f Field) In(context int) Field { return f&^(7<<fieldContext) | Field(context)<<fieldContext }

// IsNone says whether f is NoField, whatever context it has.
func (f Field) IsNone() bool { return f|7<<fieldContext == NoField }

// Single says whether f is of the form that TDG.VM.RD and TDG.VM.WR take: one element, and no reserved bit.
func (f Field) Single() bool { return f&(fieldReserved|fieldLast) == 0 }

// Values of fields.
const (
	ConfigGPAW52            = 1 << 0 // CONFIG_FLAGS: guest-physical addresses of 52 bits, else 48
	ConfigFlexiblePendingVE = 1 << 1 // the guest may set PendingVEDisable itself
	ConfigNoRBPMod          = 1 << 2 // TDG.VP.VMCALL leaves RBP alone

	PendingVEDisable = 1 << 0 // TD_CTLS: access to a pending page ends the machine instead of raising #VE
	EnumTopology     = 1 << 1
	VirtCPUID2       = 1 << 2
	ReduceVE         = 1 << 3
	TDCtlsLock       = 1 << 63

	NotifyZeroStep = 1 << 0 // NOTIFY_ENABLES: attacks by zero steps
)
