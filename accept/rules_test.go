package accept_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/accept"
)

func TestSplit(t *testing.T) {
	type r = accept.Range
	wide := r{0, 64 * giB}
	for _, c := range []struct {
		name                string
		r, span             r
		head, tracked, tail r
	}{
		{"what firmware should hand over: nothing up front",
			r{4 * giB, 8 * giB}, r{4 * giB, 64 * giB}, r{}, r{4 * giB, 8 * giB}, r{}},
		{"exactly two units", r{4 * miB, 8 * miB}, wide, r{}, r{4 * miB, 8 * miB}, r{}},
		{"a page less than two units, although a whole unit lies in it",
			r{4 * miB, 8*miB - 4*kiB}, wide, r{4 * miB, 8*miB - 4*kiB}, r{}, r{}},
		{"two units' length, one whole unit", r{3 * miB, 7 * miB}, wide,
			r{3 * miB, 4 * miB}, r{4 * miB, 6 * miB}, r{6 * miB, 7 * miB}},
		{"head of one page", r{4*giB - 4*kiB, 8 * giB}, wide, r{4*giB - 4*kiB, 4 * giB}, r{4 * giB, 8 * giB}, r{}},
		{"tail of one page", r{4 * giB, 8*giB + 4*kiB}, wide, r{}, r{4 * giB, 8 * giB}, r{8 * giB, 8*giB + 4*kiB}},
		{"begins below the bitmap", r{2 * giB, 8 * giB}, r{4 * giB, 64 * giB},
			r{2 * giB, 4 * giB}, r{4 * giB, 8 * giB}, r{}},
		{"goes on beyond the bitmap", r{60 * giB, 70 * giB}, wide, r{}, r{60 * giB, 64 * giB}, r{64 * giB, 70 * giB}},
		{"wider than the bitmap at both ends", r{3*giB + 4*kiB, 70*giB + 4*kiB}, r{4 * giB, 64 * giB},
			r{3*giB + 4*kiB, 4 * giB}, r{4 * giB, 64 * giB}, r{64 * giB, 70*giB + 4*kiB}},
		{"all below the bitmap", r{1 * giB, 2 * giB}, r{4 * giB, 64 * giB}, r{1 * giB, 2 * giB}, r{}, r{}},
		{"all beyond the bitmap", r{65 * giB, 66 * giB}, wide, r{65 * giB, 66 * giB}, r{}, r{}},
		{"a span that is not in whole units", r{4 * giB, 8 * giB}, r{4*giB + 4*kiB, 8*giB - 4*kiB},
			r{4 * giB, 4*giB + 2*miB}, r{4*giB + 2*miB, 8*giB - 2*miB}, r{8*giB - 2*miB, 8 * giB}},
		{"no bitmap", r{4 * giB, 8 * giB}, r{}, r{4 * giB, 8 * giB}, r{}, r{}},
		{"nothing", r{4 * giB, 4 * giB}, wide, r{}, r{}, r{}},
		{"less than nothing", r{8 * giB, 4 * giB}, wide, r{}, r{}, r{}},
	} {
		head, tracked, tail := accept.Split(c.r, c.span)
		if norm(head) != c.head || norm(tracked) != c.tracked || norm(tail) != c.tail {
			t.Errorf("%s: %v in %v:\n got %v %v %v\nwant %v %v %v",
				c.name, c.r, c.span, head, tracked, tail, c.head, c.tracked, c.tail)
		}
	}
}

// norm makes all empty ranges equal.
func norm(r accept.Range) accept.Range {
	if r.Empty() {
		return accept.Range{}
	}
	return r
}

// Every byte of a range has one fate, and the rules say which.
func TestSplitByTheUnit(t *testing.T) {
	random := random(t)
	for range 20_000 {
		base := random.Uint64N(16) * accept.UnitSize
		span := accept.Range{Start: base, End: base + random.Uint64N(5)*8*accept.UnitSize}
		r := between(random, 0, 64*accept.UnitSize)
		head, tracked, tail := accept.Split(r, span)
		if head.Start != r.Start || head.End != tracked.Start || tracked.End != tail.Start || tail.End != r.End {
			t.Fatalf("%v in %v: %v %v %v do not make it up", r, span, head, tracked, tail)
		}
		for at := r.Start &^ (accept.UnitSize - 1); at < r.End; at += accept.UnitSize {
			u := accept.Range{Start: at, End: at + accept.UnitSize}
			want := r.End-r.Start >= 4*miB && u.Start >= r.Start && u.End <= r.End &&
				u.Start >= span.Start && u.End <= span.End
			if got := !u.Intersect(tracked).Empty(); got != want {
				t.Fatalf("%v in %v: unit %v tracked: %v, want %v", r, span, u, got, want)
			}
		}
	}
}

