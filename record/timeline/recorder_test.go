package timeline

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

const memory = 64 * UnitBytes

func started() *Recorder {
	r := &Recorder{}
	r.Start(memory, []Area{{0, memory / 2}, {memory, memory * 3 / 2}})
	return r
}

// random returns events such as machines make, in the order of time: of all sizes, at all places, at steps of up to so
// many nanoseconds.
func random(rng *rand.Rand, n int, step int64) []record.Event {
	stacks := []*record.Stack{nil, {"a", "b"}, {"c"}}
	var ns int64
	var events []record.Event
	for range n {
		ns += rng.Int64N(step)
		at := record.Stamp{VirtualNS: ns}
		gpa := rng.Uint64N(memory*3/2/pageBytes) * pageBytes
		size := physical.PageSize(rng.UintN(2))
		bytes := size.Bytes() * (1 + rng.Uint64N(3))
		if rng.UintN(4) == 0 {
			gpa, bytes = gpa&^(UnitBytes-1), (1+rng.Uint64N(5))*UnitBytes
		}
		switch rng.UintN(4) {
		case 0:
			events = append(events, record.Added{Stamp: at, Last: at, GPA: record.Address(gpa), Bytes: bytes, Size: size})
		case 1:
			events = append(events, record.Converted{Stamp: at, GPA: record.Address(gpa), Bytes: bytes, To: physical.Plane(rng.UintN(2))})
		default:
			events = append(events, record.Accepted{
				Stamp: at, Last: at, GPA: record.Address(gpa), Bytes: bytes, Size: size,
				By: record.Firmware + record.Agent(rng.UintN(3)), Stack: stacks[rng.UintN(3)],
			})
		}
	}
	return events
}

// most is the state of most of a unit's pages; on a tie the one that it was in before.
func most(pages []State, before State) State {
	var count [States]int
	for _, p := range pages {
		count[p]++
	}
	for s, n := range count {
		if n > count[before] {
			before = State(s)
		}
	}
	return before
}

// The map is that of a model which knows every page, at every instant.
func TestMapIsExact(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	r := started()
	units := len(r.space.units)
	pages := make([]State, units*unitPages)
	want := make([]State, units)
	got := make([]State, units)
	seen := 0
	for _, e := range random(rng, maxChanges/4, 1000) {
		r.Event(e)
		set := func(gpa record.Address, bytes uint64, f func(State) State) {
			first := uint64(gpa) / pageBytes
			for i := first; i < min(first+bytes/pageBytes, uint64(len(pages))); i++ {
				pages[i] = f(pages[i])
			}
		}
		switch e := e.(type) {
		case record.Accepted:
			set(e.GPA, e.Bytes, func(State) State { return stateBy(e.By) })
		case record.Converted:
			set(e.GPA, e.Bytes, func(s State) State {
				switch {
				case e.To == physical.Shared:
					return Shared
				case s == Shared:
					return Unaccepted
				}
				return s
			})
		}
		for u := range want {
			want[u] = most(pages[u*unitPages:][:unitPages], want[u])
		}
		for i := max(seen-1, 0); i < len(r.space.changes); i++ { // the last one may have grown
			for c, u := r.space.changes[i], uint32(0); u < c.Units; u++ {
				got[c.First+u] = c.To
			}
		}
		seen = len(r.space.changes)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("after %+v the map is %v, by pages %v", e, got, want)
		}
	}
}

// What is joined leaves sums, order and the map at the end as they are.
func TestJoiningKeepsSums(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, step := range []int64{1, 100, 1_000_000} {
		rng := rand.New(rand.NewPCG(seed, uint64(step)))
		r := started()
		var accepted [agents]record.Count
		var added record.Count
		for _, e := range random(rng, 20*maxSpans, step) {
			r.Event(e)
			switch e := e.(type) {
			case record.Accepted:
				accepted[e.By].Bytes += e.Bytes
				accepted[e.By].Operations += operations(e.Bytes, e.Size)
			case record.Added:
				added.Bytes += e.Bytes
				added.Operations += operations(e.Bytes, e.Size)
			}
		}
		tl := r.Timeline()
		var taken [agents]record.Count
		var last int64
		var until [agents]int64
		for _, s := range tl.Taken {
			taken[s.By].Bytes += s.Bytes
			taken[s.By].Operations += s.Operations
			if s.NS < last || s.NS < until[s.By] || s.Last < s.NS {
				t.Fatalf("%+v comes after %d, and after %d of the same agent", s, last, until[s.By])
			}
			last, until[s.By] = s.NS, s.Last
		}
		if taken != accepted {
			t.Errorf("accepted %v, in sum %v", accepted, taken)
		}
		var came record.Count
		for _, a := range tl.Added {
			came.Bytes += a.Bytes
			came.Operations += a.Operations
		}
		if came != added {
			t.Errorf("added %v, in sum %v", added, came)
		}
		units := make([]State, len(r.space.units))
		for i, c := range tl.Changes {
			if i > 0 && c.NS < tl.Changes[i-1].NS {
				t.Fatalf("%+v comes after %+v", c, tl.Changes[i-1])
			}
			for u := range c.Units {
				units[c.First+u] = c.To
			}
		}
		for u := range units {
			if units[u] != r.space.units[u].state {
				t.Errorf("unit %d is %d at the end, the changes lead to %d", u, r.space.units[u].state, units[u])
			}
		}
		if tl.Joined == 0 {
			t.Error("nothing was joined")
		}
	}
}

