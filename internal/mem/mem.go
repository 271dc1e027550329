// Package mem is the guest's memory: sparse, off the Go heap, in two planes.
//
// A confidential VM sees one frame of guest-physical memory in one of two ways, private or shared, and what
// is stored through one is not what is read through the other. So a frame's contents live in a plane: everything that
// remembers memory (a TLB, decoded code, backing) is keyed by [Frame], which is plane and frame number together.
//
// Each plane is one anonymous mapping without reserve, in which a guest-physical address is an offset. The host backs
// a page when it is first written; reading an unwritten page costs nothing and gives zeros. Pages that hold only zeros
// because nothing else has been stored are known as not [Memory.Backed], so that a guest that clears memory does not
// allocate it.
package mem

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/tacit-vm/tacit/physical"
)

// PageSize is the granule of everything in this package: 4 KiB.
const (
	PageShift = 12
	PageSize  = 1 << PageShift
	pageMask  = PageSize - 1
)

// A Frame names one page of one plane: the frame number (guest-physical address >> 12) shifted left by one, and the
// plane in bit 0.
type Frame uint64

// FrameOf returns the frame that holds gpa in plane p.
func FrameOf(p physical.Plane, gpa uint64) Frame { return Frame(gpa>>PageShift<<1) | Frame(p) }

// Plane returns the frame's plane.
func (f Frame) Plane() physical.Plane { return physical.Plane(f & 1) }

// GPA returns the guest-physical address of the frame's first byte.
func (f Frame) GPA() uint64 { return uint64(f>>1) << PageShift }

// errOutside is returned for an access that is not wholly within the memory.
var errOutside = errors.New("outside guest memory")

// MaxSize bounds a memory's address space: 16 TiB, what two planes may take of a 47-bit host address space with room to
// spare.
const MaxSize = 16 << 40

// A Memory is guest-physical memory from address 0 up to its size. What is RAM and what is a hole between RAM is not
// its business: a hole is never touched and so costs nothing.
//
// It is not safe for concurrent use by several goroutines, except that distinct pages may be read and written through
// the pointers from Page.
type Memory struct {
	size  uint64
	plane [physical.Planes]plane
	grew  func(bytes int64) // nil where it does not matter
	code  codeMarks

	discard func(b []byte) error // gives pages back to the host; they read as zeros afterwards
}

type plane struct {
	mapping []byte
	base    unsafe.Pointer
	backed  bitmap
	tables  bitmap // of 2 MiB each: whether the host has had to make a page table for them
}

// New returns a memory of size bytes, a multiple of 2 MiB, at most [MaxSize]. All of it reads as zeros.
func New(size uint64) (*Memory, error) {
	if size == 0 || size > MaxSize || size%(2<<20) != 0 {
		return nil, fmt.Errorf("guest memory of %#x bytes: want a multiple of 2 MiB, at most %#x", size, uint64(MaxSize))
	}
	m := &Memory{size: size, discard: discard, code: codeMarks{frames: newBitmap(uint64(physical.Planes) * size >> PageShift)}}
	for i := range m.plane {
		b, err := reserve(size)
		if err != nil {
			m.Close()
			return nil, fmt.Errorf("guest memory of %#x bytes: %w", size, err)
		}
		m.plane[i] = plane{mapping: b, base: unsafe.Pointer(unsafe.SliceData(b)), backed: newBitmap(size >> PageShift), tables: newBitmap(size >> tableShift)}
	}
	return m, nil
}

// Close returns the memory to the host. No pointer from Page may be used after it.
func (m *Memory) Close() error {
	var errs []error
	if m.code.holder != nil {
		errs = append(errs, m.code.holder.Close())
	}
	for i := range m.plane {
		if m.plane[i].mapping != nil {
			errs = append(errs, unreserve(m.plane[i].mapping))
			m.plane[i] = plane{}
		}
	}
	return errors.Join(errs...)
}

// Size returns the first address beyond the memory.
func (m *Memory) Size() uint64 { return m.size }

// Contains says whether n bytes from gpa are within the memory.
func (m *Memory) Contains(gpa, n uint64) bool { return gpa < m.size && n <= m.size-gpa }

// Page returns the host's address of the frame's first byte; f must be within the memory. The pointer is into memory
// that the Go runtime does not manage and stays valid until Close. Reading through it never allocates; before storing
// through it call Back.
func (m *Memory) Page(f Frame) unsafe.Pointer {
	m.reach(f)
	return unsafe.Add(m.plane[f.Plane()].base, f.GPA())
}

