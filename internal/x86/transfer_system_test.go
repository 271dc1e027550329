package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// inUser is a check that the program ended in the handler of INT 0x40 called from user code at address rip, and hands
// out the frame.
func inUser(rip uint64, check func(t *testing.T, m *scene, c caught)) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		c := m.caught(t, e)
		if c.vector != 0x40 || c.rip != rip+2 || c.cs&3 != 3 {
			t.Fatalf("got vector %d (code %#x) at %#x with CS %#x, want INT 0x40 at %#x", c.vector, c.code, c.rip, c.cs, rip)
		}
		if check != nil {
			check(t, m, c)
		}
	}
}

// userInt puts INT 0x40 at the beginning of user memory.
func userInt(m *scene) { m.put(progUser, []byte{0xCD, 0x40}) }

// push is PUSH imm32, sign-extended: five bytes.
func push(v uint64) string { return "68" + le(v, 4) }

// pushIRET pushes what IRET pops, beginning with SS.
func pushIRET(ss, rsp, flags, cs, rip uint64) string {
	return asm(push(ss), push(rsp), push(flags), push(cs), push(rip))
}

// SDM vol. 2, IRET, 64-bit mode.
func TestInterruptReturn(t *testing.T) {
	iret := func(ss, rsp, flags, cs, rip uint64) string { return asm(pushIRET(ss, rsp, flags, cs, rip), "|48 CF") }
	toUser := iret(selUData|3, progUSP, 2, selUCode|3, progUser)
	const after = progCode + 25 + 2 // after the pushes and IRETQ
	prove(t,
		program{name: "to the same privilege", code: asm(iret(selData, progSP-0x100, 2|FlagCF|FlagDF, selCode, after), "F4"), want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RSP, progSP - 0x100})(t, m, e)
			if m.Flags() != 2|FlagCF|FlagDF {
				t.Errorf("flags %#x", m.Flags())
			}
		}},
		program{name: "to a user program", code: toUser, setup: userInt, want: inUser(progUser, func(t *testing.T, m *scene, c caught) {
			if c.rsp != progUSP || c.ss != selUData|3 || c.cs != selUCode|3 {
				t.Errorf("got %+v", c)
			}
		})},
		program{name: "NT", code: asm(pushIRET(selData, progSP, 2, selCode, after), "|48 CF"), setup: func(m *scene) { m.from.RFLAGS |= FlagNT }, want: raises(uop.VectorGP, 0)},
		program{name: "operands of 32 bits", code: asm("48 83 EC 14",
			"C7 44 24 10", le(selData, 4), "C7 44 24 0C", le(progSP-8, 4), "C7 44 24 08", le(2|FlagZF, 4), // mov dword [rsp+..], ..
			"C7 44 24 04", le(selCode, 4), "C7 04 24", le(progCode+4+4*8+7+1, 4), "CF", "F4"), want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RSP, progSP - 8})(t, m, e)
		}},
		program{name: "null code segment", code: iret(selData, progSP, 2, 0, after), want: raises(uop.VectorGP, 0)},
		program{name: "code segment beyond the limit", code: iret(selData, progSP, 2, selLimit, after), want: raises(uop.VectorGP, selLimit)},
		program{name: "code selector of a data segment", code: iret(selData, progSP, 2, selData, after), want: raises(uop.VectorGP, selData)},
		program{name: "absent code segment", code: iret(selData, progSP, 2, selAbsCode, after), want: raises(uop.VectorNP, selAbsCode)},
		program{name: "code selector with a wrong RPL", code: iret(selUData|3, progSP, 2, selUCode, progUser), want: raises(uop.VectorGP, selUCode)},
		program{name: "to higher privilege", user: true, code: iret(selData, progUSP, 2, selCode, progUser), want: raises(uop.VectorGP, selCode)},
		program{name: "stack selector with a wrong RPL", code: iret(selUData, progUSP, 2, selUCode|3, progUser), want: raises(uop.VectorGP, selUData)},
		program{name: "stack segment of a wrong privilege", code: iret(selData|3, progUSP, 2, selUCode|3, progUser), want: raises(uop.VectorGP, selData)},
		program{name: "stack segment that cannot be written", code: iret(selReadOn, progSP, 2, selCode, after), want: raises(uop.VectorGP, selReadOn)},
		program{name: "absent stack segment", code: iret(selAbsent, progSP, 2, selCode, after), want: raises(uop.VectorSS, selAbsent)},
		program{name: "null stack segment, to a user program", code: iret(3, progUSP, 2, selUCode|3, progUser), want: raises(uop.VectorGP, 0)},
		program{name: "null stack segment, in the kernel", code: asm(iret(0, progSP, 2, selCode, after), "F4"), want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RSP, progSP})(t, m, e)
			if ss := m.CPU.State().Seg[uop.SegSS]; ss.Selector != 0 {
				t.Errorf("SS %#x", ss.Selector)
			}
		}},
		program{name: "to an address that is not canonical", code: asm(pushIRET(selUData|3, progUSP, 2, selUCode|3, 0), movImm(uop.RAX, 1<<47), "48 89 04 24", "|48 CF"), // mov [rsp], rax
			want: frame(uop.VectorGP, 0, func(t *testing.T, m *scene, c caught) {
				if c.cs != selCode || c.rip != m.mark {
					t.Errorf("got %+v, want the kernel at IRET", c)
				}
			})},
		program{name: "the frame is not there", code: asm(movImm(uop.RSP, progData+0xFF0), "|48 CF"), setup: func(m *scene) {
			m.protect(progData+0x1000, 0)
			m.write(progData+0xFF0, progCode, selCode)
			m.gate(uop.VectorPF, progGate+uop.VectorPF*16, 0x8E01)
		}, want: raisesPF(0, progData+0x1000)},
		program{name: "data segments that are too privileged for the user become null", code: asm(
			movImm(uop.RAX, selData), "8E D8 8E C0", movImm(uop.RBX, selUData|3), "8E E3", movImm(uop.RAX, selConform), "8E E8", // mov ds, eax; es; mov fs, ebx; mov gs, eax
			toUser), setup: userInt, want: inUser(progUser, func(t *testing.T, m *scene, c caught) {
			s := m.CPU.State().Seg
			if s[uop.SegDS].Selector != 0 || s[uop.SegES].Selector != 0 || s[uop.SegFS].Selector != selUData|3 || s[uop.SegGS].Selector != selConform {
				t.Errorf("DS %#x, ES %#x, FS %#x, GS %#x", s[uop.SegDS].Selector, s[uop.SegES].Selector, s[uop.SegFS].Selector, s[uop.SegGS].Selector)
			}
		})},
		program{name: "a user program changes neither IOPL nor IF", user: true, code: asm(
			push(selUData|3), push(progUSP), push(2|FlagIF|iopl|FlagAC|FlagID|FlagDF), push(selUCode|3), push(progUser+27), "48 CF", "CD 40",
		), want: inUser(progUser+27, func(t *testing.T, m *scene, c caught) {
			if c.flags != 2|FlagAC|FlagID|FlagDF {
				t.Errorf("flags %#x", c.flags)
			}
		})},
		program{name: "to 32-bit code, where 48 is DEC", code: iret(selUData|3, progUSP, 2, selCode32|3, progUser), setup: func(m *scene) {
			m.from.GPR[uop.RAX] = 1<<32 | 5
			m.put(progUser, []byte{0x48, 0xCD, 0x40}) // dec eax; int 0x40
		}, want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught(t, e); c.vector != 0x40 || c.cs != selCode32|3 || c.rip != progUser+3 || c.rsp != progUSP {
				t.Errorf("got %+v", c)
			}
		}},
		program{name: "the descriptor's accessed bit is set", code: asm(iret(selFresh, progSP, 2, selCode, after), "F4"), want: func(t *testing.T, m *scene, e Exit) {
			halts()(t, m, e)
			if m.word(progGDT+selFresh)>>40&1 != 1 {
				t.Error("it is not")
			}
		}},
	)
}

