package x86

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Virtual-8086 mode against the manual (SDM vol. 3, chapter 21). A program of the 8086 has its code at CS 1000 and its stack
// at SS 2000; ES, DS, FS and GS are each something else, so that frames tell them apart.

const (
	dosES, dosDS, dosFS, dosGS = progData>>4 + 0x100, progData>>4 + 0x200, progData>>4 + 0x300, progData>>4 + 0x400
	dosSP                      = 0x8000

	dosRedirection = 0x68 // in the TSS: 32 bytes, and after them a bit for each of the first 256 ports
	dosPorts       = 0x88
	dosTSSLimit    = dosPorts + 0x20

	dosIOPL3 = iopl
)

// in8086 starts a program in virtual-8086 mode with these flags and CR4. All ports are forbidden, but for 60 and 61.
func in8086(flags, cr4 uint64) func(m *scene) {
	return func(m *scene) {
		legacy(m)
		for i := uint64(0); i <= dosTSSLimit; i += 8 {
			m.write(progTSS+i, 0)
		}
		m.poke(progTSS+4, progRSP0|selData<<32)
		m.put(progTSS+0x66, []byte{dosPorts, 0})
		for i := range uint64(0x21) {
			m.put(progTSS+dosPorts+i, []byte{0xFF})
		}
		m.put(progTSS+dosPorts+0x60/8, []byte{0xFC})
		m.from.TR = unpack(selTask, tryDescriptor(progTSS, dosTSSLimit, segPresent|typeTSSBusy))
		m.from.CR4 |= cr4
		m.from.RFLAGS = 2 | FlagVM | flags
		for n, selector := range map[int]uint16{
			uop.SegCS: progCode >> 4, uop.SegSS: progData >> 4, uop.SegES: dosES, uop.SegDS: dosDS, uop.SegFS: dosFS, uop.SegGS: dosGS,
		} {
			m.from.Seg[n] = segment8086(selector)
		}
		m.from.RIP, m.from.GPR[uop.RSP] = 0, dosSP
	}
}

// with8086 does more after in8086.
func with8086(flags, cr4 uint64, more func(m *scene)) func(m *scene) {
	return func(m *scene) {
		in8086(flags, cr4)(m)
		more(m)
	}
}

// A caught8086 is what a gate to privilege 0 has pushed of an 8086 program.
type caught8086 struct {
	vector                                       uint8
	code, ip, cs, flags, esp, ss, es, ds, fs, gs uint64
}

// caught8086 returns what the program was interrupted by, through gates of 32 bits.
func (m *scene) caught8086(t *testing.T, e Exit) caught8086 {
	t.Helper()
	rip := m.RIP()
	if e.Kind != ExitHalted || rip < progGate || rip >= progGate+256*16 {
		t.Fatalf("the program ended with exit %d (%v) at %#x, not in a handler", e.Kind, e.Err, rip)
	}
	c := caught8086{vector: uint8((rip - progGate) / 16)}
	at := m.R[uop.RSP]
	next := func() uint64 { at += 4; return m.word(at-4) & low }
	switch c.vector {
	case uop.VectorDF, uop.VectorTS, uop.VectorNP, uop.VectorSS, uop.VectorGP, uop.VectorPF, uop.VectorAC:
		c.code = next()
	}
	for _, p := range []*uint64{&c.ip, &c.cs, &c.flags, &c.esp, &c.ss, &c.es, &c.ds, &c.fs, &c.gs} {
		*p = next()
	}
	s := m.CPU.State()
	if at != progRSP0 || s.CPL != 0 || s.RFLAGS&(FlagVM|FlagTF|FlagNT) != 0 || s.Seg[uop.SegSS].Selector != selData {
		t.Errorf("in the handler: frame up to %#x, CPL %d, flags %#x, SS %#x", at, s.CPL, s.RFLAGS, s.Seg[uop.SegSS].Selector)
	}
	for _, n := range []int{uop.SegES, uop.SegDS, uop.SegFS, uop.SegGS} {
		if s.Seg[n] != (Segment{}) {
			t.Errorf("in the handler segment %d is %+v", n, s.Seg[n])
		}
	}
	return c
}

