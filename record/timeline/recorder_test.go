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
	var ns, last int64
	var events []record.Event
	for range n {
		last, ns = ns, ns+rng.Int64N(step)
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
				By: record.Firmware + record.Agent(rng.UintN(3)), Stack: stacks[rng.UintN(3)], NS: rng.Int64N(1 + min(step, ns-last)),
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
	for _, step := range []int64{2, 1000} {
		mapIsExact(t, rand.New(rand.NewPCG(seed, uint64(step))), step)
	}
}

func mapIsExact(t *testing.T, rng *rand.Rand, step int64) {
	r := started()
	units := len(r.space.units)
	pages := make([]State, units*unitPages)
	want := make([]State, units)
	got := make([]State, units)
	seen := 0
	for _, e := range random(rng, maxChanges/4, step) {
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
		var cost int64
		asked := map[*record.Stack]uint64{}
		for _, e := range random(rng, 20*maxSpans, step) {
			r.Event(e)
			switch e := e.(type) {
			case record.Accepted:
				accepted[e.By].Bytes += e.Bytes
				accepted[e.By].Operations += operations(e.Bytes, e.Size)
				cost += e.NS
				asked[e.Stack] += e.Bytes
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
			cost -= s.Cost
			if s.Stack != nil {
				asked[s.Stack] -= s.Bytes
			}
			if s.NS < last || s.NS < until[s.By] || s.Last < s.NS {
				t.Fatalf("%+v comes after %d, and after %d of the same agent", s, last, until[s.By])
			}
			last, until[s.By] = s.NS, s.Last
		}
		if taken != accepted {
			t.Errorf("accepted %v, in sum %v", accepted, taken)
		}
		if cost != 0 {
			t.Errorf("%d ns are missing", cost)
		}
		for stack, left := range asked {
			if int64(left) < 0 {
				t.Errorf("for %v too much was accepted, by %d bytes", stack, -int64(left))
			}
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
		mixed := 0
		for u := range units {
			if r.space.units[u].parts != nil {
				mixed++
			}
			if units[u] != r.space.units[u].state {
				t.Errorf("unit %d is %d at the end, the changes lead to %d", u, r.space.units[u].state, units[u])
			}
		}
		if mixed != r.space.mixed {
			t.Errorf("%d units have parts, and %d are counted", mixed, r.space.mixed)
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
	r.Take(Sample{NS: 5, Touched: 1}, nil)
	r.Take(Sample{NS: 5, Touched: 2}, nil)
	if all := r.Timeline().Samples; len(all) != 1 || all[0].Touched != 2 {
		t.Errorf("of two samples of one instant there are %+v", all)
	}
	r = started()
	const end = 123_456_789
	taken := 0
	for ns := r.Next(); ns < end; ns = r.Next() {
		r.Take(Sample{NS: ns}, nil)
		taken++
	}
	r.Take(Sample{NS: end, Touched: 1}, nil)
	r.Take(Sample{NS: end, Touched: 2}, nil) // more has happened at the same instant
	all := r.Timeline().Samples
	if n := len(all); n > maxSamples+1 || n < maxSamples/2 || taken > 16*maxSamples {
		t.Errorf("%d samples, %d were taken", n, taken)
	}
	for i, s := range all[:len(all)-1] {
		if s.NS != int64(i)<<r.shift {
			t.Fatalf("sample %d is at %d, and time is divided into %d", i, s.NS, 1<<r.shift)
		}
	}
	if last := all[len(all)-1]; last.NS != end || last.Touched != 2 {
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

// Of changes that are settled comes what comes of them one after the other.
func TestSettled(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		var want, got [24]State
		all := make([]Change, 1+rng.IntN(8))
		for i := range all {
			first := rng.Uint32N(20)
			all[i] = Change{int64(i), first, 1 + rng.Uint32N(24-first), State(rng.UintN(uint(States)))}
			for u := range all[i].Units {
				want[all[i].First+u] = all[i].To
			}
		}
		settled := settled(all)
		for _, c := range settled {
			if c.NS != all[len(all)-1].NS {
				t.Fatalf("%+v is not of the last instant", c)
			}
			for u := range c.Units {
				got[c.First+u] = c.To
			}
		}
		if got != want || len(settled) > 2*len(all) {
			t.Fatalf("%+v lead to %v, settled as %+v to %v", all, want, settled, got)
		}
	}
}

// Units that change at one instant are one change if they are neighbours, in either direction.
func TestNeighboursChangeTogether(t *testing.T) {
	r := started()
	for _, u := range []uint64{9, 8, 7, 5, 6, 2} {
		r.space.set(1, u*UnitBytes, UnitBytes, ByStub, anything)
	}
	if want := []Change{{1, 7, 3, ByStub}, {1, 5, 2, ByStub}, {1, 2, 1, ByStub}}; !reflect.DeepEqual(r.space.changes, want) {
		t.Errorf("%+v, want %+v", r.space.changes, want)
	}
}

// Where no more units may be known page by page, of another only what happens to half of it is noticed.
func TestTooManyMixedUnits(t *testing.T) {
	r := started()
	r.space.mixed = maxMixed
	r.space.set(1, 0, UnitBytes/2-pageBytes, Shared, anything)
	r.space.set(2, UnitBytes, UnitBytes/2, Shared, anything)
	r.space.set(3, 2*UnitBytes, UnitBytes, Shared, anything)
	if want := []Change{{2, 1, 1, Shared}, {3, 2, 1, Shared}}; !reflect.DeepEqual(r.space.changes, want) || r.space.mixed != maxMixed {
		t.Errorf("%+v, want %+v", r.space.changes, want)
	}
}

// The first lines and the last ones are kept, in their order.
func TestLines(t *testing.T) {
	for _, n := range []int{0, 5, maxLines / 2, maxLines - 1, maxLines, maxLines + 1, 2*maxLines + 300} {
		var l lines
		for i := range n {
			l.add(Line{NS: int64(i)})
		}
		all, dropped := l.all()
		if len(all) != min(n, maxLines) || dropped != uint64(n-len(all)) {
			t.Errorf("of %d lines %d are kept, %d dropped", n, len(all), dropped)
		}
		for i, line := range all {
			want := i
			if i >= maxLines/2 {
				want += int(dropped)
			}
			if line.NS != int64(want) {
				t.Fatalf("of %d lines number %d is kept as number %d, want %d", n, line.NS, i, want)
			}
		}
	}
}
