//go:build linux && amd64

package kernel

// An area is a stretch of the program's address space.
type area struct {
	start, end uint64
	kind       uint8
}

// Kinds of areas.
const (
	free = 0

	canRead  = 1 // as PROT_READ and the others
	canWrite = 2
	canRun   = 4
	mapped   = 8

	reserved = mapped                      // without access: the Go runtime takes large stretches of address space like this
	usable   = mapped | canRead | canWrite // memory is there when it is touched
)

// kindOf is the kind of an area with rights as mmap takes them.
func kindOf(rights uint64) uint8 { return mapped | uint8(rights&(canRead|canWrite|canRun)) }

// An addressSpace is what a program has mapped: areas in ascending order, not touching one of the same kind.
type addressSpace struct {
	areas [1024]area
	n     int
	next  uint64 // where to look for room
}

// set gives [start, end) another kind. It reports false, with nothing changed, where there are too many areas.
func (s *addressSpace) set(start, end uint64, kind uint8) bool {
	if s.n+2 > len(s.areas) {
		return false
	}
	// Cut what reaches over the ends, take out what lies within, put the new one in.
	i := 0
	for i < s.n && s.areas[i].end <= start {
		i++
	}
	if i < s.n && s.areas[i].start < start {
		s.insert(i+1, area{start, s.areas[i].end, s.areas[i].kind})
		s.areas[i].end = start
		i++
	}
	for i < s.n && s.areas[i].end <= end {
		s.remove(i)
	}
	if i < s.n && s.areas[i].start < end {
		s.areas[i].start = end
	}
	if kind == free {
		return true
	}
	s.insert(i, area{start, end, kind})
	if i+1 < s.n && s.areas[i+1].start == end && s.areas[i+1].kind == kind {
		s.areas[i].end = s.areas[i+1].end
		s.remove(i + 1)
	}
	if i > 0 && s.areas[i-1].end == start && s.areas[i-1].kind == kind {
		s.areas[i-1].end = s.areas[i].end
		s.remove(i)
	}
	return true
}

func (s *addressSpace) insert(i int, a area) {
	copy(s.areas[i+1:s.n+1], s.areas[i:s.n])
	s.areas[i] = a
	s.n++
}

func (s *addressSpace) remove(i int) {
	copy(s.areas[i:s.n-1], s.areas[i+1:s.n])
	s.n--
}

// find returns the area that va is in; its kind is free where there is none.
func (s *addressSpace) find(va uint64) area {
	low, high := 0, s.n
	for low < high {
		if mid := (low + high) / 2; s.areas[mid].end <= va {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < s.n && s.areas[low].start <= va {
		return s.areas[low]
	}
	return area{}
}

// room returns where n bytes are free: from hint on, if that is so, else where nothing has been yet but what was asked
// for there; 0 where there is no room.
func (s *addressSpace) room(hint, n uint64) uint64 {
	if hint >= userStart && hint+n <= linkBase && hint+n > hint && hint&pageMask == 0 && s.isFree(hint, hint+n) {
		return hint
	}
	align := uint64(pageSize)
	if n >= size2M {
		align = size2M
	}
	start := (s.next + align - 1) &^ (align - 1)
	for i := 0; i < s.n && s.areas[i].start < start+n; i++ {
		if s.areas[i].end > start {
			start = (s.areas[i].end + align - 1) &^ (align - 1)
		}
	}
	if start > programStack || n > programStack-start {
		return 0
	}
	s.next = start + n
	return start
}

// size is how many bytes of address space are taken.
func (s *addressSpace) size() (n uint64) {
	for i := 0; i < s.n; i++ {
		n += s.areas[i].end - s.areas[i].start
	}
	return n
}

func (s *addressSpace) isFree(start, end uint64) bool {
	for i := 0; i < s.n; i++ {
		if s.areas[i].start < end && start < s.areas[i].end {
			return false
		}
	}
	return true
}

const (
	firstRoom    = 0x2000_0000_0000 // above where the Go runtime's hints for its heap are
	programStack = 0x7e00_0000_0000
)
