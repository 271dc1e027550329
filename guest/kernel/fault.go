//go:build linux && amd64

package kernel

// fault gives the program memory where it has touched an area for the first time. It reports false where there is
// nothing to be touched.
func (k *kernel) fault(p *processor, va uint64) bool {
	a := k.space.find(va)
	if a.kind&(canRead|canWrite|canRun) == 0 {
		return false
	}
	// A whole 2 MiB page, where the area has room for one and nothing is there yet.
	if start := va &^ (size2M - 1); a.kind == usable && start >= a.start && start+size2M <= a.end {
		if e, level := k.tables.entry(va, 21, true); e != nil && level == 21 && *e&present == 0 {
			if pa, ok := k.takeMemory(p, order2M); ok {
				zero(directMap+pa, size2M)
				*e = pa | k.rights(a.kind) | large | present
				k.faults++
				return true
			}
		}
	}
	e, level := k.tables.entry(va, 12, true)
	if e == nil {
		k.outOfMemory(va)
	}
	if level != 12 || *e&present != 0 {
		return false // there is memory, and it does not allow what was tried
	}
	pa, ok := k.takeMemory(p, order4K)
	if !ok {
		k.outOfMemory(va)
	}
	zero(directMap+pa, pageSize)
	*e = pa | k.rights(a.kind) | present
	k.faults++
	return true
}

// unmap takes the memory in [start, end), multiples of the page size, away from the program.
func (k *kernel) unmap(p *processor, start, end uint64) {
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
			kept := *e&borrowed != 0 // of the image
			order := order4K
			pa := *e & addressMask &^ k.encrypted
			if level == 21 {
				order = order2M
			}
			*e = 0
			invlpg(va)
			if !kept {
				k.giveMemory(pa, order)
			}
		}
		va = next
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
func (k *kernel) protect(start, end uint64, kind uint8) {
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
			invlpg(va)
		}
		va = next
	}
}

const (
	order4K = 0
	order2M = 9
)
