package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// stepped makes #DB append the return address to a list at progData+8, whose length is at progData, and go on.
func stepped(m *scene) {
	m.handler(uop.VectorDB, progFree, asm("50 53", "48 8B 44 24 10", // push rax; push rbx; mov rax, [rsp+16]
		"8B 1C 25", le(progData, 4), "48 89 04 DD", le(progData+8, 4), "FF 04 25", le(progData, 4), // mov ebx, [n]; mov [list+8 rbx], rax; inc dword [n]
		"5B 58 48 CF")) // pop rbx; pop rax; iretq
}

// steps is a check that #DB came in front of these addresses, offsets from the start, and that the program then halted.
func steps(offsets ...uint64) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		halts()(t, m, e)
		if n := m.word(progData) & 0xFFFF_FFFF; n != uint64(len(offsets)) {
			t.Errorf("%d traps, want %d", n, len(offsets))
		}
		for i, o := range offsets {
			if at := m.word(progData + 8 + uint64(i)*8); at != m.start+o {
				t.Errorf("trap %d is in front of %#x, want %#x", i, at, m.start+o)
			}
		}
	}
}

// SDM vol. 3, 17.3.1.4: with TF set there is a trap after each instruction.
func TestSingleStep(t *testing.T) {
	on := asm("9C 81 0C 24 00 01 00 00 9D")  // pushfq; or dword [rsp], TF; popfq: 9 bytes
	off := asm("9C 81 24 24 FF FE FF FF 9D") // pushfq; and dword [rsp], ~TF; popfq
	prove(t,
		program{name: "after each instruction, from the one after POPF on", code: asm(on, "90 90", off, "F4"), setup: stepped, want: steps(10, 11, 12, 19, 20)},
		program{name: "IRET sets it for the instruction after", code: asm(pushIRET(selData, progSP, 2|FlagTF, selCode, progCode+27), "48 CF", "90", off, "F4"), setup: stepped,
			want: steps(28, 29, 36, 37)},
		program{name: "the handler of a fault is not stepped", code: asm(on, "0F 0B", off, "F4"), setup: func(m *scene) { // ud2, which the handler steps over
			stepped(m)
			m.handler(uop.VectorUD, progFree+0x100, asm("90 48 83 04 24 02", "48 CF")) // nop; add qword [rsp], 2; iretq
		}, want: steps(12, 19, 20)},
		program{name: "neither is that of INT n", code: asm(on, "CD 40", "90", off, "F4"), setup: func(m *scene) {
			stepped(m)
			m.handler(0x40, progFree+0x100, asm("90 48 CF"))
		}, want: steps(12, 13, 20, 21)},
		program{name: "MOV SS holds the trap off until after the next instruction", code: asm("B8", le(selData, 4), on, "8E D0", "90", off, "F4"), setup: stepped, // mov eax, selData; …; mov ss, eax
			want: steps(17, 18, 25, 26)},
		program{name: "STI does not", code: asm(on, "FB", "90", off, "F4"), setup: stepped, want: steps(10, 11, 12, 19, 20)},
		program{name: "after each element of a repeated instruction", code: asm("B9 03 00 00 00", "BF", le(progUser, 4), on, "F3 AA", off, "F4"), setup: stepped, // mov ecx, 3; mov edi, …; rep stosb
			want: steps(19, 19, 21, 22, 29, 30)},
		program{name: "a comparison ends where it ends", code: asm("B9 05 00 00 00", "BF", le(progUser, 4), "31 C0", on, "F2 AE", off, "F4"), setup: func(m *scene) { // repne scasb for 0
			stepped(m)
			m.put(progUser, []byte{1, 1, 0})
		}, want: steps(21, 21, 23, 24, 31, 32)},
		program{name: "SYSCALL clears it if FMASK says so", user: true, code: asm("9C 81 0C 24 00 01 00 00 9D", "0F 05"), setup: func(m *scene) {
			stepped(m)
			m.msr.star, m.msr.lstar, m.msr.fmask = testSTAR, testLSTAR, FlagTF
			m.put(testLSTAR, []byte{0x90, 0xF4})
		}, want: func(t *testing.T, m *scene, e Exit) {
			if e.Kind != ExitHalted || m.RIP() != testLSTAR+2 || m.word(progData) != 0 || m.R[uop.R11]&FlagTF == 0 {
				t.Errorf("exit %v at %#x after %d traps", e, m.RIP(), m.word(progData))
			}
		}},
		program{name: "SYSCALL that keeps it is trapped after", user: true, code: asm("9C 81 0C 24 00 01 00 00 9D", "0F 05"), setup: func(m *scene) {
			m.msr.star, m.msr.lstar = testSTAR, testLSTAR
			m.mark = testLSTAR
		}, want: raises(uop.VectorDB, 0)},
		program{name: "SYSRET that sets it is trapped at once", code: asm("48 0F 07"), setup: func(m *scene) {
			m.msr.star = testSTAR
			m.from.GPR[uop.RCX], m.from.GPR[uop.R11] = progUser, 2|FlagTF
			m.mark = progUser
		}, want: raises(uop.VectorDB, 0)},
		program{name: "a SYSCALL long ago does not matter", user: true, code: asm("0F 05"), setup: func(m *scene) {
			stepped(m)
			m.msr.star, m.msr.lstar = testSTAR, testLSTAR
			b, _ := assemble(on + "90" + off + "F4")
			m.put(testLSTAR, b)
			m.start = testLSTAR
		}, want: steps(10, 11, 18, 19)},
		program{name: "DR6.BS says why", code: asm(on, "|90"), want: func(t *testing.T, m *scene, e Exit) {
			m.mark++
			raises(uop.VectorDB, 0)(t, m, e)
			if m.dr[6] != 0xFFFF_0FF0|1<<14 {
				t.Errorf("DR6 %#x", m.dr[6])
			}
		}},
		program{name: "HLT is left by the trap", code: asm(on, "F4", "|90"), want: raises(uop.VectorDB, 0)},
		program{name: "the trap comes before an interrupt that is pending", code: asm(on, "90"), setup: func(m *scene) {
			m.from.RFLAGS |= FlagIF
			m.APIC.startTimerIn(4)
			m.mark = progGate + irq*16
			m.gate(uop.VectorDB, progFree, 0x8F00) // a trap gate: the interrupt is taken at the handler's first instruction
			m.put(progFree, []byte{0x90, 0xF4})
		}, want: func(t *testing.T, m *scene, e Exit) {
			m.mark = progFree
			interrupted(irq)(t, m, e)
		}},
		program{name: "an interrupt in the middle of a repeated instruction pushes RF", code: asm("|F3 AA", "F4"), setup: func(m *scene) { // rep stosb
			m.from.GPR[uop.RCX], m.from.GPR[uop.RDI] = 0x3000, progUser
			m.from.RFLAGS |= FlagIF
			m.APIC.startTimerIn(1)
		}, want: frame(irq, 0, func(t *testing.T, m *scene, c caught) {
			if c.rip != m.mark || c.flags != 2|FlagIF|FlagRF {
				t.Errorf("got %+v", c)
			}
		})},
	)
}

