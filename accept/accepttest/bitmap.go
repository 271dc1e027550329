package accepttest

import (
	"fmt"
	"math/rand/v2"

	"github.com/tacit-vm/tacit/accept"
)

// A Bitmap remembers for each unit of a span whether it is unaccepted, with the rules of [accept.Bitmap].
type Bitmap interface {
	Span() accept.Range
	Mark(r accept.Range)
	Clear(r accept.Range)
	Any(r accept.Range) bool
	All(r accept.Range) bool
	Count(r accept.Range) uint64
	Runs(r accept.Range) func(yield func(accept.Range) bool)
	Accept(r accept.Range, d accept.Driver) error
}

// TestBitmap does random operations with a bitmap and with a map of units, and returns the first difference. newBitmap
// returns one with nothing marked whose span is span, which is whole units, or ends up to seven units after it.
func TestBitmap(newBitmap func(span accept.Range) (Bitmap, error), seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		start := r.Uint64N(16) * accept.UnitSize
		span := accept.Range{Start: start, End: start + (1+r.Uint64N(200))*accept.UnitSize}
		b, err := newBitmap(span)
		if err == nil {
			err = testBitmap(r, b, span)
		}
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return nil
}

func testBitmap(r *rand.Rand, b Bitmap, span accept.Range) error {
	got := b.Span()
	if got.Start != span.Start || got.Len()%accept.UnitSize != 0 ||
		got.End < span.End || got.End >= span.End+8*accept.UnitSize {
		return fmt.Errorf("span %v, want %v", got, span)
	}
	m := units{span: got, set: map[uint64]bool{}}
	for range 50 {
		change := near(r, got)
		if r.IntN(3) > 0 {
			b.Mark(change)
			m.change(change, true)
		} else {
			b.Clear(change)
			m.change(change, false)
		}
		if err := m.compare(b, near(r, got)); err != nil {
			return err
		}
		if r.IntN(8) == 0 {
			if err := m.accept(b, near(r, got)); err != nil {
				return err
			}
		}
	}
	return m.compare(b, got)
}

// units is the model of a bitmap: the addresses of the unaccepted units.
type units struct {
	span accept.Range
	set  map[uint64]bool
}

// touched returns the unaccepted units of the span that share memory with r, and how many units of it do.
func (m units) touched(r accept.Range) (set []uint64, all int) {
	for at := m.span.Start; at < m.span.End; at += accept.UnitSize {
		if r.Start < r.End && r.Start < at+accept.UnitSize && at < r.End {
			all++
			if m.set[at] {
				set = append(set, at)
			}
		}
	}
	return set, all
}

// change changes the units that lie wholly in r.
func (m units) change(r accept.Range, unaccepted bool) {
	for at := m.span.Start; at < m.span.End; at += accept.UnitSize {
		if r.Start <= at && at+accept.UnitSize <= r.End {
			m.set[at] = unaccepted
		}
	}
}

// compare asks b all that it can be asked about r.
func (m units) compare(b Bitmap, r accept.Range) error {
	set, all := m.touched(r)
	inside := r.End <= r.Start || m.span.Start <= r.Start && r.End <= m.span.End
	if got, want := b.Any(r), len(set) > 0; got != want {
		return fmt.Errorf("in %v Any(%v) is %v: of %d units %d are unaccepted", m.span, r, got, all, len(set))
	}
	if got, want := b.All(r), inside && len(set) == all; got != want {
		return fmt.Errorf("in %v All(%v) is %v: of %d units %d are unaccepted", m.span, r, got, all, len(set))
	}
	if got := b.Count(r); got != uint64(len(set)) {
		return fmt.Errorf("in %v Count(%v) is %d, and %d units are unaccepted", m.span, r, got, len(set))
	}
	var runs []accept.Range
	for run := range b.Runs(r) {
		runs = append(runs, run)
	}
	if want := runsIn(set); fmt.Sprint(runs) != fmt.Sprint(want) {
		return fmt.Errorf("in %v Runs(%v) are %v, want %v", m.span, r, runs, want)
	}
	return nil
}

// accept has r accepted, and checks that exactly what was unaccepted is, in the longest runs, and loses its bits.
func (m units) accept(b Bitmap, r accept.Range) error {
	set, _ := m.touched(r)
	var runs []accept.Range
	err := b.Accept(r, accept.DriverFunc(func(run accept.Range) error {
		runs = append(runs, run)
		return nil
	}))
	if err != nil {
		return fmt.Errorf("in %v Accept(%v): %w", m.span, r, err)
	}
	if want := runsIn(set); fmt.Sprint(runs) != fmt.Sprint(want) {
		return fmt.Errorf("in %v Accept(%v) accepted %v, want %v", m.span, r, runs, want)
	}
	for _, at := range set {
		m.set[at] = false
	}
	return m.compare(b, m.span)
}

// runsIn joins ascending units to ranges.
func runsIn(set []uint64) (runs []accept.Range) {
	for _, at := range set {
		if n := len(runs); n > 0 && runs[n-1].End == at {
			runs[n-1].End += accept.UnitSize
			continue
		}
		runs = append(runs, accept.Range{Start: at, End: at + accept.UnitSize})
	}
	return runs
}

// near returns a range in span or a little outside. Half of all begin and end with a page, a quarter with a unit; a few
// are empty, or end before they begin.
func near(r *rand.Rand, span accept.Range) accept.Range {
	low := span.Start - min(span.Start, 16*accept.UnitSize)
	width := span.End + 16*accept.UnitSize - low
	a, b := low+r.Uint64N(width), low+r.Uint64N(width)
	if r.IntN(4) == 0 {
		b = a + r.Uint64N(3*accept.UnitSize)
	}
	switch r.IntN(4) {
	case 0:
		a, b = a&^(accept.UnitSize-1), b&^(accept.UnitSize-1)
	case 1, 2:
		a, b = a&^(accept.PageSize-1), b&^(accept.PageSize-1)
	}
	if r.IntN(16) == 0 {
		return accept.Range{Start: max(a, b), End: min(a, b)}
	}
	return accept.Range{Start: min(a, b), End: max(a, b)}
}
