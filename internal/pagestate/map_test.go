package pagestate

import (
	"math/rand/v2"
	"testing"
)

type pageState uint8

// naive is a map that is too simple to be wrong.
type naive []pageState

func (n naive) update(first, end uint64, f func(pageState) pageState) {
	for i := first; i < end; i++ {
		n[i] = f(n[i])
	}
}

func TestMapAgreesWithOneStatePerPage(t *testing.T) {
	const seed = 20260801
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	const pages = 5 * fanout // spans a boundary of nodes at the lowest level, and of one above it
	const base = fanout*fanout - 2*fanout - 100
	want := make(naive, pages)
	m := New[pageState]()
	for step := range 20_000 {
		first := r.Uint64N(pages)
		end := first + r.Uint64N(pages-first) + 1
		if r.IntN(3) == 0 {
			end = min(first+1, pages)
		}
		var f func(pageState) pageState
		switch s := pageState(r.IntN(256)); r.IntN(3) {
		case 0:
			f = func(pageState) pageState { return s }
		case 1:
			f = func(old pageState) pageState { return old&^3 | s&3 }
		case 2:
			f = func(old pageState) pageState { return old ^ s }
		}
		want.update(first, end, f)
		m.Update(base+first, base+end, f)

		for range 8 {
			i := r.Uint64N(pages)
			if got := m.At(base + i); got != want[i] {
				t.Fatalf("step %d: page %d is %#x, want %#x", step, i, got, want[i])
			}
		}
		if step%200 == 0 {
			check(t, m, base, want)
		}
	}
	check(t, m, base, want)
}

func check(t *testing.T, m *Map[pageState], base uint64, want naive) {
	t.Helper()
	var count [256]uint64
	for i, s := range want {
		count[s]++
		if got := m.At(base + uint64(i)); got != s {
			t.Fatalf("page %d is %#x, want %#x", i, got, s)
		}
	}
	for v := range count {
		s := pageState(v)
		if found := m.Any(base, base+uint64(len(want)), func(p pageState) bool { return p == s }); found != (count[s] > 0) {
			t.Fatalf("Any(%#x) is %v of %d pages", s, found, count[s])
		}
		if s == 0 {
			count[s] += Pages - uint64(len(want))
		}
		if m.Count(s) != count[s] {
			t.Fatalf("%d pages are %#x, want %d", m.Count(s), s, count[s])
		}
	}
}

// nodes counts what a map has allocated.
func (n *node[S]) nodes() int {
	total := 1
	for _, c := range n.child {
		if c != nil {
			total += c.nodes()
		}
	}
	return total
}

func TestTerabytesInAFewNodes(t *testing.T) {
	m := New[pageState]()
	const page = 4 << 10
	to := func(s pageState) func(pageState) pageState { return func(pageState) pageState { return s } }
	m.Update(0, 16<<40/page, to(2))
	if n := m.root.nodes(); n != 1 {
		t.Errorf("16 TiB of one pageState take %d nodes", n)
	}
	m.Update(3<<40/page+7, 3<<40/page+8, to(1))
	if n := m.root.nodes(); n != 4 {
		t.Errorf("one page of another pageState makes it %d nodes, want 4", n)
	}
	m.Update(3<<40/page+7, 3<<40/page+8, to(2))
	if n := m.root.nodes(); n != 1 || m.root.child != nil {
		t.Errorf("when it is back there are %d nodes left", n)
	}
}

// What is told of a map's growth is what it takes, at any time, and little more than a byte a page.
func TestGrowthIsToldAndBounded(t *testing.T) {
	m := New[pageState]()
	var taken int64
	m.OnGrowth(func(bytes int64) { taken += bytes })
	const pages = 64 << 10 // 256 MiB, every other page of another state
	for i := uint64(0); i < pages; i += 2 {
		m.Update(i, i+1, func(pageState) pageState { return 1 })
	}
	if n, limit := m.root.nodes(), pages/512+3; n > limit {
		t.Errorf("%d nodes, want at most %d", n, limit)
	}
	// Nodes of 544 bytes but the first, which is the map's own, and three lists of 512 children.
	if want := int64((m.root.nodes()-1)*544 + 3*512*8); taken != want || taken > pages*4/3 {
		t.Errorf("it says that it takes %d bytes, want %d", taken, want)
	}
	m.Update(0, pages, func(pageState) pageState { return 1 })
	if left := int64(2*544 + 2*512*8); taken != left {
		t.Errorf("of one state it says that it takes %d bytes, want %d", taken, left)
	}
	m.Update(0, Pages, func(pageState) pageState { return 0 })
	if taken != 0 {
		t.Errorf("empty it says that it takes %d bytes", taken)
	}
}

func TestRangesOutsideTheMapAreLeftAlone(t *testing.T) {
	m := New[pageState]()
	for _, r := range [][2]uint64{{5, 5}, {6, 5}, {0, Pages + 1}, {Pages, 1 << 63}} {
		m.Update(r[0], r[1], func(pageState) pageState { return 1 })
		if m.Count(0) != Pages || m.Any(r[0], r[1], func(pageState) bool { return true }) {
			t.Errorf("[%#x, %#x) was used", r[0], r[1])
		}
	}
}

func BenchmarkAt(b *testing.B) {
	m := New[pageState]()
	for i := uint64(0); i < 1<<18; i += 2 { // 1 GiB as fragmented as it gets
		m.Update(i, i+1, func(pageState) pageState { return 1 })
	}
	var sum pageState
	page := uint64(0)
	for b.Loop() {
		page = (page*2654435761 + 12345) % (1 << 18)
		sum += m.At(page)
	}
	_ = sum
}

func BenchmarkUpdateInTurn(b *testing.B) {
	m := New[pageState]()
	page := uint64(0)
	for b.Loop() {
		m.Update(page, page+1, func(pageState) pageState { return 1 })
		page = (page + 1) % (1 << 24)
	}
}
