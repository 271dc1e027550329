//go:build linux && amd64

package kernel

// Hard links. The node of a file has its first name in it. Each further one is a node that has nothing but a name, and says
// whose; it comes and goes alone.

// named returns the node that a directory's entry names: itself, or the one that it is a further name of; 0 of 0.
func (k *kernel) named(entry uint32) uint32 {
	if entry != 0 {
		if same := k.node(entry).same; same != 0 {
			return same
		}
	}
	return entry
}

// link is linkat.
func (k *kernel) link(p *processor, fromDirectory, from, toDirectory, to, flags uint64) uint64 {
	const follow = 0x400
	if flags&^follow != 0 {
		return einval
	}
	number, errno := k.existing(fromDirectory, from, flags&follow != 0)
	if errno != 0 {
		return errno
	}
	w, errno := k.missingFile(toDirectory, to)
	switch {
	case errno != 0:
		return errno
	case k.node(number).mode&typeMask == typeDir:
		return eperm
	}
	entry := k.newNode(p, w.parent, w.name, 0)
	if entry == 0 {
		return enospc
	}
	k.node(entry).same = number
	k.node(number).names++
	return 0
}

// makeSpecial is mknodat. Of what it can be asked for, files are made; for the rest, pipes with names among it, the answer is
// that of a file system that has no such thing (mknod(2)).
func (k *kernel) makeSpecial(p *processor, directory, path, mode uint64) uint64 {
	if kind := uint32(mode) & typeMask; kind != 0 && kind != typeRegular {
		return eperm
	}
	w, errno := k.missingFile(directory, path)
	if errno == 0 && k.newNode(p, w.parent, w.name, typeRegular|uint32(mode)&^k.umask&0o7777) == 0 {
		errno = enospc
	}
	return errno
}
