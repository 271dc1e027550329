package x86

import (
	"errors"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Real and protected mode against the manual (SDM vol. 3, chapters 6, 7, 21), in what QEMU's TCG does not look at: limits, and
// what a segment may be used for. The programs are 32-bit code with CS at 0, unless their setup says otherwise.

// Selectors of legacy programs, beyond those of program_test.go, whose places they take.
const (
	selSmall  = selUData    // data at progData, limit FFF
	selDown   = selUCode    // data at progData that expand down to 7FF, with 16 bits
	selNoRead = selConform  // code that cannot be read
	selRead   = selExec     // code that can
	selShort  = selAbsent   // code at progCode, limit FF
	selStack  = selFresh    // a stack at progData, limit FFF, with 16 bits
	selGate   = selAbsCode  // a call gate
	selTask   = selTSS2     // a TSS
	selUser   = selTSS2 + 8 // code, DPL 3
)

// legacy sets up protected mode without paging.
func legacy(m *scene) {
	m.from.CR0, m.from.CR4, m.from.EFER = CR0PE|CR0NE|CR0ET, 0, 0
	for selector, d := range map[uint64]uint64{
		selCode: 0x00CF9B000000FFFF, selData: 0x00CF93000000FFFF,
		selSmall: tryDescriptor(progData, 0xFFF, segPresent|segData|segBig), selDown: tryDescriptor(progData, 0x7FF, segPresent|segData|segExpandDown),
		selReadOn: 0x00CF91000000FFFF, selNoRead: 0x00CF99000000FFFF, selRead: 0x00CF9B000000FFFF,
		selShort: tryDescriptor(progCode, 0xFF, segPresent|segS|segCode|segWritable|segAccessed|segBig),
		selStack: tryDescriptor(progData, 0xFFF, segPresent|segData),
		selTask:  tryDescriptor(progTSS, 0x67, segPresent|typeTSSAvail), selUser: 0x00CFFB000000FFFF,
	} {
		m.write(progGDT+selector, d)
	}
	for v := uint64(0); v < 256; v++ {
		at := uint64(progGate + v*16)
		m.write(progIDT+v*8, at&0xFFFF|selCode<<16|0x8E00<<32|at>>16<<48)
	}
	for n, selector := range map[int]uint16{uop.SegCS: selCode, uop.SegDS: selData, uop.SegES: selData, uop.SegSS: selData} {
		m.from.Seg[n] = unpack(selector, m.word(progGDT+uint64(selector)))
	}
	m.from.TR = Segment{}
}

// with loads segment registers before the program starts.
func with(segments map[int]uint16) func(m *scene) {
	return func(m *scene) {
		legacy(m)
		for n, selector := range segments {
			m.from.Seg[n] = Segment{Selector: selector}
			if selector&^3 != 0 {
				m.from.Seg[n] = unpack(selector, m.word(progGDT+uint64(selector)))
			}
		}
	}
}

// raisesLegacy is raises for frames of four bytes.
func raisesLegacy(vector uint8, code uint32) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		rip := m.RIP()
		if e.Kind != ExitHalted || rip < progGate || rip >= progGate+256*16 {
			t.Fatalf("exit %d (%v) at %#x", e.Kind, e.Err, rip)
		}
		s := m.CPU.State()
		sp := s.Seg[uop.SegSS].Base + s.GPR[uop.RSP]&s.Seg[uop.SegSS].top()
		var got uint32
		switch vector {
		case uop.VectorDF, uop.VectorTS, uop.VectorNP, uop.VectorSS, uop.VectorGP, uop.VectorPF, uop.VectorAC:
			got = uint32(m.word(sp))
			sp += 4
		}
		mark := m.mark - m.start + m.from.RIP
		if v, at := uint8((rip-progGate)/16), m.word(sp)&low; v != vector || got != code || at != mark {
			t.Errorf("got %v with code %#x at %#x, want %v with code %#x at %#x", Exception{Vector: v}, got, at, Exception{Vector: vector}, code, mark)
		}
	}
}