// raises8086 says that the marked instruction raises an exception, and that nothing of the program is lost.
func raises8086(vector uint8, code uint64) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		c := m.caught8086(t, e)
		if want := m.mark - m.start; c.vector != vector || c.code != code || c.ip != want || c.cs != progCode>>4 {
			t.Errorf("got %v with code %#x at %#x:%#x, want %v with code %#x at %#x", Exception{Vector: c.vector}, c.code, c.cs, c.ip, Exception{Vector: vector}, code, want)
		}
		if c.flags&FlagVM == 0 {
			t.Errorf("flags %#x have no VM", c.flags)
		}
	}
}

// ends8086 says that the program has come to its HLT, which is marked and raises #GP, with these of IF, VIF, VIP, TF and NT.
func ends8086(flags uint64, regs ...reg) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		raises8086(uop.VectorGP, 0)(t, m, e)
		const looked = FlagIF | FlagVIF | FlagVIP | FlagTF | FlagNT
		if c := m.caught8086(t, e); c.flags&looked != flags {
			t.Errorf("flags %#x, want %#x of them", c.flags, flags)
		}
		m.wantRegs(t, regs...)
	}
}

// SDM vol. 2, IRET, "return to virtual-8086 mode"; vol. 3, 21.2.
func TestEnteringVirtual8086Mode(t *testing.T) {
	frame := func(eip, flags uint64) string { // pushes a frame in 32-bit code
		var s string
		for _, v := range []uint64{dosGS, dosFS, dosDS, dosES, progData >> 4, 0x12348000, flags, progCode >> 4, eip} {
			s += "68" + le(v, 4)
		}
		return s
	}
	monitor := func(cr4 uint64) func(m *scene) {
		return func(m *scene) {
			in8086(0, cr4)(m)
			dos := m.from
			with(nil)(m)
			m.from.TR, m.from.CR4 = dos.TR, dos.CR4
			for n, selector := range map[int]uint16{uop.SegCS: selCode, uop.SegSS: selData, uop.SegDS: selData, uop.SegES: selData, uop.SegFS: selData, uop.SegGS: selData} {
				m.from.Seg[n] = unpack(selector, m.word(progGDT+uint64(selector)))
			}
			m.from.RFLAGS, m.from.RIP, m.from.GPR[uop.RSP] = 2, progCode, progSP
			m.put(progCode+0x100, []byte{0xF4})
		}
	}
	all := uint64(2 | FlagVM | FlagCF | FlagOF | FlagIF | FlagNT | FlagAC | FlagID | 2<<12)
	prove(t,
		program{name: "all registers", code: asm(frame(0x100, all|1<<5|1<<22), "CF"), setup: monitor(0), want: func(t *testing.T, m *scene, e Exit) {
			c := m.caught8086(t, e)
			want := caught8086{vector: uop.VectorGP, ip: 0x100, cs: progCode >> 4, flags: all | FlagRF, esp: 0x12348000, ss: progData >> 4, es: dosES, ds: dosDS, fs: dosFS, gs: dosGS}
			if c != want {
				t.Errorf("got  %+v,\nwant %+v", c, want)
			}
		}},
		program{name: "EIP beyond the limit", code: asm(frame(0x10000, all), "|CF"), setup: monitor(0), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "VIF and VIP of the frame are taken", code: asm(frame(0x100, 2|FlagVM|FlagVIP), "CF"), setup: monitor(0), want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught8086(t, e); c.vector != uop.VectorGP || c.ip != 0x100 || c.flags&(FlagVIF|FlagVIP) != FlagVIP {
				t.Errorf("%+v", c)
			}
		}},
		program{name: "VIF and VIP together, with VME", code: asm(frame(0x101, 2|FlagVM|FlagVIF|FlagVIP), "CF"), setup: func(m *scene) {
			monitor(CR4VME)(m)
			m.put(progCode+0x101, []byte{0x90, 0x90, 0x90})
		}, want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught8086(t, e); c.vector != uop.VectorGP || c.code != 0 || c.ip != 0x101 || c.flags&(FlagVM|FlagVIF|FlagVIP) != FlagVM|FlagVIF|FlagVIP {
				t.Errorf("%+v", c)
			}
		}},
		program{name: "VIF and VIP together mean nothing with IOPL 3", code: asm(frame(0x101, 2|FlagVM|FlagVIF|FlagVIP|dosIOPL3), "CF"), setup: func(m *scene) {
			monitor(CR4VME)(m)
			m.put(progCode+0x101, []byte{0x90, 0xF4})
		}, want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught8086(t, e); c.vector != uop.VectorGP || c.ip != 0x102 {
				t.Errorf("%+v", c)
			}
		}},
		program{name: "TF traps after the program's first instruction", code: asm(frame(0x101, 2|FlagVM|FlagTF), "CF"), setup: func(m *scene) {
			monitor(0)(m)
			m.put(progCode+0x101, []byte{0x40, 0x40}) // inc ax
		}, want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught8086(t, e); c.vector != uop.VectorDB || c.ip != 0x102 || c.flags&FlagTF == 0 {
				t.Errorf("%+v", c)
			}
		}},
		program{name: "VM on a stack of privilege 3 is no such mode", code: asm("68", le(2|FlagVM, 4), "68", le(selUser|3, 4), "68", le(progCode+0x100, 4), "CF"), setup: func(m *scene) {
			monitor(0)(m)
			m.write(progGDT+selSmall, 0x00CFF3000000FFFF) // data, DPL 3
			m.from.Seg[uop.SegCS] = unpack(selUser|3, m.word(progGDT+selUser))
			m.from.Seg[uop.SegSS] = unpack(selSmall|3, m.word(progGDT+selSmall))
			m.from.CPL = 3
		}, want: func(t *testing.T, m *scene, e Exit) {
			raised := m.R[uop.RSP]
			if ip, cs, flags := m.word(raised+4)&low, m.word(raised+8)&low, m.word(raised+12)&low; ip != progCode+0x100 || cs != selUser|3 || flags&FlagVM != 0 {
				t.Errorf("%#x:%#x, flags %#x", cs, ip, flags)
			}
		}},
		program{name: "an operand of 16 bits has no VM", code: asm("66 6A 02 66 6A 08 66 68 00 01", "|66 CF"), setup: func(m *scene) {
			monitor(0)(m)
			m.put(0x100, []byte{0xF4})
		}, want: halts()},
	)
}

