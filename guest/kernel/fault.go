//go:build linux && amd64

package kernel

// fault gives the program memory where it has touched an area for the first time. It reports false where there is
// nothing to be touched.
func (k *kernel) fault(p *processor, va uint64) bool {
	a := k.space.find(va)
	if a.kind != usable {
		return false
	}
	// A whole 2 MiB page, where the area has room for one and nothing is there yet.
	if start := va &^ (size2M - 1); start >= a.start && start+size2M <= a.end {
		if e, level := k.tables.entry(va, 21, true); e != nil && level == 21 && *e&present == 0 {
			if pa, ok := k.takeMemory(p, order2M); ok {
				zero(directMap+pa, size2M)
				*e = pa | k.encrypted | k.noExecute | large | present | writable | user
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
	*e = pa | k.encrypted | k.noExecute | present | writable | user
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
			order := order4K
			pa := *e & addressMask &^ k.encrypted
			if level == 21 {
				order = order2M
			}
			*e = 0
			invlpg(va)
			k.giveMemory(pa, order)
		}
		va = next
	}
}

const (
	order4K = 0
	order2M = 9
)
