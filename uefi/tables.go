package uefi

// EFI_TABLE_HEADER (UEFI 2.10, section 4.2), with which the system table and the two tables of services begin.
const (
	TableHeaderSignature  = 0  // UINT64
	TableHeaderRevision   = 8  // UINT32
	TableHeaderHeaderSize = 12 // UINT32: of the whole table, in bytes
	TableHeaderCRC32      = 16 // UINT32: of HeaderSize bytes, as if this field were 0
	TableHeaderReserved   = 20 // UINT32
	TableHeaderSize       = 24
)

// Signatures: eight characters of ASCII, the first in the lowest byte (UEFI 2.10, sections 4.3 to 4.5;
// for DXE services PI 1.8, volume 2).
const (
	SystemTableSignature     = 0x5453595320494249 // "IBI SYST"
	BootServicesSignature    = 0x56524553544f4f42 // "BOOTSERV"
	RuntimeServicesSignature = 0x56524553544e5552 // "RUNTSERV"
	DXEServicesSignature     = 0x565245535f455844 // "DXE_SERV"
)

// Revisions of the system table and the tables of services (UEFI 2.10, section 4.3):
// the major number in the upper 16 bits, ten times the minor one in the lower.
const (
	Revision2_9  = 2<<16 | 90
	Revision2_10 = 2<<16 | 100
)

// EFI_SYSTEM_TABLE (UEFI 2.10, section 4.3).
const (
	SystemTableFirmwareVendor       = 24  // CHAR16*, NUL-terminated
	SystemTableFirmwareRevision     = 32  // UINT32
	SystemTableConsoleInHandle      = 40  // EFI_HANDLE
	SystemTableConIn                = 48  // EFI_SIMPLE_TEXT_INPUT_PROTOCOL*
	SystemTableConsoleOutHandle     = 56  // EFI_HANDLE
	SystemTableConOut               = 64  // EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL*
	SystemTableStandardErrorHandle  = 72  // EFI_HANDLE
	SystemTableStdErr               = 80  // EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL*
	SystemTableRuntimeServices      = 88  // EFI_RUNTIME_SERVICES*
	SystemTableBootServices         = 96  // EFI_BOOT_SERVICES*
	SystemTableNumberOfTableEntries = 104 // UINTN
	SystemTableConfigurationTable   = 112 // EFI_CONFIGURATION_TABLE*
	SystemTableSize                 = 120
)

// EFI_CONFIGURATION_TABLE (UEFI 2.10, section 4.6): one entry of the array in the system table.
const (
	ConfigurationTableVendorGUID  = 0  // EFI_GUID
	ConfigurationTableVendorTable = 16 // VOID*
	ConfigurationTableSize        = 24
)

// EFI_RT_PROPERTIES_TABLE (UEFI 2.10, section 4.6).
const (
	RTPropertiesVersion   = 0 // UINT16: 1
	RTPropertiesLength    = 2 // UINT16: 8
	RTPropertiesSupported = 4 // UINT32: RTSupportedGetTime and so on
	RTPropertiesSize      = 8
)

// What runtime services remain after ExitBootServices: EFI_RT_SUPPORTED_GET_TIME and so on
// (UEFI 2.10, section 4.6, EFI_RT_PROPERTIES_TABLE).
const (
	RTSupportedGetTime                   = 0x0001
	RTSupportedSetTime                   = 0x0002
	RTSupportedGetWakeupTime             = 0x0004
	RTSupportedSetWakeupTime             = 0x0008
	RTSupportedGetVariable               = 0x0010
	RTSupportedGetNextVariableName       = 0x0020
	RTSupportedSetVariable               = 0x0040
	RTSupportedSetVirtualAddressMap      = 0x0080
	RTSupportedConvertPointer            = 0x0100
	RTSupportedGetNextHighMonotonicCount = 0x0200
	RTSupportedResetSystem               = 0x0400
	RTSupportedUpdateCapsule             = 0x0800
	RTSupportedQueryCapsuleCapabilities  = 0x1000
	RTSupportedQueryVariableInfo         = 0x2000
)

// EFI_MEMORY_ATTRIBUTES_TABLE (UEFI 2.10, section 4.6). Descriptors follow it, DescriptorSize bytes apart.
const (
	MemoryAttributesVersion         = 0  // UINT32: 2
	MemoryAttributesNumberOfEntries = 4  // UINT32
	MemoryAttributesDescriptorSize  = 8  // UINT32
	MemoryAttributesFlags           = 12 // UINT32
	MemoryAttributesSize            = 16
)