// SDM vol. 3, 21.1.1 and 21.2: addresses are formed as in real mode, with limits of 64 KiB.
func TestVirtual8086Segments(t *testing.T) {
	plain := in8086(0, 0)
	prove(t,
		program{name: "a segment register", code: asm("B8 34 20 8E D8 A0 05 00 |F4"), setup: with8086(0, 0, func(m *scene) { m.put(0x20345, []byte{0x5A}) }), // mov ax, 0x2034; mov ds, ax; mov al, [5]
			want: ends8086(0, reg{uop.RAX, 0x205A})},
		program{name: "null is a segment as others are", code: asm("31 C0 8E D8 8E C0 8E D0 A0 00 50 |F4"), setup: with8086(0, 0, func(m *scene) { m.put(0x5000, []byte{0x77}) }), want: ends8086(0, reg{uop.RAX, 0x77})},
		program{name: "above 1 MiB", code: asm("B8 FF FF 8E D8 A0 20 00 |F4"), setup: with8086(0, 0, func(m *scene) { m.put(0x100010, []byte{0x66}) }), want: ends8086(0, reg{uop.RAX, 0xFF66})},
		program{name: "a word across the limit", code: asm("|A1 FF FF"), setup: plain, want: raises8086(uop.VectorGP, 0)},
		program{name: "a word across the limit of the stack", code: asm("BD FF FF |8B 46 00"), setup: plain, want: raises8086(uop.VectorSS, 0)},
		program{name: "an address of 32 bits beyond the limit", code: asm("66 BB 00 00 01 00 |67 8A 03"), setup: plain, want: raises8086(uop.VectorGP, 0)},
		program{name: "a store to code", code: asm("2E C6 06 00 02 5A 2E A0 00 02 |F4"), setup: plain, want: ends8086(0, reg{uop.RAX, 0x5A})}, // mov byte cs:[0x200], 0x5A; mov al, cs:[0x200]
		program{name: "a far jump and back", code: asm("9A 10 00 00 11 |F4"), setup: with8086(0, 0, func(m *scene) { m.put(0x11010, []byte{0xB8, 0x22, 0x11, 0xCB}) }), // call 0x1100:0x10; there: mov ax; retf
			want: ends8086(0, reg{uop.RAX, 0x1122}, reg{uop.RSP, progRSP0 - 40})},
		program{name: "a far jump beyond the limit", code: asm("|66 EA", le(0x10000, 4), le(0x1100, 2)), setup: plain, want: raises8086(uop.VectorGP, 0)},
		program{name: "LES", code: asm("C4 1E 10 00 26 8A 07 |F4"), setup: with8086(0, 0, func(m *scene) { // les bx, [0x10]; mov al, es:[bx]
			m.put(dosDS<<4+0x10, []byte{0x08, 0x00, 0x00, 0x24})
			m.put(0x24008, []byte{0x99})
		}), want: ends8086(0, reg{uop.RAX, 0x99})},
		program{name: "beyond the end of the code", code: asm("E9 FC FF"), setup: with8086(0, 0, func(m *scene) { // jmp to FFFF, where an instruction of two bytes begins
			m.put(progCode+0xFFFF, []byte{0x6A, 0})
			m.mark = m.start + 0xFFFF
		}), want: raises8086(uop.VectorGP, 0)},
	)
}

