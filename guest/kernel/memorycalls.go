//go:build linux && amd64

package kernel

// System calls about the address space.

func (k *kernel) mmap(p *processor, a, n, protection, flags, descriptor, offset uint64) uint64 {
	const shared, private, fixed, anonymous, noReplace = 1, 2, 0x10, 0x20, 0x10_0000
	n = up(n)
	if n == 0 || n >= 1<<46 || flags&(shared|private) == 0 {
		return einval
	}
	number, errno := uint32(0), uint64(0)
	if flags&anonymous == 0 {
		if number, errno = k.checkMapping(descriptor, protection, offset, flags&shared != 0); errno != 0 {
			return errno
		}
	}
	if flags&(fixed|noReplace) != 0 {
		if a&pageMask != 0 || !k.inProgram(a, n) {
			return einval
		}
		if flags&noReplace != 0 && !k.space.isFree(a, a+n) {
			return eexist
		}
		k.unmap(p, a, a+n)
		if !k.cutMappings(a, a+n) {
			return enomem
		}
	} else if a = k.space.room(a, n); a == 0 {
		return enomem
	}
	if !k.space.set(a, a+n, kindOf(protection)) {
		return enomem
	}
	if number != 0 && !k.addMapping(fileMapping{start: a, end: a + n, offset: offset, node: number, shared: flags&shared != 0}) {
		k.space.set(a, a+n, free)
		return enomem
	}
	return a
}

func (k *kernel) munmap(p *processor, a, n uint64) uint64 {
	if a&pageMask != 0 || n == 0 || !k.inProgram(a, n) {
		return einval
	}
	k.unmap(p, a, a+up(n))
	if !k.cutMappings(a, a+up(n)) || !k.space.set(a, a+up(n), free) {
		return enomem
	}
	return 0
}

func (k *kernel) mprotect(p *processor, a, n, protection uint64) uint64 {
	if a&pageMask != 0 || n != 0 && !k.inProgram(a, n) {
		return einval
	}
	if !k.embedded() { // its variables are in no area
		return 0
	}
	if end := a + up(n); n != 0 {
		if !k.reach(a, up(n), mapped) {
			return enomem
		}
		if !k.space.set(a, end, kindOf(protection)) {
			return enomem
		}
		k.protect(p, a, end, kindOf(protection))
	}
	return 0
}

// madvise gives memory back where that is what the advice is.
func (k *kernel) madvise(p *processor, a, n, advice uint64) uint64 {
	const dontNeed, free = 4, 8
	if a&pageMask != 0 || n != 0 && !k.inProgram(a, n) {
		return einval
	}
	if advice == dontNeed || advice == free {
		k.unmap(p, a, a+up(n))
	}
	return 0
}
