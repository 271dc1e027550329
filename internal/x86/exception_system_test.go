package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// frame is a check of what was pushed, beside the exception itself.
func frame(vector uint8, code uint64, check func(t *testing.T, m *scene, c caught)) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		c := m.caught(t, e)
		if c.vector != vector || c.code != code {
			t.Fatalf("got %v with code %#x, want %v with code %#x", Exception{Vector: c.vector}, c.code, Exception{Vector: vector}, code)
		}
		check(t, m, c)
	}
}

// SDM vol. 3, 6.5 and table 6-1: a fault's return address is the instruction, a trap's the one after it.
func TestFaultsAndTraps(t *testing.T) {
	prove(t,
		program{name: "#DE", code: asm("31 C9 31 D2", "|48 F7 F1"), want: raises(uop.VectorDE, 0)}, // xor ecx, ecx; xor edx, edx; div rcx
		program{name: "#BP", code: asm("90 CC", "|90"), want: raises(uop.VectorBP, 0)},
		program{name: "INT n", code: asm("CD 40", "|90"), want: raises(0x40, 0)},
		program{name: "INT1", code: asm("F1", "|90"), want: raises(uop.VectorDB, 0)},
		program{name: "#UD by UD2", code: asm("90", "|0F 0B"), want: raises(uop.VectorUD, 0)},
		program{name: "#UD by LOCK of a register", code: asm("|F0 01 C8"), want: raises(uop.VectorUD, 0)},                                       // lock add eax, ecx
		program{name: "#GP by sixteen bytes", code: asm("|66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90"), want: raises(uop.VectorGP, 0)},     // SDM vol. 2, 2.3.11
		program{name: "fifteen bytes are allowed", code: asm("66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", "F4"), want: halts()},              // nop
		program{name: "#NM by TS", code: asm("0F 20 C0", "48 83 C8 08", "0F 22 C0", "|0F 57 C0"), want: raises(uop.VectorNM, 0)},                // mov rax, cr0; or rax, 8; mov cr0, rax; xorps
		program{name: "CLTS takes TS away", code: asm("0F 06", "0F 57 C0", "F4"), setup: func(m *scene) { m.from.CR0 |= CR0TS }, want: halts()}, // clts; xorps
		program{name: "#UD by EM", code: asm("|0F 57 C0"), setup: func(m *scene) { m.from.CR0 |= CR0EM }, want: raises(uop.VectorUD, 0)},
		program{name: "#UD without OSFXSR", code: asm("|0F 57 C0"), setup: func(m *scene) { m.from.CR4 &^= CR4OSFXSR }, want: raises(uop.VectorUD, 0)},
	)
}

// SDM vol. 1, 3.3.7.1: an address that is not canonical is #GP(0), or #SS(0) where the stack segment is meant.
func TestNonCanonicalAddresses(t *testing.T) {
	const bad = 1 << 47
	const last = bad - 4 // four bytes below the hole; nothing is mapped there
	prove(t,
		program{name: "load", code: asm(movImm(uop.RBX, bad), "|48 8B 03"), want: raises(uop.VectorGP, 0)},           // mov rax, [rbx]
		program{name: "store", code: asm(movImm(uop.RBX, bad), "|48 89 03"), want: raises(uop.VectorGP, 0)},          // mov [rbx], rax
		program{name: "load by RBP", code: asm(movImm(uop.RBP, bad), "|48 8B 45 00"), want: raises(uop.VectorSS, 0)}, // mov rax, [rbp]
		program{name: "load by RSP", code: asm(movImm(uop.RSP, bad), "|48 8B 04 24"), want: raises(uop.VectorSS, 0), setup: ssOnIST},
		program{name: "push", code: asm(movImm(uop.RSP, bad+8), "|50"), want: raises(uop.VectorSS, 0), setup: ssOnIST}, // push rax
		program{name: "load by RBP and GS", code: asm(movImm(uop.RBP, bad), "|65 48 8B 45 00"), want: raises(uop.VectorGP, 0)},
		program{name: "load by DS and RBP is the stack's in 64-bit mode", code: asm(movImm(uop.RBP, bad), "|3E 48 8B 45 00"), want: raises(uop.VectorSS, 0)},
		program{name: "load across the edge", code: asm(movImm(uop.RBX, last), "|48 8B 03"), want: raises(uop.VectorGP, 0)},
		program{name: "store across the edge", code: asm(movImm(uop.RBX, last), "|48 89 03"), want: raises(uop.VectorGP, 0)},
		program{name: "load of 16 bytes across the edge", code: asm(movImm(uop.RBX, last), "|0F 10 03"), want: raises(uop.VectorGP, 0)}, // movups xmm0, [rbx]
		program{name: "jump through a register", code: asm(movImm(uop.RBX, bad), "|FF E3"), want: raises(uop.VectorGP, 0)},
		program{name: "call through a register pushes nothing", code: asm(movImm(uop.RBX, bad), "|FF D3"), want: frame(uop.VectorGP, 0, func(t *testing.T, m *scene, c caught) {
			if c.rsp != progSP || c.rip != m.mark {
				t.Errorf("got %+v", c)
			}
		})},
		program{name: "return pops nothing", code: asm(movImm(uop.RBX, bad), "53", "|C3"), want: frame(uop.VectorGP, 0, func(t *testing.T, m *scene, c caught) { // push rbx; ret
			if c.rsp != progSP-8 || c.rip != m.mark {
				t.Errorf("got %+v", c)
			}
		})},
		program{name: "address computation alone raises nothing", code: asm(movImm(uop.RBX, bad), "48 8D 03", "F4"), want: halts(reg{uop.RAX, bad})}, // lea rax, [rbx]
	)
}

