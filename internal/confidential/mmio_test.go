package confidential_test

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
)

// A register is a device that remembers the last access.
type register struct {
	confidential.Host
	gpa, value uint64
	size       int
	stored     bool
}

const held = 0x8796_A5B4_C3D2_E1F0

func (r *register) Load(_ *x86.CPU, gpa uint64, size int) uint64 {
	r.gpa, r.size = gpa, size
	return held
}

func (r *register) Store(_ *x86.CPU, gpa uint64, size int, value uint64) {
	r.gpa, r.size, r.value, r.stored = gpa, size, value, true
}

// Encodings and what becomes of registers are the manual's (Intel SDM vol. 2, MOV, MOVSX, MOVZX; vol. 1, 3.4.1.1). Addresses and
// values: RAX 0x1122334455667788, RBX 0x1000_0000, RBP 0x2000_0000, RDI 0x10, R13 0x3000_0000.
func TestServeMMIO(t *testing.T) {
	const rax = 0x1122_3344_5566_7788
	for _, c := range []struct {
		name, code string
		gpa        uint64
		size       int
		stored     bool
		value      uint64 // that was stored, or is in RAX (R9 with REX.R) afterwards
	}{
		{"mov [rbx],al", "\x88\x03", 0x1000_0000, 1, true, 0x88},
		{"mov [rbx],ah", "\x88\x23", 0x1000_0000, 1, true, 0x77},
		{"mov [rbx+8],ax", "\x66\x89\x43\x08", 0x1000_0008, 2, true, 0x7788},
		{"mov [rbx-8],eax", "\x89\x43\xF8", 0xFFF_FFF8, 4, true, 0x5566_7788},
		{"mov [rbp+rdi*4+0x100],rax", "\x48\x89\x84\xBD\x00\x01\x00\x00", 0x2000_0140, 8, true, rax},
		{"mov [r13+0],rax", "\x49\x89\x45\x00", 0x3000_0000, 8, true, rax},
		{"mov [0x7000],eax", "\x89\x04\x25\x00\x70\x00\x00", 0x7000, 4, true, 0x5566_7788},
		{"mov byte [rbx],0x85", "\xC6\x03\x85", 0x1000_0000, 1, true, 0x85},
		{"mov word [rbx],0x8586", "\x66\xC7\x03\x86\x85", 0x1000_0000, 2, true, 0x8586},
		{"mov qword [rbx],-2", "\x48\xC7\x03\xFE\xFF\xFF\xFF", 0x1000_0000, 8, true, 0xFFFF_FFFF_FFFF_FFFE},
		{"mov dword [rip+16],1", "\xC7\x05\x10\x00\x00\x00\x01\x00\x00\x00", 0x1000 + 10 + 16, 4, true, 1},
		{"mov [ebx],eax", "\x67\x89\x03", 0x1000_0000, 4, true, 0x5566_7788},
		{"mov fs:[rbx],eax", "\x64\x89\x03", 0x1004_0000, 4, true, 0x5566_7788},
		{"mov [moffs],eax", "\xA3\x00\x00\x00\x10\x00\x00\x00\x00", 0x1000_0000, 4, true, 0x5566_7788},
		{"mov al,[rbx]", "\x8A\x03", 0x1000_0000, 1, false, 0x1122_3344_5566_77F0},
		{"mov ah,[rbx]", "\x8A\x23", 0x1000_0000, 1, false, 0x1122_3344_5566_F088},
		{"mov ax,[rbx]", "\x66\x8B\x03", 0x1000_0000, 2, false, 0x1122_3344_5566_E1F0},
		{"mov eax,[rbx]", "\x8B\x03", 0x1000_0000, 4, false, 0xC3D2_E1F0},
		{"mov rax,[rbx]", "\x48\x8B\x03", 0x1000_0000, 8, false, held},
		{"mov r9d,[rbx]", "\x44\x8B\x0B", 0x1000_0000, 4, false, 0xC3D2_E1F0},
		{"mov rax,[moffs]", "\x48\xA1\x00\x00\x00\x10\x00\x00\x00\x00", 0x1000_0000, 8, false, held},
		{"movzx eax,byte [rbx]", "\x0F\xB6\x03", 0x1000_0000, 1, false, 0xF0},
		{"movzx rax,word [rbx]", "\x48\x0F\xB7\x03", 0x1000_0000, 2, false, 0xE1F0},
		{"movsx eax,byte [rbx]", "\x0F\xBE\x03", 0x1000_0000, 1, false, 0xFFFF_FFF0},
		{"movsx rax,word [rbx]", "\x48\x0F\xBF\x03", 0x1000_0000, 2, false, 0xFFFF_FFFF_FFFF_E1F0},
		{"movsx ax,byte [rbx]", "\x66\x0F\xBE\x03", 0x1000_0000, 1, false, 0x1122_3344_5566_FFF0},
	} {
		p, _ := aProcessor(t, 0x1000, []byte(c.code))
		s := p.State()
		s.Seg[4].Base = 0x4_0000
		p.SetState(&s)
		p.R[x86.RAX], p.R[x86.RBX], p.R[x86.RBP], p.R[x86.RDI], p.R[13] = rax, 0x1000_0000, 0x2000_0000, 0x10, 0x3000_0000
		var d register
		n, ok := confidential.ServeMMIO(p, &d, 0x1000, func(va uint64, write bool) (uint64, bool) { return va, write == c.stored })
		if !ok || n != uint64(len(c.code)) || d.gpa != c.gpa || d.size != c.size || d.stored != c.stored {
			t.Errorf("%s: %d bytes, %v, %+v", c.name, n, ok, d)
			continue
		}
		got := d.value
		if !c.stored {
			got = p.R[x86.RAX]
			if c.code[0] == 0x44 {
				got = p.R[9]
			}
		}
		if got != c.value {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.value)
		}
	}
}

// What is not among those, is cut off, or leads elsewhere reaches no device.
func TestServeMMIORefuses(t *testing.T) {
	for _, code := range []string{
		"\x01\x03",             // add [rbx],eax
		"\xF3\xA5",             // rep movsd
		"\x89\xD8",             // mov eax,ebx
		"\x89\x04\x24",         // mov [rsp],eax
		"\x8B\x23",             // mov esp,[rbx]
		"\xC7\x43\x00\x00\x00", // cut off
		"\xC7\x4B\x00\x00\x00\x00\x00",
		"\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x89\x03",
		"\x0F\x28\x03", // movaps xmm0,[rbx]
	} {
		at := uint64(2<<20 - len(code))
		c, _ := aProcessor(t, at, []byte(code))
		var d register
		if _, ok := confidential.ServeMMIO(c, &d, at, func(va uint64, _ bool) (uint64, bool) { return va, true }); ok || d.size != 0 {
			t.Errorf("% x: %+v", code, d)
		}
	}
	c, _ := aProcessor(t, 0x1000, []byte("\x89\x03"))
	var d register
	if _, ok := confidential.ServeMMIO(c, &d, 0x1000, func(uint64, bool) (uint64, bool) { return 0, false }); ok || d.size != 0 {
		t.Error("a device was reached at an address that is none's")
	}
}
