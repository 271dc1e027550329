package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// SDM vol. 2, REP: a repeated instruction that faults has done what comes before the fault, and its registers say so.
func TestRepeatedInstructionsWithFaults(t *testing.T) {
	const edge = progData + 0x1000 // the next page is absent
	set := func(rcx, rsi, rdi, rax uint64) func(*scene) {
		return func(m *scene) {
			m.from.GPR[uop.RCX], m.from.GPR[uop.RSI], m.from.GPR[uop.RDI], m.from.GPR[uop.RAX] = rcx, rsi, rdi, rax
			m.protect(edge, 0)
			for i := uint64(0); i < 0x1000; i += 8 {
				m.write(progData+i, i*0x0101_0101_0101_0101)
			}
		}
	}
	faults := func(code, cr2 uint64, regs ...reg) func(*testing.T, *scene, Exit) {
		return func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			raisesPF(code, cr2)(t, m, e)
			m.wantRegs(t, regs...)
		}
	}
	prove(t,
		program{name: "STOSB", code: asm("|F3 AA"), setup: set(100, 0, edge-10, 0x55), want: faults(faultW, edge, reg{uop.RCX, 90}, reg{uop.RDI, edge})},
		program{name: "STOSQ, an element across the edge", code: asm("|F3 48 AB"), setup: set(5, 0, edge-20, 0x55), want: faults(faultW, edge, reg{uop.RCX, 3}, reg{uop.RDI, edge - 4})},
		program{name: "STOSB downwards", code: asm("FD", "|F3 AA"), setup: func(m *scene) {
			set(100, 0, edge+10, 1)(m)
			m.protect(edge, edge|pteP|pteW)
			m.protect(progData, 0)
		}, want: faults(faultW, edge-1, reg{uop.RCX, 89}, reg{uop.RDI, edge - 1})},
		program{name: "MOVSB, the source", code: asm("|F3 A4"), setup: set(100, edge-10, progFree, 0), want: faults(0, edge, reg{uop.RCX, 90}, reg{uop.RSI, edge}, reg{uop.RDI, progFree + 10})},
		program{name: "MOVSB, the destination", code: asm("|F3 A4"), setup: set(100, progFree, edge-10, 0), want: faults(faultW, edge, reg{uop.RCX, 90}, reg{uop.RSI, progFree + 10}, reg{uop.RDI, edge})},
		program{name: "MOVSQ, three pages of it", code: asm("|F3 48 A5"), setup: func(m *scene) {
			set(0x1000, progFree, progUser, 0)(m)
			m.protect(progUser+0x3000, 0)
		}, want: faults(faultW, progUser+0x3000, reg{uop.RCX, 0x1000 - 0x600}, reg{uop.RSI, progFree + 0x3000}, reg{uop.RDI, progUser + 0x3000})},
		program{name: "LODSB", code: asm("|F3 AC"), setup: set(100, edge-10, 0, 0), want: faults(0, edge, reg{uop.RCX, 90}, reg{uop.RSI, edge})},
		program{name: "SCASB keeps the flags that it began with", code: asm("F9", "|F2 AE"), setup: set(100, 0, edge-6, 0xEE), want: func(t *testing.T, m *scene, e Exit) { // stc; repne scasb
			faults(0, edge, reg{uop.RCX, 94}, reg{uop.RDI, edge})(t, m, e)
			if c := m.caught(t, e); c.flags != 2|FlagCF|FlagRF {
				t.Errorf("flags %#x", c.flags)
			}
		}},
		program{name: "CMPSB", code: asm("|F3 A6"), setup: func(m *scene) {
			set(100, edge-10, progFree, 0)(m)
			var b [10]byte
			if err := m.mem.Read(physical.Private, edge-10, b[:]); err != nil {
				panic(err)
			}
			m.put(progFree, b[:])
		}, want: faults(0, edge, reg{uop.RCX, 90}, reg{uop.RSI, edge}, reg{uop.RDI, progFree + 10})},
		program{name: "a fault, its handler, and on", code: asm("F3 AA", "F4"), setup: func(m *scene) {
			set(0x1800, 0, progData, 0x77)(m)
			m.handler(uop.VectorPF, progFree, asm("50", movImm(uop.RAX, edge|pteP|pteW), movTo(pte(edge)), "58", "48 83 C4 08", "48 CF"))
		}, want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RCX, 0}, reg{uop.RDI, progData + 0x1800})(t, m, e)
			if m.word(progData+0x17F8) != 0x7777_7777_7777_7777 || m.word(progData+0x1800) != 0 {
				t.Errorf("the end is %#x, %#x", m.word(progData+0x17F8), m.word(progData+0x1800))
			}
		}},
		program{name: "nothing to do touches nothing", code: asm("F3 AA", "F3 A4", "F3 AC", "F3 A6", "F2 AE", "F4"), setup: set(0, edge, edge, 0), want: halts(reg{uop.RSI, edge}, reg{uop.RDI, edge})},
		program{name: "OUTSB reads before it writes", code: asm("|F3 6E"), setup: set(3, edge-2, 0, 0), want: func(t *testing.T, m *scene, e Exit) {
			faults(0, edge, reg{uop.RCX, 1}, reg{uop.RSI, edge})(t, m, e)
			if len(m.bus.out) != 2 {
				t.Errorf("%d bytes went out", len(m.bus.out))
			}
		}},
		program{name: "INSB does not read a port for which there is no room", code: asm("|F3 6C"), setup: func(m *scene) {
			set(3, 0, edge-2, 0)(m)
			m.reads = new(int)
			m.bus.in = func(uint16, int) uint32 { *m.reads++; return 0xAB }
		}, want: func(t *testing.T, m *scene, e Exit) {
			faults(faultW, edge, reg{uop.RCX, 1}, reg{uop.RDI, edge})(t, m, e)
			if *m.reads != 2 {
				t.Errorf("the port was read %d times", *m.reads)
			}
		}},
	)
}