// ssOnIST takes #SS on a stack of its own.
func ssOnIST(m *scene) { m.gate(uop.VectorSS, progGate+uop.VectorSS*16, 0x8E01) }

// Near branches that leave the canonical half are refused at the branch (SDM vol. 2, JMP, CALL, Jcc: #GP(0) if the
// target is not canonical).
func TestRelativeBranchesOutOfTheCanonicalHalf(t *testing.T) {
	const top = 1<<47 - 0x1000 // the last page of the lower half, mapped to progData
	branch := func(name, code string, want func(*testing.T, *scene, Exit)) program {
		return program{name: name, code: asm(movImm(uop.RAX, top+0xF00), "31 C9", "FF E0"), setup: func(m *scene) { // xor ecx, ecx; jmp rax
			b, mark := assemble(code)
			m.put(progData+0xF00, b)
			m.mark = top + 0xF00 + mark
			m.write(progPML4+8*255, progPDPT|pteP|pteW|pteA)
			m.write(progPDPT+8*511, progPD|pteP|pteW|pteA)
			m.write(progPD+8*511, progFree|pteP|pteW|pteA)
			m.write(progFree+8*511, progData|pteP|pteW|pteA)
		}, want: want}
	}
	sp := frame(uop.VectorGP, 0, func(t *testing.T, m *scene, c caught) {
		if c.rsp != progSP || c.rip != m.mark {
			t.Errorf("got %+v, want the instruction at %#x and an untouched stack", c, m.mark)
		}
	})
	prove(t,
		branch("JMP", asm("90", "|E9", le(0x1000, 4)), sp),
		branch("CALL", asm("90", "|E8", le(0x1000, 4)), sp),
		branch("Jcc taken", asm("90", "|0F 84", le(0x1000, 4)), sp), // je
		branch("Jcc not taken", asm("0F 85", le(0x1000, 4), "F4"), halts()),
		branch("LOOP", asm("B9 02 00 00 00", "EB 79", le(0, 0x79), "|E2 7F"), sp),
		branch("running on", asm("EB 7E", le(0, 15*8), le(0, 6), "EB 7C"), func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			c := m.caught(t, e)
			if c.vector != uop.VectorGP || c.rip != 1<<47 {
				t.Errorf("got %+v", c)
			}
		}),
	)
}

