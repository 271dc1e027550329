package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// SDM vol. 2, MOV: what is checked when a segment register is loaded, and with which error code.
func TestSegmentLoads(t *testing.T) {
	movTo := func(sreg, selector uint64) string { return asm(movImm(uop.RAX, selector), "|8E", le(0xC0|sreg<<3, 1)) } // mov sreg, eax
	ok := func(name string, user bool, sreg, selector uint64) program {
		end := "F4"
		if user {
			end = "CD 40"
		}
		return program{name: name, user: user, code: asm(movTo(sreg, selector), end), want: func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			if user {
				inUser(progUser+12, nil)(t, m, e)
			} else {
				halts()(t, m, e)
			}
			if got := m.CPU.State().Seg[sreg].Selector; uint64(got) != selector {
				t.Errorf("the selector is %#x, want %#x", got, selector)
			}
		}}
	}
	bad := func(name string, user bool, sreg, selector uint64, vector uint8, code uint64) program {
		return program{name: name, user: user, code: movTo(sreg, selector), want: raises(vector, code)}
	}
	prove(t,
		ok("DS", false, uop.SegDS, selData),
		ok("DS, read-only", false, uop.SegDS, selReadOn),
		ok("DS, readable code", false, uop.SegDS, selCode),
		ok("DS, users' with kernel privilege", false, uop.SegDS, selUData|3),
		ok("FS, null", false, uop.SegFS, 3),
		ok("ES, users'", true, uop.SegES, selUData|3),
		ok("ES, conforming code from a user program", true, uop.SegES, selConform|3),
		ok("SS", false, uop.SegSS, selFresh),
		ok("SS, null in the kernel", false, uop.SegSS, 0),
		bad("SS, null with another RPL", false, uop.SegSS, 1, uop.VectorGP, 0),
		bad("SS, null in a user program", true, uop.SegSS, 3, uop.VectorGP, 0),
		bad("SS, RPL", false, uop.SegSS, selData|1, uop.VectorGP, selData),
		bad("SS, DPL", false, uop.SegSS, selUData, uop.VectorGP, selUData),
		bad("SS, read-only", false, uop.SegSS, selReadOn, uop.VectorGP, selReadOn),
		bad("SS, code", false, uop.SegSS, selCode, uop.VectorGP, selCode),
		bad("SS, absent", false, uop.SegSS, selAbsent, uop.VectorSS, selAbsent),
		bad("DS, absent", false, uop.SegDS, selAbsent, uop.VectorNP, selAbsent),
		bad("DS, after the limit", false, uop.SegDS, selLimit, uop.VectorGP, selLimit),
		bad("DS, code that cannot be read", false, uop.SegDS, selExec, uop.VectorGP, selExec),
		bad("DS, a system descriptor", false, uop.SegDS, selLDT, uop.VectorGP, selLDT),
		bad("DS, RPL above DPL", false, uop.SegDS, selData|3, uop.VectorGP, selData),
		bad("DS, the kernel's from a user program", true, uop.SegDS, selData, uop.VectorGP, selData),
		bad("GS, the error code has no RPL but TI", false, uop.SegGS, 7, uop.VectorGP, 4),
		bad("CS", false, uop.SegCS, selCode, uop.VectorUD, 0),
		bad("segment register 6", false, 6, selData, uop.VectorUD, 0),
		program{name: "the limit counts to the descriptor's last byte", code: movTo(uop.SegDS, selFresh), setup: func(m *scene) { m.from.GDTR.Limit = selFresh + 6 }, want: raises(uop.VectorGP, selFresh)},
		program{name: "accessed is set", code: asm(movTo(uop.SegDS, selFresh), "F4"), want: func(t *testing.T, m *scene, e Exit) {
			halts()(t, m, e)
			if v := m.word(progGDT + selFresh); v != progDescriptors[selFresh/8]|1<<40 {
				t.Errorf("the descriptor is %#x", v)
			}
		}},
		program{name: "accessed is set in a GDT that is read-only", code: movTo(uop.SegDS, selFresh), setup: func(m *scene) { m.protect(progGDT, pteP) }, want: raisesPF(faultP|faultW, progGDT+selFresh+5)},
		program{name: "FS takes the descriptor's base, of 32 bits", code: asm(movTo(uop.SegFS, selFresh), "F3 0F AE C3", "F4"), setup: func(m *scene) { // rdfsbase ebx
			m.write(progGDT+selFresh, 0x80CF9212_3456FFFF)
			m.from.Seg[uop.SegFS].Base = 1 << 40
		}, want: halts(reg{uop.RBX, 0x8012_3456})},
		program{name: "a null selector takes FS's base away, as on Intel's processors", code: asm(movTo(uop.SegFS, 0), "F3 48 0F AE C3", "F4"), setup: func(m *scene) {
			m.from.Seg[uop.SegFS].Base = 1 << 40
		}, want: halts(reg{uop.RBX, 0})},
		program{name: "LSS loads both or nothing", code: asm("|48 0F B2 24 25", le(progData, 4)), setup: func(m *scene) { // lss rsp, [progData]
			m.write(progData, progRSP0, selCode)
		}, want: frame(uop.VectorGP, selCode, func(t *testing.T, m *scene, c caught) {
			if c.rsp != progSP || c.ss != selData {
				t.Errorf("got %+v", c)
			}
		})},
		program{name: "LFS", code: asm("48 0F B4 1C 25", le(progData, 4), "F4"), setup: func(m *scene) { m.write(progData, 1<<63, selData) }, want: halts(reg{uop.RBX, 1 << 63})},
		program{name: "POP FS that faults keeps the stack pointer", code: asm(push(selAbsent), "|0F A1"), want: frame(uop.VectorNP, selAbsent, func(t *testing.T, m *scene, c caught) {
			if c.rsp != progSP-8 {
				t.Errorf("RSP %#x", c.rsp)
			}
		})},
		program{name: "a data segment's limit and rights do not count", code: asm(movTo(uop.SegDS, selFresh), movFrom(progData), "F4"), setup: func(m *scene) {
			m.write(progGDT+selFresh, 0x0000_9000_0000_0000) // read-only, limit 0
			m.write(progData, 6)
		}, want: halts(reg{uop.RAX, 6})},
	)
}