// SDM vol. 2, the instructions' "virtual-8086 mode exceptions".
func TestInstructionsThatVirtual8086ModeHasNot(t *testing.T) {
	for name, code := range map[string]string{
		"SLDT": "0F 00 C0", "STR": "0F 00 C8", "LLDT": "0F 00 D0", "LTR": "0F 00 D8", "VERR": "0F 00 E0", "VERW": "0F 00 E8", "LAR": "0F 02 C0", "LSL": "0F 03 C0",
		"SLDT to memory that there is not": "0F 00 06 FF FF", "ARPL": "63 C0", "SYSCALL": "0F 05", "SYSRET": "0F 07", "CLAC": "0F 01 CA", "STAC": "0F 01 CB", "VEX": "C5 F8 28 C1",
	} {
		prove(t, program{name: name, code: asm("|", code), setup: in8086(dosIOPL3, 0), want: raises8086(uop.VectorUD, 0)})
	}
	for name, code := range map[string]string{
		"HLT": "F4", "LGDT": "0F 01 16 00 00", "LIDT": "0F 01 1E 00 00", "LMSW": "0F 01 F0", "CLTS": "0F 06", "MOV from CR0": "0F 20 C0", "MOV to CR3": "0F 22 D8", "MOV from DR7": "0F 21 F8",
		"INVD": "0F 08", "WBINVD": "0F 09", "INVLPG": "0F 01 3E 00 00", "RDMSR": "0F 32", "WRMSR": "0F 30", "SYSENTER without its register": "0F 34", "SYSEXIT": "0F 35", "XSETBV": "0F 01 D1", "INVPCID": "66 0F 38 82 06 00 00",
		"IN": "E4 62", "a word of which one port is forbidden": "E5 61", "OUTS": "BA 62 00 |6E", "a port beyond the map": "BA 00 02 |EC",
	} {
		if !strings.Contains(code, "|") {
			code = "|" + code
		}
		prove(t, program{name: name, code: asm(code), setup: in8086(dosIOPL3, 0), want: raises8086(uop.VectorGP, 0)})
	}
	prove(t,
		program{name: "ports that the map allows, with IOPL 0", code: asm("E5 60 E4 61 |F4"), setup: in8086(0, 0), want: ends8086(0)},
		program{name: "SMSW and SGDT", code: asm("0F 01 E0 0F 01 06 00 01 |F4"), setup: in8086(0, 0), want: ends8086(0)},
		program{name: "SMSW with UMIP", code: asm("|0F 01 E0"), setup: in8086(0, CR4UMIP), want: raises8086(uop.VectorGP, 0)},
		program{name: "SYSENTER", code: asm("0F 34"), setup: with8086(FlagIF, 0, func(m *scene) {
			m.msr.sysenter = [3]uint64{selCode, progSP, progFree}
			m.put(progFree, []byte{0xF4})
		}), want: func(t *testing.T, m *scene, e Exit) {
			if s := m.CPU.State(); e.Kind != ExitHalted || m.RIP() != progFree+1 || s.CPL != 0 || s.RFLAGS&(FlagVM|FlagIF) != 0 || s.Seg[uop.SegDS] != segment8086(dosDS) || s.Seg[uop.SegSS].Limit != low {
				t.Errorf("exit %v at %#x: %+v", e, m.RIP(), s)
			}
		}},
	)
}