// SDM vol. 3, 6.14: what is pushed where, and how flags and segments are in the handler.
func TestInterruptFrames(t *testing.T) {
	inHandler := func(t *testing.T, m *scene, cs, ss uint16, sp uint64) {
		t.Helper()
		s := m.CPU.State()
		if s.Seg[uop.SegCS].Selector != cs || s.Seg[uop.SegSS].Selector != ss || s.GPR[uop.RSP] != sp {
			t.Errorf("the handler runs with CS %#x, SS %#x, RSP %#x; want %#x, %#x, %#x", s.Seg[uop.SegCS].Selector, s.Seg[uop.SegSS].Selector, s.GPR[uop.RSP], cs, ss, sp)
		}
	}
	prove(t,
		program{name: "same privilege: the stack is aligned, SS stays", code: asm("48 83 EC 03", "|0F 0B"), // sub rsp, 3; ud2
			want: frame(uop.VectorUD, 0, func(t *testing.T, m *scene, c caught) {
				if c.rsp != progSP-3 || c.ss != selData || c.cs != selCode {
					t.Errorf("got %+v", c)
				}
				inHandler(t, m, selCode, selData, progSP-16-40)
			})},
		program{name: "from a user program: the stack of the TSS, a null SS", user: true, code: asm("|0F 0B"),
			want: frame(uop.VectorUD, 0, func(t *testing.T, m *scene, c caught) {
				if c.rsp != progUSP || c.ss != selUData|3 || c.cs != selUCode|3 || c.rip != m.mark {
					t.Errorf("got %+v", c)
				}
				inHandler(t, m, selCode, selNone, progRSP0-40)
			})},
		program{name: "interrupt stack table, same privilege", code: asm("|0F 0B"), setup: func(m *scene) { m.gate(uop.VectorUD, progGate+uop.VectorUD*16, 0x8E01) },
			want: frame(uop.VectorUD, 0, func(t *testing.T, m *scene, c caught) {
				inHandler(t, m, selCode, selData, progIST1-40)
			})},
		program{name: "interrupt stack table, from a user program", user: true, code: asm("|0F 0B"), setup: func(m *scene) {
			m.gate(uop.VectorUD, progGate+uop.VectorUD*16, 0x8E01)
			m.poke(progTSS+0x24, progIST1-5) // is aligned before the push
		}, want: frame(uop.VectorUD, 0, func(t *testing.T, m *scene, c caught) {
			inHandler(t, m, selCode, selNone, progIST1-16-40)
		})},
		program{name: "a fault pushes RF", code: asm("|0F 0B"), want: frame(uop.VectorUD, 0, func(t *testing.T, m *scene, c caught) {
			if c.flags != FlagRF|2 {
				t.Errorf("pushed flags %#x", c.flags)
			}
			if m.Flags() != 2 {
				t.Errorf("the handler's flags are %#x", m.Flags())
			}
		})},
		program{name: "a trap does not", code: asm("CC"), want: frame(uop.VectorBP, 0, func(t *testing.T, m *scene, c caught) {
			if c.flags != 2 {
				t.Errorf("pushed flags %#x", c.flags)
			}
		})},
		program{name: "RF that a return has loaded is gone after the next instruction", code: asm("0F 0B", "CC"), setup: func(m *scene) { // ud2, which the handler steps over
			m.handler(uop.VectorUD, progFree, asm("48 83 04 24 02", "48 CF")) // add qword [rsp], 2; iretq
		}, want: frame(uop.VectorBP, 0, func(t *testing.T, m *scene, c caught) {
			if c.flags&FlagRF != 0 {
				t.Errorf("pushed flags %#x", c.flags)
			}
		})},
		program{name: "an interrupt gate clears IF, TF, NT", code: asm("CD 40"), setup: func(m *scene) { m.from.RFLAGS |= FlagIF | FlagNT | FlagDF | FlagCF | iopl },
			want: frame(0x40, 0, func(t *testing.T, m *scene, c caught) {
				if c.flags != 2|FlagIF|FlagNT|FlagDF|FlagCF|iopl || m.Flags() != 2|FlagDF|FlagCF|iopl {
					t.Errorf("pushed flags %#x, the handler's flags are %#x", c.flags, m.Flags())
				}
			})},
		program{name: "a trap gate keeps IF", code: asm("CD 40"), setup: func(m *scene) {
			m.from.RFLAGS |= FlagIF
			m.gate(0x40, progGate+0x40*16, 0x8F00)
			m.put(progGate+0x40*16, []byte{0x9C, 0x58, 0xFA, 0xF4, 0, 0, 0}) // pushfq; pop rax; cli; hlt
		}, want: func(t *testing.T, m *scene, e Exit) {
			if m.R[uop.RAX] != 2|FlagIF {
				t.Errorf("the handler's flags are %#x", m.R[uop.RAX])
			}
		}},
		program{name: "a conforming handler keeps the privilege", user: true, code: asm("CC"), setup: func(m *scene) {
			m.gateTo(3, selConform, progUser+0x100, 0xEE00)
			m.put(progUser+0x100, []byte{0xCD, 0x40}) // int 0x40
		}, want: frame(0x40, 0, func(t *testing.T, m *scene, c caught) {
			if c.cs != selConform|3 || c.rsp != progUSP-40 || c.rip != progUser+0x102 {
				t.Errorf("got %+v", c)
			}
		})},
	)
}

