package x86

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// What is hostile here: code, registers, and page tables. Whatever they are, a run ends in bounded time without a
// panic, and it ends the same wherever blocks and deadlines fall.

// fuzzCuts are the ways in which each input is run.
var fuzzCuts = []cut{{0, 0, EngineInterpreter}, {1, 0, EngineInterpreter}, {7, 0, EngineInterpreter}, {0, 3, EngineInterpreter}, {2, 5, EngineInterpreter}}

// same runs a program at every cut and compares.
func same(t *testing.T, p *program) {
	t.Helper()
	var first ending
	for i, c := range underEach(fuzzCuts) {
		m := newSceneUnder(t, p, c)
		end := m.ending(m.drive(c.step))
		if err := m.mem.Close(); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = end
		} else if d := difference(first, end); d != "" {
			t.Fatalf("%v: not what blocks of any length and one deadline give: %s", c, d)
		}
	}
}

// skipping makes every exception step over a byte of the program and go on, so that garbage is run through. The timer
// interrupts, too.
func skipping(m *scene) {
	for v := range uint64(32) {
		code := "48 FF 04 24 48 CF" // inc qword [rsp]; iretq
		switch v {
		case uop.VectorDF, uop.VectorTS, uop.VectorNP, uop.VectorSS, uop.VectorGP, uop.VectorPF, uop.VectorAC:
			code = "48 83 C4 08" + code // add rsp, 8
		case uop.VectorDB, uop.VectorBP, uop.VectorOF:
			code = "48 CF"
		}
		b, _ := assemble(code)
		m.put(progGate+v*16, b)
		m.gate(v, progGate+v*16, 0x8E01) // on a stack that garbage does not reach so easily
	}
	eoi, _ := assemble(asm("50 51 52", wrmsr(apicEOI, 0), "5A 59 58 48 CF"))
	m.put(progFree+0x8000, eoi)
	m.gate(irq, progFree+0x8000, 0x8E00)
}

// interesting picks a value that registers of real programs, or of malicious ones, hold.
func interesting(r *rand.Rand) uint64 {
	switch r.IntN(8) {
	case 0:
		return progData + r.Uint64N(0x10000)
	case 1:
		return progUser + r.Uint64N(0x10000)
	case 2:
		return (progData+r.Uint64N(16)*0x1000)&^0xFFF + 0xFF0 + r.Uint64N(32) // about a page's end
	case 3:
		return r.Uint64N(32)
	case 4:
		return progCode + r.Uint64N(0x100)
	case 5:
		return 1<<47 - r.Uint64N(32)
	case 6:
		return -r.Uint64N(64)
	}
	return r.Uint64()
}

func FuzzInstructions(f *testing.F) {
	for i, s := range []string{
		"F3 48 AB 0F 0B", "0F 01 F8 0F 05", "9C 81 0C 24 00 01 00 00 9D 90 90", "FB F4 FA F4", "48 0F 07", "0F 22 E0 0F 22 C0", "EA CF CB CA 48 CF", "8E D0 8E D8 0F 00 D8",
		"C6 04 25 08 00 01 00 90 F4 90", "0F 30 0F 32 0F A2", "66 0F 38 82 03 0F 01 3B", "F0 48 0F C7 0B 0F AE 03 0F C7 23", "6C 6E F3 6C F3 6E E4 80 EF",
	} {
		b, _ := assemble(s)
		f.Add(b, uint64(i), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, code []byte, seed uint64, user bool) {
		if len(code) > 0x1000 {
			return
		}
		same(t, &program{user: user, setup: func(m *scene) {
			r := rand.New(rand.NewPCG(seed, 1))
			m.put(m.start, code)
			skipping(m)
			for i := range m.from.GPR {
				if i != uop.RSP || r.IntN(4) == 0 {
					m.from.GPR[i] = interesting(r)
				}
			}
			m.from.RFLAGS |= r.Uint64() & r.Uint64() & (arithmeticFlags | FlagTF | FlagIF | FlagDF | iopl | FlagNT | FlagAC | FlagID)
			m.from.CR4 |= r.Uint64() & r.Uint64() & cr4Keep &^ CR4PCIDE
			m.from.CR0 |= r.Uint64() & r.Uint64() & (CR0MP | CR0TS | CR0EM | CR0AM)
			m.from.XCR0 = 3
			m.msr.star, m.msr.lstar, m.msr.fmask = testSTAR, progCode+r.Uint64N(0x40), r.Uint64()&0xFFFF_FFFF
			m.msr.sysenter = [3]uint64{selCode, progSP, progCode + r.Uint64N(0x40)}
			m.msr.kernelGSBase = progData
			for i := range m.from.XMM {
				m.from.XMM[i] = XMM{r.Uint64(), r.Uint64()}
			}
			m.APIC.startTimerIn(1 + r.Uint64N(200))
			m.until = 600
		}})
	})
}

