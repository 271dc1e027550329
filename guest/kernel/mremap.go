//go:build linux && amd64

package kernel

// mremap makes what is mapped from a on larger or smaller, and moves it where there is no room after it and it may be moved.
// Its memory stays what it is: entries of page tables move.
func (k *kernel) mremap(p *processor, a, from, to, flags uint64) uint64 {
	const mayMove = 1 // of the other flags, to a place that is said or leaving the old one, nothing is served
	from, to = up(from), up(to)
	if a&pageMask != 0 || from == 0 || to == 0 || to >= 1<<46 || flags&^mayMove != 0 || !k.inProgram(a, from) {
		return einval
	}
	whole, m := k.space.find(a), k.mappingIn(a, a+from)
	if whole.kind == free || whole.end-a < from || m != nil && (m.start > a || m.end < a+from) {
		return efault
	}
	switch {
	case to == from:
		return a
	case to < from:
		if errno := k.munmap(p, a+to, from-to); errno != 0 {
			return errno
		}
		return a
	case k.inProgram(a, to) && k.space.isFree(a+from, a+to):
		if !k.space.set(a+from, a+to, whole.kind) {
			return enomem
		}
		if m != nil {
			m.end = a + to
		}
		return a
	case flags&mayMove == 0:
		return enomem
	}
	return k.moveMapping(p, a, from, to, whole.kind, m)
}

// moveMapping moves what is mapped from a on to where there is room for more, and says where that is.
func (k *kernel) moveMapping(p *processor, a, from, to uint64, kind uint8, m *fileMapping) uint64 {
	const cuts = 2 // what the new one takes, and what is left on both sides of the old
	if k.space.n+2*cuts > len(k.space.areas) || m != nil && k.mappings.room() < cuts {
		return enomem
	}
	b := k.space.room(0, to)
	if b == 0 || !k.space.set(b, b+to, kind) {
		return enomem
	}
	if m != nil {
		moved := *m
		moved.start, moved.end, moved.offset = b, b+to, m.offset+a-m.start
		k.addMapping(moved)
	}
	k.movePages(p, a, b, from)
	k.cutMappings(a, a+from)
	k.space.set(a, a+from, free)
	return b
}

// movePages has the memory at [a, a+n) at b, where there is none.
func (k *kernel) movePages(p *processor, a, b, n uint64) {
	for done := uint64(0); done < n; {
		va := a + done
		e, level := k.tables.entry(va, 12, false)
		next := (va>>level+1)<<level - a
		if e == nil || *e&present == 0 {
			done = next
			continue
		}
		to, at := k.tables.entry(b+done, level, true)
		if level == 21 && ((va|b+done)&(size2M-1) != 0 || next > n || to != nil && *to&present != 0) {
			// A large page that cannot go there as one.
			if !k.tables.split(e) {
				k.outOfMemory(va)
			}
			invlpg(va)
			continue
		}
		if to == nil || at != level {
			k.outOfMemory(b + done)
		}
		*to, *e = *e, 0
		invlpg(va)
		done = next
	}
	k.flushOthers(p)
}