// SDM vol. 3, 6.13 and vol. 2, INT n: what may be wrong with a gate, and the error code that says so. The vector is 6
// (#UD by UD2) or 0x41 (INT 0x41).
func TestGateChecks(t *testing.T) {
	const ud, n = uop.VectorUD, 0x41
	gate := func(selector, attributes, target uint64) func(*scene) {
		return func(m *scene) {
			for _, v := range []uint64{ud, n} {
				m.gateTo(v, selector, target, attributes)
			}
		}
	}
	h := uint64(progGate)
	prove(t,
		program{name: "beyond the IDT's limit", code: asm("|0F 0B"), setup: func(m *scene) {
			m.idtLimit(ud * 16)
		}, want: tripleFault(uop.VectorGP, uop.VectorDF*8+2+1)}, // the gates of #GP and #DF are beyond as well
		program{name: "INT n beyond the limit", code: asm("|CD 41"), setup: func(m *scene) { m.idtLimit(n*16 + 14) }, want: raises(uop.VectorGP, n*8+2)},
		program{name: "absent, exception", code: asm("|0F 0B"), setup: gate(selCode, 0x0E00, h), want: raises(uop.VectorNP, ud*8+2+1)},
		program{name: "absent, INT n", code: asm("|CD 41"), setup: gate(selCode, 0x0E00, h), want: raises(uop.VectorNP, n*8+2)},
		program{name: "wrong type", code: asm("|0F 0B"), setup: gate(selCode, 0x8500, h), want: raises(uop.VectorGP, ud*8+2+1)},
		program{name: "INT n, wrong type", code: asm("|CD 41"), setup: gate(selCode, 0x8C00, h), want: raises(uop.VectorGP, n*8+2)},
		program{name: "INT n of a user program into a gate of privilege 0", user: true, code: asm("|CD 41"), want: raises(uop.VectorGP, n*8+2)},
		program{name: "INT3 of a user program into a gate of privilege 0", user: true, code: asm("|CC"), setup: func(m *scene) { m.gate(3, h, 0x8E00) }, want: raises(uop.VectorGP, 3*8+2)},
		program{name: "INT1 does not look at the gate's privilege", user: true, code: asm("F1", "|90"), want: raises(uop.VectorDB, 0)},
		program{name: "an exception does not look at the gate's privilege", user: true, code: asm("|0F 0B"), want: raises(uop.VectorUD, 0)},
		program{name: "absent comes after privilege", user: true, code: asm("|CD 41"), setup: gate(selCode, 0x0E00, h), want: raises(uop.VectorGP, n*8+2)},
		program{name: "null code segment", code: asm("|0F 0B"), setup: gate(0, 0x8E00, h), want: raises(uop.VectorGP, 1)},
		program{name: "INT n, null code segment", code: asm("|CD 41"), setup: gate(0, 0x8E00, h), want: raises(uop.VectorGP, 0)},
		program{name: "code segment beyond the GDT's limit", code: asm("|0F 0B"), setup: gate(selLimit, 0x8E00, h), want: raises(uop.VectorGP, selLimit+1)},
		program{name: "data segment", code: asm("|CD 41"), setup: gate(selData, 0x8E00, h), want: raises(uop.VectorGP, selData)},
		program{name: "code segment of lower privilege", code: asm("|CD 41"), setup: gate(selUCode, 0x8E00, h), want: raises(uop.VectorGP, selUCode)},
		program{name: "code segment of 32 bits", code: asm("|0F 0B"), setup: func(m *scene) {
			m.write(progGDT+selFresh, 0x00CF9B000000FFFF)
			gate(selFresh, 0x8E00, h)(m)
		}, want: raises(uop.VectorGP, selFresh+1)},
		program{name: "absent code segment", code: asm("|CD 41"), setup: gate(selAbsCode, 0x8E00, h), want: raises(uop.VectorNP, selAbsCode)},
		program{name: "the selector's RPL is not looked at", code: asm("CD 41", "|90"), setup: gate(selCode|3, 0x8E00, progGate+n*16), want: raises(n, 0)},
		program{name: "target not canonical", code: asm("|CD 41"), setup: gate(selCode, 0x8E00, 1<<47), want: raises(uop.VectorGP, 0)},
		program{name: "exception, target not canonical", code: asm("|0F 0B"), setup: gate(selCode, 0x8E00, 1<<47), want: raises(uop.VectorGP, 1)},
	)
}