// SDM vol. 2, LGDT, LIDT, LLDT, LTR and their stores.
func TestSystemRegisters(t *testing.T) {
	const op = progData + 0x10
	operand := func(limit, base uint64) func(*scene) {
		return func(m *scene) { m.put(op, []byte{byte(limit), byte(limit >> 8)}); m.poke(op+2, base) }
	}
	lgdt, lidt := "|0F 01 14 25"+le(op, 4), "|0F 01 1C 25"+le(op, 4)
	sgdt, sidt := "|0F 01 04 25"+le(op, 4), "|0F 01 0C 25"+le(op, 4)
	ax := func(selector uint64, code string) string { return asm(movImm(uop.RAX, selector), "|", code) }
	lldt, ltr := "0F 00 D0", "0F 00 D8" // of ax
	prove(t,
		program{name: "LGDT, SGDT", code: asm(lgdt[1:], "C7 04 25", le(op, 4), le(0, 4), sgdt[1:], movFrom(op), "48 C1 E8 10", "F4"), setup: operand(0x27, progGDT+8), // mov dword [op], 0; shr rax, 16
			want: halts(reg{uop.RAX, progGDT + 8})},
		program{name: "LGDT, base not canonical", code: lgdt, setup: operand(0x27, 1<<47), want: raises(uop.VectorGP, 0)},
		program{name: "LIDT, base not canonical", code: lidt, setup: operand(0xFFF, 1<<63), want: raises(uop.VectorGP, 0)},
		program{name: "LIDT takes effect with the next exception", code: asm(lidt[1:], "0F 0B"), setup: func(m *scene) {
			operand(0xFFF, progFree)(m)
			m.put(progFree+6*16, []byte{0x00, 0x01, selCode, 0, 0, 0x8E, 0x01, 0}) // to 0x10100
			m.put(progCode+0x100, []byte{0xF4})
		}, want: halts()},
		program{name: "LGDT by a user program", user: true, code: lgdt, want: raises(uop.VectorGP, 0)},
		program{name: "SIDT by a user program", user: true, code: asm("0F 01 0C 25", le(progUser+0x1000, 4), "CD 40"), want: inUser(progUser+8, func(t *testing.T, m *scene, _ caught) {
			if v := m.word(progUser + 0x1000); v != 0xFFF|progIDT<<16 {
				t.Errorf("stored %#x", v)
			}
		})},
		program{name: "SIDT to a page that cannot be written", code: sidt, setup: dataPage(pteP), want: raisesPF(faultP|faultW, op)},
		program{name: "SGDT across two pages, the second read-only: nothing is stored", code: asm("|0F 01 04 25", le(progData+0xFFC, 4)), setup: func(m *scene) {
			m.protect(progData+0x1000, pteP)
		}, want: func(t *testing.T, m *scene, e Exit) {
			raisesPF(faultP|faultW, progData+0x1000)(t, m, e)
			if v := m.word(progData + 0xFF8); v != 0 {
				t.Errorf("stored %#x", v)
			}
		}},
		program{name: "LLDT, a descriptor from it", code: asm(movImm(uop.RAX, selLDT), lldt, movImm(uop.RAX, 0x0C), "8E E0", "F4"), setup: func(m *scene) { // mov fs, eax
			m.write(progData, 0, progDescriptors[selData/8], 0)
		}, want: func(t *testing.T, m *scene, e Exit) {
			halts()(t, m, e)
			s := m.CPU.State()
			if s.LDTR.Selector != selLDT || s.LDTR.Base != progData || s.LDTR.Limit != 0x17 || s.Seg[uop.SegFS].Selector != 0x0C {
				t.Errorf("LDTR %+v, FS %#x", s.LDTR, s.Seg[uop.SegFS].Selector)
			}
		}},
		program{name: "LLDT of null, then a selector with TI", code: asm(movImm(uop.RAX, 0), "0F 00 D0", movImm(uop.RAX, 0x0C), "|8E E0"), want: raises(uop.VectorGP, 0x0C)},
		program{name: "LLDT of a data segment", code: ax(selData, lldt), want: raises(uop.VectorGP, selData)},
		program{name: "LLDT with TI", code: ax(selLDT|4, lldt), want: raises(uop.VectorGP, selLDT|4)},
		program{name: "LLDT, absent", code: ax(selLDT, lldt), setup: func(m *scene) { m.write(progGDT+selLDT, 0x0000_0200_0000_0017, 0) }, want: raises(uop.VectorNP, selLDT)},
		program{name: "LLDT, half of it beyond the limit", code: ax(selLDT, lldt), setup: func(m *scene) { m.from.GDTR.Limit = selLDT + 14 }, want: raises(uop.VectorGP, selLDT)},
		program{name: "LLDT, type bits in the upper half", code: ax(selLDT, lldt), setup: func(m *scene) { m.write(progGDT+selLDT+8, 1<<40) }, want: raises(uop.VectorGP, selLDT)},
		program{name: "LTR makes the TSS busy", code: asm(movImm(uop.RAX, selTSS2), "0F 00 D8", "0F 00 CB", "F4"), want: func(t *testing.T, m *scene, e Exit) { // ltr ax; str ebx
			halts(reg{uop.RBX, selTSS2})(t, m, e)
			if v := m.word(progGDT + selTSS2); v>>40&0xFF != 0x8B {
				t.Errorf("the descriptor is %#x", v)
			}
		}},
		program{name: "LTR of a busy TSS", code: ax(selTSS, ltr), want: raises(uop.VectorGP, selTSS)},
		program{name: "LTR of null", code: ax(0, ltr), want: raises(uop.VectorGP, 0)},
		program{name: "LTR with TI", code: ax(selTSS2|4, ltr), want: raises(uop.VectorGP, selTSS2|4)},
		program{name: "LTR, absent", code: ax(selTSS2, ltr), setup: func(m *scene) { m.write(progGDT+selTSS2, 0x0000_0900_0000_0067) }, want: raises(uop.VectorNP, selTSS2)},
		program{name: "LTR by a user program", user: true, code: asm("|0F 00 D8"), want: raises(uop.VectorGP, 0)},
	)
}

