package uefi

// EFI_ALLOCATE_TYPE, an argument of AllocatePages (UEFI 2.10, section 7.2.1).
const (
	AllocateAnyPages   = 0
	AllocateMaxAddress = 1 // all of the allocation at or below the address given
	AllocateAddress    = 2 // at the address given
)

// EFI_LOCATE_SEARCH_TYPE, an argument of LocateHandle and LocateHandleBuffer (UEFI 2.10, section 7.3).
const (
	AllHandles       = 0
	ByRegisterNotify = 1
	ByProtocol       = 2
)

// Attributes of OpenProtocol, EFI_OPEN_PROTOCOL_BY_HANDLE_PROTOCOL and so on (UEFI 2.10, section 7.3).
const (
	OpenProtocolByHandleProtocol  = 0x01
	OpenProtocolGetProtocol       = 0x02
	OpenProtocolTestProtocol      = 0x04
	OpenProtocolByChildController = 0x08
	OpenProtocolByDriver          = 0x10
	OpenProtocolExclusive         = 0x20
)

// EFI_OPEN_PROTOCOL_INFORMATION_ENTRY (section 7.3).
const (
	OpenProtocolInformationAgentHandle      = 0  // EFI_HANDLE
	OpenProtocolInformationControllerHandle = 8  // EFI_HANDLE
	OpenProtocolInformationAttributes       = 16 // UINT32
	OpenProtocolInformationOpenCount        = 20 // UINT32
	OpenProtocolInformationSize             = 24
)

// EFI_TPL, task priority levels (UEFI 2.10, section 7.1).
const (
	TPLApplication = 4
	TPLCallback    = 8
	TPLNotify      = 16
	TPLHighLevel   = 31
)

// Types of events, an argument of CreateEvent: EVT_TIMER and so on (UEFI 2.10, section 7.1).
const (
	EventTimer                      = 0x80000000
	EventRuntime                    = 0x40000000
	EventNotifyWait                 = 0x00000100
	EventNotifySignal               = 0x00000200
	EventSignalExitBootServices     = 0x00000201
	EventSignalVirtualAddressChange = 0x60000202
)

// EFI_TIMER_DELAY, an argument of SetTimer, whose times are in units of 100 ns (UEFI 2.10, section 7.1).
const (
	TimerCancel   = 0
	TimerPeriodic = 1
	TimerRelative = 2
)

// EFI_RESET_TYPE, an argument of ResetSystem (UEFI 2.10, section 8.5).
const (
	ResetCold             = 0
	ResetWarm             = 1
	ResetShutdown         = 2
	ResetPlatformSpecific = 3
)

// Attributes of variables, EFI_VARIABLE_NON_VOLATILE and so on (UEFI 2.10, section 8.2).
const (
	VariableNonVolatile                       = 0x01
	VariableBootServiceAccess                 = 0x02
	VariableRuntimeAccess                     = 0x04
	VariableHardwareErrorRecord               = 0x08
	VariableTimeBasedAuthenticatedWriteAccess = 0x20
	VariableAppendWrite                       = 0x40
)

// EFI_OPTIONAL_PTR, in the first argument of ConvertPointer: a null pointer stays one (UEFI 2.10, section 8.4).
const OptionalPtr = 1

// EFI_RESOURCE_TYPE, the type of a resource descriptor HOB (PI 1.8, volume 3), in which the VMM of a TD tells
// firmware what memory there is.
const (
	ResourceSystemMemory       = 0
	ResourceMemoryMappedIO     = 1
	ResourceIO                 = 2
	ResourceFirmwareDevice     = 3
	ResourceMemoryMappedIOPort = 4
	ResourceMemoryReserved     = 5
	ResourceIOReserved         = 6
	ResourceMemoryUnaccepted   = 7
)