// SDM vol. 3, 6.3: limits of segments. 6.5 and table 4-1 of chapter 4: what they may be used for.
func TestSegmentLimitsAndRights(t *testing.T) {
	ds := func(selector uint16) func(m *scene) { return with(map[int]uint16{uop.SegDS: selector}) }
	load := func(address uint64) string { return asm("|A1", le(address, 4), "F4") }       // mov eax, [address]
	store := func(address uint64) string { return asm("|A3", le(address, 4), "F4") }      // mov [address], eax
	rmw := func(address uint64) string { return asm("|FF 05", le(address, 4), "F4") }     // inc dword [address]
	x128 := func(address uint64) string { return asm("|0F 11 05", le(address, 4), "F4") } // movups [address], xmm0
	sse := func(m *scene) { ds(selSmall)(m); m.from.CR4 |= CR4OSFXSR }
	prove(t,
		program{name: "the last dword", code: load(0xFFC), setup: ds(selSmall), want: halts()},
		program{name: "a byte beyond", code: load(0xFFD), setup: ds(selSmall), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a store beyond", code: store(0xFFD), setup: ds(selSmall), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a read and a store beyond", code: rmw(0xFFD), setup: ds(selSmall), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "sixteen bytes", code: x128(0xFF0), setup: sse, want: halts()},
		program{name: "sixteen bytes, one beyond", code: x128(0xFF1), setup: sse, want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "an offset that would come round", code: load(0xFFFFFFFE), setup: ds(selSmall), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "expand-down, below", code: load(0x7FC), setup: ds(selDown), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "expand-down, across", code: load(0x7FE), setup: ds(selDown), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "expand-down, above", code: load(0x800), setup: ds(selDown), want: halts()},
		program{name: "expand-down, the top of 16 bits", code: load(0xFFFC), setup: ds(selDown), want: halts()},
		program{name: "expand-down, beyond the top of 16 bits", code: load(0xFFFD), setup: ds(selDown), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a store to what is read-only", code: store(progData), setup: ds(selReadOn), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a load from what is read-only", code: load(progData), setup: ds(selReadOn), want: halts()},
		program{name: "a load from a null segment", code: load(progData), setup: ds(0), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a load from code", code: asm("2E", "A1", le(progCode, 4), "F4"), setup: legacy, want: halts()},
		program{name: "a store to code", code: asm("|2E A3", le(progCode+0x100, 4)), setup: legacy, want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a load from code that cannot be read", code: asm("|2E A1", le(progCode, 4)), setup: with(map[int]uint16{uop.SegCS: selNoRead}), want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "the stack's limit is #SS", code: asm("B8 00 10 00 00 89 C5 |8B 45 00"), setup: func(m *scene) { // mov ebp, 0x1000; mov eax, [ebp]
			with(map[int]uint16{uop.SegSS: selSmall})(m)
			m.from.GPR[uop.RSP] = 0x800
		}, want: raisesLegacy(uop.VectorSS, 0)},
		program{name: "a push that wraps", code: asm("|50"), setup: func(m *scene) {
			with(map[int]uint16{uop.SegSS: selStack})(m)
			m.from.GPR[uop.RSP] = 0x7FFF_0002 // SP is 2, and the stack has 4 KiB: no room for the frame, neither for that of #DF
		}, want: func(t *testing.T, m *scene, e Exit) {
			if e.Kind != ExitTripleFault || m.RIP() != m.mark || m.R[uop.RSP] != 0x7FFF_0002 {
				t.Errorf("exit %v at %#x", e, m.RIP())
			}
		}},
		program{name: "REP MOVS ends at the limit", code: asm("BE", le(0xFF4, 4), "BF", le(progData+0x2000, 4), "B9 05 00 00 00 |F3 A5"), setup: ds(selSmall), want: func(t *testing.T, m *scene, e Exit) {
			raisesLegacy(uop.VectorGP, 0)(t, m, e)
			m.wantRegs(t, reg{uop.RCX, 2}, reg{uop.RSI, 0x1000}, reg{uop.RDI, progData + 0x200C})
		}},
	)
}

