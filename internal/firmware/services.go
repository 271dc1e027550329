package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/uefi"
)

// An entry is an entry point in the trap page.
type entry struct {
	name    string // in records; the specification's
	args    int    // arguments that are read, at most len(args{})
	runtime bool   // may be called after ExitBootServices
	any     bool   // may be called by any processor before that

	// One of the two: a service, or a place to which the guest returns or is sent by the processor.
	serve func(*Firmware, args) error
	land  func(f *Firmware, slot uint64) error
}

// entrySize is the distance from one entry point to the next, in bytes.
const entrySize = 16

// Slots of the trap page that firmware itself refers to: where the guest's functions return to, and the handlers of the
// 32 exceptions.
const (
	slotImageReturned = iota
	slotNotified
	slotProcedureReturned
	slotAnswered
	slotException
	slotServices = slotException + exceptions
)

// A function is a member of a table or protocol interface: the offset of its pointer and what it points to.
type function struct {
	offset uint64
	entry
}

var bootServices = []function{
	atBoot(uefi.BSRaiseTPL, 1, (*Firmware).raiseTPL),
	atBoot(uefi.BSRestoreTPL, 1, (*Firmware).restoreTPL),
	atBoot(uefi.BSAllocatePages, 4, (*Firmware).allocatePages),
	atBoot(uefi.BSFreePages, 2, (*Firmware).freePages),
	atBoot(uefi.BSGetMemoryMap, 5, (*Firmware).getMemoryMap),
	atBoot(uefi.BSAllocatePool, 3, (*Firmware).allocatePool),
	atBoot(uefi.BSFreePool, 1, (*Firmware).freePool),
	atBoot(uefi.BSCreateEvent, 5, (*Firmware).createEvent),
	atBoot(uefi.BSSetTimer, 3, (*Firmware).setTimer),
	atBoot(uefi.BSWaitForEvent, 3, (*Firmware).waitForEvent),
	atBoot(uefi.BSSignalEvent, 1, (*Firmware).signalEvent),
	atBoot(uefi.BSCloseEvent, 1, (*Firmware).closeEvent),
	atBoot(uefi.BSCheckEvent, 1, (*Firmware).checkEvent),
	atBoot(uefi.BSInstallProtocolInterface, 4, (*Firmware).installProtocolInterface),
	atBoot(uefi.BSReinstallProtocolInterface, 4, (*Firmware).reinstallProtocolInterface),
	atBoot(uefi.BSUninstallProtocolInterface, 3, (*Firmware).uninstallProtocolInterface),
	atBoot(uefi.BSHandleProtocol, 3, (*Firmware).handleProtocol),
	atBoot(uefi.BSRegisterProtocolNotify, 3, (*Firmware).registerProtocolNotify),
	atBoot(uefi.BSLocateHandle, 5, (*Firmware).locateHandle),
	atBoot(uefi.BSLocateDevicePath, 3, (*Firmware).locateDevicePath),
	atBoot(uefi.BSInstallConfigurationTable, 2, (*Firmware).installConfigurationTable),
	atBoot(uefi.BSLoadImage, 6, (*Firmware).loadImage),
	atBoot(uefi.BSStartImage, 3, (*Firmware).startImage),
	atBoot(uefi.BSExit, 4, (*Firmware).exit),
	atBoot(uefi.BSUnloadImage, 1, (*Firmware).unloadImage),
	atBoot(uefi.BSExitBootServices, 2, (*Firmware).exitBootServices),
	atBoot(uefi.BSGetNextMonotonicCount, 1, (*Firmware).getNextMonotonicCount),
	atBoot(uefi.BSStall, 1, (*Firmware).stall),
	atBoot(uefi.BSSetWatchdogTimer, 4, (*Firmware).setWatchdogTimer),
	atBoot(uefi.BSConnectController, 4, (*Firmware).connectController),
	atBoot(uefi.BSDisconnectController, 3, (*Firmware).disconnectController),
	atBoot(uefi.BSOpenProtocol, 6, (*Firmware).openProtocol),
	atBoot(uefi.BSCloseProtocol, 4, (*Firmware).closeProtocol),
	atBoot(uefi.BSOpenProtocolInformation, 4, (*Firmware).openProtocolInformation),
	atBoot(uefi.BSProtocolsPerHandle, 3, (*Firmware).protocolsPerHandle),
	atBoot(uefi.BSLocateHandleBuffer, 5, (*Firmware).locateHandleBuffer),
	atBoot(uefi.BSLocateProtocol, 3, (*Firmware).locateProtocol),
	atBoot(uefi.BSInstallMultipleProtocolInterfaces, 4, (*Firmware).installMultipleProtocolInterfaces),
	atBoot(uefi.BSUninstallMultipleProtocolInterfaces, 4, (*Firmware).uninstallMultipleProtocolInterfaces),
	atBoot(uefi.BSCalculateCrc32, 3, (*Firmware).calculateCrc32),
	atBoot(uefi.BSCopyMem, 3, (*Firmware).copyMem),
	atBoot(uefi.BSSetMem, 3, (*Firmware).setMem),
	atBoot(uefi.BSCreateEventEx, 6, (*Firmware).createEventEx),
}

