//go:build linux && amd64

package kernel

import "unsafe"

// The program's files are in memory: a tree of nodes, each in its parent's list, with its name in it. A further name of a
// file, a hard link, is a node that is nothing but that (link.go). Nodes and contents are pages of the allocator's; a node is
// known by its number, since no Go pointer is kept.

// A node is a file, a directory or a symbolic link, or a further name of one.
type node struct {
	mode     uint32 // as st_mode: the type, and permissions, which are kept and bind no one
	parent   uint32 // the directory that its name is in; 0 for none
	child    uint32 // the first one of a directory
	next     uint32 // in the parent's list, or in that of free nodes
	same     uint32 // the node that this one is a further name of; 0 where it is a file itself
	names    uint32 // that it has in directories: its own, and further ones
	users    uint32 // open files, mappings, and the working directory
	device   uint32 // what a character device does, or what is in a file of /proc (proc.go)
	size     uint64
	content  uint64 // guest-physical: a page of addresses of pages of addresses of pages; 0 for none
	accessed uint64 // nanoseconds since 1970, as utimensat has said; reading changes nothing
	modified uint64 // nanoseconds since 1970
	nameSize uint64
	name     [maxName]byte
}

// Types of nodes (include/uapi/linux/stat.h).
const (
	typeMask    = 0xF000
	typeDir     = 0x4000
	typeChar    = 0x2000
	typeRegular = 0x8000
	typeLink    = 0xA000
	typePipe    = 0x1000

	maxName      = 255
	maxNodePages = 4096
	maxFile      = 1 << 30 // bytes
	rootNode     = 1
)

const nodesInPage = pageSize / unsafe.Sizeof(node{})

// A tree is all the nodes.
type tree struct {
	pages [maxNodePages]uint64 // guest-physical
	n     uint32               // that have been made, free ones too
	free  uint32               // the first free one
	here  uint32               // the working directory
}

func (k *kernel) node(number uint32) *node {
	i := uintptr(number - 1)
	return (*node)(pointer(directMap + k.tree.pages[i/nodesInPage] + uint64(i%nodesInPage*unsafe.Sizeof(node{}))))
}

// newNode makes a node in a directory, at the end of its list; 0 is for no memory.
func (k *kernel) newNode(p *processor, parent uint32, name []byte, mode uint32) uint32 {
	number := k.nameless(p, mode)
	if number != 0 {
		n := k.node(number)
		n.names, n.nameSize = 1, uint64(copy(n.name[:], name))
		k.enter(parent, number)
	}
	return number
}

// nameless makes a node that is in no directory; 0 is for no memory.
func (k *kernel) nameless(p *processor, mode uint32) uint32 {
	t := &k.tree
	number := t.free
	if number != 0 {
		t.free = k.node(number).next
	} else {
		if i := uintptr(t.n) / nodesInPage; uintptr(t.n)%nodesInPage == 0 {
			if i == maxNodePages {
				return 0
			}
			page, ok := k.takeMemory(p, order4K)
			if !ok {
				return 0
			}
			t.pages[i] = page
		}
		t.n++
		number = t.n
	}
	now := k.epoch + k.now()
	*k.node(number) = node{mode: mode, accessed: now, modified: now}
	return number
}

// enter puts a node into a directory's list.
func (k *kernel) enter(parent, number uint32) {
	k.node(number).parent, k.node(number).next = parent, 0
	if number == parent { // the root
		return
	}
	d := k.node(parent)
	d.modified = k.epoch + k.now()
	if d.child == 0 {
		d.child = number
		return
	}
	last := d.child
	for k.node(last).next != 0 {
		last = k.node(last).next
	}
	k.node(last).next = number
}

// remove takes a name out of its directory. What it named lives on while it has another, or somebody uses it.
func (k *kernel) remove(entry uint32) {
	k.takeOut(entry)
	number := k.named(entry)
	k.node(number).names--
	if number != entry {
		k.reuse(entry)
	}
	k.release(number)
}

// takeOut takes a node out of its directory's list.
func (k *kernel) takeOut(number uint32) {
	n := k.node(number)
	d := k.node(n.parent)
	d.modified = k.epoch + k.now()
	if d.child == number {
		d.child = n.next
	} else {
		before := d.child
		for k.node(before).next != number {
			before = k.node(before).next
		}
		k.node(before).next = n.next
	}
	n.parent, n.next = 0, 0
}

