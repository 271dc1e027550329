package vm_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/uefi"
	"github.com/tacit-vm/tacit/vm"
)

// What does not help is not advised: only a kernel that has left firmware without asking the module is told that it is
// not a TDX guest.
func TestAdviceFitsTheEnd(t *testing.T) {
	t.Parallel()
	// locate asks firmware for a protocol that it does not have, and returns what it is told.
	locate := func(guid uefi.GUID) []byte {
		return append(bytes.Join([][]byte{
			{0x48, 0x83, 0xEC, 0x28},                   // sub rsp, 0x28
			{0x48, 0x8B, 0x42, 0x60},                   // mov rax, [rdx+0x60]: BootServices
			{0x48, 0x8D, 0x0D, 0x15, 0, 0, 0},          // lea rcx, [guid]
			{0x31, 0xD2},                               // xor edx, edx
			{0x4C, 0x8D, 0x44, 0x24, 0x20},             // lea r8, [rsp+0x20]
			{0xFF, 0x90, 0x40, 0x01, 0, 0},             // call [rax+0x140]: LocateProtocol
			{0x48, 0x83, 0xC4, 0x28, 0xC3, 0, 0, 0, 0}, // add rsp, 0x28; ret
		}, nil)[:36], guid[:]...)
	}
	for name, c := range map[string]struct {
		code    []byte
		outcome record.Outcome
		advice  string // is in it; empty means that there is to be none
	}{
		"a limit":                    {[]byte{0xEB, 0xFE}, record.Limit, ""},
		"a return without a word":    {[]byte{0x31, 0xC0, 0xC3}, record.Halted, ""},
		"a loader that wants a disk": {locate(uefi.SimpleFileSystemProtocolGUID), record.Halted, "EFI_SIMPLE_FILE_SYSTEM_PROTOCOL"},
		"MMIO by ADD":                {[]byte{0xBB, 0, 0, 0xC0, 0xFE, 0x01, 0x03, 0xC3}, record.GuestPanic, "--platform none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Memory: 256 * mib, Image: application(t, c.code), Initrd: []byte{}, MaxInstructions: 1_000_000})
			if b.Outcome != c.outcome || b.Diagnosis == nil {
				t.Fatalf("outcome %s, %+v", b.Outcome, b.Diagnosis)
			}
			if a := b.Diagnosis.Advice; c.advice == "" && a != "" || !strings.Contains(a, c.advice) {
				t.Errorf("the advice is %q, want %q in it", a, c.advice)
			}
		})
	}
}