// tableShift is how much of an address one page table of the host's stands for: 2 MiB, on amd64 and arm64 alike.
const tableShift = 21

// reach notes that the host's page table for a frame is needed, if only to read zeros. It stays until Close.
func (m *Memory) reach(f Frame) {
	if m.plane[f.Plane()].tables.set(f.GPA()>>tableShift) && m.grew != nil {
		m.grew(PageSize)
	}
}

// Backed says whether something other than zeros may have been stored in the frame.
func (m *Memory) Backed(f Frame) bool { return m.plane[f.Plane()].backed.get(uint64(f >> 1)) }

// Back marks the frame as written to. It must be called before a value that may be other than zero is stored through
// Page's pointer.
func (m *Memory) Back(f Frame) {
	if m.plane[f.Plane()].backed.set(uint64(f>>1)) && m.grew != nil {
		m.grew(PageSize)
	}
}

// OnGrowth has grew hear how many bytes of the host's memory both planes take more, or less, than before: the pages that
// are backed, and the host's page tables. It is called at the very store or look; what is stored is stored nevertheless.
// What they take already it hears at once.
func (m *Memory) OnGrowth(grew func(bytes int64)) {
	m.grew = grew
	pages := uint64(0)
	for i := range m.plane {
		pages += m.plane[i].backed.count() + m.plane[i].tables.count()
	}
	if pages > 0 && grew != nil {
		grew(int64(pages << PageShift))
	}
}

// BackedBytes returns how much of a plane has been written to, in bytes.
func (m *Memory) BackedBytes(p physical.Plane) uint64 { return m.plane[p].backed.count() << PageShift }

// Release forgets the contents of the plane's pages in [start, end), both multiples of 4 KiB: they read as zeros, and
// the host has its memory back.
func (m *Memory) Release(p physical.Plane, start, end uint64) error {
	if start > end || end > m.size || (start|end)&pageMask != 0 {
		return fmt.Errorf("release [%#x, %#x): %w", start, end, errOutside)
	}
	pl := &m.plane[p]
	// Only runs that were written to are worth a system call.
	for f := start >> PageShift; f < end>>PageShift; {
		first, n := pl.backed.nextRun(f, end>>PageShift)
		if n == 0 {
			break
		}
		if err := m.discard(pl.mapping[first<<PageShift : (first+n)<<PageShift]); err != nil {
			return fmt.Errorf("release [%#x, %#x): %w", first<<PageShift, (first+n)<<PageShift, err)
		}
		pl.backed.clearRun(first, n)
		if m.grew != nil {
			m.grew(-int64(n << PageShift))
		}
		for gpa := first << PageShift; gpa < (first+n)<<PageShift; gpa += PageSize {
			m.CodeWritten(FrameOf(p, gpa), 0, PageSize)
		}
		f = first + n
	}
	return nil
}

// Read copies len(b) bytes from plane p at gpa into b. The host is not asked for pages that hold only zeros.
func (m *Memory) Read(p physical.Plane, gpa uint64, b []byte) error {
	if !m.Contains(gpa, uint64(len(b))) {
		return fmt.Errorf("read %d bytes at %#x: %w", len(b), gpa, errOutside)
	}
	for len(b) > 0 {
		n := min(uint64(len(b)), PageSize-gpa&pageMask)
		if m.Backed(FrameOf(p, gpa)) {
			copy(b[:n], m.plane[p].mapping[gpa:])
		} else {
			clear(b[:n])
		}
		gpa, b = gpa+n, b[n:]
	}
	return nil
}

// Write copies b to plane p at gpa. Pages that hold only zeros are not backed for the sake of more zeros.
func (m *Memory) Write(p physical.Plane, gpa uint64, b []byte) error {
	if !m.Contains(gpa, uint64(len(b))) {
		return fmt.Errorf("write %d bytes at %#x: %w", len(b), gpa, errOutside)
	}
	for len(b) > 0 {
		n := min(uint64(len(b)), PageSize-gpa&pageMask)
		f := FrameOf(p, gpa)
		if m.Backed(f) || !isZero(b[:n]) {
			m.reach(f)
			m.Back(f)
			copy(m.plane[p].mapping[gpa:], b[:n])
			m.CodeWritten(f, int(gpa&pageMask), int(n))
		}
		gpa, b = gpa+n, b[n:]
	}
	return nil
}

func isZero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}