var runtimeServices = []function{
	atRuntime(uefi.RTGetTime, 2, (*Firmware).getTime),
	atRuntime(uefi.RTSetTime, 1, (*Firmware).setTime),
	atRuntime(uefi.RTGetWakeupTime, 3, (*Firmware).notOffered),
	atRuntime(uefi.RTSetWakeupTime, 2, (*Firmware).notOffered),
	atRuntime(uefi.RTSetVirtualAddressMap, 4, (*Firmware).setVirtualAddressMap),
	atRuntime(uefi.RTConvertPointer, 2, (*Firmware).convertPointer),
	atRuntime(uefi.RTGetVariable, 5, (*Firmware).getVariable),
	atRuntime(uefi.RTGetNextVariableName, 3, (*Firmware).getNextVariableName),
	atRuntime(uefi.RTSetVariable, 5, (*Firmware).setVariable),
	atRuntime(uefi.RTGetNextHighMonotonicCount, 1, (*Firmware).getNextHighMonotonicCount),
	atRuntime(uefi.RTResetSystem, 4, (*Firmware).resetSystem),
	atRuntime(uefi.RTUpdateCapsule, 3, (*Firmware).notOffered),
	atRuntime(uefi.RTQueryCapsuleCapabilities, 4, (*Firmware).notOffered),
	atRuntime(uefi.RTQueryVariableInfo, 4, (*Firmware).queryVariableInfo),
}

// runtimeOffered is what EFI_RT_PROPERTIES_TABLE says of them: all but what is notOffered.
const runtimeOffered = uefi.RTSupportedGetTime | uefi.RTSupportedSetTime |
	uefi.RTSupportedSetVirtualAddressMap | uefi.RTSupportedConvertPointer |
	uefi.RTSupportedGetVariable | uefi.RTSupportedGetNextVariableName | uefi.RTSupportedSetVariable |
	uefi.RTSupportedQueryVariableInfo | uefi.RTSupportedGetNextHighMonotonicCount | uefi.RTSupportedResetSystem

var textOutput = []function{
	member("SimpleTextOutput.Reset", uefi.TextOutputReset, 2, (*Firmware).textReset),
	member("SimpleTextOutput.OutputString", uefi.TextOutputOutputString, 2, (*Firmware).outputString),
	member("SimpleTextOutput.TestString", uefi.TextOutputTestString, 2, (*Firmware).testString),
	member("SimpleTextOutput.QueryMode", uefi.TextOutputQueryMode, 4, (*Firmware).queryMode),
	member("SimpleTextOutput.SetMode", uefi.TextOutputSetMode, 2, (*Firmware).setMode),
	member("SimpleTextOutput.SetAttribute", uefi.TextOutputSetAttribute, 2, (*Firmware).setAttribute),
	member("SimpleTextOutput.ClearScreen", uefi.TextOutputClearScreen, 1, (*Firmware).clearScreen),
	member("SimpleTextOutput.SetCursorPosition", uefi.TextOutputSetCursorPosition, 3, (*Firmware).setCursorPosition),
	member("SimpleTextOutput.EnableCursor", uefi.TextOutputEnableCursor, 2, (*Firmware).enableCursor),
}

var textInput = []function{
	member("SimpleTextInput.Reset", uefi.TextInputReset, 2, (*Firmware).inputReset),
	member("SimpleTextInput.ReadKeyStroke", uefi.TextInputReadKeyStroke, 2, (*Firmware).readKeyStroke),
}

var textInputEx = []function{
	member("SimpleTextInputEx.Reset", uefi.TextInputExReset, 2, (*Firmware).inputReset),
	member("SimpleTextInputEx.ReadKeyStrokeEx", uefi.TextInputExReadKeyStroke, 2, (*Firmware).readKeyStrokeEx),
	member("SimpleTextInputEx.SetState", uefi.TextInputExSetState, 2, (*Firmware).notOffered),
	member("SimpleTextInputEx.RegisterKeyNotify", uefi.TextInputExRegisterKeyNotify, 4, (*Firmware).registerKeyNotify),
	member("SimpleTextInputEx.UnregisterKeyNotify", uefi.TextInputExUnregisterKeyNotify, 2, (*Firmware).unregisterKeyNotify),
}

var loadFile2 = []function{
	member("LoadFile2.LoadFile", uefi.LoadFile2LoadFile, 5, (*Firmware).loadInitrd),
}

var rng = []function{
	member("RNG.GetInfo", uefi.RNGGetInfo, 3, (*Firmware).rngInfo),
	member("RNG.GetRNG", uefi.RNGGetRNG, 4, (*Firmware).getRNG),
}

