//go:build linux && amd64

package kernel

// Files in the program's address space. A shared mapping has the file's own pages, so that what is written in one way is read
// in the other; a private one has copies, made when a page is touched first.

// A fileMapping is a stretch of address space in which a file is.
type fileMapping struct {
	start, end uint64
	offset     uint64 // in the file, at the start
	node       uint32 // 0 where this is free
	shared     bool
}

// fileMappings are all of them, in no order.
type fileMappings struct {
	all [256]fileMapping
	n   int // those beyond have never been used
}

// addMapping notes a mapping, and that it uses its file. It reports false where there are too many.
func (k *kernel) addMapping(m fileMapping) bool {
	for i := range k.mappings.all {
		if to := &k.mappings.all[i]; to.node == 0 {
			*to = m
			k.mappings.n = max(k.mappings.n, i+1)
			k.useNode(m.node)
			return true
		}
	}
	return false
}

// room is how many more there can be.
func (m *fileMappings) room() (n int) {
	for i := range m.all {
		if m.all[i].node == 0 {
			n++
		}
	}
	return n
}

// mappingIn returns a mapping that has a part of [start, end); nil for none.
func (k *kernel) mappingIn(start, end uint64) *fileMapping {
	for i := range k.mappings.n {
		if m := &k.mappings.all[i]; m.node != 0 && m.start < end && start < m.end {
			return m
		}
	}
	return nil
}

// cutMappings takes [start, end) out of all mappings. It reports false, with nothing more changed, where the two parts that
// would be left of one are one too many.
func (k *kernel) cutMappings(start, end uint64) bool {
	for m := k.mappingIn(start, end); m != nil; m = k.mappingIn(start, end) {
		after := fileMapping{start: end, end: m.end, offset: m.offset + end - m.start, node: m.node, shared: m.shared}
		switch {
		case m.start < start && m.end > end:
			if !k.addMapping(after) {
				return false
			}
			m.end = start
		case m.start < start:
			m.end = start
		case m.end > end:
			*m = after
		default:
			number := m.node
			m.node = 0
			k.letGo(number)
		}
	}
	return true
}

// checkMapping says whether what a descriptor stands for can be mapped; it returns an error of Linux, or the file's number.
func (k *kernel) checkMapping(descriptor, protection, offset uint64, shared bool) (number uint32, errno uint64) {
	o := k.file(descriptor)
	switch {
	case o == nil:
		return 0, ebadf
	case offset&pageMask != 0 || offset > maxFile:
		return 0, einval
	case o.kind != openNode || k.node(o.node).mode&typeMask != typeRegular:
		return 0, enodev
	case o.flags&flagAccess == flagWriteOnly, shared && protection&uint64(canWrite) != 0 && o.flags&flagAccess != flagReadWrite:
		return 0, eacces
	}
	return o.node, 0
}

// fileFault gives the program a page of a file that it has touched. It reports false where the file has ended before, or
// where what was tried is not allowed.
func (k *kernel) fileFault(p *processor, m *fileMapping, va uint64, kind uint8, code uint64) bool {
	va &^= pageMask
	n, offset := k.node(m.node), m.offset+va-m.start
	if offset >= n.size {
		return false
	}
	e, level := k.tables.entry(va, 12, true)
	if e == nil {
		k.outOfMemory(va)
	}
	if level != 12 || *e&present != 0 {
		return k.allowed(va, *e, code)
	}
	k.faults++
	page := k.page(p, n, offset, m.shared)
	if m.shared {
		if page == 0 {
			k.outOfMemory(va)
		}
		*e = page | k.rights(kind) | borrowed | present
		return true
	}
	own, ok := k.takeMemory(p, order4K)
	if !ok {
		k.outOfMemory(va)
	}
	if page == 0 {
		zero(directMap+own, pageSize)
	} else {
		move(directMap+own, directMap+page, pageSize)
	}
	*e = own | k.rights(kind) | present
	return true
}

// unmapFile takes a file's own pages after a size away from the program.
func (k *kernel) unmapFile(n *node, size uint64) {
	size = up(size)
	for i := range k.mappings.n {
		m := &k.mappings.all[i]
		if m.node == 0 || !m.shared || k.node(m.node) != n || m.offset+m.end-m.start <= size {
			continue
		}
		k.unmap(processorHere(), m.start+max(size, m.offset)-m.offset, m.end)
	}
}
