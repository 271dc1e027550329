package accepttest

import (
	"fmt"
	"math/rand/v2"

	"github.com/tacit-vm/tacit/accept"
)

// DriverMemory is the memory that [TestDriver] accepts.
var DriverMemory = accept.Range{Start: 4 << 30, End: 4<<30 + 64<<20}

// TestDriver checks that a driver accepts what it is told to, whole, and nothing else; and that it returns an error
// where a page has been accepted before. newDriver returns one that has all of [DriverMemory] to accept yet, and
// a function that says whether the page at an address has been accepted: not by the driver's word, but as the platform
// sees it. TestDriver calls it several times.
func TestDriver(newDriver func() (d accept.Driver, accepted func(gpa uint64) bool)) error {
	for _, r := range []accept.Range{
		DriverMemory,
		part(0, accept.PageSize),
		part(0, accept.UnitSize),
		part(accept.UnitSize-accept.PageSize, accept.UnitSize+accept.PageSize), // the end of a unit, and the start of one
		part(accept.PageSize, 3*accept.UnitSize),                               // a unit, and pages on both sides
		part(5*accept.UnitSize+7*accept.PageSize, 9*accept.UnitSize-accept.PageSize),
		part(DriverMemory.Len()-accept.PageSize, DriverMemory.Len()),
	} {
		d, accepted := newDriver()
		model := NewMemory(nil, []accept.Range{DriverMemory})
		if err := acceptBoth(d, accepted, model, r); err != nil {
			return err
		}
		first := accept.Range{Start: r.Start, End: r.Start + accept.PageSize}
		last := accept.Range{Start: r.End - accept.PageSize, End: r.End}
		for _, again := range []accept.Range{r, first, last} {
			if d.Accept(again) == nil {
				return fmt.Errorf("%v was accepted, and accepting %v again is no error", r, again)
			}
		}
	}
	for seed := range uint64(20) {
		if err := acceptPieces(newDriver, seed); err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return nil
}

func part(start, end uint64) accept.Range {
	return accept.Range{Start: DriverMemory.Start + start, End: DriverMemory.Start + end}
}

// acceptPieces accepts all of the memory in pieces, in any order, and tries what overlaps with one of them.
func acceptPieces(newDriver func() (accept.Driver, func(uint64) bool), seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 0))
	d, accepted := newDriver()
	model := NewMemory(nil, []accept.Range{DriverMemory})
	var pieces []accept.Range
	for at := DriverMemory.Start; at < DriverMemory.End; {
		size := (1 + r.Uint64N(3*accept.UnitSize)) &^ (accept.PageSize - 1)
		if r.IntN(2) == 0 {
			size = accept.UnitSize - at%accept.UnitSize
		}
		piece := accept.Range{Start: at, End: min(at+max(size, accept.PageSize), DriverMemory.End)}
		pieces = append(pieces, piece)
		at = piece.End
	}
	r.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	for _, piece := range pieces {
		if err := acceptBoth(d, accepted, model, piece); err != nil {
			return err
		}
	}
	if again := pieces[r.IntN(len(pieces))]; d.Accept(again) == nil {
		return fmt.Errorf("accepting %v again is no error", again)
	}
	return nil
}

// acceptBoth accepts r and checks that this is what has been.
func acceptBoth(d accept.Driver, accepted func(uint64) bool, model *Memory, r accept.Range) error {
	if err := d.Accept(r); err != nil {
		return fmt.Errorf("accepting %v: %w", r, err)
	}
	if err := model.Accept(r); err != nil {
		return err
	}
	for at := DriverMemory.Start; at < DriverMemory.End; at += accept.PageSize {
		if got, want := accepted(at), model.Accepted(at); got != want {
			return fmt.Errorf("%v was accepted, and page %#x is accepted: %v, should be %v", r, at, got, want)
		}
	}
	return nil
}