var memoryAcceptance = []function{
	member("MemoryAcceptance.AllowUnacceptedMemory", uefi.MemoryAcceptanceAllowUnacceptedMemory, 1, (*Firmware).allowUnacceptedMemory),
}

var blockIO = []function{
	member("BlockIO.Reset", uefi.BlockIOReset, 2, (*Firmware).flushBlocks),
	member("BlockIO.ReadBlocks", uefi.BlockIOReadBlocks, 5, (*Firmware).readBlocks),
	member("BlockIO.WriteBlocks", uefi.BlockIOWriteBlocks, 5, (*Firmware).writeBlocks),
	member("BlockIO.FlushBlocks", uefi.BlockIOFlushBlocks, 1, (*Firmware).flushBlocks),
}

var diskIO = []function{
	member("DiskIO.ReadDisk", uefi.DiskIOReadDisk, 5, (*Firmware).readDisk),
	member("DiskIO.WriteDisk", uefi.DiskIOWriteDisk, 5, (*Firmware).writeDisk),
}

var fileSystem = []function{
	member("SimpleFileSystem.OpenVolume", uefi.FileSystemOpenVolume, 2, (*Firmware).openVolume),
}

var fileFunctions = []function{
	member("File.Open", uefi.FileOpen, 5, (*Firmware).openFile),
	member("File.Close", uefi.FileClose, 1, (*Firmware).closeFile),
	member("File.Delete", uefi.FileDelete, 1, (*Firmware).deleteFile),
	member("File.Read", uefi.FileRead, 3, (*Firmware).readFile),
	member("File.Write", uefi.FileWrite, 3, (*Firmware).writeFile),
	member("File.GetPosition", uefi.FileGetPosition, 2, (*Firmware).getPosition),
	member("File.SetPosition", uefi.FileSetPosition, 2, (*Firmware).setPosition),
	member("File.GetInfo", uefi.FileGetInfo, 4, (*Firmware).getFileInfo),
	member("File.SetInfo", uefi.FileSetInfo, 4, (*Firmware).writeFile),
	member("File.Flush", uefi.FileFlush, 1, (*Firmware).flushFile),
}

func atBoot(s uefi.BootService, args int, serve func(*Firmware, args) error) function {
	return function{uint64(s), entry{name: s.String(), args: args, serve: serve}}
}

func atRuntime(s uefi.RuntimeService, args int, serve func(*Firmware, args) error) function {
	return function{uint64(s), entry{name: s.String(), args: args, serve: serve, runtime: true}}
}

func member(name string, offset uint64, args int, serve func(*Firmware, args) error) function {
	return function{offset, entry{name: name, args: args, serve: serve}}
}

// where are functions of a protocol that is not always offered: a guest can find their entry points in any case.
func where(offered func(*Firmware) bool, functions ...function) []function {
	for i := range functions {
		serve := functions[i].serve
		functions[i].serve = func(f *Firmware, a args) error {
			if !offered(f) {
				return unsupported
			}
			return serve(f, a)
		}
	}
	return functions
}

// interfaces are all that has pointers to entry points, in the order of their slots, and entries is the trap page.
var (
	interfaces [][]function
	entries    []entry
)

// init makes them: services refer to them, some to their own, which a variable's initialisation must not.
func init() {
	interfaces = [][]function{bootServices, runtimeServices, textOutput, textInput, loadFile2, rng, memoryAcceptance, blockIO, diskIO, fileSystem, fileFunctions, textInputEx,
		unicodeCollation, devicePathToText, devicePathFromText, hiiDatabase, hiiStrings, hiiConfigRouting, devicePathUtilities, mpServices, graphicsOutput, cpuIO, pciRootBridge, pciDevice}
	entries = []entry{
		slotImageReturned: {name: "return of an image", land: (*Firmware).imageReturned},
		slotNotified:      {name: "return of a notification function", land: (*Firmware).notified},

		slotProcedureReturned: {name: "return of another processor's procedure", land: (*Firmware).procedureReturned},

		slotAnswered: {name: "return of a function that a service has called", land: (*Firmware).answered},
	}
	for range exceptions {
		entries = append(entries, entry{name: "exception", land: (*Firmware).exception})
	}
	for _, functions := range interfaces {
		for _, fn := range functions {
			entries = append(entries, fn.entry)
		}
	}
	openedFunctions = fileFunctions
	loadInitrdSlot = uint64(slices.IndexFunc(entries, func(e entry) bool { return e.name == loadFile2[0].name }))
}

// pointers writes the addresses of an interface's functions to where they belong in it.
func (f *Firmware) pointers(table []byte, functions []function) {
	slot := uint64(slotServices)
	for _, other := range interfaces {
		if &other[0] == &functions[0] {
			break
		}
		slot += uint64(len(other))
	}
	for i, fn := range functions {
		put64(table[fn.offset:], f.trap+(slot+uint64(i))*entrySize)
	}
}

// notOffered is a service that a specification lets firmware do without.
func (f *Firmware) notOffered(args) error { return unsupported }