// SDM vol. 3, 6.3, 6.8: transfers have to lead into the code segment.
func TestCodeSegmentLimits(t *testing.T) {
	short := func(m *scene) {
		with(map[int]uint16{uop.SegCS: selShort})(m)
		m.from.RIP = 0 // of progCode
	}
	far := func(offset, selector uint64) string { return "EA" + le(offset, 4) + le(selector, 2) }
	prove(t,
		program{name: "a jump within", code: asm("EB 00 F4"), setup: short, want: halts()},
		program{name: "a jump beyond", code: asm("|E9 FB 00 00 00"), setup: short, want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a jump back below zero", code: asm("|EB FD"), setup: short, want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a call beyond", code: asm("|E8 FB 00 00 00"), setup: short, want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a return beyond", code: asm("68 00 01 00 00 |C3"), setup: short, want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a far jump within", code: asm(far(0x40, selShort), strings.Repeat("90", 0x39), "F4"), setup: legacy, want: halts()},
		program{name: "a far jump beyond", code: asm("|", far(0x100, selShort)), setup: legacy, want: raisesLegacy(uop.VectorGP, 0)},
		program{name: "a far jump to data", code: asm("|", far(0, selData)), setup: legacy, want: raisesLegacy(uop.VectorGP, selData)},
		program{name: "a far jump to a user's code", code: asm("|", far(0, selUser)), setup: legacy, want: raisesLegacy(uop.VectorGP, selUser)},
		program{name: "a far jump to a TSS is said not to be there", code: asm("|", far(0, selTask)), setup: legacy, want: func(t *testing.T, m *scene, e Exit) {
			var err *UnsupportedError
			if e.Kind != ExitStopped || !errors.As(e.Err, &err) || !strings.Contains(err.What, "task switch") || m.RIP() != m.mark {
				t.Errorf("exit %v at %#x", e, m.RIP())
			}
		}},
	)
}

// real sets up real mode with code at CS 1000 and data at DS 2000.
func real(m *scene) {
	m.CPU.INIT()
	m.from = m.CPU.State()
	m.from.CR0 = CR0ET
	m.from.RIP = 0
	for n, selector := range map[int]uint16{uop.SegCS: progCode >> 4, uop.SegDS: progData >> 4, uop.SegES: progData >> 4, uop.SegSS: progData >> 4} {
		m.from.Seg[n].Selector, m.from.Seg[n].Base = selector, uint64(selector)<<4
	}
	m.from.GPR[uop.RSP] = 0x8000
	for v := uint64(0); v < 256; v += 2 {
		m.write(v*4, v*16|progGate>>4<<16|(v+1)*16<<32|progGate>>4<<48)
	}
}

// raisesReal is raises for real mode, which has frames of three words and no error codes.
func raisesReal(vector uint8) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		s := m.CPU.State()
		rip := m.RIP()
		if e.Kind != ExitHalted || rip < progGate || rip >= progGate+256*16 {
			t.Fatalf("exit %d (%v) at %#x", e.Kind, e.Err, rip)
		}
		frame := m.word(progData + s.GPR[uop.RSP])
		if v, ip, cs := uint8((rip-progGate)/16), frame&0xFFFF, frame>>16&0xFFFF; v != vector || cs != progCode>>4 || ip != m.mark-m.start {
			t.Errorf("got %v at %#x:%#x, want %v at %#x:%#x", Exception{Vector: v}, cs, ip, Exception{Vector: vector}, progCode>>4, m.mark-m.start)
		}
		if s.RFLAGS&(FlagIF|FlagTF) != 0 {
			t.Errorf("flags %#x in the handler", s.RFLAGS)
		}
	}
}

// SDM vol. 3, chapter 21: real mode.
func TestRealMode(t *testing.T) {
	prove(t,
		program{name: "INT", code: asm("FB CD 42|F4"), setup: real, want: raisesReal(0x42)}, // sti; int 0x42
		program{name: "a word across the limit", code: asm("|A1 FF FF"), setup: real, want: raisesReal(uop.VectorGP)},
		program{name: "a word across the limit of the stack", code: asm("BD FF FF |8B 46 00"), setup: real, want: raisesReal(uop.VectorSS)},
		program{name: "offsets wrap", code: asm("BB FF FF C7 07 |F4"), setup: func(m *scene) {
			real(m)
			m.put(progCode, []byte{0xBB, 0xFF, 0xFF, 0x8A, 0x47, 0x02, 0xF4})
			m.put(progData+1, []byte{0x5A})
		}, want: halts(reg{uop.RAX, 0x5A})}, // mov bx, -1; mov al, [bx+2]
		program{name: "an address of 32 bits beyond the limit", code: asm("66 BB 00 00 01 00 |67 8A 03"), setup: real, want: raisesReal(uop.VectorGP)},
		program{name: "LLDT", code: asm("|0F 00 D0"), setup: real, want: raisesReal(uop.VectorUD)},
		program{name: "LAR", code: asm("|0F 02 C0"), setup: real, want: raisesReal(uop.VectorUD)},
		program{name: "SYSENTER", code: asm("|0F 34"), setup: real, want: raisesReal(uop.VectorGP)},
		program{name: "a vector beyond IDTR's limit ends in a triple fault", code: asm("CD 42"), setup: func(m *scene) { real(m); m.from.IDTR.Limit = 0x1F }, want: func(t *testing.T, m *scene, e Exit) {
			if e.Kind != ExitTripleFault {
				t.Errorf("exit %v at %#x", e, m.RIP())
			}
		}},
		program{name: "a limit of protected mode stays", code: asm( // to protected mode, DS with 4 GiB, and back: "unreal mode"
			"0F 01 16 00 01 0F 20 C0 0C 01 0F 22 C0 B9 10 00 8E D9 24 FE 0F 22 C0", // lgdt [0x100]; cr0 |= 1; mov ds, selData; cr0 &= ~1
			"B9 00 00 8E D9 66 BB", le(progBig, 4), "67 8A 03 F4"), setup: func(m *scene) { // mov ds, 0; mov ebx; mov al, [ebx]
			real(m)
			m.poke(progData+0x100, 0xFF|progGDT<<16)
			m.put(progBig, []byte{0x77})
		}, want: func(t *testing.T, m *scene, e Exit) {
			halts()(t, m, e)
			if al := uint8(m.R[uop.RAX]); al != 0x77 {
				t.Errorf("AL is %#x", al)
			}
		}},
	)
}