func (m *scene) idtLimit(limit uint16) { m.from.IDTR.Limit = limit }

func tripleFault(vector uint8, code uint32) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		err, ok := e.Err.(*TripleFaultError)
		if e.Kind != ExitTripleFault || !ok || err.Last.Vector != vector || err.Last.Code != code {
			t.Errorf("exit %d (%v), want a triple fault by %v", e.Kind, e.Err, Exception{Vector: vector, Code: code, HasCode: true})
		}
	}
}

// SDM vol. 3, 6.14.5 and 8.7: stacks from the TSS.
func TestStacksOfTheTSS(t *testing.T) {
	onIST := func(vectors ...uint64) func(*scene) {
		return func(m *scene) {
			for _, v := range vectors {
				m.gate(v, progGate+v*16, 0x8E01)
			}
		}
	}
	prove(t,
		program{name: "RSP0 beyond the TSS's limit", user: true, code: asm("|0F 0B"), setup: func(m *scene) {
			m.from.TR.Limit = 4 + 7 - 1
			// #TS needs a handler that needs no stack from the TSS: a conforming one.
			m.gateTo(uop.VectorTS, selConform, progUser+0x100, 0x8E00)
			m.put(progUser+0x100, []byte{0xEB, 0xFE}) // jmp $
			m.until = 10
		}, want: func(t *testing.T, m *scene, e Exit) {
			if e.Kind != ExitDeadline || m.RIP() != progUser+0x100 || m.word(m.R[uop.RSP]) != selTSS+1 || m.word(m.R[uop.RSP]+8) != m.mark {
				t.Errorf("exit %v at %#x, error code %#x", e, m.RIP(), m.word(m.R[uop.RSP]))
			}
		}},
		program{name: "interrupt stack beyond the TSS's limit", code: asm("|0F 0B"), setup: func(m *scene) {
			onIST(uop.VectorUD)(m)
			m.from.TR.Limit = 0x24 + 7 - 1
		}, want: raises(uop.VectorTS, selTSS+1)},
		program{name: "INT n, interrupt stack beyond the TSS's limit", code: asm("|CD 40"), setup: func(m *scene) {
			onIST(0x40)(m)
			m.from.TR.Limit = 0x24 + 7 - 1
		}, want: raises(uop.VectorTS, selTSS)},
		program{name: "RSP0 not canonical", user: true, code: asm("|0F 0B"), setup: func(m *scene) {
			onIST(uop.VectorSS)(m)
			m.poke(progTSS+4, 1<<47+0x1000)
		}, want: raises(uop.VectorSS, 1)},
		program{name: "the stack of the same privilege not canonical", code: asm(movImm(uop.RSP, 1<<47+0x1000), "|0F 0B"), setup: onIST(uop.VectorSS), want: raises(uop.VectorSS, 1)},
		program{name: "INT n, the stack not canonical", code: asm(movImm(uop.RSP, 1<<47+0x1000), "|CD 40"), setup: onIST(uop.VectorSS), want: raises(uop.VectorSS, 0)},
		program{name: "a page fault on the new stack", user: true, code: asm("|0F 0B"), setup: func(m *scene) {
			onIST(uop.VectorPF)(m)
			m.protect(progRSP0-8, 0)
		}, want: raisesPF(faultW, progRSP0-8)},
		program{name: "a page fault on the second page of the new stack", user: true, code: asm("|0F 0B"), setup: func(m *scene) {
			onIST(uop.VectorPF)(m)
			m.poke(progTSS+4, progRSP0-0x1000+16)
			m.protect(progRSP0-0x2000, 0)
		}, want: raisesPF(faultW, progRSP0-0x1000-8)},
	)
}

