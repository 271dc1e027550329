package alloc_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
	"github.com/tacit-vm/tacit/accept/alloc"
)

// A gate is a driver that lets no one through before it is opened.
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

// A slow monitor is one that those who want the lock get late, but for those who have waited; it counts these.
type slowMonitor struct {
	*accepttest.Monitor
	slow, waiting atomic.Int32
}

func (m *slowMonitor) Lock() {
	if m.slow.Load() > 0 {
		time.Sleep(20 * time.Millisecond)
	}
	m.Monitor.Lock()
}

func (m *slowMonitor) Wait() {
	m.waiting.Add(1)
	m.Monitor.Wait()
	m.waiting.Add(-1)
}

// Those who wait are woken when what they wait for can be taken, and not only when the tracker knows that it is accepted.
func TestWaitersAreWoken(t *testing.T) {
	lock := &slowMonitor{Monitor: accepttest.NewMonitor()}
	g := newGuest(t, 0, 8, alloc.Config{Lock: lock})
	gate := newGate(g.memory)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := g.Alloc(0, gate); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "three to wait", func() bool { return lock.waiting.Load() == 3 })
	lock.slow.Store(1)
	close(gate.opened)
	wg.Wait()
}

// Two processors that are idle do not both fill the reserve, and neither waits for the other.
func TestOneFillsTheReserve(t *testing.T) {
	g := newGuest(t, 0, 64, alloc.Config{})
	gate := newGate(g.memory)
	var wg sync.WaitGroup
	wg.Go(func() { g.Background(gate) })
	eventually(t, "an acceptance", func() bool { return gate.count() == 1 })
	if more, err := g.Background(gate); more || err != nil || gate.count() != 1 {
		t.Errorf("while another fills the reserve: %v, %v, %d units under way", more, err, gate.count())
	}
	close(gate.opened)
	wg.Wait()
}

// The reserve is filled up to the high watermark and not beyond, and who waits for it to be low is woken.
func TestReserve(t *testing.T) {
	lock := &slowMonitor{Monitor: accepttest.NewMonitor()}
	g := newGuest(t, 0, 64, alloc.Config{Low: 8 * miB, High: 16 * miB, Lock: lock})
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
	eventually(t, "somebody to wait", func() bool { return lock.waiting.Load() == 1 })
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
