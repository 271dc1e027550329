package uefi

// EFI_GRAPHICS_OUTPUT_PROTOCOL (UEFI 2.10, section 12.9). Members without a type are pointers to functions.
const (
	GraphicsOutputQueryMode = 0
	GraphicsOutputSetMode   = 8
	GraphicsOutputBlt       = 16
	GraphicsOutputMode      = 24 // EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE*
	GraphicsOutputSize      = 32
)

// EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE (section 12.9).
const (
	GraphicsModeMaxMode         = 0  // UINT32
	GraphicsModeMode            = 4  // UINT32
	GraphicsModeInfo            = 8  // EFI_GRAPHICS_OUTPUT_MODE_INFORMATION*
	GraphicsModeSizeOfInfo      = 16 // UINTN
	GraphicsModeFrameBufferBase = 24 // EFI_PHYSICAL_ADDRESS
	GraphicsModeFrameBufferSize = 32 // UINTN
	GraphicsModeSize            = 40
)

// EFI_GRAPHICS_OUTPUT_MODE_INFORMATION (section 12.9).
const (
	GraphicsInfoVersion              = 0  // UINT32
	GraphicsInfoHorizontalResolution = 4  // UINT32
	GraphicsInfoVerticalResolution   = 8  // UINT32
	GraphicsInfoPixelFormat          = 12 // UINT32: PixelBGRReserved8Bit
	GraphicsInfoPixelsPerScanLine    = 32 // UINT32
	GraphicsInfoSize                 = 36

	PixelBGRReserved8Bit = 1 // PixelBlueGreenRedReserved8BitPerColor
)

// EFI_GRAPHICS_OUTPUT_BLT_OPERATION (section 12.9).
const (
	BltVideoFill = iota
	BltVideoToBltBuffer
	BltBufferToVideo
	BltVideoToVideo
)
