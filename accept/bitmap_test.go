package accept_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
)

const (
	kiB = 1 << 10
	miB = 1 << 20
	giB = 1 << 30
	tiB = 1 << 40
	piB = 1 << 50
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random tests")

func random(t *testing.T) *rand.Rand {
	t.Logf("go test ./accept -run '^%s$' -seed %d", t.Name(), *seed)
	return rand.New(rand.NewPCG(*seed, 0))
}

// between returns a range in [start, end). Half of all ranges begin and end with a page, a quarter with a unit,
// and a few are empty.
func between(r *rand.Rand, start, end uint64) accept.Range {
	a, b := start+r.Uint64N(end-start+1), start+r.Uint64N(end-start+1)
	if r.IntN(4) == 0 { // short ranges are where the edges meet
		b = min(end, a+r.Uint64N(3*accept.UnitSize))
	}
	switch r.IntN(4) {
	case 0:
		a, b = a&^(accept.UnitSize-1), b&^(accept.UnitSize-1)
	case 1, 2:
		a, b = a&^(accept.PageSize-1), b&^(accept.PageSize-1)
	}
	return accept.Range{Start: min(a, b), End: max(a, b)}
}

// model is a bitmap that is too simple to be wrong: the addresses of the unaccepted units.
type model map[uint64]bool

func (m model) unit(at uint64) accept.Range {
	return accept.Range{Start: at, End: at + accept.UnitSize}
}

func (m model) each(span accept.Range, f func(at uint64)) {
	for at := span.Start; at < span.End; at += accept.UnitSize {
		f(at)
	}
}

// touched returns the unaccepted units that share memory with r, and how many units of span do.
func (m model) touched(span, r accept.Range) (set []uint64, units int) {
	m.each(span, func(at uint64) {
		if r.Start < r.End && r.Start < at+accept.UnitSize && at < r.End {
			units++
			if m[at] {
				set = append(set, at)
			}
		}
	})
	return set, units
}

func TestBitmapAgainstModel(t *testing.T) {
	r := random(t)
	for range 300 {
		// Bits at any address, between bytes that must stay as they are; some longer than a block of the search.
		size := 1 + r.Uint64N(40)
		if r.IntN(20) == 0 {
			size = 1 + r.Uint64N(40*kiB)
		}
		buf := make([]byte, size+32)
		for i := range buf {
			buf[i] = 0xa5
		}
		at := 8 + r.Uint64N(16)
		clear(buf[at : at+size])
		h := accept.Header{PhysBase: r.Uint64N(1000) * accept.UnitSize, Size: size}
		b, err := h.Bitmap(buf[at:])
		if err != nil {
			t.Fatal(err)
		}
		span := b.Span()
		if want := (accept.Range{Start: h.PhysBase, End: h.PhysBase + size*16*miB}); span != want {
			t.Fatalf("%+v: span %v, want %v", h, span, want)
		}
		m := model{}
		steps := 60
		if size > 1000 {
			steps = 4
		}
		for range steps {
			step(t, r, b, m, span)
		}
		m.each(span, func(u uint64) {
			i := (u - span.Start) / accept.UnitSize
			if buf[at+i/8]>>(i%8)&1 == 1 != m[u] {
				t.Fatalf("%+v: bit %d of byte %d is not that of %v", h, i%8, i/8, m.unit(u))
			}
		})
		for i, v := range buf {
			if (uint64(i) < at || uint64(i) >= at+size) && v != 0xa5 {
				t.Fatalf("%+v: wrote outside the bitmap", h)
			}
		}
	}
}

// step changes b and m alike and compares all that b can be asked.
func step(t *testing.T, r *rand.Rand, b accept.Bitmap, m model, span accept.Range) {
	t.Helper()
	low := span.Start - min(span.Start, 64*miB)
	change := between(r, low, span.End+64*miB)
	mark := r.IntN(3) > 0
	if mark {
		b.Mark(change)
	} else {
		b.Clear(change)
	}
	m.each(span, func(at uint64) {
		if change.Start <= at && at+accept.UnitSize <= change.End {
			m[at] = mark
		}
	})

	q := between(r, low, span.End+64*miB)
	set, units := m.touched(span, q)
	if got := b.Any(q); got != (len(set) > 0) {
		t.Fatalf("Any(%v) = %v, %d units are set", q, got, len(set))
	}
	inside := q.Empty() || span.Start <= q.Start && q.End <= span.End
	if got := b.All(q); got != (inside && len(set) == units) {
		t.Fatalf("All(%v) = %v, %d of %d units are set in %v", q, got, len(set), units, span)
	}
	if got := b.Count(q); got != uint64(len(set)) {
		t.Fatalf("Count(%v) = %d, want %d", q, got, len(set))
	}
	last := uint64(0)
	for run := range b.Runs(q) {
		if run.Empty() || run.Start == last && last != 0 {
			t.Fatalf("Runs(%v): %v is empty or joins the run before", q, run)
		}
		last = run.End
		for ; !run.Empty(); run.Start += accept.UnitSize {
			if len(set) == 0 || set[0] != run.Start {
				t.Fatalf("Runs(%v): %#x is out of place, %#x come next", q, run.Start, set)
			}
			set = set[1:]
		}
	}
	if len(set) != 0 {
		t.Fatalf("Runs(%v): %#x are missing", q, set)
	}
}

// All the memory that 52 bits address.
func TestFourPebibytes(t *testing.T) {
	m, bits := newBitmap(t, fourPiB)
	if len(bits) != 256*miB {
		t.Fatalf("%d bytes of bitmap", len(bits))
	}
	if m.Mark(fourPiB); !m.All(fourPiB) || m.Count(fourPiB) != 1<<31 {
		t.Errorf("all marked: All %v, Count %d", m.All(fourPiB), m.Count(fourPiB))
	}
	last := accept.Range{Start: 4*piB - accept.UnitSize, End: 4 * piB}
	if m.Clear(last); m.All(fourPiB) {
		t.Error("last unit cleared, and all are still marked")
	}
	if m.Clear(fourPiB); m.Any(fourPiB) {
		t.Error("all cleared, and some are still marked")
	}
	if m.Mark(last); m.Count(fourPiB) != 1 {
		t.Errorf("last unit marked: Count %d", m.Count(fourPiB))
	}
}

// A run that ends just before, at and just after what is searched at a time: a byte, a word, a line, a block.
func TestRunsEndAnywhere(t *testing.T) {
	const unit = accept.UnitSize
	m, _ := newBitmap(t, accept.Range{Start: 0, End: 4 * tiB})
	for _, bytes := range []uint64{1, 8, 64, 4 * kiB, 16 * kiB, 48 * kiB, 64*kiB + 8} {
		for _, end := range []uint64{bytes*8*unit - unit, bytes * 8 * unit, bytes*8*unit + unit} {
			for _, start := range []uint64{0, unit, end - unit} {
				want := accept.Range{Start: start, End: end}
				m.Mark(want)
				var got []accept.Range
				for run := range m.Runs(m.Span()) {
					got = append(got, run)
				}
				if len(got) != 1 || got[0] != want {
					t.Errorf("Runs: %v, want %v", got, want)
				}
				if n := m.Count(m.Span()); n != want.Len()/unit {
					t.Errorf("%v: Count %d, want %d", want, n, want.Len()/unit)
				}
				if !m.All(want) || m.All(accept.Range{Start: start, End: end + unit}) {
					t.Errorf("%v: All is wrong at its end", want)
				}
				if m.Any(accept.Range{Start: end, End: 4 * tiB}) {
					t.Errorf("%v: Any sees something after it", want)
				}
				m.Clear(want)
			}
		}
	}
}

// One unit that is unlike all others is found in every place of what is searched at a time.
func TestLoneUnit(t *testing.T) {
	const size = 20 * kiB
	m, _ := newBitmap(t, accept.Range{Start: 0, End: size * 16 * miB})
	for i := uint64(0); i < size*8; i += 61 { // in all words, in all bits of them
		u := accept.Range{Start: i * accept.UnitSize, End: (i + 1) * accept.UnitSize}
		m.Mark(u)
		if m.Count(m.Span()) != 1 || !m.Any(m.Span()) || !m.All(u) {
			t.Fatalf("%v alone is unaccepted: Count %d, Any %v", u, m.Count(m.Span()), m.Any(m.Span()))
		}
		m.Mark(m.Span())
		m.Clear(u)
		if m.Count(m.Span()) != size*8-1 || m.All(m.Span()) || m.Any(u) {
			t.Fatalf("%v alone is accepted: Count %d, All %v", u, m.Count(m.Span()), m.All(m.Span()))
		}
		m.Clear(m.Span())
	}
}

func TestNoAllocations(t *testing.T) {
	buf := make([]byte, accept.HeaderSize+1025) // and a byte that fills no word
	r := accept.Range{Start: 5*giB + 4*kiB, End: 19*giB - 4*kiB}
	var sum uint64
	platform := accept.DriverFunc(func(r accept.Range) error { sum += r.Len(); return nil })
	if n := testing.AllocsPerRun(100, func() {
		h := accept.HeaderFor(r.Union(accept.Range{Start: 4 * giB, End: 20*giB + 2*miB}))
		h.Put(buf)
		h, err := accept.ParseHeader(buf)
		if err != nil {
			t.Error(err)
		}
		m, err := h.Bitmap(buf[accept.HeaderSize:])
		if err != nil {
			t.Error(err)
		}
		head, tracked, tail := accept.Split(r, m.Span())
		m.Mark(tracked)
		m.Clear(accept.Range{Start: 6 * giB, End: 7 * giB})
		if !m.Any(r) || m.All(r) {
			t.Error("wrong")
		}
		sum += head.Len() + tail.Len() + m.Count(m.Span())
		for run := range m.Runs(m.Span()) {
			sum += run.Len()
		}
		if err := m.Accept(accept.Guard(r), platform); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations (%d)", n, sum)
	}
}
