//go:build linux && amd64

package kernel

// System calls that name files. Owners and permissions are kept as far as they are asked for, and bind no one: the
// program is root.

func (k *kernel) openFile(p *processor, directory, path, flags, mode uint64) uint64 {
	how := uint32(flags)
	last := followLast
	if how&flagNoFollow != 0 || how&(flagCreate|flagExclusive) == flagCreate|flagExclusive {
		last = keepLast
	}
	w, errno := k.lookUp(directory, path, last)
	switch {
	case errno != 0:
		return errno
	case w.node == 0 && (how&flagCreate == 0 || len(w.name) == 0):
		return enoent
	case w.node == 0 && w.must:
		return eisdir
	case w.node == 0:
		if !k.takesNames(w.parent) {
			return enoent
		}
		if w.node = k.newNode(p, w.parent, w.name, typeRegular|uint32(mode)&^k.umask&0o7777); w.node == 0 {
			return enospc
		}
	case how&flagCreate != 0 && how&flagExclusive != 0:
		return eexist
	}
	n := k.node(w.node)
	writes := how&flagAccess != 0
	switch kind := n.mode & typeMask; {
	case kind == typeLink && how&flagPath == 0:
		return eloop
	case kind != typeDir && how&flagDirectory != 0:
		return enotdir
	case kind == typeDir && (writes || how&flagCreate != 0):
		return eisdir
	case w.node == k.program && writes:
		return etxtbsy
	case kind == typeRegular && n.device != 0 && how&flagPath == 0:
		return k.openProc(p, n.device, how)
	case kind == typeRegular && writes && how&flagTruncate != 0:
		k.truncate(n, 0)
		n.modified = k.epoch + k.now()
	}
	return k.newFile(openNode, w.node, 0, how&^(flagCreate|flagExclusive|flagTruncate))
}

func (k *kernel) makeDirectory(p *processor, directory, path, mode uint64) uint64 {
	w, errno := k.missing(directory, path)
	if errno == 0 && k.newNode(p, w.parent, w.name, typeDir|uint32(mode)&^k.umask&0o7777) == 0 {
		errno = enospc
	}
	return errno
}

func (k *kernel) symbolicLink(p *processor, target, directory, path uint64) uint64 {
	text, errno := k.readPath(target)
	if errno != 0 {
		return errno
	}
	if len(text) == 0 {
		return enoent
	}
	w, errno := k.missingFile(directory, path)
	if errno != 0 {
		return errno
	}
	number := k.newNode(p, w.parent, w.name, typeLink|0o777)
	if number == 0 {
		return enospc
	}
	if n := k.writeNode(p, k.node(number), 0, target, uint64(len(text))); n != uint64(len(text)) {
		k.remove(number)
		return n
	}
	return 0
}

func (k *kernel) unlink(directory, path, flags uint64) uint64 {
	w, errno := k.lookUp(directory, path, nameLast)
	if errno != 0 {
		return errno
	}
	if w.node == 0 {
		return enoent
	}
	isDirectory := k.node(w.node).mode&typeMask == typeDir
	switch {
	case flags&atRemoveDirectory == 0 && isDirectory:
		return eisdir
	case !isDirectory && (flags&atRemoveDirectory != 0 || w.must):
		return enotdir
	case w.node == rootNode:
		return ebusy
	case len(w.name) == 0:
		return einval
	case isDirectory && k.node(w.node).child != 0:
		return enotempty
	}
	k.remove(w.entry)
	return 0
}

func (k *kernel) rename(fromDirectory, from, toDirectory, to, flags uint64) uint64 {
	const noReplace, exchange = 1, 2
	if flags&^noReplace != 0 {
		return einval
	}
	source, errno := k.lookUp(fromDirectory, from, nameLast)
	if errno != 0 {
		return errno
	}
	if source.node == 0 {
		return enoent
	}
	target, errno := k.lookUp(toDirectory, to, nameLast)
	if errno != 0 {
		return errno
	}
	sourceIsDirectory := k.node(source.node).mode&typeMask == typeDir
	switch {
	case len(source.name) == 0 || len(target.name) == 0 || source.node == rootNode:
		return ebusy
	case target.node == source.node: // of two names of a file, both stay
		return 0
	case !k.takesNames(target.parent):
		return enoent
	case k.isBelow(target.parent, source.node):
		return einval
	case !sourceIsDirectory && (source.must || target.must):
		return enotdir
	}
	if target.node != 0 {
		targetIsDirectory := k.node(target.node).mode&typeMask == typeDir
		switch {
		case flags&noReplace != 0:
			return eexist
		case targetIsDirectory && !sourceIsDirectory:
			return eisdir
		case !targetIsDirectory && sourceIsDirectory:
			return enotdir
		case targetIsDirectory && k.node(target.node).child != 0:
			return enotempty
		}
		k.remove(target.entry)
	}
	k.takeOut(source.entry)
	n := k.node(source.entry)
	n.nameSize = uint64(copy(n.name[:], target.name))
	k.enter(target.parent, source.entry)
	return 0
}