func TestGuard(t *testing.T) {
	type r = accept.Range
	for _, c := range []struct {
		name    string
		r, want r
	}{
		{"ends with a unit", r{8 * miB, 12 * miB}, r{8 * miB, 14 * miB}},
		{"ends in a unit", r{8 * miB, 12*miB - 4*kiB}, r{8 * miB, 12*miB - 4*kiB}},
		{"ends in the last page of a unit", r{8 * miB, 12*miB - 1}, r{8 * miB, 14 * miB}},
		{"begins in a page", r{8*miB + 5, 9*miB + 5}, r{8 * miB, 9*miB + 4*kiB}},
		{"nothing needs no guard", r{8 * miB, 8 * miB}, r{}},
		{"no address for a guard", r{0, top &^ (accept.UnitSize - 1)}, r{0, top &^ (accept.UnitSize - 1)}},
	} {
		if got := accept.Guard(c.r); got != c.want {
			t.Errorf("%s: Guard(%v) = %v, want %v", c.name, c.r, got, c.want)
		}
	}
}

// A run of blocks of 4 MiB, as Linux's page allocator takes them: the first costs 6 MiB, those after it 4,
// and the last one the 2 that are left before the bitmap ends.
func TestAcceptByTheBlock(t *testing.T) {
	m, _ := newBitmap(t, accept.Range{Start: 4 * giB, End: 4*giB + 16*miB})
	m.Mark(m.Span())
	var sizes []uint64
	for at := uint64(4 * giB); at < 4*giB+16*miB; at += 4 * miB {
		err := m.Accept(accept.Guard(accept.Range{Start: at, End: at + 4*miB}), accept.DriverFunc(func(r accept.Range) error {
			sizes = append(sizes, r.Len()/miB)
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []uint64{6, 4, 4, 2}; !slices.Equal(sizes, want) {
		t.Errorf("accepted %v MiB, want %v", sizes, want)
	}
	if m.Any(m.Span()) {
		t.Error("something is left unaccepted")
	}
}

// Whatever is asked for, the platform gets each unaccepted unit that is needed once, and no other.
func TestAcceptAgainstModel(t *testing.T) {
	random := random(t)
	for range 300 {
		base := random.Uint64N(8) * accept.UnitSize
		m, _ := newBitmap(t, accept.Range{Start: base, End: base + (1+random.Uint64N(90))*accept.UnitSize})
		span, units := m.Span(), model{}
		for range 5 {
			r := between(random, 0, span.End+64*miB)
			m.Mark(r)
			units.each(span, func(at uint64) {
				if r.Start <= at && at+accept.UnitSize <= r.End {
					units[at] = true
				}
			})
		}
		for range 20 {
			r, last := between(random, 0, span.End+64*miB), uint64(0)
			need, _ := units.touched(span, pagesAndGuard(r))
			err := m.Accept(accept.Guard(r), accept.DriverFunc(func(run accept.Range) error {
				if run.Start < last {
					t.Fatalf("%v comes after %#x", run, last)
				}
				last = run.End
				for ; !run.Empty(); run.Start += accept.UnitSize {
					if len(need) == 0 || need[0] != run.Start {
						t.Fatalf("Accept(%v): unit %#x, want next of %#x", r, run.Start, need)
					}
					need = need[1:]
					delete(units, run.Start)
				}
				return nil
			}))
			if err != nil || len(need) != 0 {
				t.Fatalf("Accept(%v): %v, and %#x were not accepted", r, err, need)
			}
			if m.Any(accept.Guard(r)) {
				t.Fatalf("Accept(%v) left something", r)
			}
			units.each(span, func(at uint64) {
				if m.Any(units.unit(at)) != units[at] {
					t.Fatalf("Accept(%v) changed %v", r, units.unit(at))
				}
			})
		}
	}
}

// pagesAndGuard is the rule of the guard, in words: round to pages, and if that ends with a unit, one more.
func pagesAndGuard(r accept.Range) accept.Range {
	if r.Start >= r.End {
		return r
	}
	r.Start -= r.Start % 4096
	for r.End%4096 != 0 {
		r.End++
	}
	if r.End%(2*miB) == 0 {
		r.End += 2 * miB
	}
	return r
}

func TestAcceptFails(t *testing.T) {
	m, _ := newBitmap(t, accept.Range{Start: 0, End: giB})
	first, second := accept.Range{Start: 2 * miB, End: 6 * miB}, accept.Range{Start: 8 * miB, End: 12 * miB}
	third := accept.Range{Start: 20 * miB, End: 22 * miB}
	for _, r := range []accept.Range{first, second, third} {
		m.Mark(r)
	}
	refused := errors.New("refused")
	var asked []accept.Range
	err := m.Accept(m.Span(), accept.DriverFunc(func(r accept.Range) error {
		asked = append(asked, r)
		if r == second {
			return refused
		}
		return nil
	}))
	if !errors.Is(err, refused) {
		t.Errorf("error %v, want that of the platform", err)
	}
	if got, want := fmt.Sprint(asked), fmt.Sprint([]accept.Range{first, second}); got != want {
		t.Errorf("asked for %v, want %v", got, want)
	}
	if m.Any(first) || !m.All(second) || !m.All(third) {
		t.Error("only what was accepted may lose its bits")
	}
}