// fragments are pieces of system programs. %a is an address, %c one among the code, %p one of a page-table entry, %e an
// entry, %b a byte; R15 is kept for skipping.
var fragments = []string{
	"9C 58", "FB", "FA", "FB F4", "9C 81 0C 24 00 01 00 00 9D", "9C 81 24 24 FF FE FF FF 9D", "9C 81 0C 24 00 02 00 00 9D", // pushfq; sti; cli; TF on, off; IF on by popfq
	"8C D0 8E D0", "0F 01 CB", "0F 01 CA", "0F 01 F8", "0F 31", "0F 01 F9", "0F A2", // mov ss, ss; stac; clac; swapgs; rdtsc; rdtscp; cpuid
	"0F 20 D8 0F 22 D8", "0F 20 C0 48 0F BA F8 03 0F 22 C0", "0F 20 C0 48 0F BA F8 10 0F 22 C0", // cr3; CR0.TS, WP turned
	"0F 20 E0 48 0F BA F8 07 0F 22 E0", "0F 20 E0 48 0F BA F8 14 0F 22 E0", "0F 20 E0 48 0F BA F8 15 0F 22 E0", // CR4.PGE, SMEP, SMAP turned
	"B9 3F 08 00 00 B8 %b 00 00 00 31 D2 0F 30", "B9 0B 08 00 00 31 C0 31 D2 0F 30", "B8 %b 00 00 00 44 0F 22 C0", // self IPI, EOI, CR8
	"0F 31 05 %b 00 00 00 B9 E0 06 00 00 0F 30", "B9 32 08 00 00 B8 50 00 04 00 31 D2 0F 30", "B9 38 08 00 00 B8 %b 00 00 00 31 D2 0F 30", // timer
	"B8 %p C7 00 %e", "B8 %p 48 C7 00 %e 0F 01 3C 25 %a", "0F 01 3C 25 %a", "B8 %p 80 30 20", "B8 %p 80 30 02", // entries
	"48 8B 1C 25 %a", "48 89 1C 25 %a", "48 FF 04 25 %a", "C6 04 25 %c %b", "F0 48 0F B1 1C 25 %a", "0F 11 04 25 %a", "0F 10 04 25 %a", "FF 34 25 %a", "8F 04 25 %a",
	"BF %a B9 %b 00 00 00 F3 AA", "BF %a BE %a B9 %b 01 00 00 F3 A4", "BF %a B9 %b 00 00 00 F3 48 AB", "BF %a BE %a B9 %b 00 00 00 F3 A6", "BE %a B9 %b 00 00 00 BA 80 00 00 00 F3 6E",
	"CD 40", "CC", "F1", "0F 0B", "CD %b", "31 C9 F7 F1", "0F 05", "0F 34", "48 0F 07", "48 0F 35",
	"6A 23 68 00 F0 04 00 6A 02 6A 2B 68 00 00 04 00 48 CF", "8C D0 50 54 58 50 9C 6A 08 68 %c 48 CF", // iretq to user code, and to code
	"B8 %c FF E0", "B8 %c FF D0", "C3", "E8 02 00 00 00 EB 01 C3", "E2 FE", "B8 %b 00 00 00 8E E0", "8E D8", "0F 00 D8", "0F 01 14 25 %a", "0F 06", "D9 E8", "0F 57 C0",
}

// FuzzSystemPrograms runs programs that are put together from fragments.
func FuzzSystemPrograms(f *testing.F) {
	for i := range fragments {
		f.Add([]byte{byte(i), byte(i + 17), 31, byte(i + 5), byte(i)}, uint64(i))
	}
	f.Fuzz(func(t *testing.T, pieces []byte, seed uint64) {
		if len(pieces) > 200 {
			return
		}
		code, r := "", rand.New(rand.NewPCG(seed, 5))
		for _, p := range pieces {
			s := asm(fragments[int(p)%len(fragments)])
			for strings.Contains(s, "%") {
				s = strings.Replace(s, "%a", le([]uint64{progData, progUser, progBig, progCode}[r.IntN(4)]+r.Uint64N(0x2000), 4), 1)
				s = strings.Replace(s, "%c", le(progCode+r.Uint64N(0x200), 4), 1)
				s = strings.Replace(s, "%p", le(pte([]uint64{progData, progUser, progCode, progSP - 8}[r.IntN(4)]+r.Uint64N(0x2000)), 4), 1)
				s = strings.Replace(s, "%e", le((progData+r.Uint64N(16)*0x1000)|r.Uint64N(0x200)|pteP, 4), 1)
				s = strings.Replace(s, "%b", le(r.Uint64(), 1), 1)
			}
			code += s
		}
		same(t, &program{code: code + "F4", setup: func(m *scene) {
			r := rand.New(rand.NewPCG(seed, 6))
			skipping(m)
			m.put(progUser, []byte{0x90, 0xFF, 0xC0, 0x0F, 0x05, 0xCD, 0x40, 0xFF, 0xC3, 0xEB, 0xF6}) // nop; inc eax; syscall; int 0x40; inc ebx; jmp
			m.msr.star, m.msr.lstar, m.msr.fmask = testSTAR, progCode+r.Uint64N(0x40), r.Uint64N(1<<20)
			m.msr.sysenter = [3]uint64{selCode, progSP, progCode + r.Uint64N(0x40)}
			m.from.GPR[uop.RCX], m.from.GPR[uop.RDX] = progUser, progUser
			m.from.XCR0 = 3
			m.APIC.startTimerIn(1 + r.Uint64N(300))
			m.until = 1500
		}})
	})
}

