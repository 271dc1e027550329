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
