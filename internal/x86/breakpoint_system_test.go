package x86

import (
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// broken makes #DB note RIP, DR6 and RFLAGS, clear DR6 and set RF, and go on.
func broken(m *scene) {
	m.handler(uop.VectorDB, progFree, asm("50 53 8B 1C 25", le(progData, 4), // push rax; push rbx; mov ebx, [n]
		"48 8B 44 24 10 48 89 04 DD", le(progData+8, 4), // mov rax, [rsp+16]; mov [list + 8 rbx], rax
		"0F 21 F0 48 89 04 DD", le(progData+16, 4), // mov rax, dr6
		"48 8B 44 24 20 48 89 04 DD", le(progData+24, 4), // mov rax, [rsp+32]
		"83 04 25", le(progData, 4), "03 31 C0 0F 23 F0", // add dword [n], 3; xor eax, eax; mov dr6, rax
		"81 4C 24 20 00 00 01 00 5B 58 48 CF")) // or dword [rsp+32], RF; pop rbx; pop rax; iretq
}

// A brokenAt is what a #DB was: where, as an offset from the program's start, with these bits of DR6 and RF.
type brokenAt struct {
	at, dr6 uint64
	rf      bool
}

func noted(want ...brokenAt) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		halts()(t, m, e)
		var got []brokenAt
		for i := range m.word(progData) & 0xFFFF_FFFF / 3 {
			at := progData + 8 + i*24
			got = append(got, brokenAt{m.word(at) - m.start, m.word(at+8) &^ resetDR6, m.word(at+16)&FlagRF != 0})
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("traps %v, want %v", got, want)
		}
	}
}

// Lengths of breakpoints, LEN in DR7.
const (
	break1 = 0
	break2 = 1
	break8 = 2
	break4 = 3
)

// breakAt sets a breakpoint before the program starts.
func (m *scene) breakAt(n int, address, kind, length uint64) {
	m.from.DR[n] = address
	m.from.DR[7] |= 1<<(2*n) | (kind|length<<2)<<(16+4*n)
}

func breaks(n int, address, kind, length uint64) func(m *scene) {
	return func(m *scene) {
		broken(m)
		m.breakAt(n, address, kind, length)
	}
}

// SDM vol. 3, 18.2.4 and 18.3.1.1: breakpoints on instructions come before them, and RF passes one over.
func TestFetchBreakpoints(t *testing.T) {
	twice := asm("B9 02 00 00 00", "FF C0 FF C9 75 FA F4") // mov ecx, 2; 5: inc eax; dec ecx; jnz 5; hlt
	prove(t,
		program{name: "in front of the instruction, each time", code: twice, setup: breaks(1, progCode+5, breakFetch, break1), want: noted(brokenAt{5, 2, false}, brokenAt{5, 2, false})},
		program{name: "not in the middle of one", code: twice, setup: breaks(1, progCode+6, breakFetch, break1), want: noted()},
		program{name: "two at once", code: twice, setup: func(m *scene) {
			breaks(0, progCode+11, breakFetch, break1)(m)
			m.breakAt(3, progCode+11, breakFetch, break1)
		}, want: noted(brokenAt{11, 9, false})},
		program{name: "set by the program, in the page it runs in", code: asm("B8", le(progCode+17, 4), "0F 23 C0", "B8 01 00 00 00", "0F 23 F8", "90", "90 F4"), // mov dr0, rax; mov dr7, rax
			setup: broken, want: noted(brokenAt{17, 1, false})},
		program{name: "and taken away", code: asm("31 C0 0F 23 F8", "90 F4"), setup: breaks(0, progCode+5, breakFetch, break1), want: noted()},
		program{name: "before a fetch that faults", code: asm("E9", le(progFree+0x1000-progCode-5, 4)), setup: func(m *scene) { // jmp
			breaks(0, progFree+0x1000, breakFetch, break1)(m)
			m.protect(progFree+0x1000, 0)
		}, want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught(t, e); c.vector != uop.VectorPF || c.rip != progFree+0x1000 || m.word(progData) != 3 {
				t.Errorf("%+v after %d traps", c, m.word(progData)/3)
			}
		}},
		program{name: "once for a repeated instruction", code: asm("B9 03 00 00 00 BF", le(progUser+0xFFF, 4), "F3 AA F4"), setup: breaks(0, progCode+10, breakFetch, break1),
			want: noted(brokenAt{10, 1, false})},
		program{name: "not after MOV SS", code: asm("B8", le(selData, 4), "8E D0", "90 F4"), setup: breaks(0, progCode+7, breakFetch, break1), want: noted()},
		program{name: "together with a single step", code: asm("9C 81 0C 24 00 01 00 00 9D 90 90 9C 81 24 24 FF FE FF FF 9D F4"), setup: breaks(0, progCode+10, breakFetch, break1),
			want: noted(brokenAt{10, dr6BS, false}, brokenAt{11, dr6BS, false}, brokenAt{12, dr6BS, false}, brokenAt{19, dr6BS, false}, brokenAt{20, dr6BS, false})}, // the handler of the step has set RF
		program{name: "IRET to it with RF", code: asm(pushIRET(selData, progSP, 2|FlagRF, selCode, progCode+27), "48 CF", "90 F4"), setup: breaks(0, progCode+27, breakFetch, break1), want: noted()},
		program{name: "a fault there pushes RF", code: asm("|0F 0B"), setup: breaks(0, progCode, breakFetch, break1), want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught(t, e); c.vector != uop.VectorUD || c.flags&FlagRF == 0 || m.word(progData) != 3 {
				t.Errorf("%+v after %d traps", c, m.word(progData)/3)
			}
		}},
	)
}