// useNode and letGo count who has a node in use; release frees one that has no name and that nobody uses.
func (k *kernel) useNode(number uint32) { k.node(number).users++ }

func (k *kernel) letGo(number uint32) {
	k.node(number).users--
	k.release(number)
}

func (k *kernel) release(number uint32) {
	n := k.node(number)
	if n.users != 0 || n.names != 0 {
		return
	}
	k.truncate(n, 0)
	k.reuse(number)
}

func (k *kernel) reuse(number uint32) {
	k.node(number).next, k.tree.free = k.tree.free, number
}

// page returns the page of a node's content at an offset; 0 where there is none, and, where make is set, no memory for
// one.
func (k *kernel) page(p *processor, n *node, offset uint64, make bool) uint64 {
	slot := k.slot(p, n, offset, make)
	if slot == nil || *slot == 0 && !k.fresh(p, slot, make) {
		return 0
	}
	return *slot
}

// slot returns where the address of that page is; nil where no table has it, and, where make is set, there is no memory for
// one.
func (k *kernel) slot(p *processor, n *node, offset uint64, make bool) *uint64 {
	slot := &n.content
	for _, i := range [...]uint64{offset >> 21, offset >> 12 & 511} {
		if *slot == 0 && !k.fresh(p, slot, make) {
			return nil
		}
		slot = at(directMap + *slot + 8*i)
	}
	return slot
}

// fresh puts the address of a page of zeros in a slot, where that is wanted and there is memory.
func (k *kernel) fresh(p *processor, slot *uint64, wanted bool) bool {
	if !wanted {
		return false
	}
	pa, ok := k.takeMemory(p, order4K)
	if ok {
		zero(directMap+pa, pageSize)
		*slot = pa
	}
	return ok
}

// truncate sets a node's size, and gives back what is after it.
func (k *kernel) truncate(n *node, size uint64) {
	if size < n.size && n.content != 0 {
		k.unmapFile(n, size)
		if rest := size & pageMask; rest != 0 {
			if pa := k.page(nil, n, size, false); pa != 0 {
				k.clear(directMap+pa+rest, pageSize-rest)
			}
		}
		for at_ := up(size); at_ < up(n.size); at_ += pageSize {
			leaf := at(directMap + n.content + 8*(at_>>21))
			if *leaf == 0 {
				at_ |= size2M - pageSize
				continue
			}
			if slot := at(directMap + *leaf + 8*(at_>>12&511)); *slot != 0 {
				k.giveMemory(*slot, order4K)
				*slot = 0
			}
		}
		if size == 0 {
			for i := range uint64(512) {
				if leaf := *at(directMap + n.content + 8*i); leaf != 0 {
					k.giveMemory(leaf, order4K)
				}
			}
			k.giveMemory(n.content, order4K)
			n.content = 0
		}
	}
	n.size = size
}

// clear sets bytes to 0, as many as there are.
func (k *kernel) clear(a, n uint64) {
	for i := range n {
		*(*byte)(pointer(a + i)) = 0
	}
}

// readNode copies from a file to memory that can be reached, and returns how much there was.
func (k *kernel) readNode(n *node, offset, to, size uint64) uint64 {
	if offset >= n.size {
		return 0
	}
	size = min(size, n.size-offset)
	for done := uint64(0); done < size; {
		within := (offset + done) & pageMask
		piece := min(pageSize-within, size-done)
		if pa := k.page(nil, n, offset+done, false); pa != 0 {
			move(to+done, directMap+pa+within, piece)
		} else {
			k.clear(to+done, piece)
		}
		done += piece
	}
	return size
}

// writeNode copies memory that can be reached to a file.
func (k *kernel) writeNode(p *processor, n *node, offset, from, size uint64) uint64 {
	if offset > maxFile || size > maxFile-offset {
		return efbig
	}
	for done := uint64(0); done < size; {
		within := (offset + done) & pageMask
		piece := min(pageSize-within, size-done)
		pa := k.page(p, n, offset+done, true)
		if pa == 0 {
			return enospc
		}
		move(directMap+pa+within, from+done, piece)
		done += piece
		n.size = max(n.size, offset+done)
	}
	n.modified = k.epoch + k.now()
	return size
}