// SDM vol. 3, table 6-5: an exception while another is being delivered is delivered in its place, or both become #DF.
func TestNestedExceptions(t *testing.T) {
	absentGate := func(m *scene, vectors ...uint64) {
		for _, v := range vectors {
			m.gate(v, progGate+v*16, 0x0E00)
		}
	}
	ist := func(m *scene, vectors ...uint64) {
		for _, v := range vectors {
			m.gate(v, progGate+v*16, 0x8E01)
		}
	}
	gp := asm(movImm(uop.RBX, 1<<47), "|48 8B 03") // mov rax, [rbx]
	prove(t,
		program{name: "#NP in #UD is delivered", code: asm("|0F 0B"), setup: func(m *scene) { absentGate(m, uop.VectorUD) }, want: raises(uop.VectorNP, uop.VectorUD*8+3)},
		program{name: "#NP in #GP is #DF", code: gp, setup: func(m *scene) { absentGate(m, uop.VectorGP) }, want: raises(uop.VectorDF, 0)},
		program{name: "#PF in #GP is delivered", code: asm(movImm(uop.RSP, progData+0x1000), gp), setup: func(m *scene) {
			ist(m, uop.VectorPF)
			m.protect(progData, pteP)
		}, want: raisesPF(faultP|faultW, progData+0x1000-8)},
		program{name: "#GP in #PF is #DF", code: asm("|", movFrom(progData)), setup: func(m *scene) {
			m.gate(uop.VectorPF, 1<<47, 0x8E00) // #GP
			m.protect(progData, 0)
		}, want: raises(uop.VectorDF, 0)},
		program{name: "#PF in #PF is #DF, and CR2 is the second's", code: asm(movImm(uop.RSP, progData+0x2000), "|", movFrom(progData)), setup: func(m *scene) {
			ist(m, uop.VectorDF)
			m.protect(progData, 0)
			m.protect(progData+0x1000, 0)
		}, want: func(t *testing.T, m *scene, e Exit) {
			raises(uop.VectorDF, 0)(t, m, e)
			// SDM vol. 3, 6.15, #PF: "processors update CR2 whenever a page fault is detected", whatever becomes of it.
			if m.cr2 != progData+0x2000-8 {
				t.Errorf("CR2 is %#x", m.cr2)
			}
		}},
		program{name: "#DE in delivery is not; #NP in #DE is #DF", code: asm("31 C9", "|F7 F1"), setup: func(m *scene) { absentGate(m, uop.VectorDE) }, want: raises(uop.VectorDF, 0)}, // xor ecx, ecx; div ecx
		program{name: "INT 13 is no #GP: #NP in it is delivered", code: asm("|CD 0D"), setup: func(m *scene) { absentGate(m, uop.VectorGP) }, want: raises(uop.VectorNP, uop.VectorGP*8+2)},
		program{name: "INT 14 pushes no error code", code: asm("CD 0E", "|90"), want: func(t *testing.T, m *scene, e Exit) {
			if m.word(m.R[uop.RSP]) != m.mark || m.R[uop.RSP] != progSP-40 {
				t.Errorf("RSP %#x, top of stack %#x", m.R[uop.RSP], m.word(m.R[uop.RSP]))
			}
		}},
		program{name: "an exception in #DF ends it all", code: gp, setup: func(m *scene) { absentGate(m, uop.VectorGP, uop.VectorDF) }, want: tripleFault(uop.VectorNP, uop.VectorDF*8+3)},
		program{name: "no stack and no IDT", code: asm("|", movFrom(progData)), setup: func(m *scene) {
			m.protect(progData, 0)
			m.from.IDTR.Base = progData
		}, want: func(t *testing.T, m *scene, e Exit) {
			tripleFault(uop.VectorPF, 0)(t, m, e)
			if m.RIP() != m.mark || m.cr2 != progData+uop.VectorDF*16 {
				t.Errorf("RIP %#x, CR2 %#x", m.RIP(), m.cr2)
			}
		}},
		program{name: "a fault at the handler's first byte is an exception of its own", code: asm("|0F 0B"), setup: func(m *scene) {
			m.gate(uop.VectorUD, progData+5, 0x8E00)
			m.protect(progData, 0)
		}, want: func(t *testing.T, m *scene, e Exit) {
			m.mark = progData + 5
			raisesPF(faultI, progData+5)(t, m, e)
		}},
	)
}

