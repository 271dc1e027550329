package x86

import (
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// debugged is a program with a bit of everything: a loop that stores and loads, NOPs, which decode to nothing, and a
// repeated string instruction.
var debugged = []byte{
	0xB9, 0x05, 0, 0, 0, // 00 mov ecx, 5
	0x90,                   // 05 nop
	0xF3, 0x0F, 0x1E, 0xFA, // 06 endbr64
	0x48, 0x89, 0x0C, 0x25, 0x00, 0, 2, 0, // 0a mov [0x20000], rcx
	0x90,                                  // 12 nop
	0x48, 0x03, 0x1C, 0x25, 0x00, 0, 2, 0, // 13 add rbx, [0x20000]
	0x48, 0x01, 0x1C, 0x25, 0x08, 0, 2, 0, // 1b add [0x20008], rbx
	0xFF, 0xC9, // 23 dec ecx
	0x75, 0xE3, // 25 jnz 0a
	0xBF, 0xF8, 0x0F, 2, 0, // 27 mov edi, 0x20ff8
	0xB8, 0x01, 0, 0, 0, // 2c mov eax, 1
	0xB9, 0x10, 0, 0, 0, // 31 mov ecx, 16
	0xF3, 0xAA, // 36 rep stosb, over the end of a page: two stretches
	0xF4, // 38 hlt
}

// end is what is left of a run: where it stands in every respect.
type end struct {
	state        State
	instructions uint64
	ns           int64
	data         [2]uint64
}

func (b *bare) end() end {
	return end{b.State(), b.Instructions(), b.Now(), [2]uint64{b.word(bareData), b.word(bareData + 8)}}
}

var blockLimits = []int{0, 1, 2, 3, 7}

// undisturbed is how the program ends without a debugger.
func undisturbed(t *testing.T, code []byte) end {
	t.Helper()
	b := newBare(t, 0, code)
	if e := b.Run(1_000_000); e.Kind != ExitHalted {
		t.Fatalf("exit %+v", e)
	}
	return b.end()
}

// stops runs to the halt and returns where it stopped on the way, as offsets in the code.
func (b *bare) stops(t *testing.T, kind ExitKind) (at []uint64) {
	t.Helper()
	for range 1000 {
		switch e := b.Run(1_000_000); e.Kind {
		case ExitHalted:
			return at
		case kind:
			at = append(at, b.RIP()-bareCode)
		default:
			t.Fatalf("exit %+v", e)
		}
	}
	t.Fatal("no end")
	return nil
}

func TestBreakpoints(t *testing.T) {
	want := undisturbed(t, debugged)
	for _, limit := range blockLimits {
		for _, late := range []bool{false, true} {
			b := newBare(t, limit, debugged)
			if late { // all of it has been decoded, and linked
				start := b.State()
				b.Run(1_000_000)
				b.SetState(&start)
				b.write(bareData, 0, 0)
				b.icount, b.extra = 0, 0
			}
			b.SetBreakpoints([]uint64{bareCode + 0x06, bareCode + 0x12, bareCode + 0x23, bareCode + 0x24, bareCode + 0x12 + 1<<20})
			got := b.stops(t, ExitBreak)
			// 0x24 is inside an instruction, and nothing runs a MiB further up.
			if at := []uint64{0x06, 0x12, 0x23, 0x12, 0x23, 0x12, 0x23, 0x12, 0x23, 0x12, 0x23}; !slices.Equal(got, at) {
				t.Errorf("limit %d, late %v: stopped at %#x, want %#x", limit, late, got, at)
			}
			if b.end() != want {
				t.Errorf("limit %d, late %v: breakpoints changed the run:\n%+v\n%+v", limit, late, b.end(), want)
			}
			b.SetBreakpoints(nil)
			b.SetRIP(bareCode)
			b.halted = false
			if got := b.stops(t, ExitBreak); len(got) != 0 {
				t.Errorf("limit %d: stopped at %#x without breakpoints", limit, got)
			}
		}
	}
}

func TestWatches(t *testing.T) {
	want := undisturbed(t, debugged)
	after := func(at uint64) []uint64 { return slices.Repeat([]uint64{at}, 5) }
	for name, c := range map[string]struct {
		w  Watch
		at []uint64 // after which instructions
	}{
		"written":           {Watch{Start: bareData, End: bareData + 8, Write: true}, after(0x12)},
		"read":              {Watch{Start: bareData + 7, End: bareData + 8, Read: true}, after(0x1B)},
		"read and written":  {Watch{Start: bareData + 8, End: bareData + 16, Read: true, Write: true}, after(0x23)},
		"next to it":        {Watch{Start: bareData + 16, End: bareData + 0xFF8, Read: true, Write: true}, nil},
		"string, a stretch": {Watch{Start: bareData + 0xFFF, End: bareData + 0x1000, Write: true}, []uint64{0x36}},
		"string, the next":  {Watch{Start: bareData + 0x1000, End: bareData + 0x1001, Write: true}, []uint64{0x38}},
		"physical":          {Watch{Start: bareData + 4, End: bareData + 8, Write: true, Physical: true}, after(0x12)},
		"fetched":           {Watch{Start: bareCode + 0x12, End: bareCode + 0x13, Fetch: true, Physical: true}, after(0x12)},
		"middle fetched":    {Watch{Start: bareCode + 0x18, End: bareCode + 0x19, Fetch: true, Physical: true}, after(0x13)},
		"code read":         {Watch{Start: bareCode, End: bareCode + 0x100, Read: true, Write: true, Physical: true}, nil},
	} {
		for _, limit := range blockLimits {
			b := newBare(t, limit, debugged)
			b.SetWatches([]Watch{c.w})
			if got := b.stops(t, ExitWatch); !slices.Equal(got, c.at) {
				t.Errorf("%s, limit %d: stopped at %#x, want %#x", name, limit, got, c.at)
			}
			if b.end() != want {
				t.Errorf("%s, limit %d: the watch changed the run:\n%+v\n%+v", name, limit, b.end(), want)
			}
		}
	}
}

// A watch that is set when the page is in the TLB already is as good, and one that is taken back is gone.
func TestWatchesOfKnownPages(t *testing.T) {
	b := newBare(t, 0, debugged)
	b.SetBreakpoints([]uint64{bareCode + 0x25})
	b.Run(1_000_000)
	b.SetBreakpoints(nil)
	b.SetWatches([]Watch{{Start: bareData, End: bareData + 1, Read: true, Write: true}})
	if e := b.Run(1_000_000); e.Kind != ExitWatch || b.RIP() != bareCode+0x12 || e.GPA != bareData || e.Access != (Access{Kind: Write, GVA: bareData}) {
		t.Errorf("exit %+v at %#x", e, b.RIP())
	}
	if e := b.Run(1_000_000); e.Kind != ExitWatch || b.RIP() != bareCode+0x1B || e.Access.Kind != Read {
		t.Errorf("exit %+v at %#x", e, b.RIP())
	}
	b.SetWatches(nil)
	if e := b.Run(1_000_000); e.Kind != ExitHalted || b.end() != undisturbed(t, debugged) {
		t.Errorf("exit %+v at %#x", e, b.RIP())
	}
}

// The entries of a page walk are touched like any other memory, where the addresses are physical.
func TestWatchedPageTable(t *testing.T) {
	entry := Watch{Start: bareTables + 0x1000, End: bareTables + 0x1008, Read: true, Write: true}
	b := newBare(t, 0, debugged)
	b.SetWatches([]Watch{entry})
	if got := b.stops(t, ExitWatch); len(got) != 0 {
		t.Errorf("the walk has no address to be watched by, and stopped at %#x", got)
	}
	entry.Physical = true
	b = newBare(t, 0, debugged)
	b.SetWatches([]Watch{entry})
	e := b.Run(1_000_000)
	if e.Kind != ExitWatch || e.Access.Kind != Walk || e.Access.GVA != bareCode || e.GPA != bareTables+0x1000 || b.Instructions() != 0 {
		t.Errorf("exit %+v after %d instructions", e, b.Instructions())
	}
	b.SetWatches(nil)
	b.stops(t, ExitWatch)
	if b.end() != undisturbed(t, debugged) {
		t.Error("the watch changed the run")
	}
}

// Steps and a trace see the same instructions, each once.
func TestStepsAndTrace(t *testing.T) {
	want := undisturbed(t, debugged)
	for _, limit := range blockLimits {
		stepped := newBare(t, limit, debugged)
		var steps []moment
		for range 100 {
			steps = append(steps, stepped.moment())
			stepped.Step()
			e := stepped.Run(1_000_000)
			if e.Kind != ExitStep {
				t.Fatalf("exit %+v", e)
			}
			if stepped.halted {
				break
			}
		}
		traced := newBare(t, limit, debugged)
		traced.Run(3) // what is decoded already is traced as well
		trace := slices.Clone(steps[:3])
		traced.Trace(func(c *CPU) { trace = append(trace, c.moment()) })
		traced.Run(1_000_000)
		if !slices.Equal(steps, trace) || uint64(len(steps)) != want.instructions {
			t.Errorf("limit %d: %d instructions, steps at %x, trace of %x", limit, want.instructions, steps, trace)
		}
		if stepped.end() != want || traced.end() != want {
			t.Errorf("limit %d: steps or a trace changed the run", limit)
		}
		traced.Trace(nil)
		traced.SetRIP(bareCode)
		traced.halted = false
		if traced.Run(1_000_000); len(trace) != len(steps) {
			t.Error("the trace goes on beyond its end")
		}
	}
}

// A breakpoint in the shadow of STI does not let the interrupt in before its time.
func TestBreakpointInShadow(t *testing.T) {
	const vector, handler = 0x40, 0x80
	code := make([]byte, handler+1)
	copy(code, []byte{
		0xFA, // 00 cli
		0xFB, // 01 sti
		0x90, // 02 nop: in its shadow
		0x90, // 03 nop
	})
	code[handler] = 0xF4
	for _, at := range [][]uint64{nil, {bareCode + 2}} {
		b := newBare(t, 0, code)
		address := uint64(bareCode + handler)
		b.write(bareIDT+vector*16, address&0xFFFF|8<<16|0x8E00<<32|address>>16<<48, address>>32)
		b.SetBreakpoints(at)
		b.APIC.WriteMSR(0x80F, 0x1FF) // software enable
		b.APIC.Deliver(vector, false)
		for e := b.Run(1000); e.Kind != ExitHalted; e = b.Run(1000) {
			if e.Kind != ExitBreak {
				t.Fatalf("exit %+v", e)
			}
		}
		if back := b.word(b.R[uop.RSP]); back != bareCode+3 {
			t.Errorf("with breakpoints at %#x the interrupt came in front of %#x", at, back)
		}
	}
}

// An instruction that goes on in the next page is decoded by itself, from two frames.
func TestStopsAtCrossingInstruction(t *testing.T) {
	const at = 0xFFC
	code := slices.Repeat([]byte{0x90}, at)
	code = append(code, debugged[0x0A:0x12]...) // mov [0x20000], rcx
	code = append(code, 0xF4)
	want := undisturbed(t, code)
	b := newBare(t, 0, code)
	start := b.State()
	b.Run(1_000_000)
	b.SetState(&start)
	b.icount, b.extra = 0, 0
	b.SetBreakpoints([]uint64{bareCode + at})
	b.SetWatches([]Watch{{Start: bareCode + 0x1000, End: bareCode + 0x1001, Fetch: true, Physical: true}})
	if e := b.Run(1_000_000); e.Kind != ExitBreak || b.RIP() != bareCode+at {
		t.Errorf("exit %+v at %#x", e, b.RIP())
	}
	b.SetBreakpoints(nil)
	b.SetRIP(bareCode + at - 1)
	b.icount--
	if e := b.Run(1_000_000); e.Kind != ExitHalted || b.end() != want {
		t.Errorf("exit %+v at %#x: it was stopped at already, for another reason", e, b.RIP())
	}

	b = newBare(t, 0, code)
	b.SetWatches([]Watch{{Start: bareCode + 0x1000, End: bareCode + 0x1001, Fetch: true, Physical: true}})
	if e := b.Run(1_000_000); e.Kind != ExitWatch || b.RIP() != bareCode+at || e.GPA != bareCode+0x1000 {
		t.Errorf("exit %+v at %#x", e, b.RIP())
	}
	if e := b.Run(1_000_000); e.Kind != ExitHalted || b.end() != want {
		t.Errorf("exit %+v at %#x", e, b.RIP())
	}
}
