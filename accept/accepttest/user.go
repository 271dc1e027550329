package accepttest

import (
	"fmt"
	"math/rand/v2"

	"github.com/tacit-vm/tacit/accept"
)

// A user is one processor that allocates and frees at random.
type user struct {
	o      AllocatorOptions
	a      Allocator
	m      *Memory
	r      *rand.Rand
	before uint64
	blocks []block
	grow   int   // of eight operations, how many allocate
	large  int   // one of so many blocks is of any order, the others are small
	idle   int   // one of so many operations fills the reserve
	none   error // why the last attempt to allocate got nothing
	err    error
}

// A block is what a user has: of an order, or, where units is not 0, a run of units.
type block struct {
	accept.Range
	order, units int
}

func (u *user) run(operations int) {
	for i := 0; i < operations && u.err == nil; i++ {
		if i%1024 == 0 { // now memory is filled, now it is emptied
			u.grow, u.large, u.idle = 1+u.r.IntN(8), 2+u.r.IntN(30), 4<<u.r.IntN(6)
		}
		u.step()
		if u.err == nil && u.o.Goroutines == 1 && u.o.Bound != nil {
			u.checkBound()
		}
	}
}

func (u *user) step() {
	switch filler, ok := u.a.(Filler); {
	case ok && u.r.IntN(u.idle) == 0:
		if _, err := filler.Background(u.m); err != nil && u.o.Fail == nil {
			u.err = fmt.Errorf("filling the reserve: %w", err)
		}
	case u.r.IntN(4096) == 0: // all at once, so that much is free together
		for len(u.blocks) > 0 && u.err == nil {
			u.free()
		}
	case u.o.Goroutines == 1 && u.r.IntN(8) == 0:
		u.badFree()
	case u.r.IntN(8) >= u.grow:
		u.free()
	case u.r.IntN(64) == 0 && u.o.MaxOrder == 9:
		u.allocUnits(1 + u.r.IntN(6))
	default:
		order := 0
		for order < u.o.MaxOrder && u.r.IntN(3) == 0 {
			order++
		}
		if u.r.IntN(u.large) == 0 {
			order = u.r.IntN(u.o.MaxOrder + 1)
		}
		u.alloc(order)
	}
}

// alloc allocates a block, and reports whether it got one.
func (u *user) alloc(order int) bool {
	addr, err := u.a.Alloc(order, u.m)
	if err != nil {
		u.none = err
		if u.o.Goroutines == 1 && u.o.Fail == nil && order == 0 {
			u.checkNone(err)
		}
		return false
	}
	u.got(block{accept.Range{Start: addr, End: addr + accept.PageSize<<order}, order, 0}, accept.PageSize<<order)
	return u.err == nil
}

func (u *user) allocUnits(n int) bool {
	a, ok := u.a.(UnitAllocator)
	if !ok {
		return u.alloc(9)
	}
	addr, err := a.AllocUnits(n, u.m)
	if err != nil {
		u.none = err
		return false
	}
	u.got(block{accept.Range{Start: addr, End: addr + uint64(n)*accept.UnitSize}, 9, n}, accept.UnitSize)
	return u.err == nil
}

func (u *user) got(b block, align uint64) {
	if b.Start%align != 0 {
		u.err = fmt.Errorf("a block %v that is not aligned to %#x", b.Range, align)
		return
	}
	if u.err = u.m.HandOut(b.Range); u.err == nil {
		u.blocks = append(u.blocks, b)
	}
}

// free frees a block of its own, sometimes in two parts.
func (u *user) free() {
	if len(u.blocks) == 0 {
		return
	}
	i, last := u.r.IntN(len(u.blocks)), len(u.blocks)-1
	b := u.blocks[i]
	u.blocks[i], u.blocks = u.blocks[last], u.blocks[:last]
	if b.units == 0 && b.order > 0 && u.r.IntN(8) == 0 {
		b.order--
		upper := block{accept.Range{Start: b.Start + b.Len()/2, End: b.End}, b.order, 0}
		b.End = upper.Start
		u.blocks = append(u.blocks, upper)
	}
	if u.err = u.m.TakeBack(b.Range); u.err != nil {
		return
	}
	if err := u.freeBlock(b); err != nil {
		u.err = fmt.Errorf("freeing %v: %w", b.Range, err)
		return
	}
	if u.o.Goroutines == 1 && u.freeBlock(b) == nil {
		u.err = fmt.Errorf("freeing %v again was no error", b.Range)
	}
}

func (u *user) freeBlock(b block) error {
	if b.units > 0 {
		return u.a.(UnitAllocator).FreeUnits(b.Start, b.units)
	}
	return u.a.Free(b.Start, b.order)
}

// badFree tries to free what is not all in use, or not aligned. It is for one goroutine: others could allocate it.
func (u *user) badFree() {
	order := u.r.IntN(10)
	size := uint64(accept.PageSize) << order
	low := u.m.span.Start - min(u.m.span.Start, 2*accept.UnitSize)
	at := (low + u.r.Uint64N(u.m.span.Len()+4*accept.UnitSize)) &^ (size - 1)
	if order == 0 && u.r.IntN(2) == 0 { // the places where pages are held back
		at |= accept.UnitSize - accept.PageSize
	}
	block := accept.Range{Start: at, End: at + size}
	if u.r.IntN(4) == 0 {
		at += 1 + u.r.Uint64N(size-1)
	} else if u.m.InUse(block) {
		return
	}
	if u.a.Free(at, order) == nil {
		u.err = fmt.Errorf("freeing %#x, order %d, which is not in use, was no error", at, order)
	}
}

// checkNone checks that there is no page to hand out.
func (u *user) checkNone(err error) {
	for at := u.m.span.Start; at < u.m.span.End; at += accept.PageSize {
		if u.m.unused(at) {
			u.err = fmt.Errorf("page %#x is free, and cannot be had: %w", at, err)
			return
		}
	}
}

func (u *user) checkBound() {
	c := u.m.Count()
	if bound := u.o.Bound(c.Touched); c.Accepted-u.before > bound {
		u.err = fmt.Errorf("%d KiB accepted, and %d touched: at most %d may be",
			(c.Accepted-u.before)>>10, c.Touched>>10, bound>>10)
	}
}
