package negotiate

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// MaxDescriptors is how long a map may be. Large servers have some hundred descriptors.
const MaxDescriptors = 1 << 14

// maxDescriptorSize bounds what the specification leaves open. Firmware in use has 40 or 48 bytes (EDK2: 48).
const maxDescriptorSize = uefi.PageSize

// Bounds is what a system knows without its firmware.
type Bounds struct {
	// Limit ends the addresses of private memory: 2 to the power of the position of the bit that marks private or shared
	// memory, at most 52. 0 stands for 2⁵².
	Limit uint64

	// InUse is the memory that the system uses already, in any order: its image, its stack, the buffer of the map, and
	// what the processor still uses of firmware's, such as page tables. None of it can be unaccepted, and none is free.
	InUse []accept.Range
}

// maxAddress ends what any processor can address: 52 bits (Intel SDM volume 3A, section 4.1.4; AMD APM volume 2,
// section 5.1).
const maxAddress = 1 << 52

// A Map is a memory map that has been checked: sorted, without overlaps, of memory that can be. The zero Map is empty.
type Map struct {
	buf    []byte // whole descriptors, in ascending order
	stride uint64
	inUse  []accept.Range
	fault  MapError
}

// Check makes m the map in buf, of which info says the rest, after it has held it against what a map can be:
//
//   - descriptors of a size and a version that can be, no more of them than [MaxDescriptors];
//   - each of a page or more, at a multiple of a page, below the limit to its end;
//   - no two that speak of the same memory, whatever they say of it;
//   - no unaccepted memory where the system knows better, since it runs there.
//
// The specification lets descriptors come in any order (UEFI 2.10, section 7.2.3), so they are sorted, in buf. That takes
// the time of a heapsort and no memory. From now on buf is m's, and so is b.InUse.
//
// The error is a [*MapError], which lies in m: it is good until the next Check. After one m is empty.
//
// A map that passes can still be a lie. Memory that is said to be accepted and is not stops the guest at the first
// touch; memory that is said to be unaccepted and is not makes the driver fail, which knows that it has been accepted.
func (m *Map) Check(buf []byte, info MapInfo, b Bounds) error {
	*m = Map{}
	if problem := info.check(uint64(len(buf))); problem != 0 {
		return m.wrong(MapError{Problem: problem})
	}
	if b.Limit == 0 || b.Limit > maxAddress {
		b.Limit = maxAddress
	}
	m.buf, m.stride, m.inUse = buf[:info.Size:info.Size], info.DescriptorSize, b.InUse
	for i := range m.len() {
		d := m.at(i)
		if problem := checkOne(d, b.Limit); problem != 0 {
			return m.wrong(MapError{Problem: problem, Culprit: d})
		}
	}
	m.sort()
	for i := range m.len() {
		d := m.at(i)
		if i > 0 && m.at(i-1).End() > d.PhysicalStart {
			return m.wrong(MapError{Problem: ErrOverlap, Culprit: m.at(i - 1), Other: d})
		}
		if !isUnaccepted(d) {
			continue
		}
		if used := m.firstInUse(rangeOf(d)); !used.Empty() {
			return m.wrong(MapError{Problem: ErrInUse, Culprit: d, InUse: used})
		}
	}
	return nil
}

// wrong empties the map and keeps what was wrong with it.
func (m *Map) wrong(e MapError) error {
	*m = Map{fault: e}
	return &m.fault
}

// shape checks what can be checked without the map.
func (i MapInfo) shape() error {
	if problem := i.check(i.Size); problem != 0 {
		return problem
	}
	return nil
}

// check says what cannot be about a map in a buffer of so many bytes; nothing where all can.
func (i MapInfo) check(buf uint64) Error {
	switch {
	case i.DescriptorSize < uefi.MemoryDescriptorSize || i.DescriptorSize > maxDescriptorSize || i.DescriptorSize%8 != 0:
		return ErrDescriptorSize
	case i.DescriptorVersion != uefi.MemoryDescriptorVersion:
		return ErrDescriptorVersion
	case i.Size > buf || i.Size%i.DescriptorSize != 0:
		return ErrMapSize
	case i.Size/i.DescriptorSize > MaxDescriptors:
		return ErrTooMany
	}
	return 0
}

func checkOne(d uefi.MemoryDescriptor, limit uint64) Error {
	switch {
	case d.NumberOfPages == 0:
		return ErrNoPages
	case d.PhysicalStart%uefi.PageSize != 0:
		return ErrNotAligned
	case d.PhysicalStart >= limit || d.NumberOfPages > (limit-d.PhysicalStart)/uefi.PageSize: // nothing here overflows
		return ErrBeyond
	}
	return 0
}

func (m *Map) len() uint64 {
	if m.stride == 0 {
		return 0
	}
	return uint64(len(m.buf)) / m.stride
}

func (m *Map) entry(i uint64) []byte { return m.buf[i*m.stride:][:m.stride] }

func (m *Map) at(i uint64) uefi.MemoryDescriptor {
	d, err := uefi.ParseMemoryDescriptor(m.entry(i))
	if err != nil {
		panic("BUG: negotiate: a descriptor of less than 40 bytes in a map that was checked")
	}
	return d
}

func rangeOf(d uefi.MemoryDescriptor) accept.Range {
	return accept.Range{Start: d.PhysicalStart, End: d.End()}
}