// Elements are moved in order also where source and destination are one frame at two addresses.
func TestRepeatedMovesThroughAnAlias(t *testing.T) {
	const alias = progFree + 0x3000 // leads to progData
	overlap := func(rsi, rdi, rcx uint64, code string) program {
		return program{name: code, code: asm(code, "F4"), setup: func(m *scene) {
			m.write(pte(alias), progData|pteP|pteW|pteA|pteD)
			m.write(progData+0x100, 0x8877_6655_4433_2211, 0x0101_0101_0101_0101)
			m.from.GPR[uop.RSI], m.from.GPR[uop.RDI], m.from.GPR[uop.RCX] = rsi, rdi, rcx
		}, want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RCX, 0})(t, m, e)
			if a, b := m.word(progData+0x100), m.word(progData+0x108); a != 0x1111_1111_1111_1111 || b != 0x0101_0101_0101_0111 {
				t.Errorf("memory is %#016x %#016x", b, a)
			}
		}}
	}
	prove(t, overlap(progData+0x100, alias+0x101, 8, "F3 A4"), overlap(alias+0x100, progData+0x101, 8, "F3 67 A4"))
}

// Interrupts and deadlines are met between the stretches of a repeated instruction, and it goes on after them as if
// nothing had been.
func TestRepeatedInstructionsWithInterrupts(t *testing.T) {
	fill := func(m *scene) {
		m.from.GPR[uop.RCX], m.from.GPR[uop.RDI], m.from.GPR[uop.RAX] = 0x8000, progUser+0x123, 0x42
		m.from.RFLAGS |= FlagIF
		m.APIC.startTimerIn(3)
		m.handler(irq, progFree, asm("FF 04 25", le(progData, 4), "48 89 0C 25", le(progData+8, 4), "48 CF")) // inc dword [progData]; mov [progData+8], rcx; iretq
	}
	prove(t,
		program{name: "STOSB", code: asm("F3 AA", "F4"), setup: fill, want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RCX, 0}, reg{uop.RDI, progUser + 0x8123})(t, m, e)
			if m.word(progData)&0xFFFF_FFFF != 1 || m.word(progData+8) != 0x8000-0x3000+0x123 {
				t.Errorf("%d interrupts, with %#x left", m.word(progData), m.word(progData+8))
			}
			// A stretch for each page that is touched, three instructions of the handler, HLT.
			if m.Instructions() != 9+3+1 {
				t.Errorf("%d instructions", m.Instructions())
			}
		}},
		program{name: "a loop that the manual's REP MOVSB is, overlapping", code: asm("F3 A4", "F4"), setup: func(m *scene) {
			fill(m)
			m.from.GPR[uop.RSI], m.from.GPR[uop.RDI], m.from.GPR[uop.RCX] = progUser+0x0FF0, progUser+0x0FF1, 0x2000
			m.put(progUser+0xFF0, []byte{0x99})
		}, want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RCX, 0})(t, m, e)
			if m.word(progUser+0x2FE9) != 0x9999_9999_9999_9999 || m.word(progUser+0x2FF1)&0xFF != 0 {
				t.Errorf("the end is %#x, %#x", m.word(progUser+0x2FE9), m.word(progUser+0x2FF1))
			}
		}},
	)
}
