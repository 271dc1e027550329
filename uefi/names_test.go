package uefi_test

import (
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// Offsets as Linux uses them (drivers/firmware/efi/libstub/efistub.h) and as its machine code shows them:
// call *0x140(%rax) is LocateProtocol.
func TestServiceOffsets(t *testing.T) {
	for s, want := range map[uefi.BootService]uint16{
		uefi.BSRaiseTPL: 24, uefi.BSAllocatePages: 40, uefi.BSFreePages: 48, uefi.BSGetMemoryMap: 56,
		uefi.BSAllocatePool: 64, uefi.BSFreePool: 72, uefi.BSCreateEvent: 80, uefi.BSSetTimer: 88,
		uefi.BSWaitForEvent: 96, uefi.BSCloseEvent: 112, uefi.BSHandleProtocol: 152, uefi.BSLocateHandle: 176,
		uefi.BSLocateDevicePath: 184, uefi.BSInstallConfigurationTable: 192, uefi.BSLoadImage: 200,
		uefi.BSStartImage: 208, uefi.BSExit: 216, uefi.BSExitBootServices: 232, uefi.BSStall: 248,
		uefi.BSLocateHandleBuffer: 312, uefi.BSLocateProtocol: 0x140, uefi.BSInstallMultipleProtocolInterfaces: 328,
		uefi.BSCopyMem: 352, uefi.BSSetMem: 360, uefi.BSCreateEventEx: 368,
	} {
		if uint16(s) != want {
			t.Errorf("%v is at %d, want %d", s, uint16(s), want)
		}
	}
	for s, want := range map[uefi.RuntimeService]uint16{
		uefi.RTGetTime: 24, uefi.RTSetVirtualAddressMap: 56, uefi.RTGetVariable: 72, uefi.RTSetVariable: 88,
		uefi.RTResetSystem: 104, uefi.RTQueryVariableInfo: 128,
	} {
		if uint16(s) != want {
			t.Errorf("%v is at %d, want %d", s, uint16(s), want)
		}
	}
	if uefi.BootServicesSize != 376 || uefi.RuntimeServicesSize != 136 {
		t.Errorf("the tables have %d and %d bytes, want 376 and 136", uefi.BootServicesSize, uefi.RuntimeServicesSize)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		value fmt.Stringer
		want  string
	}{
		{uefi.UnacceptedMemory, "Unaccepted"},
		{uefi.ReservedMemoryType, "Reserved"},
		{uefi.ConventionalMemory, "Conventional"},
		{uefi.PersistentMemory, "Persistent"},
		{uefi.MaxMemoryType, "MemoryType(0x10)"},
		{uefi.MemoryType(0x80000000), "MemoryType(0x80000000)"},

		{uefi.Success, "SUCCESS"},
		{uefi.WarnResetRequired, "WARN_RESET_REQUIRED"},
		{uefi.Status(8), "Status(0x8)"},
		{uefi.InvalidParameter, "INVALID_PARAMETER"},
		{uefi.NotFound, "NOT_FOUND"},
		{uefi.HTTPError, "HTTP_ERROR"},
		{uefi.Status(1<<63 | 29), "Status(0x800000000000001d)"},
		{uefi.Status(1<<63 | 36), "Status(0x8000000000000024)"},
		{uefi.Status(1<<64 - 1), "Status(0xffffffffffffffff)"},

		{uefi.BSRaiseTPL, "RaiseTPL"},
		{uefi.BSReserved, "Reserved"},
		{uefi.BSExitBootServices, "ExitBootServices"},
		{uefi.BSCreateEventEx, "CreateEventEx"},
		{uefi.BootService(0), "BootService(0x0)"},
		{uefi.BootService(44), "BootService(0x2c)"},
		{uefi.BootService(376), "BootService(0x178)"},
		{uefi.RTGetTime, "GetTime"},
		{uefi.RTResetSystem, "ResetSystem"},
		{uefi.RTQueryVariableInfo, "QueryVariableInfo"},
		{uefi.RuntimeService(136), "RuntimeService(0x88)"},
	} {
		if got := c.value.String(); got != c.want {
			t.Errorf("%#v: %s, want %s", c.value, got, c.want)
		}
	}
}

func TestStatusIsError(t *testing.T) {
	for s, want := range map[uefi.Status]bool{uefi.Success: false, uefi.WarnStaleData: false, uefi.LoadError: true} {
		if s.IsError() != want {
			t.Errorf("%v: IsError() = %v", s, s.IsError())
		}
	}
}

func TestSignatures(t *testing.T) {
	for signature, want := range map[uint64]string{
		uefi.SystemTableSignature: "IBI SYST", uefi.BootServicesSignature: "BOOTSERV",
		uefi.RuntimeServicesSignature: "RUNTSERV", uefi.DXEServicesSignature: "DXE_SERV",
	} {
		var text [8]byte
		for i := range text {
			text[i] = byte(signature >> (8 * i))
		}
		if string(text[:]) != want {
			t.Errorf("%#x is %q, want %q", signature, text, want)
		}
	}
}
