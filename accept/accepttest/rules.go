package accepttest

import (
	"fmt"
	"math/rand/v2"

	"github.com/tacit-vm/tacit/accept"
)

// TestRules checks functions that do what [accept.Split] and [accept.Guard] do, for somebody else's memory map: the
// rules, said here once more in other words, hold for each unit and page of random ranges.
func TestRules(
	split func(r, span accept.Range) (head, tracked, tail accept.Range),
	guard func(r accept.Range) accept.Range,
	seed uint64,
) error {
	r := rand.New(rand.NewPCG(seed, 0))
	for range 10_000 {
		start := r.Uint64N(16) * accept.UnitSize
		span := accept.Range{Start: start, End: start + r.Uint64N(40)*accept.UnitSize}
		about := near(r, accept.Range{Start: 8 * accept.UnitSize, End: 48 * accept.UnitSize})
		head, tracked, tail := split(about, span)
		if err := checkSplit(about, span, head, tracked, tail); err != nil {
			return fmt.Errorf("seed %d: Split(%v, %v) is %v, %v, %v: %w", seed, about, span, head, tracked, tail, err)
		}
		if got, want := guard(about), guarded(about); got != want && !(got.Empty() && want.Empty()) {
			return fmt.Errorf("seed %d: Guard(%v) is %v, want %v", seed, about, got, want)
		}
	}
	return nil
}

// checkSplit checks that the three make up r, and that a unit is tracked if it lies wholly in r and in span, and r is
// at least two units long.
func checkSplit(r, span, head, tracked, tail accept.Range) error {
	if head.Start != r.Start || head.End != tracked.Start || tracked.End != tail.Start || tail.End != r.End {
		return fmt.Errorf("they do not make up the range")
	}
	for at := r.Start &^ (accept.UnitSize - 1); at < r.End; at += accept.UnitSize {
		end := at + accept.UnitSize
		want := r.End-r.Start >= 2*accept.UnitSize && r.Start <= at && end <= r.End && span.Start <= at && end <= span.End
		if got := max(at, tracked.Start) < min(end, tracked.End); got != want {
			return fmt.Errorf("unit %#x is tracked: %v, should be %v", at, got, want)
		}
	}
	return nil
}

// guarded is the rule of the guard: round to pages, and if that ends with a unit, one more.
func guarded(r accept.Range) accept.Range {
	if r.End <= r.Start {
		return accept.Range{}
	}
	for r.Start%accept.PageSize != 0 {
		r.Start--
	}
	for r.End%accept.PageSize != 0 {
		r.End++
	}
	if r.End%accept.UnitSize == 0 {
		r.End += accept.UnitSize
	}
	return r
}