// SDM vol. 3, 21.2.7, and table 21-2, methods 1 and 2: what IOPL decides without VME.
func TestVirtual8086IOPL(t *testing.T) {
	sensitive := map[string]string{"CLI": "FA", "STI": "FB", "PUSHF": "9C", "POPF": "9D", "PUSHFD": "66 9C", "POPFD": "66 9D", "INT": "CD 40", "INT 3 of two bytes": "CD 03", "IRET": "CF", "IRETD": "66 CF"}
	for name, code := range sensitive {
		for level := range uint64(3) {
			prove(t, program{name: fmt.Sprintf("%s with IOPL %d", name, level), code: asm("|", code), setup: in8086(level<<12|FlagIF, 0), want: raises8086(uop.VectorGP, 0)})
		}
	}
	user := func(vector uint64) func(m *scene) { // with IOPL 0, and a gate that programs may call
		return with8086(0, 0, func(m *scene) { m.put(progIDT+vector*8+5, []byte{0xEE}) })
	}
	user3 := func(vector uint64) func(m *scene) {
		return with8086(dosIOPL3|FlagIF, 0, func(m *scene) { m.put(progIDT+vector*8+5, []byte{0xEE}) })
	}
	prove(t,
		program{name: "CLI", code: asm("FA |F4"), setup: in8086(dosIOPL3|FlagIF, 0), want: ends8086(0)},
		program{name: "STI", code: asm("FB |F4"), setup: in8086(dosIOPL3, 0), want: ends8086(FlagIF)},
		program{name: "PUSHFD shows no VM", code: asm("66 9C 66 58 |F4"), setup: in8086(dosIOPL3|FlagIF|FlagVIP, 0), want: ends8086(FlagIF|FlagVIP, reg{uop.RAX, 2 | iopl | FlagIF | FlagVIP})},
		program{name: "POPFD changes IF, and neither IOPL nor VM nor VIF", code: asm("66 68", le(FlagVIF|FlagNT, 4), "66 9D FA |F4"), setup: in8086(dosIOPL3|FlagIF|FlagVIP, 0), want: ends8086(FlagVIP | FlagNT)}, // CLI, which IOPL 0 would forbid
		program{name: "IRETD", code: asm("66 68", le(FlagIF|FlagVIF, 4), "66 68", le(progCode>>4, 4), "66 68", le(0x20, 4), "66 CF"), setup: with8086(dosIOPL3, 0, func(m *scene) {
			m.put(progCode+0x20, []byte{0xF4})
			m.mark = m.start + 0x20
		}), want: ends8086(FlagIF)},
		program{name: "INT through a gate", code: asm("CD 41 |90"), setup: user3(0x41), want: raises8086(0x41, 0)},
		program{name: "INT through a gate that programs may not call", code: asm("|CD 42"), setup: in8086(dosIOPL3, 0), want: raises8086(uop.VectorGP, 0x42<<3|2)},
		program{name: "INT3 needs no IOPL", code: asm("CC |90"), setup: user(3), want: raises8086(uop.VectorBP, 0)},
		program{name: "INT3 through a gate that programs may not call", code: asm("|CC"), setup: in8086(dosIOPL3, 0), want: raises8086(uop.VectorGP, 3<<3|2)},
		program{name: "INTO needs no IOPL", code: asm("CE |90"), setup: func(m *scene) { user(4)(m); m.from.RFLAGS |= FlagOF }, want: raises8086(uop.VectorOF, 0)},
		program{name: "INT1 needs neither", code: asm("F1 |90"), setup: in8086(0, 0), want: raises8086(uop.VectorDB, 0)},
	)
}