// SDM vol. 2, SGDT, SIDT, SLDT, SMSW, STR: CR4.UMIP keeps them from user programs; the kernel keeps them.
func TestUserModeInstructionPrevention(t *testing.T) {
	for name, code := range map[string]string{
		"SGDT": "0F 01 04 25" + le(progUser+0x1000, 4), "SIDT": "0F 01 0C 25" + le(progUser+0x1000, 4), "SLDT": "0F 00 C0", "SMSW": "0F 01 E0", "STR": "0F 00 C8",
	} {
		on := func(m *scene) { m.from.CR4 |= CR4UMIP }
		prove(t,
			program{name: name + " by a user program", user: true, code: asm("|", code), setup: on, want: raises(uop.VectorGP, 0)},
			program{name: name + " by the kernel", code: asm(code, "F4"), setup: on, want: halts()},
			program{name: name + " by a user program without UMIP", user: true, code: asm(code, "CD 40"), want: inUser(progUser+uint64(len(asm(code)))/2, nil)},
		)
	}
}

// SDM vol. 2, LAR, LSL, VERR, VERW: they say in ZF whether a selector could be used, and raise nothing.
func TestDescriptorQueries(t *testing.T) {
	const zf, nz = FlagZF, 0
	query := func(name string, user bool, code string, selector, flag, result uint64) program {
		// RBX keeps its value where ZF is clear.
		p := program{name: name, user: user, code: asm(movImm(uop.RBX, 0x1111_2222_3333_4444), movImm(uop.RCX, selector), code), want: func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			flags := m.Flags()
			if user {
				flags = m.caught(t, e).flags
			} else {
				halts()(t, m, e)
			}
			if flags&FlagZF != flag {
				t.Errorf("flags %#x, want ZF %#x", flags, flag)
			}
			m.wantRegs(t, reg{uop.RBX, result})
		}}
		if user {
			p.code += "CD40"
		} else {
			p.code += "F4"
		}
		return p
	}
	const (
		lar, lar64, lsl = "0F 02 D9", "48 0F 02 D9", "0F 03 D9" // lar ebx, ecx; lar rbx, rcx; lsl ebx, ecx
		lsl16           = "66 0F 03 D9"
		verr, verw      = "0F 00 E1", "0F 00 E9" // of cx
		same            = 0x1111_2222_3333_4444
	)
	prove(t,
		query("LAR of data", false, lar, selData, zf, 0x00CF_9300),
		query("LAR of 64-bit code", false, lar64, selCode, zf, 0x00AF_9B00),
		query("LAR of a TSS", false, lar, selTSS, zf, 0x0000_8B00),
		query("LAR of an LDT", false, lar, selLDT, zf, 0x0000_8200),
		query("LAR of what is absent", false, lar, selAbsent, zf, 0x00CF_1300),
		query("LAR of null", false, lar, 0, nz, same),
		query("LAR beyond the limit", false, lar, selLimit, nz, same),
		query("LAR of an empty descriptor", false, lar, selLimit-8, nz, same),
		query("LAR with TI and no LDT", false, lar, 0xC, nz, same),
		query("LAR, RPL above DPL", false, lar, selData|1, nz, same),
		query("LAR of the kernel's by a user program", true, lar, selData, nz, same),
		query("LAR of the users' by a user program", true, lar, selUData|3, zf, 0x00CF_F300),
		query("LAR of a conforming segment by a user program", true, lar, selConform|3, zf, 0x00AF_9F00),
		query("LSL in pages", false, lsl, selData, zf, 0xFFFF_FFFF),
		query("LSL in bytes", false, lsl, selTSS, zf, 0x67),
		query("LSL of 16 bits", false, lsl16, selTSS, zf, same&^0xFFFF|0x67),
		query("LSL of null", false, lsl, 3, nz, same),
		query("VERR of data", false, verr, selReadOn, zf, same),
		query("VERR of code that cannot be read", false, verr, selExec, nz, same),
		query("VERR of readable code", false, verr, selCode, zf, same),
		query("VERR of a TSS", false, verr, selTSS, nz, same),
		query("VERW of data", false, verw, selData, zf, same),
		query("VERW of read-only data", false, verw, selReadOn, nz, same),
		query("VERW of code", false, verw, selCode, nz, same),
		query("VERW of the kernel's by a user program", true, verw, selData|3, nz, same),
		program{name: "a gate has rights but no limit", code: asm(movImm(uop.RCX, selFresh), lar, "48 89 D8", "|0F 03 D9", "0F 94 C1", "F4"), setup: func(m *scene) { // mov rax, rbx; lsl; setz cl
			m.write(progGDT+selFresh, 0x0000_8C00_0008_0000)
		}, want: halts(reg{uop.RAX, 0x8C00}, reg{uop.RCX, selFresh &^ 0xFF})},
		program{name: "a page fault on the descriptor is raised", code: asm(movImm(uop.RCX, 0xC), "|0F 02 D9"), setup: func(m *scene) {
			m.from.LDTR = Segment{Selector: selLDT, Attr: segPresent | typeLDT, Limit: 0x17, Base: progData}
			m.protect(progData, 0)
		}, want: raisesPF(0, progData+8)},
	)
}

