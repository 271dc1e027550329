package tdx

// A pageState is what is known of one 4 KiB page of guest-physical address space: the state of its secure EPT entry
// in the low two bits, and two flags (ABI, "Secure EPT entry states"; module, sept_manager.h).
type pageState uint8

const (
	absent   pageState = 0 // SEPT_FREE: the host has added no private page
	pending  pageState = 1 // SEPT_PENDING: added by TDH.MEM.PAGE.AUG, not accepted
	accepted pageState = 2 // SEPT_MAPPED: the guest may use it

	privateMask pageState = 3

	// small: the 2 MiB entry above this page is no leaf, a table of 4 KiB entries hangs from it. The flag is the same
	// in all 512 pages of a 2 MiB page; where it is not set, so is the private state. It outlives the pages: nobody
	// takes the table away again.
	small pageState = 1 << 2

	// shared: the host maps this page's other plane in the shared EPT.
	shared pageState = 1 << 3

	pageStates = 1 << 4
)

func (s pageState) private() pageState { return s & privateMask }

func (s pageState) with(private pageState) pageState { return s&^privateMask | private }

// String names the state as diagnoses do.
func (s pageState) String() string {
	switch {
	case s.private() == accepted:
		return "accepted"
	case s.private() == pending:
		return "pending"
	case s&shared != 0:
		return "shared"
	}
	return "absent"
}

// A pageMap holds the state of each page of 256 TiB (36 bits of page number). It is a radix tree in which a subtree
// of one state takes no node, so that terabytes of one state take a few bytes, and a guest that fragments its memory
// as much as it can makes it grow to little more than one byte a page (576 bytes for 2 MiB).
type pageMap struct {
	root  pageNode
	count [pageStates]uint64 // pages in each state
}

const (
	fanoutBits = 9
	fanout     = 1 << fanoutBits
	mapLevels  = 4
	mapPages   = 1 << (fanoutBits * mapLevels)
)

// A pageNode divides what it stands for into 512 parts: pages in a node of the lowest level, else what a child stands
// for.
type pageNode struct {
	state [fanout]pageState // of the parts that are of one state
	child []*pageNode       // nil, or fanout entries, where an entry that is not nil has the states
	split int               // number of children
}

func newPageMap() *pageMap {
	m := &pageMap{}
	m.count[absent] = mapPages
	return m
}

// at returns the state of a page, by its number.
func (m *pageMap) at(page uint64) pageState {
	n := &m.root
	for shift := fanoutBits * (mapLevels - 1); ; shift -= fanoutBits {
		i := page >> shift % fanout
		if n.child == nil || n.child[i] == nil {
			return n.state[i]
		}
		n = n.child[i]
	}
}

// update replaces the state of each page in [first, end) by what f makes of it. f must depend on nothing but the state.
func (m *pageMap) update(first, end uint64, f func(pageState) pageState) {
	if first < end && end <= mapPages {
		m.updateNode(&m.root, fanoutBits*(mapLevels-1), first, end, f)
	}
}

// updateNode does update for the part [first, end) of n, counted in pages from n's first page. A part of n has
// 1<<shift pages.
func (m *pageMap) updateNode(n *pageNode, shift int, first, end uint64, f func(pageState) pageState) {
	part := uint64(1) << shift
	for i := first >> shift; i<<shift < end; i++ {
		lo, hi := max(first, i<<shift)-i<<shift, min(end, (i+1)<<shift)-i<<shift
		child := n.at(i)
		if child == nil {
			from := n.state[i]
			to := f(from)
			if to == from {
				continue
			}
			if lo == 0 && hi == part {
				m.count[from] -= part
				m.count[to] += part
				n.state[i] = to
				continue
			}
			child = n.divide(i)
		}
		m.updateNode(child, shift-fanoutBits, lo, hi, f)
		if s, uniform := child.uniform(); uniform {
			n.merge(i, s)
		}
	}
}

func (n *pageNode) at(i uint64) *pageNode {
	if n.child == nil {
		return nil
	}
	return n.child[i]
}

// divide gives part i a node of its own.
func (n *pageNode) divide(i uint64) *pageNode {
	if n.child == nil {
		n.child = make([]*pageNode, fanout)
	}
	c := &pageNode{}
	for k := range c.state {
		c.state[k] = n.state[i]
	}
	n.child[i] = c
	n.split++
	return c
}

// merge takes part i's node away.
func (n *pageNode) merge(i uint64, s pageState) {
	n.state[i] = s
	n.child[i] = nil
	if n.split--; n.split == 0 {
		n.child = nil
	}
}

// uniform says whether all of n is in one state.
func (n *pageNode) uniform() (pageState, bool) {
	s := n.state[0]
	if n.split != 0 || n.state[fanout-1] != s { // most are found out here: memory is used from one end
		return 0, false
	}
	for _, v := range n.state[1:] {
		if v != s {
			return 0, false
		}
	}
	return s, true
}

// any says whether any page in [first, end) satisfies f.
func (m *pageMap) any(first, end uint64, f func(pageState) bool) bool {
	return first < end && end <= mapPages && m.root.any(fanoutBits*(mapLevels-1), first, end, f)
}

func (n *pageNode) any(shift int, first, end uint64, f func(pageState) bool) bool {
	for i := first >> shift; i<<shift < end; i++ {
		if c := n.at(i); c != nil {
			lo, hi := max(first, i<<shift)-i<<shift, min(end, (i+1)<<shift)-i<<shift
			if c.any(shift-fanoutBits, lo, hi, f) {
				return true
			}
		} else if f(n.state[i]) {
			return true
		}
	}
	return false
}
