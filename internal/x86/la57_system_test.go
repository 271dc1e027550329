package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

const (
	progPML5  = progFree + 0x2000
	progPML4B = progFree + 0x3000 // what begins at farHalf
	farHalf   = 1 << 48           // the second 256 TiB, where addresses of 48 bits do not lead
)

// SDM vol. 3, 5.5: what is mapped where addresses have 57 bits.
func TestFiveLevels(t *testing.T) {
	allowed := func(m *scene) { m.cfg.LA57 = true }
	five := func(m *scene) { // the first 2 MiB are at farHalf, too
		m.from.CR4 |= CR4LA57
		m.from.CR3 = progPML5
		m.write(progPML5, progPML4|pteP|pteW|pteU|pteA, progPML4B|pteP|pteW|pteU)
		m.write(progPML4B, progPDPT|pteP|pteW|pteU|pteA)
		m.poke(progData, 0x1234)
	}
	load := func(va uint64) string { return asm(movImm(uop.RBX, va), "|48 8B 03 F4") } // mov rax, [rbx]
	change := asm("0F 20 E0 48 0F BA F8 0C", "|0F 22 E0 F4")                           // mov rax, cr4; btc rax, 12; mov cr4, rax
	prove(t,
		program{name: "a load", code: load(farHalf + progData), before: allowed, setup: five, want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RAX, 0x1234})(t, m, e)
			if m.word(progPML5+8)&pteA == 0 || m.word(progPML4B)&pteA == 0 {
				t.Error("accessed bits are not set")
			}
		}},
		program{name: "a jump there, and a call", code: asm(movImm(uop.RBX, farHalf+progCode+12), "FF E3", "B8 05 00 00 00 E8 01 00 00 00 F4 C3"), // jmp rbx; mov eax, 5; call to the ret; hlt
			before: allowed, setup: five, want: func(t *testing.T, m *scene, e Exit) {
				if e.Kind != ExitHalted || m.RIP() != farHalf+progCode+23 || m.R[uop.RAX] != 5 || m.word(progSP-8) != farHalf+progCode+22 {
					t.Errorf("exit %v at %#x, %#x on the stack", e, m.RIP(), m.word(progSP-8))
				}
			}},
		program{name: "not canonical", code: load(1 << 56), before: allowed, setup: five, want: raises(uop.VectorGP, 0)},
		program{name: "the highest half is absent", code: load(0xFF00_0000_0000_0000), before: allowed, setup: five, want: raisesPF(0, 0xFF00_0000_0000_0000)},
		program{name: "with four levels it is not canonical", code: load(farHalf), before: allowed, want: raises(uop.VectorGP, 0)},
		program{name: "PS in a PML5 entry", code: load(farHalf), before: allowed, setup: func(m *scene) {
			five(m)
			m.write(progPML5+8, progPML4B|pteP|pteW|pteU|ptePS)
		}, want: raisesPF(faultP|faultRSVD, farHalf)},
		program{name: "PS in a PML4 entry", code: load(farHalf), before: allowed, setup: func(m *scene) {
			five(m)
			m.write(progPML4B, progPDPT|pteP|pteW|ptePS)
		}, want: raisesPF(faultP|faultRSVD, farHalf)},
		program{name: "neither turned on in long mode", code: change, before: allowed, want: raises(uop.VectorGP, 0)},
		program{name: "nor off", code: change, before: allowed, setup: five, want: raises(uop.VectorGP, 0)},
		program{name: "bases go by what the processor can do", code: asm(wrmsr(MSRKernelGSBase, farHalf), wrmsr(MSRLSTAR, farHalf), "F4"), before: allowed, want: halts()},
		program{name: "and cannot without", code: asm(movImm(uop.RAX, farHalf), "48 89 C2 48 C1 EA 20 B9", le(MSRKernelGSBase, 4), "|0F 30"), want: raises(uop.VectorGP, 0)}, // mov rdx, rax; shr rdx, 32; …; wrmsr
		program{name: "CPUID", code: asm("B8 07 00 00 00 31 C9 0F A2 89 CE B8 08 00 00 80 0F A2 F4"), before: allowed, want: func(t *testing.T, m *scene, e Exit) { // mov esi, ecx
			halts(reg{uop.RAX, 52 | 57<<8})(t, m, e)
			if m.R[uop.RSI]&LeafLA57 == 0 {
				t.Errorf("leaf 7 ECX is %#x", m.R[uop.RSI])
			}
		}},
		program{name: "without it", code: asm("B8 07 00 00 00 31 C9 0F A2 89 CE B8 08 00 00 80 0F A2 F4"), want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RAX, 52 | 48<<8})(t, m, e)
			if m.R[uop.RSI]&LeafLA57 != 0 {
				t.Errorf("leaf 7 ECX is %#x", m.R[uop.RSI])
			}
		}},
	)
	// A debugger goes the same way.
	m := newScene(t, &program{name: "translate", code: "F4", before: allowed, setup: five}, 0)
	if gpa, err := m.Translate(farHalf+progData, false); gpa != progData || err != nil {
		t.Errorf("%#x, %v", gpa, err)
	}
	if _, err := m.Translate(1<<56, false); err == nil {
		t.Error("an address that is not canonical is translated")
	}
}
