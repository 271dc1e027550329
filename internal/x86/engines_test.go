package x86

import (
	"flag"
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Programs run under every engine that the host has, and single tests under the one that -engine names.

var (
	programSeed  = flag.Uint64("program-seed", 1, "where TestRandomPrograms has its programs from")
	programFirst = flag.Uint64("program-first", 0, "the first of them")
	programCount = flag.Uint64("programs", 60, "how many there are")
)

var engineFlag = flag.String("engine", "interpreter", "under which engine tests run that do not try each: interpreter or translator")

// testEngine returns the engine of tests that do not try each.
func testEngine(t testing.TB) EngineKind {
	t.Helper()
	if *engineFlag != "translator" {
		return EngineInterpreter
	}
	if err := TranslatorAvailable(); err != nil {
		t.Fatal(err)
	}
	return EngineTranslator
}

// underEach returns the ways to divide a run, and where the host has a translator each of them under it as well.
func underEach(cuts []cut) []cut {
	if TranslatorAvailable() != nil {
		return cuts
	}
	all := cuts[:len(cuts):len(cuts)]
	for _, c := range cuts {
		c.engine = EngineTranslator
		all = append(all, c)
	}
	return all
}

func (c cut) String() string {
	name := map[EngineKind]string{EngineInterpreter: "the interpreter", EngineTranslator: "the translator"}[c.engine]
	return fmt.Sprintf("%s, blocks of %d instructions, deadlines every %d ns", name, c.blocks, c.step)
}

// other is what the interpreter is held against in lock-step: the translator, or where the host has none itself with blocks
// of one instruction.
func other() cut {
	if TranslatorAvailable() != nil {
		return cut{blocks: 1}
	}
	return cut{engine: EngineTranslator}
}

// lockstep drives a program's machine under the interpreter, and another one, to the same instructions, compares them after
// each block, or after so many instructions, and describes the first difference. Change, where it is not nil, is done to
// the other machine before it starts.
func lockstep(t *testing.T, p *program, every uint64, change func(m *scene)) (difference string) {
	t.Helper()
	a, b := newSceneUnder(t, p, cut{}), newSceneUnder(t, p, other())
	defer func() { _, _ = a.mem.Close(), b.mem.Close() }()
	if change != nil {
		change(b)
	}
	for steps := 1; ; steps++ {
		from := a.moment()
		if every != 0 {
			a.Stretch(every)
		} else {
			a.StretchBlocks(1)
		}
		ea := a.Run(a.until)
		n, blocks := a.Stretched()
		if ea.Kind != ExitStep {
			n++ // which it is not to come to
		}
		switch {
		case every != 0:
			b.Stretch(every)
		case blocks && other().engine == EngineTranslator:
			b.StretchBlocks(n)
		default:
			b.Stretch(n)
		}
		eb := b.Run(b.until)
		at := func(what any) string {
			return fmt.Sprintf("step %d, after instruction %d at %#x: %v", steps, from.icount, from.rip, what)
		}
		if steps%64 == 0 {
			if i := unmarked(a.CPU); i >= 0 {
				return at(fmt.Sprintf("place %d of the TLB has a page, and what flushes it does not look there", i))
			}
		}
		if fmt.Sprint(ea) != fmt.Sprint(eb) {
			return at(fmt.Sprintf("exit %v, %v", ea, eb))
		}
		if Differs(a.CPU, b.CPU) || steps%16 == 0 {
			if d := Differences(a.CPU, b.CPU); d != nil {
				return at(d)
			}
		}
		switch event, armed := a.APIC.NextEvent(); {
		case ea.Kind == ExitStep:
		case ea.Kind == ExitHalted && armed && event < a.until:
			a.Skip(min(event, a.until))
			b.Skip(min(event, b.until))
		case ea.Kind != ExitDeadline || a.Now() >= a.until:
			if d := Differences(a.CPU, b.CPU); d != nil {
				return at(d)
			}
			return endingDiffers(a, b, ea, eb)
		}
	}
}

// unmarked returns a place of the TLB that is in use and not known to be, or is so for a page that is not global and a load
// of CR3 passes it over; -1 for none.
func unmarked(c *CPU) int {
	has := func(words []uint64, i int) bool { return words[i/64]>>(i%64)&1 != 0 }
	for m := range c.tlb.data {
		for i := range c.tlb.data[m] {
			e := &c.tlb.data[m][i]
			if (inUse(e.read) || inUse(e.write)) && !(has(c.tlb.usedData[:], i) && (e.global() || has(c.tlb.localData[:], i))) {
				return i
			}
		}
	}
	for m := range c.tlb.fetch {
		for i := range c.tlb.fetch[m] {
			if e := &c.tlb.fetch[m][i]; inUse(e.tag) && !e.global() && !has(c.tlb.localFetch[:], i) {
				return i
			}
		}
	}
	return -1
}

func endingDiffers(a, b *scene, ea, eb Exit) string { return difference(a.ending(ea), b.ending(eb)) }

// A wrongEngine makes a mistake, once, when so many instructions have completed.
type wrongEngine struct {
	engine
	at      uint64
	mistake func(c *CPU)
	made    *bool
}

func (w wrongEngine) run(c *CPU) stop {
	why := w.engine.run(c)
	if !*w.made && c.icount >= w.at {
		*w.made = true
		w.mistake(c)
	}
	return why
}

// Lock-step finds an engine that is wrong, in whatever.
func TestLockstepFindsWrongEngines(t *testing.T) {
	p := &program{code: asm(
		"B9 00 01 00 00",              // mov ecx, 0x100
		"48 89 0C 25", le(progBig, 4), // again: mov [progBig], rcx
		"48 03 04 25", le(progData, 4), // add rax, [progData]
		"E2 EE", // loop again
		"F4",
	)}
	for name, mistake := range map[string]func(c *CPU){
		"a register":   func(c *CPU) { c.R[uop.RBP] ^= 1 },
		"a flag":       func(c *CPU) { c.SetFlags(c.Flags() ^ FlagPF) },
		"SSE":          func(c *CPU) { c.X[15][0]++ },
		"x87":          func(c *CPU) { c.fpu.sw ^= 1 << 8 },
		"time":         func(c *CPU) { c.extra++ },
		"the TLB":      func(c *CPU) { c.tlb.data[modeKernel][9] = tlbEntry{read: 9 << 12, write: noTag} },
		"the fetches":  func(c *CPU) { c.tlb.fetch[0][9].tag = tag(9 << 12) },
		"an MSR":       func(c *CPU) { c.msr.lstar++ },
		"an interrupt": func(c *CPU) { c.APIC.irr[1] |= 1 },
		"memory":       func(c *CPU) { _ = c.WritePhysical(progFree, []byte{1}) },
	} {
		for _, every := range []uint64{0, 1, 37} {
			made := false
			d := lockstep(t, p, every, func(m *scene) { m.engine = wrongEngine{m.engine, 100, mistake, &made} })
			if !made || d == "" {
				t.Errorf("%s, compared every %d: it was not found (made: %v)", name, every, made)
			}
		}
	}
	if d := lockstep(t, p, 0, nil); d != "" {
		t.Errorf("without a mistake: %s", d)
	}
}
