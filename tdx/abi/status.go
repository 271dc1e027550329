package abi

// A Status is what a TDCALL leaf or a SEAMCALL leaf returns in RAX (ABI, "Function completion status codes"; module,
// auto_gen/tdx_error_codes_defs.h). Bits 31:0 are details, for many codes an operand or a secure EPT level. Success is 0
// and nothing else: that the highest bit is clear does not make a status a success.
type Status uint64

// Completion status codes.
const (
	Success                  Status = 0
	OperandInvalid           Status = 0xC000_0100_0000_0000 // with an operand
	OperandBusy              Status = 0x8000_0200_0000_0000 // with an operand: another call has it locked
	OperandBusyHostPriority  Status = 0x8000_0204_0000_0000 // with an operand: the host is about to lock it
	NoValidVEInfo            Status = 0xC000_0704_0000_0000
	EPTWalkFailed            Status = 0xC000_0B00_0000_0000 // with an operand
	PageAlreadyAccepted      Status = 0x0000_0B0A_0000_0000 // with the level of the page
	PageSizeMismatch         Status = 0xC000_0B0B_0000_0000 // with the level of the table
	EPTEntryStateIncorrect   Status = 0xC000_0B0D_0000_0000 // with an operand
	MetadataFieldIDIncorrect Status = 0xC000_0C00_0000_0000
	MetadataNotWritable      Status = 0xC000_0C01_0000_0000
	MetadataNotReadable      Status = 0xC000_0C02_0000_0000
	MetadataValueNotValid    Status = 0xC000_0C03_0000_0000
	MetadataFirstFieldID     Status = 0x0000_0C0B_0000_0000 // the identifier that was asked for names none
)

// Operand numbers in the details of a status (module, tdx_error_codes_defs.h, OPERAND_ID_*).
const (
	OperandRAX = 0
	OperandRCX = 1
	OperandRDX = 2
	OperandR8  = 8
)

var statusNames = [...]struct {
	code Status
	name string
}{
	{Success, "TDX_SUCCESS"},
	{OperandInvalid, "TDX_OPERAND_INVALID"},
	{OperandBusy, "TDX_OPERAND_BUSY"},
	{OperandBusyHostPriority, "TDX_OPERAND_BUSY_HOST_PRIORITY"},
	{NoValidVEInfo, "TDX_NO_VALID_VE_INFO"},
	{EPTWalkFailed, "TDX_EPT_WALK_FAILED"},
	{PageAlreadyAccepted, "TDX_PAGE_ALREADY_ACCEPTED"},
	{PageSizeMismatch, "TDX_PAGE_SIZE_MISMATCH"},
	{EPTEntryStateIncorrect, "TDX_EPT_ENTRY_STATE_INCORRECT"},
	{MetadataFieldIDIncorrect, "TDX_METADATA_FIELD_ID_INCORRECT"},
	{MetadataNotWritable, "TDX_METADATA_FIELD_NOT_WRITABLE"},
	{MetadataNotReadable, "TDX_METADATA_FIELD_NOT_READABLE"},
	{MetadataValueNotValid, "TDX_METADATA_FIELD_VALUE_NOT_VALID"},
	{MetadataFirstFieldID, "TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT"},
}

const statusDetails = 0xFFFF_FFFF

// With returns s with details.
func (s Status) With(details uint64) Status { return s | Status(details) }

// Code returns s without details.
func (s Status) Code() Status { return s &^ statusDetails }

// Details returns what s has beside its code.
func (s Status) Details() uint64 { return uint64(s & statusDetails) }

// Name returns the code's name in the module's table, without its details.
func (s Status) Name() string {
	for i := range statusNames {
		if n := &statusNames[i]; n.code == s.Code() {
			return n.name
		}
	}
	return hex(uint64(s.Code()), 1)
}

// String returns the code's name and, but for success, the whole status in hexadecimal.
func (s Status) String() string {
	if s == Success {
		return s.Name()
	}
	return s.Name() + " (" + hex(uint64(s), 16) + ")"
}