// The order in which IRET and far RET read the stack and check what they find is silicon's: RFLAGS, CS, RIP, the code
// segment, SS and RSP, the stack segment, and last whether RIP is canonical.
func TestReturnFaultOrder(t *testing.T) {
	const (
		gone   = progData + 0x1000 // a page that is not there
		beyond = 8 | 4             // a selector whose descriptor's address is not canonical
	)
	at := func(sp uint64, insn string, words ...uint64) (string, func(m *scene)) {
		return asm(movImm(uop.RSP, sp), "|", insn), func(m *scene) {
			m.protect(gone, 0)
			for i, w := range words {
				m.write(sp+8*uint64(i), w)
			}
			m.from.LDTR = Segment{Selector: selLDT, Attr: segPresent | typeLDT, Limit: 15, Base: 1<<47 - 8}
			m.gate(uop.VectorPF, progGate+uop.VectorPF*16, 0x8E01)
			m.gate(uop.VectorGP, progGate+uop.VectorGP*16, 0x8E01)
		}
	}
	const iretq, retfq, wild = "48 CF", "48 CB", 1 << 47
	var programs []program
	add := func(name, insn string, sp uint64, want func(*testing.T, *scene, Exit), words ...uint64) {
		code, setup := at(sp, insn, words...)
		programs = append(programs, program{name: name, code: code, setup: setup, want: want})
	}
	add("IRET, nothing there", iretq, gone, raisesPF(0, gone+16))
	add("IRET, no RFLAGS", iretq, gone-16, raisesPF(0, gone), progCode, selNone)
	add("IRET, neither CS nor RIP", iretq, gone+0x1000-16, raisesPF(0, gone+0x1000-8))
	add("IRET, no RIP", iretq, gone+0x1000-8, raisesPF(0, gone+0x1000-8))
	add("IRET, no stack pointer and a bad CS", iretq, gone-24, raises(uop.VectorGP, selData), progCode, selData, 2)
	add("IRET, no stack pointer", iretq, gone-24, raisesPF(0, gone+8), wild, selCode, 2)
	add("IRET, no SS", iretq, gone-32, raisesPF(0, gone), wild, selCode, 2, progSP)
	add("IRET, a bad SS and a bad RIP", iretq, gone-40, raises(uop.VectorGP, selReadOn), wild, selCode, 2, progSP, selReadOn)
	add("IRET, a bad RIP", iretq, gone-40, raises(uop.VectorGP, 0), wild, selCode, 2, progSP, selData)
	add("RET, a descriptor at no canonical address", retfq, gone-16, raises(uop.VectorGP, 0), progCode, beyond)
	add("RET, nothing there", retfq, gone, raisesPF(0, gone+8))
	add("RET, no CS", retfq, gone-8, raisesPF(0, gone), progCode)
	add("RET, no RIP", retfq, gone+0x1000-8, raisesPF(0, gone+0x1000-8))
	add("RET, of a selector only its two bytes", retfq, gone-10, raises(uop.VectorGP, 0), wild)
	add("RET, a bad CS and a bad RIP", retfq, gone-16, raises(uop.VectorGP, selData), wild, selData)
	add("RET to a user program, no stack pointer", retfq, gone-16, raisesPF(0, gone+8), wild, selUCode|3)
	add("RET to a user program, a bad SS and a bad RIP", retfq, gone-32, raises(uop.VectorGP, selData), wild, selUCode|3, progUSP, selData|3)
	prove(t, programs...)
}

