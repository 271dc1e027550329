package alloc_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
	"github.com/tacit-vm/tacit/accept/alloc"
)

// A guest is an allocator with its memory.
type guest struct {
	alloc.Allocator
	memory  *accepttest.Memory
	tracker *accept.Tracker
}

func units(start, end uint64) accept.Range {
	return accept.Range{Start: start * accept.UnitSize, End: end * accept.UnitSize}
}

// newGuest returns a guest of so many units, which are unaccepted but for the first ones.
func newGuest(tb testing.TB, accepted, all uint64, c alloc.Config) *guest {
	tb.Helper()
	m := accepttest.Machine{Unaccepted: []accept.Range{units(accepted, all)}}
	if accepted > 0 {
		m.Accepted = []accept.Range{units(0, accepted)}
	}
	return newGuestOf(tb, m, c)
}

// newGuestOf returns a guest of all memory of m; of c what is about memory is not used.
func newGuestOf(tb testing.TB, m accepttest.Machine, c alloc.Config) *guest {
	tb.Helper()
	g := &guest{}
	var err error
	if g.memory, g.tracker, err = m.Start(64); err != nil {
		tb.Fatal(err)
	}
	if c.Lock != nil {
		g.tracker.Lock = c.Lock
	}
	c.RAM, c.Tracker = m.RAM(), g.tracker
	c.Books = make([]uint64, alloc.Words(c.RAM))
	if err := g.Init(c); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := g.memory.Err(); err != nil {
			tb.Error(err)
		}
	})
	return g
}

// get allocates, and checks with the model.
func (g *guest) get(tb testing.TB, order int) uint64 {
	tb.Helper()
	addr, err := g.Alloc(order, g.memory)
	if err == nil {
		err = g.memory.HandOut(accept.Range{Start: addr, End: addr + accept.PageSize<<order})
	}
	if err != nil {
		tb.Error(err)
	}
	return addr
}

// eventually waits until what other goroutines do has come about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for began := time.Now(); !ok(); runtime.Gosched() {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// Blocks come from used units first, from accepted ones next, and from unaccepted ones last.
func TestPreference(t *testing.T) {
	g := newGuest(t, 3, 8, alloc.Config{})
	at := func(what string, order int, want uint64) {
		t.Helper()
		if got := g.get(t, order); got != want {
			t.Errorf("%s: %#x, want %#x", what, got, want)
		}
	}
	const unit = accept.UnitSize
	at("the first page", 0, 0)
	at("half of a unit, beside it", 8, unit/2)
	at("the next page", 0, accept.PageSize)
	at("half of a unit, with none begun that has one", 8, unit)
	at("a whole unit: the third must wait for the fourth", 9, 2*unit)
	if n := g.memory.Count().Accepted; n != unit {
		t.Errorf("%d bytes accepted for it", n)
	}
	at("a page again", 0, 2*accept.PageSize)
	at("half of a unit, the other half of a begun one", 8, unit+unit/2)
	at("half of a unit: the guard", 8, 3*unit)
	at("a quarter", 7, unit/4)
	at("a whole unit: the fifth, and its guard", 9, 4*unit)
	if info := g.Meminfo(); info.ByWaiters != 3 || info.Held != accept.PageSize {
		t.Errorf("%+v", info)
	}
}

// Of units that are not in use the lowest comes first, also where its last page is held back.
func TestLowestFirst(t *testing.T) {
	g := newGuestOf(t, accepttest.Machine{
		Accepted:   []accept.Range{units(0, 1), units(5, 7)},
		Unaccepted: []accept.Range{units(1, 5), units(7, 9)},
	}, alloc.Config{})
	const half = accept.UnitSize / 2 // a unit of which the last page is held back has one of them
	for i, want := range []uint64{0, 10, 11, 12, 1, 2} {
		if addr := g.get(t, 8); addr != want*half {
			t.Errorf("block %d is at %#x, want %#x", i, addr, want*half)
		}
	}
}