// FuzzPageTables writes entries into page tables, anywhere and to anywhere, and then uses addresses.
func FuzzPageTables(f *testing.F) {
	entry := func(where, value uint64) []byte {
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(nil, uint32(where)), value)
	}
	f.Add(entry(progPML4+8*256, progPML4|pteP|pteW), []byte{0, 1, 2, 3}, uint64(1))
	f.Add(entry(progPD, progPD|pteP|pteW|pteU), []byte{4, 5, 6, 7}, uint64(2))
	f.Add(append(entry(progPDPT+8, 1<<30|pteP|ptePS), entry(progPD+16, progPML4|pteP|pteW|ptePS)...), []byte{8, 9, 10, 11, 12}, uint64(3))
	f.Add(entry(pte(progData), ^uint64(0)), []byte{1, 2, 1, 2}, uint64(4))
	f.Fuzz(func(t *testing.T, entries, uses []byte, seed uint64) {
		if len(entries) > 12*64 || len(uses) > 64 {
			return
		}
		r := rand.New(rand.NewPCG(seed, 2))
		bits := r.Uint64()
		same(t, &program{code: walkProgram(uses, rand.New(rand.NewPCG(seed, 3))), setup: func(m *scene) {
			for v := range uint64(32) { // R15 has the address of the next use
				b, _ := assemble("4C 89 7C 24 08 48 83 C4 08 48 CF") // mov [rsp+8], r15; add rsp, 8; iretq
				switch v {
				case uop.VectorDF, uop.VectorTS, uop.VectorNP, uop.VectorSS, uop.VectorGP, uop.VectorPF, uop.VectorAC:
				default:
					b, _ = assemble("4C 89 3C 24 48 CF") // mov [rsp], r15; iretq
				}
				m.put(progGate+v*16, b)
				m.gate(v, progGate+v*16, 0x8E01)
			}
			m.from.CR4 |= bits & (CR4SMEP | CR4SMAP | CR4PGE)
			if bits>>40&3 == 0 {
				m.from.CR0 &^= CR0WP
			}
			if bits>>42&3 == 0 {
				m.from.EFER &^= EFERNXE
			}
			for e := entries; len(e) >= 12; e = e[12:] {
				where := uint64(binary.LittleEndian.Uint32(e)) % progRAM &^ 7
				m.poke(where, binary.LittleEndian.Uint64(e[4:]))
			}
			m.until = 500
		}})
	})
}

// walkProgram uses addresses in the ways that uses says.
func walkProgram(uses []byte, r *rand.Rand) string {
	s := ""
	for _, u := range uses {
		va := interesting(r)
		switch r.IntN(4) {
		case 0:
			va = r.Uint64N(progRAM)
		case 1:
			va = uint64(int64(r.Uint64N(512)<<39|r.Uint64N(512)<<30|r.Uint64N(512)<<21|r.Uint64N(1<<21))<<16) >> 16
		}
		use := []string{
			"48 8B 03", "48 89 03", "48 01 03", "FF D3", "FF E3", "0F 01 3B", "0F 20 D8 0F 22 D8", "0F 10 03", "0F 11 03", // mov, mov, add, call, jmp, invlpg, mov cr3, movups
			"48 89 DF B1 10 F3 AA", "48 0F C7 0B", "8E 23", "0F 01 13", "48 83 03 00", // rep stosb, cmpxchg16b, mov fs, lgdt, add
		}[int(u)%14]
		n := uint64(len(asm(use)) / 2)
		s += asm(movImm(uop.RBX, va), "4C 8D 3D", le(n, 4), use) // lea r15, [rip + n]
	}
	return s + "F4"
}