// SDM vol. 3, 21.3.1.1: interrupts and exceptions through gates.
func TestVirtual8086Gates(t *testing.T) {
	gate := func(vector, selector, attributes uint64) func(m *scene) {
		return with8086(dosIOPL3|FlagIF, 0, func(m *scene) {
			m.write(progGDT+selNoRead, 0x00CF9F000000FFFF) // conforming, DPL 0
			at := progGate + vector*16
			m.write(progIDT+vector*8, at&0xFFFF|selector<<16|attributes<<32|at>>16<<48)
		})
	}
	const vector = 0x41
	prove(t,
		program{name: "a trap gate leaves IF", code: asm("CD 41 |90"), setup: gate(vector, selCode, 0xEF00), want: func(t *testing.T, m *scene, e Exit) {
			raises8086(vector, 0)(t, m, e)
			if m.Flags()&FlagIF == 0 {
				t.Error("IF is clear in the handler")
			}
		}},
		program{name: "to privilege 3", code: asm("|CD 41"), setup: gate(vector, selUser|3, 0xEE00), want: raises8086(uop.VectorGP, selUser)},
		program{name: "an exception to privilege 3", code: asm("|0F 0B"), setup: gate(uop.VectorUD, selUser|3, 0xEE00), want: raises8086(uop.VectorGP, selUser|1)},
		program{name: "to conforming code", code: asm("|CD 41"), setup: gate(vector, selNoRead, 0xEE00), want: raises8086(uop.VectorGP, selNoRead)},
		program{name: "to data", code: asm("|CD 41"), setup: gate(vector, selData, 0xEE00), want: raises8086(uop.VectorGP, selData)},
		program{name: "an absent gate", code: asm("|CD 41"), setup: gate(vector, selCode, 0x6E00), want: raises8086(uop.VectorNP, vector<<3|2)},
		program{name: "a gate of 16 bits", code: asm("CD 41 |90"), setup: gate(vector, selCode, 0xE600), want: func(t *testing.T, m *scene, e Exit) {
			sp := m.R[uop.RSP]
			var got [9]uint64
			for i := range got {
				got[i] = m.word(sp+2*uint64(i)) & 0xFFFF
			}
			want := [9]uint64{2, progCode >> 4, 2 | iopl | FlagIF, dosSP, progData >> 4, dosES, dosDS, dosFS, dosGS}
			if e.Kind != ExitHalted || sp != progRSP0-18 || got != want || m.CPU.State().CPL != 0 {
				t.Errorf("exit %v at %#x, SP %#x: %x, want %x", e, m.RIP(), sp, got, want)
			}
		}},
		program{name: "a task gate is said not to be there", code: asm("|CD 41"), setup: gate(vector, selTask, 0xE500), want: func(t *testing.T, m *scene, e Exit) {
			var err *UnsupportedError
			if e.Kind != ExitStopped || !errors.As(e.Err, &err) || !strings.Contains(err.What, "task switch") {
				t.Errorf("exit %v at %#x", e, m.RIP())
			}
		}},
		program{name: "an interrupt from outside", code: asm("40 EB FD"), setup: with8086(FlagIF, 0, func(m *scene) { m.APIC.startTimerIn(20) }), want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught8086(t, e); c.vector != irq || c.cs != progCode>>4 || c.ip > 1 || c.flags&(FlagVM|FlagIF) != FlagVM|FlagIF {
				t.Errorf("%+v", c)
			}
		}},
		program{name: "none while IF is clear", code: asm("B9 40 00 E2 FE |F4"), setup: with8086(FlagVIF, CR4VME, func(m *scene) { m.APIC.startTimerIn(20) }), want: ends8086(FlagVIF)}, // mov cx, 64; loop
		program{name: "a TSS without a stack", code: asm("|0F 0B"), setup: with8086(0, 0, func(m *scene) {
			m.poke(progTSS+4, progRSP0|selUser<<32)
			m.from.IDTR.Limit = 0x5F // #TS is beyond, so that this ends in a triple fault
		}), want: func(t *testing.T, m *scene, e Exit) {
			if s := m.CPU.State(); e.Kind != ExitTripleFault || s.RFLAGS&FlagVM == 0 || s.RIP != 0 || s.CPL != 3 {
				t.Errorf("exit %v at %#x, flags %#x", e, m.RIP(), s.RFLAGS)
			}
		}},
	)
}

