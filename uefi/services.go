package uefi

// A BootService is an entry of EFI_BOOT_SERVICES (UEFI 2.10, section 4.4): the offset of its pointer in the table.
// The prefix is that of gBS, by which programs call them.
type BootService uint16

const (
	BSRaiseTPL BootService = TableHeaderSize + 8*iota
	BSRestoreTPL
	BSAllocatePages // 40
	BSFreePages
	BSGetMemoryMap
	BSAllocatePool
	BSFreePool
	BSCreateEvent // 80
	BSSetTimer
	BSWaitForEvent
	BSSignalEvent
	BSCloseEvent
	BSCheckEvent // 120
	BSInstallProtocolInterface
	BSReinstallProtocolInterface
	BSUninstallProtocolInterface
	BSHandleProtocol
	BSReserved // 160
	BSRegisterProtocolNotify
	BSLocateHandle
	BSLocateDevicePath
	BSInstallConfigurationTable
	BSLoadImage // 200
	BSStartImage
	BSExit
	BSUnloadImage
	BSExitBootServices
	BSGetNextMonotonicCount // 240
	BSStall
	BSSetWatchdogTimer
	BSConnectController
	BSDisconnectController
	BSOpenProtocol // 280
	BSCloseProtocol
	BSOpenProtocolInformation
	BSProtocolsPerHandle
	BSLocateHandleBuffer
	BSLocateProtocol // 320
	BSInstallMultipleProtocolInterfaces
	BSUninstallMultipleProtocolInterfaces
	BSCalculateCrc32
	BSCopyMem
	BSSetMem // 360
	BSCreateEventEx

	// BootServicesSize is the size of the table in bytes.
	BootServicesSize = TableHeaderSize + 8*iota
)

var bootServices = [...]string{
	"RaiseTPL", "RestoreTPL", "AllocatePages", "FreePages", "GetMemoryMap", "AllocatePool", "FreePool",
	"CreateEvent", "SetTimer", "WaitForEvent", "SignalEvent", "CloseEvent", "CheckEvent",
	"InstallProtocolInterface", "ReinstallProtocolInterface", "UninstallProtocolInterface", "HandleProtocol",
	"Reserved", "RegisterProtocolNotify", "LocateHandle", "LocateDevicePath", "InstallConfigurationTable",
	"LoadImage", "StartImage", "Exit", "UnloadImage", "ExitBootServices",
	"GetNextMonotonicCount", "Stall", "SetWatchdogTimer", "ConnectController", "DisconnectController",
	"OpenProtocol", "CloseProtocol", "OpenProtocolInformation", "ProtocolsPerHandle", "LocateHandleBuffer",
	"LocateProtocol", "InstallMultipleProtocolInterfaces", "UninstallMultipleProtocolInterfaces",
	"CalculateCrc32", "CopyMem", "SetMem", "CreateEventEx",
}

// String returns the name of s in the specification, as in "AllocatePages".
func (s BootService) String() string { return serviceName("BootService", bootServices[:], uint64(s)) }

// A RuntimeService is an entry of EFI_RUNTIME_SERVICES (UEFI 2.10, section 4.5): the offset of its pointer in the
// table. The prefix is that of gRT, by which programs call them.
type RuntimeService uint16

const (
	RTGetTime RuntimeService = TableHeaderSize + 8*iota
	RTSetTime
	RTGetWakeupTime // 40
	RTSetWakeupTime
	RTSetVirtualAddressMap
	RTConvertPointer
	RTGetVariable
	RTGetNextVariableName // 80
	RTSetVariable
	RTGetNextHighMonotonicCount
	RTResetSystem
	RTUpdateCapsule
	RTQueryCapsuleCapabilities // 120
	RTQueryVariableInfo

	// RuntimeServicesSize is the size of the table in bytes.
	RuntimeServicesSize = TableHeaderSize + 8*iota
)

var runtimeServices = [...]string{
	"GetTime", "SetTime", "GetWakeupTime", "SetWakeupTime", "SetVirtualAddressMap", "ConvertPointer",
	"GetVariable", "GetNextVariableName", "SetVariable", "GetNextHighMonotonicCount", "ResetSystem",
	"UpdateCapsule", "QueryCapsuleCapabilities", "QueryVariableInfo",
}

// String returns the name of s in the specification, as in "ResetSystem".
func (s RuntimeService) String() string {
	return serviceName("RuntimeService", runtimeServices[:], uint64(s))
}

func serviceName(table string, names []string, offset uint64) string {
	if i := (offset - TableHeaderSize) / 8; offset%8 == 0 && i < uint64(len(names)) {
		return names[i]
	}
	return table + "(" + hex(offset) + ")"
}
