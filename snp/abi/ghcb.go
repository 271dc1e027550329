package abi

// Offsets in a GHCB (GHCB, table 3; Linux, arch/x86/include/asm/svm.h, struct ghcb_save_area and struct ghcb). Fields have
// eight bytes unless said otherwise.
const (
	GHCBSize = 4096

	GHCBCPL             = 0xCB // a byte
	GHCBXSS             = 0x140
	GHCBDR7             = 0x160
	GHCBRAX             = 0x1F8
	GHCBRCX             = 0x308
	GHCBRDX             = 0x310
	GHCBRBX             = 0x318
	GHCBRBP             = 0x328
	GHCBRSI             = 0x330
	GHCBRDI             = 0x338
	GHCBR8              = 0x340 // and 8 further on R9, to R15
	GHCBSWExitCode      = 0x390
	GHCBSWExitInfo1     = 0x398
	GHCBSWExitInfo2     = 0x3A0
	GHCBSWScratch       = 0x3A8
	GHCBXCR0            = 0x3E8
	GHCBValidBitmap     = 0x3F0 // 16 bytes: a bit for each 8 bytes before it, and one for itself
	GHCBValidBitmapSize = 16
	GHCBX87StateGPA     = 0x400
	GHCBSharedBuffer    = 0x800
	GHCBReserved        = 0xFF0 // after the shared buffer
	GHCBProtocolVersion = 0xFFA // 2 bytes: as negotiated
	GHCBUsage           = 0xFFC // 4 bytes: 0 is this layout

	GHCBSharedBufferSize = GHCBReserved - GHCBSharedBuffer
)

// Versions of the GHCB protocol. SEV-SNP needs the second.
const (
	ProtocolVersion1 = 1
	ProtocolVersion2 = 2
)

// A Response is SW_EXITINFO1[31:0] as the host leaves it (GHCB, "Response to VMGEXIT"; Linux, GHCB_HV_RESP_*).
type Response uint32

// Responses.
const (
	NoAction       Response = 0 // done
	IssueException Response = 1 // SW_EXITINFO2 is an event: see EventInjection
	MalformedInput Response = 2 // SW_EXITINFO2 is an InputError
)

// An InputError is why input is malformed, in SW_EXITINFO2 (Linux, GHCB_ERR_*).
type InputError uint64

// Input errors.
const (
	NotRegistered      InputError = 1
	InvalidUsage       InputError = 2
	InvalidScratchArea InputError = 3
	MissingInput       InputError = 4
	InvalidInput       InputError = 5
	InvalidEvent       InputError = 6
)

// String returns the error's name in Linux, or its number.
func (e InputError) String() string {
	switch e {
	case NotRegistered:
		return "NOT_REGISTERED"
	case InvalidUsage:
		return "INVALID_USAGE"
	case InvalidScratchArea:
		return "INVALID_SCRATCH_AREA"
	case MissingInput:
		return "MISSING_INPUT"
	case InvalidInput:
		return "INVALID_INPUT"
	case InvalidEvent:
		return "INVALID_EVENT"
	}
	return number(uint64(e), 10)
}

// EventInjection are the parts of an event that the host asks the guest to take, in SW_EXITINFO2: the form of EVENTINJ
// (APM 15.20). The vector is in bits 7:0 and an error code in bits 63:32.
const (
	EventInjectionVector    = 0xFF
	EventInjectionType      = 7 << 8
	EventInjectionException = 3 << 8 // the type that hosts use
	EventInjectionHasCode   = 1 << 11
	EventInjectionValid     = 1 << 31
	EventInjectionCode      = 32 // position
)

// SW_EXITINFO1 of ExitIOIO (APM 15.10.2). Of strings SW_EXITINFO2 is the number of elements, and SW_SCRATCH where they
// are.
const (
	IOIn     = 1 << 0
	IOString = 1 << 2
	IORep    = 1 << 3
	IOSize8  = 1 << 4
	IOSize16 = 1 << 5
	IOSize32 = 1 << 6
	IOAddr16 = 1 << 7
	IOAddr32 = 1 << 8
	IOAddr64 = 1 << 9
	IOPort   = 16 // position
)

// What a host supports (GHCB, "Hypervisor Feature Support"), from EventFeatures or CodeFeatures.
const (
	FeatureSNP                      = 1 << 0 // without it no guest can be one
	FeatureAPCreation               = 1 << 1
	FeatureRestrictedInjection      = 1 << 2
	FeatureRestrictedInjectionTimer = 1 << 3
	FeatureAPICIDList               = 1 << 4
	FeatureMultiVMPL                = 1 << 5
)
