package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// fenced returns a check that the program ended in front of the marked instruction, at the fence.
func fenced(regs ...reg) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		if e.Kind != ExitFence || m.RIP() != m.mark {
			t.Fatalf("exit %d (%v) at %#x, want the fence at %#x", e.Kind, e.Err, m.RIP(), m.mark)
		}
		m.wantRegs(t, regs...)
	}
}

// fenceBy puts a fence around [lo, hi) when the program executes IN.
func fenceBy(lo, hi uint64) func(m *scene) {
	return func(m *scene) {
		m.bus.in = func(uint16, int) uint32 {
			m.Fence(lo, hi)
			return 0
		}
	}
}

// The fence stops what is executed, whatever has been executed, decoded, linked or cached before, and wherever blocks
// begin and end. In each program IN raises it; what follows is marked where it has to stop.
func TestFence(t *testing.T) {
	const page2 = progCode + pageMask + 1
	bigPage := func(m *scene) { // the code is in a page of 2 MiB, too, at another address
		fenceBy(progCode, page2)(m)
		m.write(progPD+8*3, 0|pteP|pteW|pteA|pteD|ptePS)
	}
	prove(t,
		program{
			name:  "code that has been executed, entered in the middle",
			code:  asm("BB", le(progCode+0x16, 4), "FF D3", "E4 10", "BB", le(progCode+0x18, 4), "FF D3", "F4", "90 90 90 90 90", "31 C0 |FF C0 C3"),
			setup: fenceBy(progCode, progCode+0x11),
			want:  fenced(reg{uop.RAX, 0}),
		},
		program{
			name:  "code that has been executed, entered as before",
			code:  asm("BB", le(progCode+0x16, 4), "FF D3", "E4 10", "BB", le(progCode+0x16, 4), "FF D3", "F4", "90 90 90 90 90", "|31 C0 FF C0 C3"),
			setup: fenceBy(progCode, progCode+0x11),
			want:  fenced(reg{uop.RAX, 0}),
		},
		program{
			name:  "the end of the fence in a straight line",
			code:  asm("E4 10", "FF C1 FF C1", "|FF C1 F4"),
			setup: fenceBy(progCode, progCode+6),
			want:  fenced(reg{uop.RCX, 2}),
		},
		program{
			name:  "the beginning of the fence, backwards",
			code:  asm("EB 03", "|FF C1 F4", "E4 10", "FF C2 EB F7"),
			setup: fenceBy(progCode+5, progCode+0x100),
			want:  fenced(reg{uop.RCX, 0}, reg{uop.RDX, 1}),
		},
		program{
			name:  "a loop that linked blocks have gone through before",
			code:  asm("B9 05 00 00 00", "|FF C9 83 F9 02 75 F9", "E4 10", "FF C9 EB F5"),
			setup: fenceBy(progCode+7, progCode+0x12),
			want:  fenced(reg{uop.RCX, 1}),
		},
		program{
			name:  "everything inside, on two whole pages",
			code:  asm("B9 64 00 00 00", "E4 10", "B8", le(page2, 4), "FF D0", "FF C9 75 F5", "F4"),
			setup: func(m *scene) { fenceBy(progCode, page2+0x1000)(m); m.put(page2, []byte{0xFF, 0xC2, 0xC3}) },
			want:  halts(reg{uop.RCX, 0}, reg{uop.RDX, 100}),
		},
		program{
			name:  "an instruction that begins inside",
			code:  asm("E4 10", "BB", le(page2-2, 4), "FF E3"),
			setup: func(m *scene) { fenceBy(progCode, page2)(m); m.put(page2-2, []byte{0xB0, 5, 0xB0, 6, 0xF4}) },
			want: func(t *testing.T, m *scene, e Exit) {
				if e.Kind != ExitFence || m.RIP() != page2 || m.R[uop.RAX] != 5 {
					t.Errorf("exit %d at %#x, RAX %d", e.Kind, m.RIP(), m.R[uop.RAX])
				}
			},
		},
		program{
			name:  "an instruction across the fence",
			code:  asm("E4 10", "BB", le(page2-1, 4), "FF E3"),
			setup: func(m *scene) { fenceBy(progCode, page2)(m); m.put(page2-1, []byte{0xB0, 5, 0xB0, 6, 0xF4}) },
			want: func(t *testing.T, m *scene, e Exit) {
				if e.Kind != ExitFence || m.RIP() != page2+1 || m.R[uop.RAX] != 5 {
					t.Errorf("exit %d at %#x, RAX %d", e.Kind, m.RIP(), m.R[uop.RAX])
				}
			},
		},
		program{
			name:  "the same code at another address",
			code:  asm("FF C2 85 C9 74 02 FF E1", "E4 10", "B9", le(3*progBig+progCode, 4), "EB EF"),
			setup: bigPage,
			want: func(t *testing.T, m *scene, e Exit) {
				if e.Kind != ExitFence || m.RIP() != 3*progBig+progCode || m.R[uop.RDX] != 2 {
					t.Errorf("exit %d at %#x, RDX %d", e.Kind, m.RIP(), m.R[uop.RDX])
				}
			},
		},
		program{
			name:  "a handler outside",
			code:  asm("E4 10", "FF C1 0F 0B F4"),
			setup: fenceBy(progCode, page2),
			want: func(t *testing.T, m *scene, e Exit) {
				if e.Kind != ExitFence || m.RIP() != progGate+uop.VectorUD*16 || m.R[uop.RCX] != 1 {
					t.Errorf("exit %d at %#x, RCX %d", e.Kind, m.RIP(), m.R[uop.RCX])
				}
			},
		},
		program{
			name:  "code inside that changes, in a page that is not wholly inside",
			code:  asm("E4 10", "B9 03 00 00 00", "C6 04 25", le(progCode+0x10, 4), "04", "B0 01", "FF C9 75 F2", "F4"),
			setup: fenceBy(progCode, progCode+0x17),
			want:  halts(reg{uop.RCX, 0}, reg{uop.RAX, 4}),
		},
	)
}

// The fence is there once: what runs on from it runs as if there had been none, and another one can be put up.
func TestFenceIsThereOnce(t *testing.T) {
	for _, limit := range []int{0, 1, 2, 3, 7} {
		b := newBare(t, limit, []byte{
			0xFF, 0xC0, // again: inc eax
			0xBB, 0x00, 0x10, 0x01, 0x00, // mov ebx, 0x11000
			0xFF, 0xD3, // call rbx
			0x3D, 0x0A, 0, 0, 0, // cmp eax, 10
			0x75, 0xF0, // jne again
			0xF4,
		})
		b.write(bareCode+0x1000, 0xC3C1FF) // inc ecx; ret
		run := func(want ExitKind, rip, rcx, instructions uint64) {
			t.Helper()
			if e := b.Run(1_000_000); e.Kind != want || b.RIP() != rip || b.R[uop.RCX] != rcx || b.Instructions() != instructions {
				t.Errorf("limit %d: exit %d at %#x, RCX %d, after %d instructions", limit, e.Kind, b.RIP(), b.R[uop.RCX], b.Instructions())
			}
		}
		for i := range uint64(3) {
			b.Fence(bareCode, bareCode+0x1000)
			run(ExitFence, bareCode+0x1000, i, 3+7*i)
			b.LimitInstructions(5 + 7*i)
			run(ExitBudget, bareCode+9, i+1, 5+7*i)
			b.LimitInstructions(0)
		}
		run(ExitHalted, bareCode+0x11, 10, 71)
	}
}