// SDM vol. 3, 21.3.2 and table 21-2, methods 3 to 6: CR4.VME.
func TestVirtualModeExtensions(t *testing.T) {
	const vector, handler = 0x21, 0x300
	dos := func(flags uint64, monitors bool) func(m *scene) { // the program has a handler at its own vector, unless the monitor has it
		return with8086(flags, CR4VME, func(m *scene) {
			m.put(vector*4, []byte{handler & 0xFF, handler >> 8, progCode >> 4 & 0xFF, progCode >> 12})
			m.put(progCode+handler, []byte{0xF4})
			if monitors {
				m.put(progTSS+dosRedirection+vector/8, []byte{1 << (vector % 8)})
				m.put(progIDT+vector*8+5, []byte{0xEE})
			}
		})
	}
	redirected := func(pushed, flags uint64) func(*testing.T, *scene, Exit) { // to the handler, whose HLT is the monitor's
		return func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			m.mark = m.start + handler
			ends8086(flags)(t, m, e)
			at := uint64(progData + dosSP - 6)
			if ip, cs, f := m.word(at)&0xFFFF, m.word(at+2)&0xFFFF, m.word(at+4)&0xFFFF; ip != 2 || cs != progCode>>4 || f != pushed || m.caught8086(t, e).esp != dosSP-6 {
				t.Errorf("pushed %#x:%#x, flags %#x, want flags %#x", cs, ip, f, pushed)
			}
		}
	}
	flags := func(v uint64) string { return "68" + le(v, 2) }
	frame := func(v uint64) string { return flags(v) + "68" + le(progCode>>4, 2) + "68" + le(0x20, 2) } // of IRET to 20
	at20 := func(flags uint64) func(m *scene) {
		return func(m *scene) {
			dos(flags, false)(m)
			m.put(progCode+0x20, []byte{0xF4})
		}
	}
	ends20 := func(flags uint64) func(*testing.T, *scene, Exit) {
		return func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			m.mark = m.start + 0x20
			ends8086(flags)(t, m, e)
		}
	}
	prove(t,
		program{name: "method 3: the monitor's", code: asm("|CD 21"), setup: dos(FlagVIF, true), want: raises8086(uop.VectorGP, 0)},
		program{name: "method 4: the monitor's, through the gate", code: asm("CD 21 |90"), setup: dos(dosIOPL3, true), want: raises8086(vector, 0)},
		program{name: "VIF and VIP together are the monitor's, in front of the next instruction", code: asm("|90"), setup: dos(FlagVIF|FlagVIP, false), want: raises8086(uop.VectorGP, 0)},
		program{name: "method 5: the program's, with IOPL 3", code: asm("CD 21"), setup: dos(dosIOPL3|FlagIF|FlagVIF|FlagNT, false), want: redirected(2|iopl|FlagIF|FlagNT, FlagVIF|FlagNT)},
		program{name: "method 6: the program's, with VIF", code: asm("CD 21"), setup: dos(FlagVIF, false), want: redirected(2|iopl|FlagIF, 0)},
		program{name: "method 6: IF is not the program's", code: asm("CD 21"), setup: dos(FlagIF|1<<12, false), want: redirected(2|iopl, FlagIF)},
		program{name: "TF is pushed, and does not trap in front of the handler", code: asm("CD 21"), setup: dos(FlagTF, false), want: redirected(2|iopl|FlagTF, 0)},
		program{name: "INT3 is no INT n", code: asm("|CC"), setup: dos(0, false), want: raises8086(uop.VectorGP, 3<<3|2)},
		program{name: "a map beyond the TSS", code: asm("|CD 21"), setup: func(m *scene) { dos(0, false)(m); m.put(progTSS+0x66, []byte{0xFF, 0x7F}) }, want: raises8086(uop.VectorGP, 0)},
		program{name: "a map in front of the TSS", code: asm("|CD 21"), setup: func(m *scene) { dos(0, false)(m); m.put(progTSS+0x66, []byte{0x10, 0}) }, want: raises8086(uop.VectorGP, 0)},
		program{name: "no room on the stack", code: asm("|CD 21"), setup: func(m *scene) { dos(0, false)(m); m.from.GPR[uop.RSP] = 1 }, want: raises8086(uop.VectorSS, 0)},

		program{name: "CLI", code: asm("FA |F4"), setup: dos(FlagIF|FlagVIF, false), want: ends8086(FlagIF)},
		program{name: "STI", code: asm("FB |F4"), setup: dos(0, false), want: ends8086(FlagVIF)},
		program{name: "STI while VIP is set", code: asm("|FB"), setup: dos(FlagVIP, false), want: raises8086(uop.VectorGP, 0)},
		program{name: "STI with IOPL 3 is about IF", code: asm("FB |F4"), setup: dos(dosIOPL3|FlagVIP, false), want: ends8086(FlagIF | FlagVIP)},
		program{name: "PVI is not for this mode", code: asm("|FB"), setup: in8086(0, CR4PVI), want: raises8086(uop.VectorGP, 0)},

		program{name: "PUSHF shows VIF as IF", code: asm("9C 58 |F4"), setup: dos(FlagVIF, false), want: ends8086(FlagVIF, reg{uop.RAX, 2 | iopl | FlagIF})},
		program{name: "PUSHF does not show IF", code: asm("9C 58 |F4"), setup: dos(FlagIF, false), want: ends8086(FlagIF, reg{uop.RAX, 2 | iopl})},
		program{name: "PUSHFD", code: asm("|66 9C"), setup: dos(FlagVIF, false), want: raises8086(uop.VectorGP, 0)},
		program{name: "POPF sets VIF", code: asm(flags(FlagIF|FlagNT|iopl), "9D |F4"), setup: dos(0, false), want: ends8086(FlagVIF | FlagNT)},
		program{name: "POPF clears VIF, and not IF", code: asm(flags(0), "9D |F4"), setup: dos(FlagIF|FlagVIF, false), want: ends8086(FlagIF)},
		program{name: "POPF of IF while VIP is set", code: asm(flags(FlagIF), "|9D"), setup: dos(FlagVIP, false), want: raises8086(uop.VectorGP, 0)},
		program{name: "POPF without IF while VIP is set", code: asm(flags(0), "9D |F4"), setup: dos(FlagVIP, false), want: ends8086(FlagVIP)},
		program{name: "POPF of TF", code: asm(flags(FlagTF), "|9D"), setup: dos(0, false), want: raises8086(uop.VectorGP, 0)},
		program{name: "POPFD", code: asm("66 6A 00 |66 9D"), setup: dos(0, false), want: raises8086(uop.VectorGP, 0)},
		program{name: "IRET sets VIF", code: asm(frame(FlagIF), "CF"), setup: at20(0), want: ends20(FlagVIF)},
		program{name: "IRET of IF while VIP is set", code: asm(frame(FlagIF), "|CF"), setup: at20(FlagVIP), want: raises8086(uop.VectorGP, 0)},
		program{name: "IRET of TF", code: asm(frame(FlagTF), "|CF"), setup: at20(0), want: raises8086(uop.VectorGP, 0)},
		program{name: "IRETD", code: asm("|66 CF"), setup: at20(0), want: raises8086(uop.VectorGP, 0)},
		program{name: "INT and back", code: asm("CD 21 |F4"), setup: func(m *scene) { dos(FlagVIF, false)(m); m.put(progCode+handler, []byte{0xCF}) }, want: ends8086(FlagVIF)},
	)
}

// A processor that is saved in virtual-8086 mode is in it when it is loaded, and what changes flags alone does not change modes.
func TestVirtual8086State(t *testing.T) {
	p := program{code: asm("90"), setup: in8086(FlagVIP, 0)}
	m := newScene(t, &p, 0)
	if s := m.CPU.State(); s.RFLAGS != 2|FlagVM|FlagVIP || s.CPL != 3 {
		t.Errorf("flags %#x, CPL %d", s.RFLAGS, s.CPL)
	}
	if m.SetFlags(2); m.Flags() != 2|FlagVM {
		t.Errorf("flags %#x after they were cleared", m.Flags())
	}
	for name, change := range map[string]func(s *State){
		"real mode": func(s *State) { s.CR0 &^= CR0PE }, "long mode": func(s *State) { s.EFER |= EFERLMA | EFERLME },
	} {
		s := m.from
		change(&s)
		if m.SetState(&s); m.Flags()&FlagVM != 0 {
			t.Errorf("%s has VM", name)
		}
		m.SetState(&m.from)
	}
}
