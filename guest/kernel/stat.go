//go:build linux && amd64

package kernel

import "unsafe"

// What files are, and what directories hold, as programs read it.

// A stat is struct stat of x86-64 (arch/x86/include/uapi/asm/stat.h).
type stat struct {
	device, inode, links     uint64
	mode, user, group, _     uint32
	special                  uint64
	size, blockSize, blocks  uint64
	accessed, modified, made [2]uint64
	_                        [3]uint64
}

func (k *kernel) stat(number uint32, to uint64) uint64 {
	if !k.reach(to, uint64(unsafe.Sizeof(stat{})), canWrite) {
		return efault
	}
	n := k.node(number)
	s := (*stat)(pointer(to))
	*s = stat{device: 1, inode: uint64(number), links: uint64(n.names), mode: n.mode, size: n.size, blockSize: pageSize, blocks: up(n.size) / 512}
	if n.mode&typeMask == typeDir {
		s.links = 2
	}
	if n.mode&typeMask == typeChar {
		s.special = 1<<8 | uint64(n.device)
	}
	s.accessed = [2]uint64{n.accessed / 1e9, n.accessed % 1e9}
	s.modified = [2]uint64{n.modified / 1e9, n.modified % 1e9}
	s.made = s.modified
	return 0
}

// statOpen is fstat.
func (k *kernel) statOpen(descriptor, to uint64) uint64 {
	o := k.file(descriptor)
	if o == nil {
		return ebadf
	}
	if o.node != 0 {
		return k.stat(o.node, to)
	}
	if !k.reach(to, uint64(unsafe.Sizeof(stat{})), canWrite) {
		return efault
	}
	mode := uint32(typePipe | 0o600)
	if o.kind == openConsole || o.kind == openReport {
		mode = typeChar | 0o620
	}
	*(*stat)(pointer(to)) = stat{device: 2, inode: uint64(k.index(o)) + 1, links: 1, mode: mode, blockSize: pageSize}
	return 0
}

// statAt is newfstatat.
func (k *kernel) statAt(directory, path, to, flags uint64) uint64 {
	const emptyPath = 0x1000
	if flags&emptyPath != 0 {
		if text, errno := k.readPath(path); errno == 0 && len(text) == 0 {
			return k.statOpen(directory, to)
		}
	}
	number, errno := k.existing(directory, path, flags&atNoFollow == 0)
	if errno != 0 {
		return errno
	}
	return k.stat(number, to)
}

// statFileSystem fills in a struct statfs (include/uapi/asm-generic/statfs.h): that of memory, of which files may take what is
// free.
func (k *kernel) statFileSystem(to uint64) uint64 {
	const tmpfs = 0x0102_1994 // TMPFS_MAGIC (include/uapi/linux/magic.h)
	info := k.memory.allocator.Meminfo()
	free := (info.Total - info.Used) / pageSize
	values := [15]uint64{tmpfs, pageSize, info.Total / pageSize, free, free, maxNodePages * uint64(nodesInPage), 0, 0, maxName, pageSize}
	values[6] = values[5] - uint64(k.tree.n)
	if !k.reach(to, uint64(unsafe.Sizeof(values)), canWrite) {
		return efault
	}
	for i, v := range values {
		*at(to + 8*uint64(i)) = v
	}
	return 0
}

// readDirectory is getdents64. Where in the list it goes on is how many entries were read, "." and ".." among them.
func (k *kernel) readDirectory(descriptor, to, size uint64) uint64 {
	o := k.file(descriptor)
	if o == nil {
		return ebadf
	}
	if o.kind != openNode || k.node(o.node).mode&typeMask != typeDir {
		return enotdir
	}
	if size = min(size, 1<<20); !k.reach(to, size, canWrite) {
		return efault
	}
	directory := k.node(o.node)
	next := directory.child
	for i := uint64(2); i < o.place && next != 0; i++ {
		next = k.node(next).next
	}
	done := uint64(0)
	for {
		number, name := uint32(0), []byte(nil)
		switch o.place {
		case 0:
			number, name = o.node, bytesOf(".")
		case 1:
			number, name = max(directory.parent, rootNode), bytesOf("..")
		default:
			if next == 0 {
				return done
			}
			n := k.node(next)
			number, name = k.named(next), n.name[:n.nameSize]
		}
		const header = 19 // inode, offset, size, type
		record := (header + uint64(len(name)) + 1 + 7) &^ 7
		if record > size-done {
			if done == 0 {
				return einval
			}
			return done
		}
		e := to + done
		zero(e, record)
		*at(e), *at(e + 8) = uint64(number), o.place+1
		*(*uint16)(pointer(e + 16)) = uint16(record)
		*(*uint8)(pointer(e + 18)) = uint8(k.node(number).mode >> 12)
		move(e+header, addressOfBytes(name), uint64(len(name)))
		if o.place >= 2 {
			next = k.node(next).next
		}
		done += record
		o.place++
	}
}
