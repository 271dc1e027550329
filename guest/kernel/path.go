//go:build linux && amd64

package kernel

// Names of files.

const (
	atWorkingDirectory = 0xFFFF_FF9C // AT_FDCWD, as 32 bits

	maxLinks = 40 // symbolic links on the way to a file
)

// What becomes of a symbolic link at the end of a path.
const (
	followLast = iota
	keepLast   // it is what is meant, unless a slash follows it
	nameLast   // it is: the path is that of a name that comes or goes
)

// A place is where a path leads: a node, or, where there is none, a name in a directory.
type place struct {
	node   uint32 // 0 where there is none
	entry  uint32 // the node whose name in parent that is: itself, or a further name of it
	parent uint32
	name   []byte // in parent; empty of "/" and of what ends in "." or ".."
	must   bool   // be a directory: the path ends in a slash
}

// lookUp finds the path at an address, from the directory that a file descriptor stands for.
func (k *kernel) lookUp(directory, path uint64, last int) (w place, errno uint64) {
	text, errno := k.readPath(path)
	if errno != 0 {
		return w, errno
	}
	if len(text) == 0 {
		return w, enoent
	}
	from := k.tree.here
	if text[0] != '/' && uint32(directory) != atWorkingDirectory {
		o := k.file(directory)
		if o == nil {
			return w, ebadf
		}
		if o.node == 0 || k.node(o.node).mode&typeMask != typeDir {
			return w, enotdir
		}
		from = o.node
	}
	links := 0
	return k.walk(from, text, last, &links)
}

// walk follows a path from a directory.
func (k *kernel) walk(from uint32, path []byte, last int, links *int) (w place, errno uint64) {
	if len(path) > 0 && path[0] == '/' {
		from = rootNode
	}
	w = place{node: from, parent: k.node(from).parent}
	for len(path) > 0 {
		n := 0
		for n < len(path) && path[n] != '/' {
			n++
		}
		name := path[:n]
		rest := path[n:]
		for len(rest) > 0 && rest[0] == '/' {
			rest = rest[1:]
		}
		w.must = n < len(path)
		path = rest
		if len(name) == 0 {
			continue
		}
		if w.node == 0 {
			return w, enoent
		}
		if k.node(w.node).mode&typeMask != typeDir {
			return w, enotdir
		}
		if len(name) > maxName {
			return w, enametoolong
		}
		here := w.node
		w.name = nil
		switch string(name) {
		case ".":
			w.parent = k.node(here).parent
		case "..":
			if up := k.node(here).parent; up != 0 {
				w.node = up
			}
			w.parent = k.node(w.node).parent
		default:
			w.parent, w.name, w.entry = here, name, k.childOf(here, name)
			w.node = k.named(w.entry)
		}
		if w.node == 0 || k.node(w.node).mode&typeMask != typeLink {
			continue
		}
		if len(path) == 0 && (last == nameLast || last == keepLast && !w.must) {
			continue
		}
		if *links++; *links > maxLinks {
			return w, eloop
		}
		link := k.node(w.node)
		target := bytesAt(k.page(nil, link, 0, false), link.size)
		must := w.must
		if w, errno = k.walk(here, target, followLast, links); errno != 0 {
			return w, errno
		}
		w.must = w.must || must
	}
	if w.node != 0 && w.must && k.node(w.node).mode&typeMask != typeDir && last != nameLast {
		return w, enotdir
	}
	return w, 0
}

// childOf returns the node that has a name in a directory, 0 for none.
func (k *kernel) childOf(directory uint32, name []byte) uint32 {
	for i := k.node(directory).child; i != 0; i = k.node(i).next {
		if n := k.node(i); string(n.name[:n.nameSize]) == string(name) {
			return i
		}
	}
	return 0
}

// existing is lookUp for what has to be there.
func (k *kernel) existing(directory, path uint64, follow bool) (number uint32, errno uint64) {
	last := keepLast
	if follow {
		last = followLast
	}
	w, errno := k.lookUp(directory, path, last)
	if errno == 0 && w.node == 0 {
		errno = enoent
	}
	return w.node, errno
}

// missing is lookUp for what is to be made.
func (k *kernel) missing(directory, path uint64) (w place, errno uint64) {
	w, errno = k.lookUp(directory, path, nameLast)
	switch {
	case errno != 0:
	case w.node != 0:
		errno = eexist
	case !k.takesNames(w.parent):
		errno = enoent
	}
	return w, errno
}

// missingFile is missing for what is to be no directory, so that its name may not end in a slash.
func (k *kernel) missingFile(directory, path uint64) (w place, errno uint64) {
	if w, errno = k.missing(directory, path); errno == 0 && w.must {
		errno = enoent
	}
	return w, errno
}

// takesNames says whether something can be made in a directory: it is one, and has not been removed.
func (k *kernel) takesNames(directory uint32) bool {
	d := k.node(directory)
	return d.mode&typeMask == typeDir && d.parent != 0
}

// isBelow says whether a node is in a directory, however deep, or is it.
func (k *kernel) isBelow(number, directory uint32) bool {
	for number != directory {
		if number == rootNode || number == 0 {
			return false
		}
		number = k.node(number).parent
	}
	return true
}

// pathOf writes the path of a directory so that it ends at an address, and returns where it begins.
func (k *kernel) pathOf(number uint32, end uint64) uint64 {
	start := end
	for number != rootNode && number != 0 {
		n := k.node(number)
		start -= n.nameSize
		move(start, address(&n.name), n.nameSize)
		start--
		*(*byte)(pointer(start)) = '/'
		number = n.parent
	}
	if start == end {
		start--
		*(*byte)(pointer(start)) = '/'
	}
	return start
}