// SDM vol. 3, 18.2.4 and 18.3.1.1: breakpoints on data come after the instruction.
func TestDataBreakpoints(t *testing.T) {
	const at = progUser + 0x104
	load, store := asm("8B 04 25", le(at, 4), "F4"), asm("89 04 25", le(at, 4), "F4") // mov eax, [at]; mov [at], eax: 7 bytes
	prove(t,
		program{name: "a store", code: store, setup: breaks(2, at, breakWrite, break4), want: noted(brokenAt{7, 4, false})},
		program{name: "a load is none", code: load, setup: breaks(2, at, breakWrite, break4), want: noted()},
		program{name: "a load is a use", code: load, setup: breaks(2, at, breakUse, break4), want: noted(brokenAt{7, 4, false})},
		program{name: "a store is one, too", code: store, setup: breaks(2, at, breakUse, break1), want: noted(brokenAt{7, 4, false})},
		program{name: "its last byte", code: store, setup: breaks(0, at+3, breakWrite, break1), want: noted(brokenAt{7, 1, false})},
		program{name: "the byte after", code: store, setup: breaks(0, at+4, breakWrite, break1), want: noted()},
		program{name: "low bits of the address are ignored", code: store, setup: breaks(0, at+3, breakWrite, break4), want: noted(brokenAt{7, 1, false})},
		program{name: "eight bytes", code: store, setup: breaks(0, at+2, breakWrite, break8), want: noted(brokenAt{7, 1, false})},
		program{name: "two bytes", code: store, setup: breaks(0, at-1, breakWrite, break2), want: noted()},
		program{name: "two breakpoints", code: store, setup: func(m *scene) {
			breaks(0, at, breakWrite, break1)(m)
			m.breakAt(1, at+2, breakUse, break2)
		}, want: noted(brokenAt{7, 3, false})},
		program{name: "one instruction of many", code: asm("FF C0", "FF 04 25", le(at, 4), "FF C0 FF C0 F4"), setup: breaks(0, at, breakUse, break4), want: noted(brokenAt{9, 1, false})},
		program{name: "zeros over zeros", code: asm("31 C0", store), setup: breaks(0, at, breakWrite, break4), want: noted(brokenAt{9, 1, false})},
		program{name: "over two pages", code: asm("48 89 04 25", le(progUser+0xFFD, 4), "F4"), setup: breaks(0, progUser+0x1000, breakWrite, break4), want: noted(brokenAt{8, 1, false})},
		program{name: "one element of a repeated instruction", code: asm("B9 05 00 00 00 BF", le(at-2, 4), "F3 AA F4"), setup: breaks(0, at, breakWrite, break1), want: noted(brokenAt{10, 1, true})},
		program{name: "the last element", code: asm("B9 03 00 00 00 BF", le(at-2, 4), "F3 AA F4"), setup: breaks(0, at, breakWrite, break1), want: noted(brokenAt{12, 1, false})},
		program{name: "with a step", code: asm("9C 81 0C 24 00 01 00 00 9D 89 04 25", le(at, 4), "9C 81 24 24 FF FE FF FF 9D F4"), setup: breaks(0, at, breakWrite, break4),
			want: noted(brokenAt{16, dr6BS | 1, false}, brokenAt{17, dr6BS, false}, brokenAt{24, dr6BS, false}, brokenAt{25, dr6BS, false})},
		program{name: "MOV SS keeps it off", code: asm("8E 14 25", le(at, 4), "90 F4"), setup: func(m *scene) { // mov ss, [at]
			breaks(0, at, breakUse, break2)(m)
			m.poke(at, selData)
		}, want: noted(brokenAt{8, 1, false})},
		program{name: "an instruction that faults has used nothing", code: asm("48 8B 04 25", le(at, 4), "|48 A5"), setup: func(m *scene) { // movsq, from there to nowhere
			breaks(0, at, breakUse, break4)(m)
			m.from.GPR[uop.RSI], m.from.GPR[uop.RDI] = at, progFree+0x3000
			m.protect(progFree+0x3000, 0)
		}, want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught(t, e); c.vector != uop.VectorPF || c.rip != m.mark || m.word(progData) != 3 {
				t.Errorf("%+v after %d traps", c, m.word(progData)/3)
			}
		}},
		program{name: "what delivery pushes, in front of the handler", code: asm("0F 0B"), setup: func(m *scene) {
			breaks(0, progSP-8, breakWrite, break8)(m)
			m.from.DR[7] &^= 0xFF // armed when the program stores DR7
			m.from.DR[7] |= 2
		}, want: func(t *testing.T, m *scene, e Exit) {
			if m.word(progData+8) != progGate+6*16 {
				t.Errorf("the trap is at %#x", m.word(progData+8))
			}
		}},
	)
}

