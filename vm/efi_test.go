package vm_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// application makes an EFI application of machine code: a PE32+ file with one section, loaded anywhere (PE format,
// "Optional Header").
func application(t testing.TB, code []byte) *image.Image {
	t.Helper()
	const headers, section = 0x200, 0x1000
	size := (len(code) + 0x1FF) &^ 0x1FF
	b := make([]byte, headers+size)
	put := func(at int, v any) {
		var w bytes.Buffer
		if err := binary.Write(&w, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
		copy(b[at:], w.Bytes())
	}
	copy(b, "MZ")
	put(0x3C, uint32(0x40))
	copy(b[0x40:], "PE\x00\x00")
	put(0x44, uint16(0x8664)) // machine
	put(0x46, uint16(1))      // sections
	put(0x54, uint16(0xF0))   // size of the optional header
	put(0x56, uint16(0x22))   // executable, large addresses
	const opt = 0x58
	put(opt, uint16(0x20B))
	put(opt+16, uint32(section)) // entry
	put(opt+20, uint32(section)) // base of code
	put(opt+32, uint32(0x1000))  // section alignment
	put(opt+36, uint32(0x200))   // file alignment
	put(opt+56, uint32(section+(size+0xFFF)&^0xFFF))
	put(opt+60, uint32(headers))
	put(opt+68, uint16(10)) // EFI application
	put(opt+108, uint32(16))
	const sec = opt + 0xF0
	copy(b[sec:], ".text")
	put(sec+8, uint32(len(code)))
	put(sec+12, uint32(section))
	put(sec+16, uint32(size))
	put(sec+20, uint32(headers))
	put(sec+36, uint32(0xE000_0020)) // code, readable, writable, executable
	copy(b[headers:], code)
	img, err := image.Parse("program of the test", b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// loadRAX is MOV RAX, imm64.
func loadRAX(v uint64) []byte { return binary.LittleEndian.AppendUint64([]byte{0x48, 0xB8}, v) }

func TestTouchingUnacceptedMemoryIsAViolation(t *testing.T) {
	t.Parallel()
	const page = 0x4000_0000                                                                                        // handed over unaccepted
	b := boot(t, vm.Config{Image: application(t, append(loadRAX(page+0x123), 0x88, 0x00, 0xC3)), Initrd: []byte{}}) // mov [rax], al
	if b.Outcome != record.Violation {
		t.Fatalf("outcome %s, diagnosis %+v", b.Outcome, b.Diagnosis)
	}
	d := b.Diagnosis
	if d.GPA == nil || *d.GPA&^0xFFF != page || d.GVA == nil || *d.GVA != page+0x123 {
		t.Errorf("it touched %#x; the diagnosis says GPA %v, GVA %v", page+0x123, d.GPA, d.GVA)
	}
	if states := []string{"pending", "absent", "not validated", "hypervisor-owned"}; !slices.Contains(states, d.PageState) {
		t.Errorf("page state %q", d.PageState)
	}
	if d.Instruction == nil || d.Instruction.Bytes != "8800" || !strings.Contains(d.Instruction.Text, "mov") {
		t.Errorf("instruction %+v", d.Instruction)
	}
	if !strings.Contains(d.Advice, "EfiUnacceptedMemory") {
		t.Errorf("advice %q does not say who should have accepted it", d.Advice)
	}
}

func TestAcceptingTwiceGivesTheModulesStatus(t *testing.T) {
	t.Parallel()
	program := bytes.Join([][]byte{
		{0xB9, 0, 0, 0, 0x01},    // mov ecx, 0x1000000: a page that firmware has accepted, level 0
		{0xB8, 6, 0, 0, 0},       // mov eax, TDG.MEM.PAGE.ACCEPT
		{0x66, 0x0F, 0x01, 0xCC}, // tdcall
		{0x48, 0xC1, 0xE8, 0x20}, // shr rax, 32: the status fits what an image returns without being an error
		{0xC3},
	}, nil)
	b := boot(t, vm.Config{Image: application(t, program), Initrd: []byte{}})
	if b.Calls["tdcall"]["MEM.PAGE.ACCEPT"]["TDX_PAGE_ALREADY_ACCEPTED"] != 1 {
		t.Errorf("the module said %v", b.Calls["tdcall"]["MEM.PAGE.ACCEPT"])
	}
	if b.Outcome != record.Halted || !strings.Contains(b.Diagnosis.Summary, "returned to firmware") || !strings.Contains(b.Diagnosis.Summary, "0xb0a") {
		t.Errorf("outcome %s, %q; want the image's return with 0xB0A, the upper half of TDX_PAGE_ALREADY_ACCEPTED", b.Outcome, b.Diagnosis.Summary)
	}
}

// countUnaccepted is a program that knows nothing of unaccepted memory and of the acceptance protocol: it leaves boot
// services, as often as it takes, counts the pages of type 15 in its last memory map, and resets the machine with that
// number as the status.
var countUnaccepted = slices.Concat([]byte{
	0x53, 0x56, 0x57, //                                     push rbx; push rsi; push rdi
	0x48, 0x83, 0xEC, 0x70, //                               sub  rsp, 0x70
	0x48, 0x89, 0xCB, //                                     mov  rbx, rcx          image handle
	0x48, 0x8B, 0x72, 0x60, //                               mov  rsi, [rdx+0x60]   boot services
	0x48, 0x8B, 0x7A, 0x58, //                               mov  rdi, [rdx+0x58]   runtime services
	0x48, 0xC7, 0x44, 0x24, 0x40, 0x00, 0x40, 0x00, 0x00, // retry: mov qword [rsp+0x40], 0x4000
	0x48, 0x8D, 0x4C, 0x24, 0x40, //                         lea  rcx, [rsp+0x40]   size
	0x48, 0x8D, 0x15, 0x69, 0x00, 0x00, 0x00, //             lea  rdx, [buffer]
	0x4C, 0x8D, 0x44, 0x24, 0x48, //                         lea  r8, [rsp+0x48]    key
	0x4C, 0x8D, 0x4C, 0x24, 0x50, //                         lea  r9, [rsp+0x50]    descriptor size
	0x48, 0x8D, 0x44, 0x24, 0x58, //                         lea  rax, [rsp+0x58]   descriptor version
	0x48, 0x89, 0x44, 0x24, 0x20, //                         mov  [rsp+0x20], rax
	0xFF, 0x56, 0x38, //                                     call [rsi+56]          GetMemoryMap
	0x48, 0x89, 0xD9, //                                     mov  rcx, rbx
	0x48, 0x8B, 0x54, 0x24, 0x48, //                         mov  rdx, [rsp+0x48]
	0xFF, 0x96, 0xE8, 0x00, 0x00, 0x00, //                   call [rsi+232]         ExitBootServices
	0x48, 0x85, 0xC0, 0x75, 0xC1, //                         test rax, rax; jnz retry
	0x48, 0x8D, 0x15, 0x38, 0x00, 0x00, 0x00, //             lea  rdx, [buffer]
	0x48, 0x8B, 0x4C, 0x24, 0x40, //                         mov  rcx, [rsp+0x40]
	0x48, 0x01, 0xD1, //                                     add  rcx, rdx
	0x45, 0x31, 0xD2, //                                     xor  r10d, r10d
	0x48, 0x39, 0xCA, 0x73, 0x10, //                         next: cmp rdx, rcx; jae done
	0x83, 0x3A, 0x0F, 0x75, 0x04, //                         cmp  dword [rdx], 15; jne skip
	0x4C, 0x03, 0x52, 0x18, //                               add  r10, [rdx+24]
	0x48, 0x03, 0x54, 0x24, 0x50, 0xEB, 0xEB, //             skip: add rdx, [rsp+0x50]; jmp next
	0x31, 0xC9, //                                           done: xor ecx, ecx     EfiResetCold
	0x4C, 0x89, 0xD2, //                                     mov  rdx, r10          status
	0x45, 0x31, 0xC0, 0x45, 0x31, 0xC9, //                   xor  r8d, r8d; xor r9d, r9d
	0xFF, 0x57, 0x68, //                                     call [rdi+104]         ResetSystem
	0x66, 0x2E, 0x0F, 0x1F, 0x84, 0, 0, 0, 0, 0, //          nop, to a multiple of 16
}, make([]byte, 0x4000)) // buffer

// What upstream firmware does on TDX loses memory of an operating system that does not know how to accept it; asking
// saves it.
func TestSystemThatDoesNotCallTheProtocol(t *testing.T) {
	t.Parallel()
	const above4G = 2 * gib / 4096 // of 4 GiB, 2 lie below the hole
	for _, c := range []struct {
		platform, policy string
		lost             int // pages
	}{
		{vm.TDX, "negotiate", 0},
		{vm.TDX, "upstream", above4G},
		{vm.TDX, "lazy", (4*gib - 256*mib) / 4096},
		{vm.TDX, "eager", 0},
		{vm.SNP, "negotiate", 0},
		{vm.SNP, "upstream", 0},
		{vm.SNP, "lazy", (4*gib - 256*mib) / 4096},
	} {
		b := boot(t, vm.Config{Platform: c.platform, FirmwarePolicy: c.policy, Image: application(t, countUnaccepted), Initrd: []byte{}, MaxInstructions: 1_000_000})
		if b.Outcome != record.Reset {
			t.Errorf("%s, %s: outcome %s, %+v", c.platform, c.policy, b.Outcome, b.Diagnosis)
			continue
		}
		want := "ResetSystem: cold reset"
		if c.lost > 0 {
			want += fmt.Sprintf(", EFI_Status(%#x)", c.lost)
		}
		if b.Diagnosis.Summary != want {
			t.Errorf("%s, %s: %q, want %q: %d pages lost", c.platform, c.policy, b.Diagnosis.Summary, want, c.lost)
		}
		calls := 1
		if n := b.Negotiation; n.AcceptedAtExit > 0 {
			calls = 2 // the memory map has changed
		}
		if b.Negotiation.ExitBootServices != calls {
			t.Errorf("%s, %s: %d calls of ExitBootServices, want %d", c.platform, c.policy, b.Negotiation.ExitBootServices, calls)
		}
	}
}

// An image that jumps into nothing ends with a name, not with a hang.
func TestHostilePrograms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code []byte
		want record.Outcome
	}{
		"endless loop":    {[]byte{0xEB, 0xFE}, record.Limit},
		"jump to nowhere": {append(loadRAX(0x7FFF_FFFF_F000), 0xFF, 0xE0), record.GuestPanic},
		"undefined":       {[]byte{0x0F, 0x0B}, record.GuestPanic},
		"time without end": {[]byte{ // again: Stall(all ones); jmp again
			0x48, 0x83, 0xEC, 0x28, 0x48, 0x8B, 0x72, 0x60, // sub rsp, 0x28; mov rsi, [rdx+0x60]: BootServices
			0x48, 0xC7, 0xC1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x96, 0xF8, 0, 0, 0, 0xEB, 0xF1}, record.Limit}, // mov rcx, -1; call [rsi+0xF8]
		"halt": {[]byte{0xFA, 0xF4, 0xEB, 0xFD}, record.Halted},
		"a timer that is never taken": {[]byte{
			0xB9, 0x0F, 8, 0, 0, 0xB8, 0xFF, 1, 0, 0, 0x31, 0xD2, 0x0F, 0x30, // SVR: enabled
			0xB9, 0x32, 8, 0, 0, 0xB8, 0x40, 0, 3, 0, 0x0F, 0x30, // LVT timer: periodic, masked
			0xB9, 0x38, 8, 0, 0, 0xB8, 1, 0, 0, 0, 0x0F, 0x30, // initial count
			0xFA, 0xF4, 0xEB, 0xFD}, record.Halted}, // cli; again: hlt; jmp again
		"firmware's timer":   {[]byte{0xFB, 0xF4, 0xEB, 0xFD}, record.Limit},                                                 // sti; again: hlt; jmp again: it is woken each time
		"no IDT":             {[]byte{0x6A, 0, 0x6A, 0, 0x0F, 0x01, 0x1C, 0x24, 0x0F, 0x0B}, record.TripleFault},             // lidt [rsp]; ud2
		"tables in a circle": {[]byte{0x0F, 0x20, 0xD8, 0x48, 0x89, 0x00, 0x0F, 0x22, 0xD8, 0xEB, 0xFE}, record.TripleFault}, // mov [cr3], cr3
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, platform := range []string{vm.None} {
				b := boot(t, vm.Config{Platform: platform, Memory: 256 * mib, Image: application(t, c.code), Initrd: []byte{}, MaxInstructions: 100_000_000})
				if b.Outcome != c.want {
					t.Errorf("%s: outcome %s, want %s; %+v", platform, b.Outcome, c.want, b.Diagnosis)
				}
			}
		})
	}
}

