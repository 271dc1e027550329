package alloc

import "github.com/tacit-vm/tacit/accept"

// This file has memory accepted, and enters what has been.

// acceptOne has unit u accepted, which is raw, and enters it. It is called with the lock, and lets go of it meanwhile.
func (a *Allocator) acceptOne(u uint64, d accept.Driver) error {
	a.become(u, coming, 0)
	a.coming++
	a.release()
	err := a.tracker.Accept(a.unit(u), d)
	a.acquire()
	a.coming--
	if err != nil {
		a.become(u, raw, 0)
		a.broken = true
	} else {
		a.enter(u)
	}
	a.wake()
	return err
}

// nextRaw returns the lowest raw unit, or none.
func (a *Allocator) nextRaw() uint64 {
	if a.raw == 0 {
		return none
	}
	for _, r := range a.ram {
		r = r.AlignOut(accept.UnitSize)
		for u := max(a.lowest, a.index(r.Start)); u < a.index(r.End); u++ {
			if a.lowest = u; a.kind(u) == raw {
				return u
			}
		}
	}
	return none
}

// enter makes the memory of unit u, which has been accepted and was not used before, free. While the unit after it is
// unaccepted its last page is held back, since a load of a word that begins in that page can end after it. So is the
// page before the unit, until now.
func (a *Allocator) enter(u uint64) {
	p, n, flags := a.page(u), uint64(unitPages), uint8(0)
	if !a.isWhole(u) {
		n, flags = a.mark(u), edge
	}
	a.raw -= n
	if p[pageWords-1]&lastPage == 0 && a.unaccepted(u+1) {
		p[pageWords-1] |= lastPage
		flags |= held
		a.held++
		n--
	}
	a.free += n
	a.sort(u, flags)
	a.letGo(u)
}

// letGo frees the page before unit u, which has been accepted, if it was held back.
func (a *Allocator) letGo(u uint64) {
	if u == 0 || a.flags(u-1)&held == 0 {
		return
	}
	u--
	a.page(u)[pageWords-1] &^= lastPage
	a.held--
	a.free++
	a.sort(u, a.flags(u)&^held)
}

// mark marks the pages of u that are not RAM as used, and returns how many are.
func (a *Allocator) mark(u uint64) (n uint64) {
	p, unit := a.page(u), a.unit(u)
	*p = pages{ones, ones, ones, ones, ones, ones, ones, ones}
	for _, r := range a.ram {
		r = r.Intersect(unit)
		n += r.Len() / accept.PageSize
		for ; !r.Empty(); r.Start += accept.PageSize {
			p.flip(r.Start%accept.UnitSize/accept.PageSize, 0)
		}
	}
	return n
}

// isWhole reports whether all of unit u is RAM.
func (a *Allocator) isWhole(u uint64) bool {
	return accept.Contains(a.ram, a.unit(u).Start, accept.UnitSize)
}

// unaccepted reports whether unit u is unaccepted, which may be a unit after the last.
func (a *Allocator) unaccepted(u uint64) bool {
	return a.tracker != nil && a.tracker.Bitmap.Any(a.unit(u))
}
