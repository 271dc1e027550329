package vm_test

import (
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A program that knows of no I/O APIC gets a serial port's interrupt through the 8259, which it has given vectors of its
// own, and the local APIC's LINT0. Its handler switches the machine off.
func TestInterruptThroughThePIC(t *testing.T) {
	t.Parallel()
	out := func(port uint16, value byte) []byte { // mov dx, port; mov al, value; out dx, al
		return []byte{0x66, 0xBA, byte(port), byte(port >> 8), 0xB0, value, 0xEE}
	}
	msr := func(index uint32, value uint16) []byte { // mov ecx, index; mov eax, value; xor edx, edx; wrmsr
		return []byte{0xB9, byte(index), byte(index >> 8), 0, 0, 0xB8, byte(value), byte(value >> 8), 0, 0, 0x31, 0xD2, 0x0F, 0x30}
	}
	const vector, handler, table = 0x54, 0x100, 0x200
	for name, c := range map[string]struct {
		mask byte
		want record.Outcome
	}{"not masked": {0xEF, record.PowerOff}, "masked": {0xFF, record.Limit}} {
		code := slices.Concat(
			[]byte{
				0xFA,                                     // cli
				0x48, 0x8D, 0x1D, 0xF8, 0x01, 0x00, 0x00, // lea rbx, [table]
				0x48, 0x8D, 0x05, 0xF1, 0x00, 0x00, 0x00, // lea rax, [handler]
				0x66, 0x89, 0x83, 0x40, 0x05, 0x00, 0x00, // mov [rbx+0x54*16], ax
				0x8C, 0xC9, //                               mov ecx, cs
				0x66, 0x89, 0x8B, 0x42, 0x05, 0x00, 0x00, // mov [rbx+0x54*16+2], cx
				0x66, 0xC7, 0x83, 0x44, 0x05, 0x00, 0x00, 0x00, 0x8E, // mov word [rbx+0x54*16+4], 0x8E00
				0x48, 0xC1, 0xE8, 0x10, //                   shr rax, 16
				0x66, 0x89, 0x83, 0x46, 0x05, 0x00, 0x00, // mov [rbx+0x54*16+6], ax
				0x48, 0x83, 0xEC, 0x18, //                   sub rsp, 0x18
				0x66, 0xC7, 0x04, 0x24, 0xFF, 0x0F, //       mov word [rsp], 0xFFF
				0x48, 0x89, 0x5C, 0x24, 0x02, //             mov [rsp+2], rbx
				0x0F, 0x01, 0x1C, 0x24, //                   lidt [rsp]
			},
			out(0x20, 0x11), out(0x21, vector&^7), out(0x21, 4), out(0x21, 1), out(0x21, c.mask), // line 4 is the first serial port's
			msr(0x80F, 0x1FF), msr(0x835, 0x700), // the local APIC is enabled, LINT0 is ExtINT
			out(0x3FC, 8), out(0x3F9, 2), // OUT2, and an interrupt while nothing is to be sent
			[]byte{0xFB, 0xF4, 0xEB, 0xFD}, // sti; hlt; again: firmware's timer ends each wait
		)
		code = append(code, make([]byte, handler-len(code))...)
		code = append(code, out(0x600, 1<<5|5<<2)...) // the sleep control register: S5
		code = append(code, make([]byte, table+0x1000-len(code))...)
		b := boot(t, vm.Config{Platform: vm.None, Image: application(t, code), MaxInstructions: 1_000_000})
		if b.Outcome != c.want {
			t.Errorf("%s: outcome %s, %+v", name, b.Outcome, b.Diagnosis)
		}
	}
}
