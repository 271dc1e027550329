package uefi

// Interfaces of protocols: what LocateProtocol and HandleProtocol return a pointer to. Members without a type are
// pointers to functions, which take a pointer to the interface as their first argument.

// OVMF_SEV_MEMORY_ACCEPTANCE_PROTOCOL (EDK2, OvmfPkg/Include/Protocol/SevMemoryAcceptance.h).
const (
	MemoryAcceptanceAllowUnacceptedMemory = 0
	MemoryAcceptanceSize                  = 8
)

// EFI_LOADED_IMAGE_PROTOCOL (UEFI 2.10, section 9.1).
const (
	LoadedImageRevision        = 0  // UINT32: LoadedImageProtocolRevision
	LoadedImageParentHandle    = 8  // EFI_HANDLE
	LoadedImageSystemTable     = 16 // EFI_SYSTEM_TABLE*
	LoadedImageDeviceHandle    = 24 // EFI_HANDLE
	LoadedImageFilePath        = 32 // EFI_DEVICE_PATH_PROTOCOL*
	LoadedImageReserved        = 40 // VOID*
	LoadedImageLoadOptionsSize = 48 // UINT32, bytes
	LoadedImageLoadOptions     = 56 // VOID*
	LoadedImageImageBase       = 64 // VOID*
	LoadedImageImageSize       = 72 // UINT64, bytes
	LoadedImageImageCodeType   = 80 // EFI_MEMORY_TYPE
	LoadedImageImageDataType   = 84 // EFI_MEMORY_TYPE
	LoadedImageUnload          = 88
	LoadedImageSize            = 96

	LoadedImageProtocolRevision = 0x1000
)

// EFI_SIMPLE_TEXT_INPUT_PROTOCOL (UEFI 2.10, section 12.3).
const (
	TextInputReset         = 0
	TextInputReadKeyStroke = 8
	TextInputWaitForKey    = 16 // EFI_EVENT
	TextInputSize          = 24
)

// EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL (UEFI 2.10, section 12.2).
const (
	TextInputExReset               = 0
	TextInputExReadKeyStroke       = 8
	TextInputExWaitForKey          = 16 // EFI_EVENT
	TextInputExSetState            = 24
	TextInputExRegisterKeyNotify   = 32
	TextInputExUnregisterKeyNotify = 40
	TextInputExSize                = 48
)

// EFI_KEY_DATA (UEFI 2.10, section 12.2).
const (
	KeyDataScanCode    = 0 // UINT16
	KeyDataUnicodeChar = 2 // CHAR16
	KeyDataShiftState  = 4 // UINT32
	KeyDataToggleState = 8 // UINT8
	KeyDataSize        = 12
)

// EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL (UEFI 2.10, section 12.4).
const (
	TextOutputReset             = 0
	TextOutputOutputString      = 8
	TextOutputTestString        = 16
	TextOutputQueryMode         = 24
	TextOutputSetMode           = 32
	TextOutputSetAttribute      = 40
	TextOutputClearScreen       = 48
	TextOutputSetCursorPosition = 56
	TextOutputEnableCursor      = 64
	TextOutputMode              = 72 // SIMPLE_TEXT_OUTPUT_MODE*
	TextOutputSize              = 80
)

// SIMPLE_TEXT_OUTPUT_MODE (UEFI 2.10, section 12.4).
const (
	TextOutputModeMaxMode       = 0  // INT32
	TextOutputModeMode          = 4  // INT32
	TextOutputModeAttribute     = 8  // INT32
	TextOutputModeCursorColumn  = 12 // INT32
	TextOutputModeCursorRow     = 16 // INT32
	TextOutputModeCursorVisible = 20 // BOOLEAN
	TextOutputModeSize          = 24
)

// EFI_LOAD_FILE2_PROTOCOL (UEFI 2.10, section 13.2).
const (
	LoadFile2LoadFile = 0
	LoadFile2Size     = 8
)

// EFI_RNG_PROTOCOL (UEFI 2.10, chapter 37).
const (
	RNGGetInfo = 0
	RNGGetRNG  = 8
	RNGSize    = 16
)

// EFI_MEMORY_ATTRIBUTE_PROTOCOL (UEFI 2.10, chapter 37).
const (
	MemoryAttributeGetMemoryAttributes   = 0
	MemoryAttributeSetMemoryAttributes   = 8
	MemoryAttributeClearMemoryAttributes = 16
	MemoryAttributeSize                  = 24
)