// An image that waits for what cannot come has halted; and an EFI application that is no kernel gets no initrd of ours.
func TestImageThatWaitsForNothing(t *testing.T) {
	t.Parallel()
	program := bytes.Join([][]byte{
		{0x48, 0x83, 0xEC, 0x48},                         // sub rsp, 0x48
		{0x48, 0x8B, 0x72, 0x60},                         // mov rsi, [rdx+0x60]: BootServices
		{0x31, 0xC9, 0x31, 0xD2},                         // xor ecx, ecx; xor edx, edx
		{0x4D, 0x31, 0xC0, 0x4D, 0x31, 0xC9},             // xor r8, r8; xor r9, r9
		{0x48, 0x8D, 0x44, 0x24, 0x30},                   // lea rax, [rsp+0x30]: the event
		{0x48, 0x89, 0x44, 0x24, 0x20},                   // mov [rsp+0x20], rax
		{0xFF, 0x56, 0x50},                               // call CreateEvent
		{0xB9, 1, 0, 0, 0},                               // mov ecx, 1
		{0x48, 0x8D, 0x54, 0x24, 0x30},                   // lea rdx, [rsp+0x30]
		{0x4C, 0x8D, 0x44, 0x24, 0x38, 0xFF, 0x56, 0x60}, // lea r8, [rsp+0x38]; call WaitForEvent
	}, nil)
	b := boot(t, vm.Config{Image: application(t, program), MaxInstructions: 10_000_000})
	if b.Outcome != record.Halted || !strings.Contains(b.Diagnosis.Summary, "waits for an event") {
		t.Errorf("outcome %s, diagnosis %+v", b.Outcome, b.Diagnosis)
	}
	if b.Config.InitrdSHA256 != "" {
		t.Error("it has an initrd, and was given none")
	}
}
