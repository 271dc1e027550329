package alloc_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
	"github.com/tacit-vm/tacit/accept/alloc"
)

// A guest is an allocator of so many units, unaccepted but for the first ones, with its memory.
type guest struct {
	alloc.Allocator
	memory  *accepttest.Memory
	tracker *accept.Tracker
	ram     accept.Range
}

func units(start, end uint64) accept.Range {
	return accept.Range{Start: start * accept.UnitSize, End: end * accept.UnitSize}
}

func newGuest(tb testing.TB, accepted, all uint64, c alloc.Config) *guest {
	tb.Helper()
	m := accepttest.Machine{Unaccepted: []accept.Range{units(accepted, all)}}
	if accepted > 0 {
		m.Accepted = []accept.Range{units(0, accepted)}
	}
	g := &guest{ram: units(0, all)}
	var err error
	if g.memory, g.tracker, err = m.Start(64); err != nil {
		tb.Fatal(err)
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

// A gate is a driver that lets nobody through before it is opened.
type gate struct {
	accept.Driver
	mu     sync.Mutex
	opened chan bool
	inside int
}

func newGate(d accept.Driver) *gate { return &gate{Driver: d, opened: make(chan bool)} }

func (g *gate) Accept(r accept.Range) error {
	g.mu.Lock()
	g.inside++
	g.mu.Unlock()
	<-g.opened
	return g.Driver.Accept(r)
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside
}

// Of many who wait at once only so many have a unit accepted as all of them need.
func TestNoStorm(t *testing.T) {
	for _, c := range []struct{ order, waiters, units int }{{0, 200, 1}, {4, 64, 2}, {8, 60, 30}} {
		g := newGuest(t, 0, 128, alloc.Config{})
		gate := newGate(g.memory)
		var wg sync.WaitGroup
		for range c.waiters {
			wg.Go(func() {
				if _, err := g.Alloc(c.order, gate); err != nil {
					t.Error(err)
				}
			})
		}
		eventually(t, "all to wait", func() bool { return int(g.Meminfo().Waits)+gate.count() >= c.waiters })
		if n := gate.count(); n != c.units {
			t.Errorf("%d waiters for order %d: %d units under way, want %d", c.waiters, c.order, n, c.units)
		}
		close(gate.opened)
		wg.Wait()
		// A unit of which the last page is held back has one block of order 8 and not two.
		if info := g.Meminfo(); info.ByWaiters > uint64(2*c.units) {
			t.Errorf("%d waiters for order %d: %d units accepted", c.waiters, c.order, info.ByWaiters)
		}
	}
}

// Who waits for a unit to be accepted takes what another frees; who finds accepted memory does not wait at all.
func TestNobodyWaitsForLong(t *testing.T) {
	g := newGuest(t, 1, 8, alloc.Config{})
	first := g.get(t, 8)
	rest := accept.UnitSize/accept.PageSize/2 - 1
	for range rest {
		g.get(t, 0)
	}
	gate := newGate(g.memory)
	var wg sync.WaitGroup
	wg.Go(func() { g.Alloc(0, gate) })
	eventually(t, "an acceptance", func() bool { return gate.count() == 1 })
	got := make(chan uint64)
	wg.Go(func() {
		addr, err := g.Alloc(0, gate)
		if err != nil {
			t.Error(err)
		}
		got <- addr
	})
	eventually(t, "another to wait", func() bool { return g.Meminfo().Waits == 1 })
	if err := g.Free(first, 8); err != nil {
		t.Fatal(err)
	}
	if addr := <-got; addr != first {
		t.Errorf("the waiter got %#x, and %#x was free", addr, first)
	}
	if addr, err := g.Alloc(0, gate); err != nil || addr != first+accept.PageSize {
		t.Errorf("accepted memory is free: got %#x, %v", addr, err)
	}
	close(gate.opened)
	wg.Wait()
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

// The reserve is filled up to the high watermark and not beyond, and whoever waits for it to be low is woken.
func TestReserve(t *testing.T) {
	g := newGuest(t, 0, 64, alloc.Config{Low: 8 * miB, High: 16 * miB})
	fill := func() (n int) {
		for more := true; more; n++ {
			var err error
			if more, err = g.Background(g.memory); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	if n := fill(); n != 8 {
		t.Errorf("filled in %d steps", n)
	}
	if info := g.Meminfo(); info.FreeAccepted+info.Held != 16*miB || info.ByBackground != 8 {
		t.Errorf("filled: %+v", info)
	}
	woken := make(chan bool)
	go func() {
		for g.Meminfo().FreeAccepted >= 8*miB {
			g.Await()
		}
		woken <- true
	}()
	for range 9 * miB / accept.PageSize {
		g.get(t, 0)
	}
	<-woken
	fill()
	if info := g.Meminfo(); info.ByWaiters != 0 || info.FreeAccepted+info.Held < 14*miB || info.FreeAccepted > 16*miB {
		t.Errorf("filled again: %+v", info)
	}

	for memory, want := range map[uint64]uint64{256 * miB: 16 * miB, 16 * giB: 128 * miB} {
		g := newGuest(t, 0, memory/accept.UnitSize, alloc.Config{})
		for more := true; more; {
			more, _ = g.Background(g.memory)
		}
		if info := g.Meminfo(); info.FreeAccepted+info.Held != want {
			t.Errorf("of %d MiB the reserve is %d by default, want %d", memory/miB, info.FreeAccepted, want)
		}
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
