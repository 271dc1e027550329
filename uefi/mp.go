package uefi

// MPServicesProtocolGUID is that of EFI_MP_SERVICES_PROTOCOL (PI 1.8, volume 2, section 13.4).
var MPServicesProtocolGUID = MustParseGUID("3fdda605-a76e-4f46-ad29-12f4531b3d08")

// EFI_MP_SERVICES_PROTOCOL (PI 1.8, volume 2, section 13.4). All members are pointers to functions.
const (
	MPServicesGetNumberOfProcessors = 0
	MPServicesGetProcessorInfo      = 8
	MPServicesStartupAllAPs         = 16
	MPServicesStartupThisAP         = 24
	MPServicesSwitchBSP             = 32
	MPServicesEnableDisableAP       = 40
	MPServicesWhoAmI                = 48
	MPServicesSize                  = 56

	// CPUV2ExtendedTopology in the number of a processor asks for ProcessorInfoExtended as well.
	CPUV2ExtendedTopology = 1 << 24
	// EndOfCPUList ends the list of processors that failed: UINTNs.
	EndOfCPUList = 0xFFFF_FFFF
)

// EFI_PROCESSOR_INFORMATION (the same section).
const (
	ProcessorInfoID       = 0  // UINT64: the local APIC's
	ProcessorInfoStatus   = 8  // UINT32: ProcessorIsBSP and so on
	ProcessorInfoPackage  = 12 // UINT32
	ProcessorInfoCore     = 16 // UINT32
	ProcessorInfoThread   = 20 // UINT32
	ProcessorInfoExtended = 24 // EFI_CPU_PHYSICAL_LOCATION2: six UINT32, package, module, tile, die, core, thread
	ProcessorInfoSize     = 48

	ProcessorIsBSP     = 1 << 0
	ProcessorIsEnabled = 1 << 1
	ProcessorIsHealthy = 1 << 2
)
