package alloc

import "github.com/tacit-vm/tacit/accept"

// Alloc hands out a block of 4 KiB << order, aligned to its size. Where no accepted memory fits it has some accepted by
// d, this processor's, or waits for what others are having accepted already, if that is enough for all who wait.
//
// It takes the block from the fullest unit that has one, the lowest of these; then from a unit of which nothing is used,
// the lowest; and only then from unaccepted memory, the lowest again.
func (a *Allocator) Alloc(order int, d accept.Driver) (addr uint64, err error) {
	if order < 0 || order > MaxOrder {
		return 0, ErrSize
	}
	if order == MaxOrder {
		return a.AllocUnits(1, d)
	}
	a.acquire()
	addr, ok := a.take(order)
	if !ok {
		addr, err = a.takeLater(order, d)
	}
	a.watch()
	a.release()
	return addr, err
}

// take takes a block from accepted memory, if there is one.
func (a *Allocator) take(order int) (addr uint64, ok bool) {
	for {
		// What kinds of units can have such a block, the fullest first.
		fit := a.listed >> order0 >> order << order << order0
		if fit == 0 {
			return 0, false
		}
		k := kind(trailingZeros(fit))
		u := a.shape.first(a.sets[k])
		if k == whole && fit&(1<<guarded) != 0 {
			u = min(u, a.shape.first(a.sets[guarded]))
		}
		p, flags := a.page(u), a.flags(u)
		page := p.find(order)
		if page == none {
			a.become(u, largestKind(p, order), flags) // a kind says what was free when it was last looked at
			continue
		}
		p.flip(page, order)
		if k >= whole {
			a.become(u, order8, flags)
		}
		a.free -= 1 << order
		a.used += 1 << order
		return a.unit(u).Start + page*accept.PageSize, true
	}
}

// takeLater takes a block as soon as there is one. Those who wait do not each have a unit accepted: only as many are
// under way as hold what all of them want. Who finds that enough is coming waits for it, or for what is freed.
func (a *Allocator) takeLater(order int, d accept.Driver) (addr uint64, err error) {
	a.wanted += 1 << order
	for {
		addr, ok := a.take(order)
		if ok {
			a.wanted -= 1 << order
			return addr, nil
		}
		u := uint64(none)
		if a.coming*unitPages < a.wanted && !a.broken {
			u = a.nextRaw()
		}
		switch {
		case u != none:
			err = a.acceptOne(u, d)
			if err == nil {
				a.byWaiters++
			}
		case a.coming > 0:
			a.wait()
		default:
			err = a.lack()
		}
		if err != nil {
			a.wanted -= 1 << order
			return 0, err
		}
	}
}

// lack returns why there is no memory.
func (a *Allocator) lack() error {
	if a.broken {
		return accept.ErrBroken
	}
	return ErrNoMemory
}

// Free gives a block back. It may be a part of one that was handed out, or several of them that make up a larger one.
// It returns ErrBadFree, and changes nothing, unless all of its pages are in use.
func (a *Allocator) Free(addr uint64, order int) error {
	if order < 0 || order > MaxOrder {
		return ErrSize
	}
	if order == MaxOrder {
		return a.FreeUnits(addr, 1)
	}
	size := uint64(accept.PageSize) << order
	u := a.index(addr)
	if addr < a.base || u >= a.units || addr%size != 0 {
		return ErrBadFree
	}
	a.acquire()
	if !a.give(u, addr%accept.UnitSize/accept.PageSize, order) {
		a.release()
		return ErrBadFree
	}
	a.wake()
	a.release()
	return nil
}

// give frees a block of unit u, if all of it is in use.
func (a *Allocator) give(u, page uint64, order int) bool {
	p, flags := a.page(u), a.flags(u)
	if !p.used(page, order) || flags != 0 && a.reserved(u, page, order, flags) {
		return false
	}
	p.flip(page, order)
	a.free += 1 << order
	a.used -= 1 << order
	k := order0 + kind(p.joined(page, order))
	switch old := a.kind(u); {
	case flags == held && p.onlyLast():
		a.become(u, guarded, flags)
	case old == full || k > old:
		a.become(u, k, flags)
	}
	return true
}

// reserved reports whether a block has pages that are marked used and have not been handed out.
func (a *Allocator) reserved(u, page uint64, order int, flags uint8) bool {
	if flags&held != 0 && page+1<<order == unitPages {
		return true
	}
	return flags&edge != 0 && !accept.Contains(a.ram, a.unit(u).Start+page*accept.PageSize, accept.PageSize<<order)
}