// SDM vol. 2, RET, JMP and CALL, far forms.
func TestFarTransfers(t *testing.T) {
	pointer := func(selector, rip uint64) func(*scene) {
		return func(m *scene) { m.write(progData, rip, selector) }
	}
	jump, call := "|48 FF 2C 25"+le(progData, 4), "|48 FF 1C 25"+le(progData, 4) // jmp far [progData], 64-bit offset; call far
	ret := func(cs, rip uint64) string { return asm(push(cs), push(rip), "|48 CB") }
	bad := func(name string, selector, rip uint64, vector uint8, code uint64) program {
		return program{name: name, code: jump, setup: pointer(selector, rip), want: raises(vector, code)}
	}
	const there = progCode + 0x100
	halt := func(m *scene) { m.put(there, []byte{0xF4}) }
	prove(t,
		program{name: "jump", code: jump, setup: func(m *scene) { halt(m); pointer(selExec, there)(m) }, want: func(t *testing.T, m *scene, e Exit) {
			halts()(t, m, e)
			if cs := m.CPU.State().Seg[uop.SegCS].Selector; cs != selExec || m.RIP() != there+1 {
				t.Errorf("CS %#x, RIP %#x", cs, m.RIP())
			}
		}},
		program{name: "jump with an offset of 32 bits", code: asm("FF 2C 25", le(progData, 4)), setup: func(m *scene) {
			halt(m)
			m.write(progData, there|selCode<<32)
		}, want: halts()},
		program{name: "a conforming segment keeps the privilege", user: true, code: asm("48 FF 2C 25", le(progUser+0x1000, 4)), setup: func(m *scene) {
			m.write(progUser+0x1000, progUser+0x100, selConform)
			m.put(progUser+0x100, []byte{0xCD, 0x40})
		}, want: inUser(progUser+0x100, func(t *testing.T, m *scene, c caught) {
			if c.cs != selConform|3 {
				t.Errorf("CS %#x", c.cs)
			}
		})},
		program{name: "call and return", code: asm(call, "F4"), setup: func(m *scene) {
			pointer(selExec, there)(m)
			m.put(there, []byte{0x48, 0xCB}) // retfq
		}, want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RSP, progSP})(t, m, e)
			if m.word(progSP-8) != selCode || m.word(progSP-16) != progCode+8 {
				t.Errorf("pushed %#x, %#x", m.word(progSP-8), m.word(progSP-16))
			}
		}},
		bad("null", 0, there, uop.VectorGP, 0),
		bad("beyond the limit", selLimit, there, uop.VectorGP, selLimit),
		bad("data segment", selData, there, uop.VectorGP, selData),
		bad("lower privilege", selUCode|3, there, uop.VectorGP, selUCode),
		bad("RPL above the privilege", selCode|1, there, uop.VectorGP, selCode),
		bad("absent", selAbsCode, there, uop.VectorNP, selAbsCode),
		bad("not canonical", selCode, 1<<47, uop.VectorGP, 0),
		bad("LDT, where there is none", selCode|4, there, uop.VectorGP, selCode|4),
		program{name: "the pushes of a call fault before anything changes", code: asm(movImm(uop.RSP, progData+0x2000), call), setup: func(m *scene) {
			pointer(selCode, there)(m)
			m.protect(progData+0x1000, 0)
			m.gate(uop.VectorPF, progGate+uop.VectorPF*16, 0x8E01)
		}, want: raisesPF(faultW, progData+0x2000-8)},
		program{name: "return to a user program", code: asm(push(selUData|3), push(progUSP), ret(selUCode|3, progUser)), setup: userInt, want: inUser(progUser, func(t *testing.T, m *scene, c caught) {
			if c.rsp != progUSP || c.ss != selUData|3 {
				t.Errorf("got %+v", c)
			}
		})},
		program{name: "return to a user program dropping arguments on both stacks", code: asm(push(selUData|3), push(progUSP-0x20), push(0), push(0), push(selUCode|3), push(progUser), "48 CA 10 00"), // retfq 16
			setup: userInt, want: inUser(progUser, func(t *testing.T, m *scene, c caught) {
				if c.rsp != progUSP-0x10 {
					t.Errorf("RSP %#x", c.rsp)
				}
			})},
		program{name: "return to higher privilege", user: true, code: ret(selCode, progUser), want: raises(uop.VectorGP, selCode)},
		program{name: "return to null", code: ret(0, progCode), want: raises(uop.VectorGP, 0)},
		program{name: "return to data", code: ret(selData, progCode), want: raises(uop.VectorGP, selData)},
		program{name: "return to what is absent", code: ret(selAbsCode, progCode), want: raises(uop.VectorNP, selAbsCode)},
		program{name: "far pointer in a register", code: asm("|FF E8"), want: raises(uop.VectorUD, 0)},
	)
}