// SDM vol. 2, RDFSBASE, WRFSBASE and kin.
func TestSegmentBases(t *testing.T) {
	prove(t,
		program{name: "write and read", user: true, code: asm(movImm(uop.RAX, progUser+0x1000), "F3 48 0F AE D8", "F3 48 0F AE CB", "65 8B 0C 25 00 00 00 00", "CD 40"), setup: func(m *scene) { // wrgsbase rax; rdgsbase rbx; mov ecx, gs:[0]
			m.write(progUser+0x1000, 17)
		}, want: func(t *testing.T, m *scene, e Exit) { m.wantRegs(t, reg{uop.RBX, progUser + 0x1000}, reg{uop.RCX, 17}) }},
		program{name: "32 bits are zero-extended", code: asm(movImm(uop.RAX, 0xFFFF_FFFF_8000_0000), "F3 0F AE D0", "F3 48 0F AE C3", "F4"), want: halts(reg{uop.RBX, 0x8000_0000})}, // wrfsbase eax; rdfsbase rbx
		program{name: "not canonical", code: asm(movImm(uop.RAX, 1<<47), "|F3 48 0F AE D0"), want: raises(uop.VectorGP, 0)},
		program{name: "without FSGSBASE", code: asm("|F3 48 0F AE C3"), setup: func(m *scene) { m.from.CR4 &^= CR4FSGSBASE }, want: raises(uop.VectorUD, 0)},
		program{name: "memory operand", code: asm("|F3 48 0F AE 10"), want: raises(uop.VectorUD, 0)},
	)
}