// Samples that stay are those that would have been taken if it had been known how long the run is: each at the first
// instant of its part of the time.
func TestSamplesAreEvenlySpread(t *testing.T) {
	r := started()
	const end = 123_456_789
	taken := 0
	for ns := r.Next(); ns < end; ns = r.Next() {
		r.Take(Sample{NS: ns}, nil)
		taken++
	}
	r.Take(Sample{NS: end, Touched: 1}, nil)
	all := r.Timeline().Samples
	if n := len(all); n > maxSamples+1 || n < maxSamples/2 || taken > 16*maxSamples {
		t.Errorf("%d samples, %d were taken", n, taken)
	}
	for i, s := range all[:len(all)-1] {
		if s.NS != int64(i)<<r.shift {
			t.Fatalf("sample %d is at %d, and time is divided into %d", i, s.NS, 1<<r.shift)
		}
	}
	if last := all[len(all)-1]; last.NS != end || last.Touched != 1 {
		t.Errorf("the last sample is %+v", last)
	}
}

// A guest that does everything in the worst way for ever takes no more memory.
func TestHostileGuest(t *testing.T) {
	r := &Recorder{}
	const units = 1 << 16
	r.Start(units*UnitBytes, []Area{{0, units * UnitBytes}})
	stacks := make([]record.Stack, 100)
	var calls []record.Calls
	var ns int64
	for i := range 40 * units {
		ns += int64(i%3) << (i % 40)
		at, gpa := record.Stamp{VirtualNS: ns}, record.Address(i*2654435761%units*UnitBytes)
		switch i % 4 {
		case 0:
			r.Event(record.Accepted{Stamp: at, Last: at, GPA: gpa, Bytes: UnitBytes, Size: physical.Size2M, By: record.Kernel, Stack: &stacks[i/4%100]})
		case 1:
			r.Event(record.Converted{Stamp: at, GPA: gpa, Bytes: UnitBytes, To: physical.Shared})
		case 2:
			r.Event(record.Added{Stamp: at, Last: at, GPA: gpa, Bytes: pageBytes})
			r.Event(record.Said{Stamp: at, Text: string(make([]byte, 2000))})
		case 3:
			if len(calls) < 1000 {
				calls = append(calls, record.Calls{Interface: record.GHCB, Name: string(rune('a' + len(calls))), Times: uint64(i)})
			}
			if ns >= r.Next() {
				r.Take(Sample{NS: ns}, calls)
			}
		}
	}
	tl := r.Timeline()
	for _, c := range []struct {
		what      string
		got, most int
	}{
		{"samples", len(tl.Samples), maxSamples + 1}, {"kinds", len(tl.Exits), maxKinds}, {"lines", len(tl.Lines), maxLines},
		{"line", len(tl.Lines[0].Text), maxText + len("…")}, {"acceptances", len(tl.Taken), int(agents) * maxSpans},
		{"additions", len(tl.Added), maxSpans}, {"changes", len(tl.Changes), maxChanges}, {"units with parts", r.space.mixed, maxMixed},
	} {
		if c.got == 0 && c.what != "units with parts" || c.got > c.most {
			t.Errorf("%s: %d, at most %d are allowed, and at least one", c.what, c.got, c.most)
		}
	}
	if want := uint64(10*units - maxLines); tl.DroppedLines != want {
		t.Errorf("%d lines were dropped, want %d", tl.DroppedLines, want)
	}
	for i, l := range tl.Lines[1:] {
		if l.NS < tl.Lines[i].NS {
			t.Fatalf("a line of %d comes after one of %d", l.NS, tl.Lines[i].NS)
		}
	}
	var sum uint64
	for _, n := range tl.Samples[len(tl.Samples)-1].Exits {
		sum += n
	}
	var want uint64
	for _, c := range calls {
		want += c.Times
	}
	if sum != want {
		t.Errorf("%d exits, want %d", sum, want)
	}
}
