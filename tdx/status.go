package tdx

import "fmt"

// A Status is what a TDCALL leaf or a SEAMCALL leaf returns in RAX (ABI, "Function completion status codes";
// module, auto_gen/tdx_error_codes_defs.h). Bits 31:0 are details, for many codes an operand or a secure EPT level.
type Status uint64

// Completion status codes that this module returns.
const (
	Success                  Status = 0
	OperandInvalid           Status = 0xC000_0100_0000_0000
	NoValidVEInfo            Status = 0xC000_0704_0000_0000
	EPTWalkFailed            Status = 0xC000_0B00_0000_0000
	PageAlreadyAccepted      Status = 0x0000_0B0A_0000_0000
	PageSizeMismatch         Status = 0xC000_0B0B_0000_0000
	EPTEntryStateIncorrect   Status = 0xC000_0B0D_0000_0000
	MetadataFieldIDIncorrect Status = 0xC000_0C00_0000_0000
	MetadataNotWritable      Status = 0xC000_0C01_0000_0000
	MetadataValueNotValid    Status = 0xC000_0C03_0000_0000
)

var statusNames = map[Status]string{
	Success:                  "TDX_SUCCESS",
	OperandInvalid:           "TDX_OPERAND_INVALID",
	NoValidVEInfo:            "TDX_NO_VALID_VE_INFO",
	EPTWalkFailed:            "TDX_EPT_WALK_FAILED",
	PageAlreadyAccepted:      "TDX_PAGE_ALREADY_ACCEPTED",
	PageSizeMismatch:         "TDX_PAGE_SIZE_MISMATCH",
	EPTEntryStateIncorrect:   "TDX_EPT_ENTRY_STATE_INCORRECT",
	MetadataFieldIDIncorrect: "TDX_METADATA_FIELD_ID_INCORRECT",
	MetadataNotWritable:      "TDX_METADATA_FIELD_NOT_WRITABLE",
	MetadataValueNotValid:    "TDX_METADATA_FIELD_VALUE_NOT_VALID",
}

// Operand numbers in the details of a status (module, tdx_error_codes_defs.h, OPERAND_ID_*).
const (
	operandRAX = 0
	operandRCX = 1
	operandRDX = 2
	operandR8  = 8
)

// with returns s with details.
func (s Status) with(details uint64) Status { return s | Status(details) }

// code returns s without details.
func (s Status) code() Status { return s &^ 0xFFFF_FFFF }

// Name returns the code's name in the module's table, without its details.
func (s Status) Name() string {
	if n := statusNames[s.code()]; n != "" {
		return n
	}
	return fmt.Sprintf("%#x", uint64(s.code()))
}

func (s Status) String() string {
	if s == Success {
		return s.Name()
	}
	return fmt.Sprintf("%s (%#016x)", s.Name(), uint64(s))
}

// A StatusError is a call at a page that the module refused.
type StatusError struct {
	Call   string // the leaf's name, "TDG.MEM.PAGE.ACCEPT"
	GPA    uint64
	Status Status
}

func (e *StatusError) Error() string { return fmt.Sprintf("%s of %#x: %s", e.Call, e.GPA, e.Status) }