// SDM vol. 3, 17.2: what debug registers hold.
func TestDebugRegisters(t *testing.T) {
	to := func(n uint64, v uint64) string { return asm(movImm(uop.RAX, v), "0F 23", le(0xC0|n<<3, 1)) } // mov dr<n>, rax
	from := func(n uint64) string { return asm("0F 21", le(0xC3|n<<3, 1)) }                             // mov rbx, dr<n>
	prove(t,
		program{name: "DR0", code: asm(to(0, 0x1234_5678_9ABC), from(0), "F4"), want: halts(reg{uop.RBX, 0x1234_5678_9ABC})},
		program{name: "DR6 has bits that are one", code: asm(to(6, 0), from(6), "F4"), want: halts(reg{uop.RBX, 0xFFFF_0FF0})},
		program{name: "DR7 has one", code: asm(to(7, 0), from(7), "F4"), want: halts(reg{uop.RBX, 0x400})},
		program{name: "DR7, upper half", code: asm(movImm(uop.RAX, 1<<32), "|0F 23 F8"), want: raises(uop.VectorGP, 0)},
		program{name: "DR4 is DR6", code: asm(to(6, 1), from(4), "F4"), want: halts(reg{uop.RBX, 0xFFFF_0FF1})},
		program{name: "DR4 with DE", code: asm("|0F 21 E3"), setup: func(m *scene) { m.from.CR4 |= CR4DE }, want: raises(uop.VectorUD, 0)},
		program{name: "DR8", code: asm("|44 0F 21 C3"), want: raises(uop.VectorUD, 0)},
		program{name: "by a user program", user: true, code: asm("|0F 21 C3"), want: raises(uop.VectorGP, 0)},
	)
}