// A walk gives what the manual says of it, read in another way than the walker is written.
func FuzzPageWalk(f *testing.F) {
	f.Add(uint64(1), uint64(0x20_3040_5060_7080), uint8(0))
	f.Add(uint64(2), uint64(0xFFFF_8000_0000_0000), uint8(7))
	f.Fuzz(func(t *testing.T, seed, va uint64, how uint8) {
		va = uint64(int64(va<<16) >> 16)
		r := rand.New(rand.NewPCG(seed, 4))
		m := newScene(t, &program{setup: func(m *scene) {
			m.from.CR4 |= r.Uint64() & (CR4SMEP | CR4SMAP)
			if r.IntN(4) == 0 {
				m.from.CR0 &^= CR0WP
			}
			if r.IntN(4) == 0 {
				m.from.EFER &^= EFERNXE
			}
			// A chain of tables for va, with most bits as they are used and some turned.
			table := uint64(progPML4)
			for level, shift := range levelShift {
				e := 0x10_0000 + r.Uint64N(16)*0x1000 | pteP | r.Uint64()&(pteW|pteU|pteA|pteD|pteG)
				if r.IntN(3) > 0 {
					e |= pteW | pteU
				}
				if level > 0 && r.IntN(5) == 0 {
					e = e&^(1<<shift-1&pteAddr) | ptePS
				}
				if r.IntN(6) == 0 {
					e ^= 1 << r.UintN(64) &^ pteAddr
				}
				if r.IntN(12) == 0 {
					e |= pteNX
				}
				m.write(table+va>>shift&0x1FF*8, e)
				table = e & pteAddr
			}
		}}, 0)
		defer func() { _ = m.mem.Close() }()
		kind, user, open := AccessKind(how%3), how>>2&1 != 0, how>>3&1 != 0
		want, code, ok := manualWalk(m, va, kind, user, open)
		got, gotOK := m.walk(va, kind, user, open)
		switch {
		case m.exiting: // a table outside memory ends the run
		case gotOK != ok:
			t.Fatalf("walk of %#x by %v, user %v: %v (%v), want %v (code %#x)", va, kind, user, gotOK, m.pending, ok, code)
		case ok && got.gpa != want&^pageMask:
			t.Fatalf("walk of %#x leads to %#x, want %#x", va, got.gpa, want)
		case !ok && (m.pending.Vector != uop.VectorPF || m.pending.Code != code || m.pending.CR2 != va):
			t.Fatalf("walk of %#x by %v, user %v: %v, want code %#x", va, kind, user, m.pending, code)
		}
		if again, _, okAgain := manualWalk(m, va, kind, user, open); ok && (!okAgain || again != want) {
			t.Fatalf("the walk changed more than accessed and dirty bits")
		}
	})
}

// manualWalk follows SDM vol. 3, 4.5.4 to 4.7, for addresses within memory.
func manualWalk(m *scene, va uint64, kind AccessKind, user, open bool) (gpa uint64, code uint32, ok bool) {
	nxe, smep, smap, wp := m.efer&EFERNXE != 0, m.cr4&CR4SMEP != 0, m.cr4&CR4SMAP != 0, m.cr0&CR0WP != 0
	if kind == Write {
		code |= 2
	}
	if user {
		code |= 4
	}
	if kind == Fetch && (nxe || smep) {
		code |= 16
	}
	rw, us, xd := true, true, false
	table := m.cr3 & pteAddr
	for _, size := range []uint64{1 << 39, 1 << 30, 1 << 21, 1 << 12} {
		at := table + va/size%512*8
		if at >= progRAM {
			return 0, 0, false
		}
		e := m.word(at)
		if e&1 == 0 {
			return 0, code, false
		}
		maps := size == 1<<12 || e&0x80 != 0
		reserved := size == 1<<39 && e&0x80 != 0 || !nxe && e>>63 != 0
		if maps && size == 1<<30 {
			reserved = reserved || e&0x3FFF_E000 != 0
		}
		if maps && size == 1<<21 {
			reserved = reserved || e&0x1F_E000 != 0
		}
		if reserved {
			return 0, code | 1 | 8, false
		}
		rw, us, xd = rw && e&2 != 0, us && e&4 != 0, xd || e>>63 != 0
		if maps {
			gpa = e&pteAddr&^(size-1) | va&(size-1)
			break
		}
		table = e & pteAddr
	}
	switch {
	case user && !us, user && kind == Write && !rw, kind == Fetch && xd:
		return 0, code | 1, false
	case !user && us && kind == Fetch && smep, !user && us && kind != Fetch && smap && !open, !user && kind == Write && !rw && wp:
		return 0, code | 1, false
	}
	return gpa, 0, true
}
