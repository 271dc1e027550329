package alloc

import "github.com/tacit-vm/tacit/accept"

// AllocUnits hands out n units that follow each other, of 2 MiB each, from one range of RAM: accepted ones if there is
// such a run, else the first run of which the rest can be accepted, by d. The unit after the run is accepted, too.
func (a *Allocator) AllocUnits(n int, d accept.Driver) (addr uint64, err error) {
	if n <= 0 {
		return 0, ErrSize
	}
	a.acquire()
	addr, err = a.takeUnits(uint64(n), d)
	a.watch()
	a.release()
	return addr, err
}

func (a *Allocator) takeUnits(n uint64, d accept.Driver) (addr uint64, err error) {
	for {
		if u := a.findRun(n, false); u != none {
			a.reserve(u, n)
			a.use(u, n)
			return a.unit(u).Start, nil
		}
		if u := a.findRun(n, true); u != none && !a.broken {
			return a.acceptRun(u, n, d)
		}
		if a.coming == 0 {
			return 0, a.lack()
		}
		a.wait()
	}
}

// acceptRun hands out the n units from u on when it has had them accepted, and the one after. Others cannot take
// the run meanwhile, but they can take the unit after it. To keep that, too, would leave a hole between two runs; as it is,
// two runs side by side wait for each other no longer than it takes to accept a unit. It is called with the lock, and lets go of it while the driver works.
func (a *Allocator) acceptRun(u, n uint64, d accept.Driver) (addr uint64, err error) {
	run, guard := accept.Range{Start: a.unit(u).Start, End: a.unit(u + n).Start}, u+n
	fresh := a.reserve(u, n)
	a.release()
	err = a.tracker.Accept(accept.Guard(run), d)
	a.acquire()
	if err != nil {
		a.broken = true
		a.restore(u, n)
	} else {
		a.byWaiters += fresh
		a.use(u, n)
		a.letGo(u)
	}
	if guard < a.units && a.kind(guard) == raw && a.isRAM(guard) && !a.unaccepted(guard) {
		a.enter(guard)
		a.byWaiters++
	}
	a.wake()
	return run.Start, err
}

// reserve makes the n units from u on, of which no page is used, units that no other can take. It returns how many
// of them are unaccepted.
func (a *Allocator) reserve(u, n uint64) (fresh uint64) {
	for end := u + n; u < end; u++ {
		switch a.kind(u) {
		case whole:
			a.free -= unitPages
		case guarded:
			a.page(u)[pageWords-1] = 0
			a.held--
			a.free -= unitPages - 1
		default:
			a.raw -= unitPages
			fresh++
		}
		a.become(u, coming, 0)
	}
	a.used += n * unitPages
	return fresh
}

// use hands out reserved units.
func (a *Allocator) use(u, n uint64) {
	for end := u + n; u < end; u++ {
		a.page(u).flip(0, MaxOrder)
		a.become(u, full, 0)
	}
}

// restore undoes reserve. Some of the units may have been accepted.
func (a *Allocator) restore(u, n uint64) {
	a.used -= n * unitPages
	a.raw += n * unitPages
	for end := u + n; u < end; u++ {
		a.become(u, raw, 0)
		if !a.unaccepted(u) {
			a.enter(u)
		}
	}
}

// findRun returns the first of n units that follow each other in a range of RAM and of which no page is used; of
// accepted ones, or also of those that can be accepted. It returns none if there is no such run.
func (a *Allocator) findRun(n uint64, fresh bool) uint64 {
	if fresh && n == 1 && a.listed&(1<<guarded) != 0 { // costs the least
		return a.shape.first(a.sets[guarded])
	}
	for _, r := range a.ram {
		r = r.AlignIn(accept.UnitSize)
		if r.Len()/accept.UnitSize < n {
			continue
		}
		end := a.index(r.End)
		for u := a.nextUnused(a.index(r.Start), end, fresh); u <= end-n; {
			k := uint64(1)
			for k < n && a.unused(u+k, fresh) {
				k++
			}
			if k == n {
				return u
			}
			u = a.nextUnused(u+k+1, end, fresh)
		}
	}
	return none
}

// nextUnused returns the first unit from u on that is unused, or one that is not below end.
func (a *Allocator) nextUnused(u, end uint64, fresh bool) uint64 {
	next := a.shape.next(a.sets[whole], u)
	if !fresh {
		return next
	}
	next = min(next, a.shape.next(a.sets[guarded], u))
	for u = max(u, a.lowest); u < min(next, end) && a.kind(u) != raw; {
		u++
	}
	return min(u, next)
}

func (a *Allocator) unused(u uint64, fresh bool) bool {
	k := a.kind(u)
	return k == whole || fresh && (k == raw || k == guarded)
}

// isRAM reports whether a page of unit u is RAM.
func (a *Allocator) isRAM(u uint64) bool {
	for _, r := range a.ram {
		if !r.Intersect(a.unit(u)).Empty() {
			return true
		}
	}
	return false
}

// FreeUnits gives back n units that follow each other. It returns ErrBadFree, and changes nothing, unless all of their
// pages are in use.
func (a *Allocator) FreeUnits(addr uint64, n int) error {
	u := a.index(addr)
	if addr < a.base || u >= a.units || addr%accept.UnitSize != 0 || n <= 0 || uint64(n) > a.units-u {
		return ErrBadFree
	}
	a.acquire()
	if !a.giveUnits(u, uint64(n)) {
		a.release()
		return ErrBadFree
	}
	a.wake()
	a.release()
	return nil
}

func (a *Allocator) giveUnits(u, n uint64) bool {
	for i := range n {
		if a.flags(u+i) != 0 || !a.page(u+i).used(0, MaxOrder) {
			return false
		}
	}
	for i := range n {
		a.page(u+i).flip(0, MaxOrder)
		a.become(u+i, whole, 0)
	}
	a.free += n * unitPages
	a.used -= n * unitPages
	return true
}