// SDM vol. 3, 18.2.2 and 18.2.4: ports with CR4.DE, and DR7.GD.
func TestPortBreakpointsAndGD(t *testing.T) {
	out := asm("BA F0 00 00 00 EF F4") // mov edx, 0xF0; out dx, eax
	debugging := func(then func(m *scene)) func(m *scene) {
		return func(m *scene) {
			then(m)
			m.from.CR4 |= CR4DE
		}
	}
	guarded := func(m *scene) {
		broken(m)
		m.from.DR[7] |= dr7GD
	}
	prove(t,
		program{name: "a port", code: out, setup: debugging(breaks(0, 0xF3, breakPort, break1)), want: noted(brokenAt{6, 1, false})},
		program{name: "the port after", code: out, setup: debugging(breaks(0, 0xF4, breakPort, break4)), want: noted()},
		program{name: "without CR4.DE there are none", code: out, setup: breaks(0, 0xF0, breakPort, break1), want: noted()},
		program{name: "CR4.DE set later", code: asm("0F 20 E0 83 C8 08 0F 22 E0", out), setup: breaks(0, 0xF0, breakPort, break1), want: noted(brokenAt{15, 1, false})},
		program{name: "IN", code: asm("E4 60 F4"), setup: debugging(breaks(0, 0x60, breakPort, break1)), want: noted(brokenAt{2, 1, false})},
		program{name: "DR7.GD guards a write", code: asm("90 0F 23 C0 F4"), setup: guarded, want: noted(brokenAt{1, dr6BD, true})},
		program{name: "and a read, the handler can clear it", code: asm("0F 21 C0 0F 21 C8 F4"), setup: guarded, want: noted(brokenAt{0, dr6BD, true})},
	)
}
