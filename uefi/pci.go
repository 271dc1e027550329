package uefi

// CPUIO2ProtocolGUID is that of EFI_CPU_IO2_PROTOCOL (PI 1.8, volume 2, section 15.2).
var CPUIO2ProtocolGUID = MustParseGUID("ad61f191-ae5f-4c0e-b9fa-e869d288c64f")

// EFI_CPU_IO2_PROTOCOL (PI 1.8, volume 2, section 15.2). All members are pointers to functions.
const (
	CPUIO2MemRead  = 0
	CPUIO2MemWrite = 8
	CPUIO2IORead   = 16
	CPUIO2IOWrite  = 24
	CPUIO2Size     = 32
)

// EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL (UEFI 2.10, section 14.2). Members without a type are pointers to functions.
const (
	PCIRootBridgeParentHandle   = 0 // EFI_HANDLE
	PCIRootBridgePollMem        = 8
	PCIRootBridgePollIO         = 16
	PCIRootBridgeMemRead        = 24
	PCIRootBridgeMemWrite       = 32
	PCIRootBridgeIORead         = 40
	PCIRootBridgeIOWrite        = 48
	PCIRootBridgePCIRead        = 56
	PCIRootBridgePCIWrite       = 64
	PCIRootBridgeCopyMem        = 72
	PCIRootBridgeMap            = 80
	PCIRootBridgeUnmap          = 88
	PCIRootBridgeAllocateBuffer = 96
	PCIRootBridgeFreeBuffer     = 104
	PCIRootBridgeFlush          = 112
	PCIRootBridgeGetAttributes  = 120
	PCIRootBridgeSetAttributes  = 128
	PCIRootBridgeConfiguration  = 136
	PCIRootBridgeSegmentNumber  = 144 // UINT32
	PCIRootBridgeSize           = 152
)

// EFI_PCI_IO_PROTOCOL (UEFI 2.10, section 14.4), whose GUID is [PCIIOProtocolGUID]. Members without a type are pointers to functions.
const (
	PCIIOPollMem          = 0
	PCIIOPollIO           = 8
	PCIIOMemRead          = 16
	PCIIOMemWrite         = 24
	PCIIOIORead           = 32
	PCIIOIOWrite          = 40
	PCIIOPCIRead          = 48
	PCIIOPCIWrite         = 56
	PCIIOCopyMem          = 64
	PCIIOMap              = 72
	PCIIOUnmap            = 80
	PCIIOAllocateBuffer   = 88
	PCIIOFreeBuffer       = 96
	PCIIOFlush            = 104
	PCIIOGetLocation      = 112
	PCIIOAttributes       = 120
	PCIIOGetBarAttributes = 128
	PCIIOSetBarAttributes = 136
	PCIIORomSize          = 144 // UINT64, bytes
	PCIIORomImage         = 152 // VOID*
	PCIIOSize             = 160
)

// EFI_PCI_IO_PROTOCOL_ATTRIBUTE_OPERATION (UEFI 2.10, section 14.4).
const (
	PCIIOAttributeGet = iota
	PCIIOAttributeSet
	PCIIOAttributeEnable
	PCIIOAttributeDisable
	PCIIOAttributeSupported
)

// Attributes of a PCI controller, EFI_PCI_IO_ATTRIBUTE_IO and so on, and of a buffer, EFI_PCI_ATTRIBUTE_MEMORY_WRITE_COMBINE and so on
// (UEFI 2.10, sections 14.2 and 14.4).
const (
	PCIMemoryWriteCombine = 0x0080
	PCIAttributeIO        = 0x0100
	PCIAttributeMemory    = 0x0200
	PCIAttributeBusMaster = 0x0400
	PCIMemoryCached       = 0x0800
	PCIDualAddressCycle   = 0x8000
)

// PCIIOPassThroughBAR is EFI_PCI_IO_PASS_THROUGH_BAR, which stands for addresses as they are (UEFI 2.10, section 14.4).
const PCIIOPassThroughBAR = 0xFF

// EFI_PCI_IO_PROTOCOL_OPERATION, and those of a root bridge that follow it (UEFI 2.10, sections 14.2 and 14.4).
const (
	PCIBusMasterRead = iota
	PCIBusMasterWrite
	PCIBusMasterCommonBuffer
	PCIBusMasterRead64
	PCIBusMasterWrite64
	PCIBusMasterCommonBuffer64
)