const (
	testSTAR  = selCode<<32 | (selCode32|3)<<48
	testLSTAR = progFree + 0x100
)

// SDM vol. 2, SYSCALL and SYSRET; vol. 3, 5.8.8.
func TestSystemCalls(t *testing.T) {
	msr := func(m *scene) {
		m.msr.star, m.msr.lstar, m.msr.fmask = testSTAR, testLSTAR, FlagIF|FlagDF|FlagTF
		m.put(testLSTAR, []byte{0xF4})
	}
	prove(t,
		program{name: "SYSCALL", user: true, code: asm("0F 05"), setup: func(m *scene) {
			msr(m)
			m.from.RFLAGS |= FlagIF | FlagDF | FlagCF | FlagAC
		}, want: func(t *testing.T, m *scene, e Exit) {
			s := m.CPU.State()
			if e.Kind != ExitHalted || s.RIP != testLSTAR+1 || s.CPL != 0 || s.Seg[uop.SegCS].Selector != selCode || s.Seg[uop.SegSS].Selector != selData {
				t.Errorf("exit %v, RIP %#x, CPL %d, CS %#x, SS %#x", e, s.RIP, s.CPL, s.Seg[uop.SegCS].Selector, s.Seg[uop.SegSS].Selector)
			}
			m.wantRegs(t, reg{uop.RCX, progUser + 2}, reg{uop.R11, 2 | FlagIF | FlagDF | FlagCF | FlagAC}, reg{uop.RSP, progUSP})
			if s.RFLAGS != 2|FlagCF|FlagAC {
				t.Errorf("flags %#x", s.RFLAGS)
			}
		}},
		program{name: "SYSCALL without SCE", user: true, code: asm("|0F 05"), setup: func(m *scene) { m.from.EFER &^= EFERSCE }, want: raises(uop.VectorUD, 0)},
		program{name: "SYSRET", code: asm("48 0F 07"), setup: func(m *scene) {
			msr(m)
			userInt(m)
			m.from.GPR[uop.RCX], m.from.GPR[uop.R11] = progUser, ^uint64(0)&^FlagTF
			m.from.GPR[uop.RSP] = progUSP
		}, want: inUser(progUser, func(t *testing.T, m *scene, c caught) {
			const flags = 2 | FlagCF | FlagPF | FlagAF | FlagZF | FlagSF | FlagIF | FlagDF | FlagOF | iopl | FlagNT | FlagAC | FlagID | 3<<19
			if c.cs != selUCode|3 || c.ss != selUData|3 || c.rsp != progUSP || c.flags != flags {
				t.Errorf("got %+v, want flags %#x", c, flags)
			}
		})},
		program{name: "SYSRET by a user program", user: true, code: asm("|48 0F 07"), want: raises(uop.VectorGP, 0)},
		program{name: "SYSRET without SCE", code: asm("|48 0F 07"), setup: func(m *scene) { m.from.EFER &^= EFERSCE }, want: raises(uop.VectorUD, 0)},
		program{name: "SYSRET to an address that is not canonical faults in the kernel", code: asm(movImm(uop.RCX, 1<<47), "|48 0F 07"), setup: msr, want: frame(uop.VectorGP, 0, func(t *testing.T, m *scene, c caught) {
			if c.cs != selCode || c.rip != m.mark {
				t.Errorf("got %+v", c)
			}
		})},
		program{name: "SYSRET to 32-bit code", code: asm(movImm(uop.RCX, 1<<40|progUser), "0F 07"), setup: func(m *scene) {
			msr(m)
			m.put(progUser, []byte{0x40, 0xCD, 0x40}) // inc eax; int 0x40
		}, want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught(t, e); c.vector != 0x40 || c.cs != selCode32|3 || c.ss != selUData|3 || c.rip != progUser+3 {
				t.Errorf("got %+v", c)
			}
		}},
		program{name: "SYSENTER", user: true, code: asm("0F 34"), setup: func(m *scene) {
			m.msr.sysenter = [3]uint64{selCode, progRSP0, progFree}
			m.put(progFree, []byte{0xF4})
			m.from.RFLAGS |= FlagIF | FlagDF
		}, want: func(t *testing.T, m *scene, e Exit) {
			s := m.CPU.State()
			if e.Kind != ExitHalted || s.RIP != progFree+1 || s.CPL != 0 || s.Seg[uop.SegCS].Selector != selCode || s.Seg[uop.SegSS].Selector != selData || s.RFLAGS != 2|FlagDF {
				t.Errorf("exit %v, RIP %#x, CPL %d, CS %#x, SS %#x, flags %#x", e, s.RIP, s.CPL, s.Seg[uop.SegCS].Selector, s.Seg[uop.SegSS].Selector, s.RFLAGS)
			}
			m.wantRegs(t, reg{uop.RSP, progRSP0})
		}},
		program{name: "SYSENTER without a segment", user: true, code: asm("|0F 34"), want: raises(uop.VectorGP, 0)},
		program{name: "SYSEXIT", code: asm("48 0F 35"), setup: func(m *scene) {
			m.msr.sysenter[0] = selCode // its users' segments are 32 and 40 bytes further on
			userInt(m)
			m.from.GPR[uop.RCX], m.from.GPR[uop.RDX] = progUSP, progUser
			m.from.RFLAGS |= FlagIF
		}, want: inUser(progUser, func(t *testing.T, m *scene, c caught) {
			if c.cs != selCode+32|3 || c.ss != selCode+40|3 || c.rsp != progUSP || c.flags != 2|FlagIF {
				t.Errorf("got %+v", c)
			}
		})},
		program{name: "SYSEXIT by a user program", user: true, code: asm("|48 0F 35"), setup: func(m *scene) { m.msr.sysenter[0] = selCode }, want: raises(uop.VectorGP, 0)},
		program{name: "SYSEXIT without a segment", code: asm("|48 0F 35"), want: raises(uop.VectorGP, 0)},
		program{name: "SYSEXIT to a stack that is not canonical", code: asm(movImm(uop.RCX, 1<<47), "|48 0F 35"), setup: func(m *scene) { m.msr.sysenter[0] = selCode }, want: raises(uop.VectorGP, 0)},
		program{name: "SWAPGS", code: asm("0F 01 F8", "65 48 8B 04 25", le(8, 4), "F4"), setup: func(m *scene) { // mov rax, gs:[8]
			m.msr.kernelGSBase, m.from.Seg[uop.SegGS].Base = progData, progUser
			m.write(progData+8, 42)
		}, want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RAX, 42})(t, m, e)
			if m.msr.kernelGSBase != progUser {
				t.Errorf("IA32_KERNEL_GS_BASE %#x", m.msr.kernelGSBase)
			}
		}},
		program{name: "SWAPGS by a user program", user: true, code: asm("|0F 01 F8"), want: raises(uop.VectorGP, 0)},
		program{name: "a whole system call: SYSCALL, SWAPGS, a stack of its own, back", user: true, code: asm("0F 05", "CD 40"), setup: func(m *scene) {
			msr(m)
			m.msr.kernelGSBase = progData
			m.from.RFLAGS |= FlagIF | FlagCF
			b, _ := assemble(asm("0F 01 F8", "65 48 89 24 25 08 00 00 00", "65 48 8B 24 25 10 00 00 00", // swapgs; mov gs:[8], rsp; mov rsp, gs:[16]
				"41 53 51", "FF 04 25", le(progData, 4), "59 41 5B", // push r11; push rcx; inc dword [progData]; pop rcx; pop r11
				"65 48 8B 24 25 08 00 00 00", "0F 01 F8", "48 0F 07")) // mov rsp, gs:[8]; swapgs; sysretq
			m.put(testLSTAR, b)
			m.write(progData+16, progSP)
		}, want: inUser(progUser+2, func(t *testing.T, m *scene, c caught) {
			if m.word(progData)&0xFFFF_FFFF != 1 || c.rsp != progUSP || c.flags != 2|FlagIF|FlagCF {
				t.Errorf("count %d, %+v", m.word(progData), c)
			}
		})},
	)
}