// A page in front of unaccepted memory is not handed out before that has been accepted.
func TestLastPageIsHeld(t *testing.T) {
	g := newGuest(t, 1, 3, alloc.Config{})
	seen := map[uint64]bool{}
	for range accept.UnitSize/accept.PageSize - 1 {
		seen[g.get(t, 0)] = true
	}
	const last = accept.UnitSize - accept.PageSize
	if seen[last] || g.memory.Count().Accepted != 0 {
		t.Fatalf("the last page was handed out, or something accepted: %+v", g.Meminfo())
	}
	if err := g.Free(last, 0); err != alloc.ErrBadFree {
		t.Errorf("freeing the page that is held: %v", err)
	}
	if addr := g.get(t, 0); addr != last {
		t.Errorf("the next unit has been accepted: got %#x, want the page that was held", addr)
	}
}

// After a failure what is accepted is handed out as before, and nothing is accepted any more.
func TestDriverFails(t *testing.T) {
	refused := errors.New("refused")
	for name, order := range map[string]int{"a page": 0, "a unit": 9} {
		g := newGuest(t, 2, 8, alloc.Config{})
		g.memory.Fail = func(accept.Range) error { return refused }
		var blocks []uint64
		for range 2*accept.UnitSize/accept.PageSize - 1 {
			blocks = append(blocks, g.get(t, 0))
		}
		if _, err := g.Alloc(order, g.memory); err != refused {
			t.Errorf("%s: %v", name, err)
		}
		g.memory.Fail = nil
		if _, err := g.Alloc(order, g.memory); err != accept.ErrBroken {
			t.Errorf("%s after a failure: %v", name, err)
		}
		if _, err := g.Background(g.memory); err != accept.ErrBroken {
			t.Errorf("Background after a failure: %v", err)
		}
		if err := agree(&g.Allocator, g.memory); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, addr := range blocks {
			if err := g.Free(addr, 0); err != nil {
				t.Fatal(err)
			}
		}
		if addr, err := g.Alloc(9, g.memory); addr != 0 || err != nil {
			t.Errorf("a unit that was accepted: %#x, %v", addr, err)
		}
		if _, err := g.AllocUnits(2, g.memory); err != accept.ErrBroken {
			t.Errorf("more than is accepted: %v", err)
		}
	}
}

// A run of units, some of which are accepted, is given up as it was when the rest cannot be accepted.
func TestRunFails(t *testing.T) {
	g := newGuest(t, 2, 8, alloc.Config{})
	refused := errors.New("refused")
	g.memory.Fail = func(r accept.Range) error {
		if r.Start >= 4*accept.UnitSize {
			return refused
		}
		return nil
	}
	if _, err := g.AllocUnits(4, g.memory); err != refused { // all but the guard
		t.Errorf("error %v", err)
	}
	if err := agree(&g.Allocator, g.memory); err != nil {
		t.Error(err)
	}
	if addr, err := g.AllocUnits(3, g.memory); addr != 0 || err != nil {
		t.Errorf("three units with a guard are accepted: %#x, %v", addr, err)
	}
}

func TestNoAllocations(t *testing.T) {
	g := newGuest(t, 1, 512, alloc.Config{})
	nothing := accept.DriverFunc(func(accept.Range) error { return nil })
	if n := testing.AllocsPerRun(20, func() {
		unit, _ := g.AllocUnits(3, nothing)
		g.Alloc(9, nothing)
		for range 600 {
			g.Alloc(0, nothing)
		}
		g.Background(nothing)
		if g.FreeUnits(unit, 3) != nil || g.Free(5, 0) != alloc.ErrBadFree || g.Meminfo().Used == 0 {
			t.Error("wrong")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	ram := []accept.Range{units(0, 512)}
	c := alloc.Config{RAM: ram, Books: make([]uint64, alloc.Words(ram)), Tracker: g.tracker}
	if n := testing.AllocsPerRun(1, func() {
		clear(c.Books)
		var a alloc.Allocator
		if a.Init(c) != nil {
			t.Error("no allocator")
		}
	}); n > 1 { // the Allocator itself
		t.Errorf("Init: %v allocations", n)
	}
}
