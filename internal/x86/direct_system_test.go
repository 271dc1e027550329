package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// MOVDIRI and MOVDIR64B (SDM vol. 2): stores of 4, 8 and 64 bytes.
func TestDirectStores(t *testing.T) {
	fill := func(m *scene) {
		for i := uint64(0); i < 8; i++ {
			m.poke(progData+0x104+8*i, 0x1111*(i+1))
		}
		m.from.GPR[uop.RAX], m.from.GPR[uop.RBX], m.from.GPR[uop.RCX] = 0x1122_3344_5566_7788, progData+0x104, progData+0x200
	}
	stored := func(at uint64, words ...uint64) func(*testing.T, *scene, Exit) {
		return func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			halts()(t, m, e)
			for i, w := range words {
				if got := m.word(at + uint64(i)*8); got != w {
					t.Errorf("word %d is %#x, want %#x", i, got, w)
				}
			}
		}
	}
	at := func(va uint64) func(m *scene) {
		return func(m *scene) {
			fill(m)
			m.from.GPR[uop.RCX] = va
		}
	}
	const move = "66 0F 38 F8 0B" // movdir64b rcx, [rbx]
	prove(t,
		program{name: "four bytes", code: asm("0F 38 F9 01 F4"), setup: fill, want: stored(progData+0x200, 0x5566_7788)},
		program{name: "eight bytes", code: asm("48 0F 38 F9 01 F4"), setup: fill, want: stored(progData+0x200, 0x1122_3344_5566_7788)},
		program{name: "of a register there is none", code: asm("|0F 38 F9 C1"), setup: fill, want: raises(uop.VectorUD, 0)},
		program{name: "64 bytes", code: asm(move, "F4"), setup: fill, want: stored(progData+0x200, 0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 0x6666, 0x7777, 0x8888, 0)},
		program{name: "with addresses of 32 bits", code: asm("67", move, "F4"), setup: func(m *scene) {
			fill(m)
			m.from.GPR[uop.RCX] |= 1 << 40
		}, want: stored(progData+0x200, 0x1111)},
		program{name: "the destination must be aligned", code: asm("|" + move), setup: at(progData + 0x220), want: raises(uop.VectorGP, 0)},
		program{name: "the destination cannot be written", code: asm("|" + move), setup: func(m *scene) {
			at(progFree + 0x2000)(m)
			m.protect(progFree+0x2000, 0)
		}, want: raisesPF(faultW, progFree+0x2000)},
		program{name: "LOCK", code: asm("|F0 0F 38 F9 01"), setup: fill, want: raises(uop.VectorUD, 0)},
		program{name: "the other prefix is none", code: asm("|66 0F 38 F9 01"), setup: fill, want: raises(uop.VectorUD, 0)},
	)
}

// XSAVES and XRSTORS (SDM vol. 1, 13.11 and 13.12): for privilege 0, in the compacted format alone.
func TestSupervisorXSAVE(t *testing.T) {
	ready := func(m *scene) {
		m.from.CR4 |= CR4OSXSAVE
		m.from.XCR0, m.from.GPR[uop.RAX], m.from.GPR[uop.RSI] = 3, 3, progData+0x400
		m.from.XMM[5] = XMM{7, 8}
	}
	user := func(m *scene) {
		ready(m)
		m.from.GPR[uop.RSI] = progUser + 0x400
	}
	prove(t,
		program{name: "there and back", code: asm("0F C7 2E 0F 57 ED 0F C7 1E F4"), setup: ready, want: func(t *testing.T, m *scene, e Exit) { // xsaves [rsi]; xorps xmm5, xmm5; xrstors [rsi]
			halts()(t, m, e)
			if m.X[5] != (XMM{7, 8}) || m.word(progData+0x400+xsHeader+xsComp) != xsCompacted|3 || m.word(progData+0x400+xsHeader) != xsSSE {
				t.Errorf("XMM5 %v, header %#x %#x", m.X[5], m.word(progData+0x400+xsHeader), m.word(progData+0x400+xsHeader+xsComp))
			}
		}},
		program{name: "of the standard format", code: asm("0F AE 26 |0F C7 1E"), setup: ready, want: raises(uop.VectorGP, 0)}, // xsave [rsi]
		program{name: "XSAVES in a user program", code: asm("|0F C7 2E"), user: true, setup: user, want: raises(uop.VectorGP, 0)},
		program{name: "XRSTORS in a user program", code: asm("|0F C7 1E"), user: true, setup: user, want: raises(uop.VectorGP, 0)},
		program{name: "IA32_XSS has no bits", code: asm(wrmsr(MSRXSS, 0), rdmsr(MSRXSS), "89 C3", "B8 00 01 00 00 |0F 30"), setup: ready, want: raises(uop.VectorGP, 0)},
	)
}
