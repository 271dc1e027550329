//go:build linux && amd64

package kernel

// fault gives the program memory where it has touched an area for the first time. It reports false where there is
// nothing to be touched. Where the program itself has touched it, other processors have the kernel's lock while memory is
// accepted and cleared.
func (k *kernel) fault(p *processor, va uint64, f *frame) bool {
	a := k.space.find(va)
	if a.kind&(canRead|canWrite|canRun) == 0 {
		return false
	}
	if m := k.mappingIn(va, va+1); m != nil {
		return k.fileFault(p, m, va, a.kind, f.code)
	}
	apart := k.online > 1 && f.cs&3 != 0
	// A whole 2 MiB page, where the area has room for one and nothing is there yet.
	if start := va &^ (size2M - 1); a.kind == usable && start >= a.start && start+size2M <= a.end && k.mappingIn(start, start+size2M) == nil {
		if e, level := k.tables.entry(va, 21, true); e != nil && level == 21 && *e&present == 0 {
			if pa, ok := k.takeCleared(p, order2M, apart); ok {
				k.fill(va, 21, pa, a.kind)
				return true
			}
		}
	}
	e, level := k.tables.entry(va, 12, true)
	if e == nil {
		k.outOfMemory(va)
	}
	if level != 12 || *e&present != 0 {
		return k.allowed(va, *e, f.code) // there is memory: since then, or it does not allow what was tried
	}
	pa, ok := k.takeCleared(p, order4K, apart)
	if !ok {
		k.outOfMemory(va)
	}
	k.fill(va, 12, pa, a.kind)
	return true
}

// takeCleared takes memory and clears it, without the kernel's lock if apart.
func (k *kernel) takeCleared(p *processor, order int, apart bool) (pa uint64, ok bool) {
	if apart {
		k.accepting++
		k.unlock()
	}
	if pa, ok = k.allocate(p, order); ok {
		zero(directMap+pa, pageSize<<order)
	}
	if apart {
		k.acquire(p)
		k.accepting--
	}
	if ok {
		k.note(pa)
	}
	return pa, ok
}

// fill maps memory that was taken for an address. If the area is another by now, or another processor was first, it gives it
// back, and the program touches its memory again.
func (k *kernel) fill(va, level, pa uint64, kind uint8) {
	start := va >> level << level
	a := k.space.find(va)
	e, at := k.tables.entry(va, level, true)
	if a.kind != kind || start < a.start && level == 21 || start+1<<level > a.end && level == 21 || e == nil || at != level || *e&present != 0 {
		k.giveMemory(pa, int(level-12))
		return
	}
	leaf := uint64(0)
	if level == 21 {
		leaf = large
	}
	*e = pa | k.rights(kind) | leaf | present
	k.faults++
}

// allowed says whether an entry allows what a fault's error code says was tried (SDM vol. 3, section 5.7): then another
// processor has made it so meanwhile.
func (k *kernel) allowed(va, e, code uint64) bool {
	const write, reservedBits, fetch = 1 << 1, 1 << 3, 1 << 4
	if k.online == 1 || e&present == 0 || code&reservedBits != 0 || code&write != 0 && e&writable == 0 || code&fetch != 0 && e&k.noExecute != 0 || e&user == 0 {
		return false
	}
	invlpg(va)
	return true
}

// unmap takes the memory in [start, end), multiples of the page size, away from the program.
func (k *kernel) unmap(p *processor, start, end uint64) {
	some := false
	for va := start; va < end; {
		e, level := k.tables.entry(va, 12, false)
		next := (va>>level + 1) << level
		switch {
		case e == nil || *e&present == 0: // no table, or no page
		case level == 21 && (va&(size2M-1) != 0 || next > end):
			// A part of a large page: the rest stays.
			if !k.tables.split(e) {
				k.outOfMemory(va)
			}
			invlpg(va)
			continue
		default:
			*e = *e&^present | leaving
			some = true
			invlpg(va)
		}
		va = next
	}
	if some {
		k.flushOthers(p)
		k.giveBack(start, end)
	}
}

// giveBack gives memory back that unmap has taken out of page tables, and that no processor reaches any more.
func (k *kernel) giveBack(start, end uint64) {
	for va := start; va < end; {
		e, level := k.tables.entry(va, 12, false)
		if e != nil && *e&leaving != 0 {
			order := order4K
			if level == 21 {
				order = order2M
			}
			was := *e
			if *e = 0; was&borrowed == 0 { // not of the image
				k.giveMemory(was&addressMask&^k.encrypted, order)
			}
		}
		va = (va>>level + 1) << level
	}
}

// rights are the bits of a page-table entry for a page of an area.
func (k *kernel) rights(kind uint8) uint64 {
	bits := k.encrypted
	if kind&(canRead|canWrite|canRun) != 0 {
		bits |= user // otherwise the page stays, and the program does not reach it
	}
	if kind&canWrite != 0 {
		bits |= writable
	}
	if kind&canRun == 0 {
		bits |= k.noExecute
	}
	return bits
}

// protect gives the pages in [start, end) the rights of a kind of area.
func (k *kernel) protect(p *processor, start, end uint64, kind uint8) {
	some := false
	for va := start; va < end; {
		e, level := k.tables.entry(va, 12, false)
		next := (va>>level + 1) << level
		if e != nil && *e&present != 0 {
			if level == 21 && (va&(size2M-1) != 0 || next > end) {
				if !k.tables.split(e) {
					k.outOfMemory(va)
				}
				invlpg(va)
				continue
			}
			*e = *e&(addressMask&^k.encrypted|large|borrowed|present) | k.rights(kind)
			some = true
			invlpg(va)
		}
		va = next
	}
	if some {
		k.flushOthers(p)
	}
}

const (
	order4K = 0
	order2M = 9
)
