package vm

import "testing"

// Code of a function as compilers make it: what is on the stack is known at each place that the processor can get to, also
// after jumps, and where a table leads.
func TestDepthOfFrames(t *testing.T) {
	code := []byte{
		0xF3, 0x0F, 0x1E, 0xFA, // 00 endbr64
		0x41, 0x57, // 04 push r15
		0x53,                   // 06 push rbx
		0x48, 0x83, 0xEC, 0x28, // 07 sub rsp, 0x28
		0x85, 0xC0, // 0b test eax, eax
		0x74, 0x04, // 0d jz 13
		0x66, 0x0F, 0x01, 0xCC, // 0f tdcall
		0x48, 0x83, 0xC4, 0x28, // 13 add rsp, 0x28
		0x5B,                         // 17 pop rbx
		0x68, 0x01, 0x00, 0x00, 0x00, // 18 push 1
		0xFF, 0xE0, // 1d jmp rax, by a table
		0xE8, 0x00, 0x00, 0x00, 0x00, // 1f call 24
		0xC3,                         // 24 ret
		0xE8, 0x00, 0x00, 0x00, 0x00, // 25 call 2a, where the function ends
	}
	at := func(a uint64) []byte { return code[min(a, uint64(len(code))):] }
	for _, c := range []struct {
		ip     uint64
		called bool
		want   uint64
	}{
		{0x00, false, 0}, {0x06, false, 8}, {0x0B, false, 0x38}, {0x0F, false, 0x38}, {0x17, false, 0x10}, {0x18, false, 8},
		{0x24, true, 0x10}, {0x2A, true, 0x10},
	} {
		w := walk{code: at, ip: c.ip, called: c.called, seen: map[uint64]bool{}, tables: -1}
		if depth, ok := w.from(0); !ok || depth != c.want {
			t.Errorf("at %#x the return address is %#x above the stack pointer, %v; want %#x", c.ip, depth, ok, c.want)
		}
	}
	for name, code := range map[string][]byte{
		"no code": {}, "a loop": {0xEB, 0xFE}, "a frame of unknown size": {0x48, 0x83, 0xE4, 0xF0, 0x90, 0x90}, "leave": {0xC9, 0x90, 0x90, 0x90},
	} {
		w := walk{code: func(a uint64) []byte { return code[min(a, uint64(len(code))):] }, ip: 5, seen: map[uint64]bool{}, tables: -1}
		if depth, ok := w.from(0); ok {
			t.Errorf("%s: %#x", name, depth)
		}
	}
}