// SDM vol. 3, 6.9 and 6.15: of several reasons for an exception the architecture names the first.
func TestPriorities(t *testing.T) {
	prove(t,
		program{name: "undefined comes before privilege", user: true, code: asm("|0F 20 C8"), want: raises(uop.VectorUD, 0)},                                    // mov rax, cr1
		program{name: "LOCK comes before privilege", user: true, code: asm("|F0 0F 22 D8"), want: raises(uop.VectorUD, 0)},                                      // lock mov cr3, rax
		program{name: "privilege comes before the operand's page fault", user: true, code: asm("|0F 01 14 25", le(progData, 4)), want: raises(uop.VectorGP, 0)}, // lgdt
		program{name: "the fetch comes before everything", code: asm(movImm(uop.RAX, progData+0xFFF), "FF E0"), setup: func(m *scene) {
			m.put(progData+0xFFF, []byte{0xF4})
			m.protect(progData, pteP|pteNX)
		}, want: raisesFetchPF(faultP|faultI, progData+0xFFF)},
		program{name: "an undefined opcode whose bytes are all there does not look at the next page", code: asm(movImm(uop.RAX, progData+0xFFE), "FF E0"), setup: func(m *scene) {
			m.put(progData+0xFFE, []byte{0x0F, 0x0B})
			m.protect(progData+0x1000, 0)
			m.mark = progData + 0xFFE
		}, want: raises(uop.VectorUD, 0)},
		program{name: "#DE comes after the operand's page fault", code: asm("31 D2", "|F7 34 25", le(progData, 4)), setup: dataPage(0), want: raisesPF(0, progData)}, // div dword [progData]
	)
}

// SDM vol. 3, 6.15, #AC: with CR0.AM and RFLAGS.AC a user program's operands have to lie on a multiple of their size.
func TestAlignmentChecks(t *testing.T) {
	const odd = progUser + 0x1002
	on := func(m *scene) {
		m.from.CR0 |= CR0AM
		m.from.RFLAGS |= FlagAC
	}
	load := "|8B 04 25" + le(odd, 4) // mov eax, [odd]
	prove(t,
		program{name: "load", user: true, code: asm(load), setup: on, want: raises(uop.VectorAC, 0)},
		program{name: "store", user: true, code: asm("|", movTo(odd)), setup: on, want: raises(uop.VectorAC, 0)},
		program{name: "push", user: true, code: asm(movImm(uop.RSP, odd), "|50"), setup: on, want: raises(uop.VectorAC, 0)},
		program{name: "before the page fault", user: true, code: asm("|8B 04 25", le(progData+2, 4)), setup: on, want: raises(uop.VectorAC, 0)},
		program{name: "what lies well", user: true, code: asm("66 8B 04 25", le(odd, 4), "8A 04 25", le(odd+1, 4), "CD 40"), setup: on, want: inUser(progUser+15, nil)},
		program{name: "without AM", user: true, code: asm(load, "CD 40"), setup: func(m *scene) { m.from.RFLAGS |= FlagAC }, want: inUser(progUser+7, nil)},
		program{name: "without AC", user: true, code: asm(load, "CD 40"), setup: func(m *scene) { m.from.CR0 |= CR0AM }, want: inUser(progUser+7, nil)},
		program{name: "the kernel", code: asm("8B 04 25", le(progData+2, 4), "F4"), setup: on, want: halts()},
		program{name: "AC set by the program itself", user: true, code: asm("9C 81 0C 24 00 00 04 00 9D", load), setup: func(m *scene) { m.from.CR0 |= CR0AM }, want: raises(uop.VectorAC, 0)}, // or dword [rsp], AC
	)
}
