package uefi

// A Status is an EFI_STATUS, what every service returns in RAX (UEFI 2.10, appendix D).
// Errors have the highest bit set; the other values but 0 are warnings.
type Status uint64

const errorBit Status = 1 << 63

// Success and error codes (UEFI 2.10, appendix D, tables D.2 and D.3).
const (
	Success             Status = 0
	LoadError           Status = errorBit | 1
	InvalidParameter    Status = errorBit | 2
	Unsupported         Status = errorBit | 3
	BadBufferSize       Status = errorBit | 4
	BufferTooSmall      Status = errorBit | 5
	NotReady            Status = errorBit | 6
	DeviceError         Status = errorBit | 7
	WriteProtected      Status = errorBit | 8
	OutOfResources      Status = errorBit | 9
	VolumeCorrupted     Status = errorBit | 10
	VolumeFull          Status = errorBit | 11
	NoMedia             Status = errorBit | 12
	MediaChanged        Status = errorBit | 13
	NotFound            Status = errorBit | 14
	AccessDenied        Status = errorBit | 15
	NoResponse          Status = errorBit | 16
	NoMapping           Status = errorBit | 17
	Timeout             Status = errorBit | 18
	NotStarted          Status = errorBit | 19
	AlreadyStarted      Status = errorBit | 20
	Aborted             Status = errorBit | 21
	ICMPError           Status = errorBit | 22
	TFTPError           Status = errorBit | 23
	ProtocolError       Status = errorBit | 24
	IncompatibleVersion Status = errorBit | 25
	SecurityViolation   Status = errorBit | 26
	CRCError            Status = errorBit | 27
	EndOfMedia          Status = errorBit | 28
	EndOfFile           Status = errorBit | 31
	InvalidLanguage     Status = errorBit | 32
	CompromisedData     Status = errorBit | 33
	IPAddressConflict   Status = errorBit | 34
	HTTPError           Status = errorBit | 35
)

// Warning codes (UEFI 2.10, appendix D, table D.4).
const (
	WarnUnknownGlyph   Status = 1
	WarnDeleteFailure  Status = 2
	WarnWriteFailure   Status = 3
	WarnBufferTooSmall Status = 4
	WarnStaleData      Status = 5
	WarnFileSystem     Status = 6
	WarnResetRequired  Status = 7
)

var errorNames = [...]string{
	1: "LOAD_ERROR", 2: "INVALID_PARAMETER", 3: "UNSUPPORTED", 4: "BAD_BUFFER_SIZE", 5: "BUFFER_TOO_SMALL",
	6: "NOT_READY", 7: "DEVICE_ERROR", 8: "WRITE_PROTECTED", 9: "OUT_OF_RESOURCES", 10: "VOLUME_CORRUPTED",
	11: "VOLUME_FULL", 12: "NO_MEDIA", 13: "MEDIA_CHANGED", 14: "NOT_FOUND", 15: "ACCESS_DENIED",
	16: "NO_RESPONSE", 17: "NO_MAPPING", 18: "TIMEOUT", 19: "NOT_STARTED", 20: "ALREADY_STARTED",
	21: "ABORTED", 22: "ICMP_ERROR", 23: "TFTP_ERROR", 24: "PROTOCOL_ERROR", 25: "INCOMPATIBLE_VERSION",
	26: "SECURITY_VIOLATION", 27: "CRC_ERROR", 28: "END_OF_MEDIA", 31: "END_OF_FILE", 32: "INVALID_LANGUAGE",
	33: "COMPROMISED_DATA", 34: "IP_ADDRESS_CONFLICT", 35: "HTTP_ERROR",
}

var warningNames = [...]string{
	0: "SUCCESS", 1: "WARN_UNKNOWN_GLYPH", 2: "WARN_DELETE_FAILURE", 3: "WARN_WRITE_FAILURE",
	4: "WARN_BUFFER_TOO_SMALL", 5: "WARN_STALE_DATA", 6: "WARN_FILE_SYSTEM", 7: "WARN_RESET_REQUIRED",
}

// IsError reports whether s is an error, as opposed to a success or a warning.
func (s Status) IsError() bool { return s&errorBit != 0 }

// String returns the name of s without its prefix, as in "NOT_FOUND", or its number where it has none.
func (s Status) String() string {
	names, code := warningNames[:], s&^errorBit
	if s.IsError() {
		names = errorNames[:]
	}
	if code < Status(len(names)) && names[code] != "" {
		return names[code]
	}
	return "Status(" + hex(uint64(s)) + ")"
}