// SDM vol. 1, 19.5.2: ports that the TSS allows to a user program whose IOPL does not.
func TestPortPermission(t *testing.T) {
	tss := func(base uint64, limit uint32, bits ...byte) func(*scene) {
		return func(m *scene) {
			m.put(progTSS+0x66, []byte{byte(base), byte(base >> 8)})
			m.put(progTSS+base, bits)
			m.from.TR.Limit = limit
		}
	}
	const in = "|EC CD 40" // in al, dx; int 0x40
	at := func(port uint64, setup func(*scene)) func(*scene) {
		return func(m *scene) {
			m.from.GPR[uop.RDX] = port
			m.bus.in = func(uint16, int) uint32 { return 0x5A }
			if setup != nil {
				setup(m)
			}
		}
	}
	reads := inUser(progUser+1, func(t *testing.T, m *scene, _ caught) { m.wantRegs(t, reg{uop.RAX, 0x5A}) })
	prove(t,
		program{name: "no map", user: true, code: in, setup: at(3, nil), want: raises(uop.VectorGP, 0)},
		program{name: "IOPL", user: true, code: in, setup: at(3, func(m *scene) { m.from.RFLAGS |= iopl }), want: reads},
		program{name: "allowed by the map", user: true, code: in, setup: at(11, tss(0x68, 0x6A, 0xFF, 0xF7, 0xFF)), want: reads},
		program{name: "forbidden by the map", user: true, code: in, setup: at(10, tss(0x68, 0x6A, 0xFF, 0xF7, 0xFF)), want: raises(uop.VectorGP, 0)},
		program{name: "the second byte must be within the limit", user: true, code: in, setup: at(11, tss(0x68, 0x69, 0xFF, 0x00)), want: raises(uop.VectorGP, 0)},
		program{name: "all ports of a wide access count", user: true, code: asm("|ED"), setup: at(6, tss(0x68, 0x6A, 0x3F, 0xFE, 0xFF)), want: raises(uop.VectorGP, 0)}, // in eax, dx: 6 to 9
		program{name: "a wide access that is allowed", user: true, code: asm("ED", "CD 40"), setup: at(6, tss(0x68, 0x6A, 0x3F, 0xFC, 0xFF)), want: reads},
		program{name: "the port in the instruction", user: true, code: asm("E4 0B", "CD 40"), setup: at(0, tss(0x68, 0x6A, 0xFF, 0xF7, 0xFF)),
			want: inUser(progUser+2, func(t *testing.T, m *scene, _ caught) { m.wantRegs(t, reg{uop.RAX, 0x5A}) })},
		program{name: "OUTS reads memory only where it may", user: true, code: asm("|6E"), setup: at(3, nil), want: raises(uop.VectorGP, 0)},
		program{name: "a TSS without the field", user: true, code: in, setup: at(3, func(m *scene) { m.from.TR.Limit = 0x66 }), want: raises(uop.VectorGP, 0)},
		program{name: "the TSS is read with supervisor privilege, and may fault", user: true, code: in, setup: at(3, func(m *scene) {
			// The TSS lies across two pages: stacks in the first, the map in the second, which is absent.
			const tr = progFree + 0x1000 - 0x60
			m.from.TR.Base = tr
			m.poke(tr+4, progRSP0)
			m.protect(progFree+0x1000, 0)
		}), want: raisesPF(0, progFree+0x1006)},
	)
}