// The way of a boot sector: from reset to protected mode, PAE, long mode, compatibility mode, and back to real mode (SDM vol.
// 3, 10.8.5, 10.9).
func TestFromRealModeToLongModeAndBack(t *testing.T) {
	const table = 0x100 // in the data segment: what LGDT and LIDT load
	code := asm(
		"FA 0F 01 16 00 01",                  // cli; lgdt [0x100]
		"66 B8 20 00 00 00 0F 22 E0",         // cr4 = PAE
		"66 B8", le(progPML4, 4), "0F 22 D8", // cr3
		"66 B9 80 00 00 C0 0F 32 66 0D 00 01 00 00 0F 30", // efer |= LME
		"0F 20 C0 66 0D 01 00 00 80 0F 22 C0",             // cr0 |= PG, PE: compatibility mode, in a segment of real mode
		"66 EA", le(progCode+0x80, 4), le(selUCode, 2),
	)
	long := asm("48 B8 88 77 66 55 44 33 22 11 48 C1 E8 20", // mov rax, imm64; shr rax, 32
		"FF 2C 25", le(progData+0x110, 4)) // jmp far [..]: to 32-bit code
	compat := asm("01 C0 B9 10 00 00 00 8E D9", // add eax, eax; mov ecx, selData; mov ds, ecx
		"0F 20 C3 81 E3 FF FF FF 7F 0F 22 C3", // cr0 &= ~PG
		"EA 00 01", le(0, 2), le(selShort, 2)) // to 16-bit code, for real mode
	sixteen := asm("66 83 E3 FE 0F 22 C3 EA 20 01", le(progCode>>4, 2)) // cr0 &= ~PE; jmp far
	end := asm("66 05 01 00 00 00 CD 42")                               // add eax, 1; int 0x42
	prove(t, program{name: "and back", code: code, setup: func(m *scene) {
		real(m)
		for selector, d := range map[uint64]uint64{
			selCode: 0x00CF9B000000FFFF, selData: 0x00CF93000000FFFF, selUCode: 0x00AF9B000000FFFF, selShort: tryDescriptor(progCode, 0xFFFF, segPresent|segS|segCode|segWritable|segAccessed),
		} {
			m.write(progGDT+selector, d)
		}
		m.poke(progData+table, 0xFF|progGDT<<16)
		m.poke(progData+0x110, (progCode+0xC0)|selCode<<32)
		for at, s := range map[uint64]string{0x80: long, 0xC0: compat, 0x100: sixteen, 0x120: end} {
			b, _ := assemble(s)
			m.put(progCode+at, b)
		}
	}, want: func(t *testing.T, m *scene, e Exit) {
		if s := m.CPU.State(); e.Kind != ExitHalted || m.RIP() != progGate+0x42*16+1 || s.GPR[uop.RAX] != 2*0x11223344+1 || s.CR0&(CR0PE|CR0PG) != 0 || s.EFER&EFERLMA != 0 {
			t.Errorf("exit %v at %#x, EAX %#x, CR0 %#x, EFER %#x", e, m.RIP(), s.GPR[uop.RAX], s.CR0, s.EFER)
		}
	}})
}
