package tdx

import (
	"math/rand/v2"
	"testing"
)

// naive is a pageMap that nobody can get wrong.
type naive []pageState

func (n naive) update(first, end uint64, f func(pageState) pageState) {
	for i := first; i < end; i++ {
		n[i] = f(n[i])
	}
}

func TestPageMapAgreesWithOneStatePerPage(t *testing.T) {
	const seed = 20260801
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	const pages = 5 * 512 // spans a boundary of nodes at the lowest level, and of one above it
	const base = 512*512 - 2*512 - 100
	want := make(naive, pages)
	m := newPageMap()
	for step := range 20_000 {
		first := r.Uint64N(pages)
		end := first + r.Uint64N(pages-first) + 1
		if r.IntN(3) == 0 {
			end = min(first+1, pages)
		}
		var f func(pageState) pageState
		switch s := pageState(r.IntN(pageStates)); r.IntN(3) {
		case 0:
			f = func(pageState) pageState { return s }
		case 1:
			f = func(old pageState) pageState { return old.with(s.private()) }
		case 2:
			f = func(old pageState) pageState { return old ^ shared }
		}
		want.update(first, end, f)
		m.update(base+first, base+end, f)

		for range 8 {
			i := r.Uint64N(pages)
			if got := m.at(base + i); got != want[i] {
				t.Fatalf("step %d: page %d is %#x, want %#x", step, i, got, want[i])
			}
		}
		if step%200 == 0 {
			checkPageMap(t, m, base, want)
		}
	}
	checkPageMap(t, m, base, want)
}

func checkPageMap(t *testing.T, m *pageMap, base uint64, want naive) {
	t.Helper()
	var count [pageStates]uint64
	count[absent] = mapPages - uint64(len(want))
	for i, s := range want {
		count[s]++
		if got := m.at(base + uint64(i)); got != s {
			t.Fatalf("page %d is %#x, want %#x", i, got, s)
		}
	}
	if m.count != count {
		t.Fatalf("counts %v, want %v", m.count, count)
	}
	for s := range pageState(pageStates) {
		found := m.any(base, base+uint64(len(want)), func(p pageState) bool { return p == s })
		expect := count[s] > 0
		if s == absent {
			expect = count[s] > mapPages-uint64(len(want))
		}
		if found != expect {
			t.Fatalf("any(%#x) is %v, want %v", s, found, expect)
		}
	}
}

// nodes counts what a pageMap has allocated.
func (n *pageNode) nodes() int {
	total := 1
	for _, c := range n.child {
		if c != nil {
			total += c.nodes()
		}
	}
	return total
}

func TestPageMapTerabytesInAFewNodes(t *testing.T) {
	m := newPageMap()
	const page = 4 << 10
	m.update(0, 16<<40/page, func(s pageState) pageState { return s.with(accepted) })
	if n := m.root.nodes(); n != 1 {
		t.Errorf("16 TiB of one state take %d nodes", n)
	}
	m.update(3<<40/page+7, 3<<40/page+8, func(s pageState) pageState { return s.with(pending) })
	if n := m.root.nodes(); n != 4 {
		t.Errorf("one page of another state makes it %d nodes, want 4", n)
	}
	m.update(3<<40/page+7, 3<<40/page+8, func(s pageState) pageState { return s.with(accepted) })
	if n := m.root.nodes(); n != 1 {
		t.Errorf("when it is back there are %d nodes left", n)
	}
}

func TestPageMapGrowthIsBounded(t *testing.T) {
	m := newPageMap()
	const pages = 64 << 10 // 256 MiB, every other page accepted
	for i := uint64(0); i < pages; i += 2 {
		m.update(i, i+1, func(s pageState) pageState { return s.with(accepted) })
	}
	if n, limit := m.root.nodes(), pages/512+3; n > limit {
		t.Errorf("%d nodes, want at most %d", n, limit)
	}
}

func BenchmarkPageMapAt(b *testing.B) {
	m := newPageMap()
	for i := uint64(0); i < 1<<18; i += 2 { // 1 GiB as fragmented as it gets
		m.update(i, i+1, func(s pageState) pageState { return s.with(accepted) })
	}
	var sum pageState
	page := uint64(0)
	for b.Loop() {
		page = (page*2654435761 + 12345) % (1 << 18)
		sum += m.at(page)
	}
	_ = sum
}

func BenchmarkPageMapAcceptInTurn(b *testing.B) {
	m := newPageMap()
	page := uint64(0)
	for b.Loop() {
		m.update(page, page+1, func(s pageState) pageState { return s.with(accepted) })
		page = (page + 1) % (1 << 24)
	}
}