func (k *kernel) readLink(directory, path, to, size uint64) uint64 {
	number, errno := k.existing(directory, path, false)
	if errno != 0 {
		return errno
	}
	n := k.node(number)
	if n.mode&typeMask != typeLink {
		return einval
	}
	if size = min(size, n.size); !k.reach(to, size, canWrite) {
		return efault
	}
	return k.readNode(n, 0, to, size)
}

// workingDirectory is getcwd.
func (k *kernel) workingDirectory(to, size uint64) uint64 {
	if size = min(size, maxPath); !k.reach(to, size, canWrite) {
		return efault
	}
	if k.tree.here != rootNode && k.node(k.tree.here).parent == 0 {
		return enoent
	}
	need := uint64(1)
	for n := k.tree.here; n != rootNode; n = k.node(n).parent {
		need += 1 + k.node(n).nameSize
	}
	if need = max(need, 2); need > size {
		return erange
	}
	k.pathOf(k.tree.here, to+need-1)
	*(*byte)(pointer(to + need - 1)) = 0
	return need
}

// What can be done to a node that a path or a descriptor leads to.
const (
	nothing = iota // but to see whether it is there
	enterDirectory
	changeMode
	changeTime
	resize
)

const (
	atNoFollow        = 0x100
	atRemoveDirectory = 0x200
)

// onPath does something to what a path leads to.
func (k *kernel) onPath(directory, path, flags uint64, what int, argument uint64) uint64 {
	number, errno := k.existing(directory, path, flags&atNoFollow == 0)
	if errno != 0 {
		return errno
	}
	return k.do(number, what, argument)
}

// onOpen does it to what a descriptor stands for.
func (k *kernel) onOpen(descriptor uint64, what int, argument uint64) uint64 {
	o := k.file(descriptor)
	switch {
	case o == nil:
		return ebadf
	case o.kind != openNode || what == resize && o.flags&flagAccess == 0:
		return einval
	}
	return k.do(o.node, what, argument)
}

func (k *kernel) do(number uint32, what int, argument uint64) uint64 {
	n := k.node(number)
	switch kind := n.mode & typeMask; what {
	case enterDirectory:
		if kind != typeDir {
			return enotdir
		}
		k.useNode(number)
		k.letGo(k.tree.here)
		k.tree.here = number
	case changeMode:
		if kind == typeLink {
			return eopnotsupp
		}
		n.mode = kind | uint32(argument)&0o7777
	case changeTime:
		return k.changeTime(n, argument)
	case resize:
		switch {
		case kind == typeDir:
			return eisdir
		case kind != typeRegular || argument >= 1<<63:
			return einval
		case number == k.program:
			return etxtbsy
		case argument > maxFile:
			return efbig
		}
		k.truncate(n, argument)
		n.modified = k.epoch + k.now()
	}
	return 0
}

// changeTime sets when a node was last accessed and modified, by utimensat's two struct timespecs.
func (k *kernel) changeTime(n *node, times uint64) uint64 {
	const now, omit = 1<<30 - 1, 1<<30 - 2
	if times == 0 {
		n.modified = k.epoch + k.now()
		n.accessed = n.modified
		return 0
	}
	if !k.reach(times, 32, canRead) {
		return efault
	}
	set := [2]uint64{n.accessed, n.modified}
	for i := range set {
		switch seconds, ns := *at(times + 16*uint64(i)), *at(times + 16*uint64(i) + 8); ns {
		case now:
			set[i] = k.epoch + k.now()
		case omit:
		default:
			if ns >= 1e9 {
				return einval
			}
			set[i] = min(seconds, 1<<33)*1e9 + ns
		}
	}
	n.accessed, n.modified = set[0], set[1]
	return 0
}
