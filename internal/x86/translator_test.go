package x86

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// translating is the way to run under the translator, or skips the test.
func translating(t *testing.T) cut {
	t.Helper()
	switch err := TranslatorAvailable(); {
	case err != nil && runtime.GOOS == "linux" && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"):
		t.Fatal(err) // where it is to be proved it has to be there
	case err != nil:
		t.Skip(err)
	}
	return cut{engine: EngineTranslator}
}

// Flags go to code and come back, whatever they are and however they came about.
func TestPackedFlags(t *testing.T) {
	for of := range uint32(2) {
		for ah := range uint32(256) {
			v := ah&0xD5<<8 | of
			var f, g lazyFlags
			f.unpack(v | ^uint32(0xD501))
			g.set(uint64(ah) | uint64(of)<<11)
			if f != g || f.packed() != v {
				t.Errorf("%#x became %+v and %#x, want %+v", v, f, f.packed(), g)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		var f lazyFlags
		a, b := r.Uint64()>>r.IntN(64), r.Uint64()>>r.IntN(64)
		switch r.IntN(5) {
		case 0:
			f.add64(a, b)
		case 1:
			f.sub32(a, b)
		case 2:
			f.logic64(a & b)
		case 3:
			f.product(int64(a), b&1 != 0)
		case 4:
			subBorrow(&f, uint8(a), uint8(b), 0)
		}
		v := f.packed()
		if want := f.get(); uint64(v>>8)|uint64(v&1)<<11 != want {
			t.Fatalf("%+v is packed as %#x, want %#x", f, v, want)
		}
	}
}

// long makes a program of so many instructions in one round, which goes round three times.
func long(seed uint64, instructions int) *program {
	p := sequence(seed)
	s := &sequencer{Rand: rand.New(rand.NewPCG(seed, 12))}
	p.code = s.program(instructions)
	return p
}

// A memory for code that is too small for a program is filled again and again, and the program does what it does.
func TestCodeMemoryIsFull(t *testing.T) {
	how := translating(t)
	var ends []ending
	for _, small := range []bool{false, true} {
		p := long(59, 4000)
		p.before = func(m *scene) {
			if small {
				m.cfg.CodeBytes = 1 << 20
			}
		}
		m := newSceneUnder(t, p, how)
		ends = append(ends, m.ending(m.drive(0)))
		tr := m.code.translated
		if small && tr.resets == 0 || tr.code > tr.memory.Size() {
			t.Errorf("%d of %d bytes are in use, after all were thrown away %d times", tr.code, tr.memory.Size(), tr.resets)
		}
		if len(tr.blocks) == 0 {
			t.Error("nothing was translated")
		}
	}
	if d := difference(ends[0], ends[1]); d != "" {
		t.Errorf("with little memory for code: %s", d)
	}
}

// Machines of one process do not meet: each has code of its own.
func TestManyTranslatedMachines(t *testing.T) {
	how := translating(t)
	var wg sync.WaitGroup
	for i := range 8 {
		var scenes [2]*scene
		for j, c := range []cut{{}, how} {
			scenes[j] = newSceneUnder(t, long(uint64(100+i), 300), c)
		}
		wg.Go(func() {
			a, b := scenes[0].ending(scenes[0].drive(0)), scenes[1].ending(scenes[1].drive(7))
			if d := difference(a, b); d != "" {
				t.Errorf("machine %d: %s", i, d)
			}
		})
	}
	wg.Wait()
}

// A collection of garbage gets through while code runs that does not end by itself, and so does whoever wants the run to
// come back.
func TestCodeLetsOthersIn(t *testing.T) {
	how := translating(t)
	m := newSceneUnder(t, &program{code: asm("48 FF C0 EB FB")}, how) // again: inc rax; jmp again
	done := make(chan Exit)
	go func() { done <- m.Run(MaxTime) }()
	for range 20 {
		runtime.GC() // would not come back
	}
	m.Yield()
	if e := <-done; e.Kind != ExitYield || m.R[uop.RAX] < 1<<16 {
		t.Errorf("%+v after %d rounds", e, m.R[uop.RAX])
	}
}

// Code that does nothing but move and look through pages comes back when it has moved some hundreds of KiB: each of these
// instructions takes as long as hundreds of others.
func TestStringsTakeOfTheSlice(t *testing.T) {
	how := translating(t)
	for name, c := range map[string]struct {
		code  string
		most  uint64 // instructions in a slice
		count uint64
	}{
		"MOVSB": {asm("F3 A4"), slice / 512, 0x1000}, "MOVSQ": {asm("F3 48 A5"), slice / 512, 0x200},
		"STOSD": {asm("F3 AB"), slice / 512, 0x400}, "CMPSB": {asm("F3 A6"), slice / 0x1000, 0x1000}, "SCASW": {asm("F2 66 AF"), slice / 0x800, 0x800},
	} {
		one := asm("48 89 DE", "48 89 D7", "89 E9", c.code) // mov rsi, rbx; mov rdi, rdx; mov ecx, ebp; and the instruction
		m := newSceneUnder(t, &program{code: asm(strings.Repeat(one, 30), "E9", le(^uint64(30*uint64(len(one)/2)+4), 4)), setup: func(m *scene) {
			m.from.GPR[uop.RBX], m.from.GPR[uop.RDX], m.from.GPR[uop.RBP] = progData, progFree, c.count
			m.from.GPR[uop.RAX] = 1
			for i := uint64(0); i < 0x1000; i += 8 {
				m.write(progData+i, 3)
				m.write(progFree+i, 3)
			}
		}}, how)
		m.Run(10_000) // nanoseconds, in which all is translated
		tr := translator{m.code.translated}
		before := m.icount
		b := m.lookup()
		if !tr.has(b) {
			t.Fatalf("%s: it has not been translated", name)
		}
		m.limit.Store(math.MaxUint64)
		tr.native(m.CPU, b, math.MaxUint64, false)
		if n := (m.icount - before) / 4; n == 0 || n > c.most+1 {
			t.Errorf("%s: %d of them in a slice, want %d at most", name, n, c.most)
		}
	}
}

// Short strings of all lengths, forward and backward over themselves, come to the same under each engine.
func TestShortStrings(t *testing.T) {
	translating(t)
	for name, s := range map[string]struct {
		code string
		n    int
	}{
		"MOVSB": {"F3 A4", 1}, "MOVSW": {"66 F3 A5", 2}, "MOVSD": {"F3 A5", 4}, "MOVSQ": {"F3 48 A5", 8},
		"STOSB": {"F3 AA", 1}, "STOSW": {"66 F3 AB", 2}, "STOSD": {"F3 AB", 4}, "STOSQ": {"F3 48 AB", 8},
	} {
		fill, sum := "", ""
		for i := range 32 {
			fill += asm("4C 89 93", le(uint64(i*8), 4), "49 C1 C2 05 4D 01 DA") // mov [rbx + i*8], r10; rol r10, 5; add r10, r11
			sum += asm("4C 03 A3", le(uint64(i*8), 4), "49 C1 C4 07")           // add r12, [rbx + i*8]; rol r12, 7
		}
		turn := asm(fill, "48 8D 73 38 4A 8D 7C 0B 38 44 89 C1 4C 89 D0", s.code, sum) // lea rsi, [rbx+56]; lea rdi, [rbx+r9+56]; mov ecx, r8d; mov rax, r10
		turn += asm("49 FF C1 49 83 F9 19 0F 8C", le(^uint64(len(turn)/2+13-1), 4))    // inc r9; cmp r9, 25; jl back
		turn = asm("49 C7 C1 E8 FF FF FF", turn)                                       // mov r9, -24
		turn += asm("49 FF C0 49 81 F8", le(uint64(140/s.n), 4), "0F 8C", le(^uint64(len(turn)/2+16-1), 4), "F4")
		p := &program{code: turn, setup: func(m *scene) {
			m.until = 100_000_000
			m.from.GPR[uop.RBX], m.from.GPR[10], m.from.GPR[11] = progData, 0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9
		}}
		m, other := newSceneUnder(t, p, cut{}), newSceneUnder(t, p, cut{engine: EngineTranslator})
		a, b := m.ending(m.drive(0)), other.ending(other.drive(0))
		if d := difference(a, b); d != "" || m.R[8] != uint64(140/s.n) {
			t.Errorf("%s, %d elements: %s", name, m.R[8], d)
		}
	}
}

// CMPXCHG16B as code: every second one finds what it compares with; its operands begin in page after page.
func TestCompareExchange16(t *testing.T) {
	translating(t)
	p := &program{code: asm(
		"48 8B 07 48 8B 57 08 0F BA E1 00 48 83 D2 00 F6 C1 02 F0 48 0F C7 0F",    // again: mov rax, [rdi]; mov rdx, [rdi+8]; bt ecx, 0; adc rdx, 0; test cl, 2; lock cmpxchg16b [rdi]
		"9C 41 58 4D 01 C4 49 C1 C4 07 49 01 C4 49 01 D4 48 83 C7 10 48 FF C9 75", // pushf; pop r8; add r12, r8; rol r12, 7; add r12, rax; add r12, rdx; add rdi, 16; dec rcx; jnz again
		"D0 48 FF C7 F0 48 0F C7 0F F4",                                           // inc rdi; lock cmpxchg16b [rdi], which is not aligned
	), setup: func(m *scene) {
		skipping(m)
		m.until = 100_000
		m.from.GPR[uop.RDI], m.from.GPR[uop.RCX], m.from.GPR[uop.RBX] = progData, 0x300, 0x9E37_79B9_7F4A_7C15
	}}
	for _, every := range []uint64{0, 1000, 100_000} {
		if d := lockstep(t, p, every, nil); d != "" {
			t.Errorf("compared every %d: %s", every, d)
		}
	}
}

// SYSCALL and SYSRET as code, again and again: with flags of all kinds that go there and come back, some of which are the
// interpreter's business, and interrupted by a timer. The program reads what is not aligned; with SMAP, the kernel has no
// access to the stack that it finds.
func TestSystemCallsAsCode(t *testing.T) {
	translating(t)
	const arithmetic = arithmeticFlags
	smap := false
	for _, fmask := range []uint64{0, FlagIF | FlagTF | FlagDF | FlagAC, arithmetic | FlagIF | FlagTF | FlagAC, FlagCF | FlagOF | FlagIF | FlagAC} {
		for _, back := range []uint64{0, arithmetic, arithmetic | FlagIF, FlagZF | FlagOF | FlagID | FlagDF, iopl | FlagNT | FlagVM, FlagAC, FlagTF, 1 << 40} {
			p := &program{user: true, code: asm(
				"0F 05 9C 41 58 4D 01 C4 49 C1 C4 07 49 01 CC 65 4C 03 24 25 21 00 00 00", // again: syscall; pushf; pop r8; add r12, r8; rol r12, 7; add r12, rcx; add r12, gs:[33]
				"4D 01 DD 49 D1 CD 49 FF CF 75 DD CD 40",                                  // add r13, r11; ror r13, 1; dec r15; jnz again; int 0x40
			), setup: func(m *scene) {
				skipping(m)
				kernel, _ := assemble(asm("9C 58 49 01 C4 49 D1 C4 0F 01 F8 65 4C 03 24 25 20 00 00 00 0F 01 F8", // pushf; pop rax; add r12, rax; rol r12, 1; swapgs; add r12, gs:[32]; swapgs
					"4D 31 D3 48 0F 07")) // xor r11, r10; sysretq
				m.put(testLSTAR, kernel)
				m.msr.star, m.msr.lstar, m.msr.fmask, m.msr.kernelGSBase = testSTAR, testLSTAR, fmask, progData
				m.from.GPR[10], m.from.GPR[15] = back, 90
				m.from.Seg[uop.SegGS].Base = progUser + 0x1000
				m.from.RFLAGS |= FlagIF | FlagCF
				m.from.CR0 |= CR0AM
				if smap {
					m.from.CR4 |= CR4SMAP
				}
				m.write(progData+32, 3)
				m.write(progUser+0x1020, 5)
				m.APIC.startTimerIn(700)
				m.until = 20_000
			}}
			for _, every := range []uint64{0, 1000} {
				smap = every != 0
				if d := lockstep(t, p, every, nil); d != "" {
					t.Errorf("FMASK %#x, R11 changed by %#x, compared every %d, SMAP %v: %s", fmask, back, every, smap, d)
				}
			}
		}
	}
}

// A processor whose engine there is not says so, at once.
func TestNoEngine(t *testing.T) {
	m := newScene(t, &program{code: "F4"}, 0)
	m.engine = noEngine{errors.New("there is none")}
	if e := m.Run(1000); e.Kind != ExitStopped || fmt.Sprint(e.Err) != "there is none" || m.Instructions() != 0 {
		t.Errorf("%+v", e)
	}
}

// Code is thrown away with what it was made of: a block that is retired has none, whatever retired it.
func TestRetiredBlocksHaveNoCode(t *testing.T) {
	how := translating(t)
	for name, retire := range map[string]func(m *scene){
		"a store":      func(m *scene) { m.put(progCode+1, []byte{0xFF}) },
		"a breakpoint": func(m *scene) { m.SetBreakpoints([]uint64{progCode}) },
		"a trace":      func(m *scene) { m.Trace(func(*CPU) {}) },
		"a conversion": func(m *scene) { m.Forget(0, progCode, progCode+0x1000) },
		"all code":     func(m *scene) { m.code.dropAll() },
	} {
		m := newSceneUnder(t, &program{code: asm("48 FF C0 E2 FB F4"), setup: func(m *scene) { m.from.GPR[uop.RCX] = 100 }}, how)
		m.drive(0)
		tr := m.code.translated
		if len(tr.blocks) == 0 {
			t.Fatalf("%s: nothing was translated", name)
		}
		blocks := append([]*block(nil), tr.blocks...)
		retire(m)
		for _, b := range blocks {
			if b.frame.GPA() == progCode && (b.valid || tr.has(b) || b.mode != noMode) && name != "a breakpoint" {
				t.Errorf("%s: a block remains that can be entered", name)
			}
		}
		if b := blocks[0]; name == "a breakpoint" && b.valid {
			t.Error("a breakpoint: its block remains")
		}
	}
}
