package firmware

import (
	"encoding/binary"
	"io"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// A loading is an image that is being put into memory: headers, sections, zeros between and after them, addresses
// relocated. It is done in pieces.
type loading struct {
	file   *peFile
	origin origin
	memory accept.Range

	part        int    // of file.part
	done        uint64 // bytes of it
	read        bool   // the relocations have been
	relocations []byte // blocks that are left
	page        uint64 // of the block under way
	list        []byte // what is left of it
}

// load takes an image's memory. continueLoading fills it.
func (f *Firmware) load(p *peFile, o origin) (*loading, error) {
	r, err := f.takeImage(p)
	return &loading{file: p, origin: o, memory: r}, err
}

// unload gives back the memory of an image that is not loaded whole. What the guest has freed itself is its own affair.
func (f *Firmware) unload(l *loading) {
	if f.memory.covers(l.memory, allocatable) {
		// Where this fails for want of map entries, the image's memory is lost with the rest.
		f.memory.set(l.memory, uefi.ConventionalMemory)
	}
}

// takeImage allocates the image's memory: at the address it was linked for, where that is free and not in the first MiB, as EDK2
// does (MdeModulePkg/Core/Dxe/Image/Image.c, CoreLoadPeImage); and elsewhere if it can be.
func (f *Firmware) takeImage(p *peFile) (accept.Range, error) {
	kind := memoryTypes[p.subsystem].code
	n := (uint64(p.sizeOfImage) + pageMask) / pageSize
	const lowest = 1 << 20
	if p.fixed || p.base >= lowest && p.base%max(uint64(p.alignment), pageSize) == 0 {
		r, err := f.takeExactly(kind, n, p.base)
		switch {
		case err == nil || err != notFound:
			return r, err
		case p.fixed:
			return r, loadError
		}
	}
	return f.takePages(kind, n, noLimit, max(uint64(p.alignment), pageSize))
}

// part returns what is copied to where, in this order: zeros to all of the image, then the headers, then the sections.
func (p *peFile) part(i int) (from io.ReaderAt, offset int64, to, n uint64) {
	switch {
	case i == 0:
		return zeros{}, 0, 0, uint64(p.sizeOfImage)
	case i == 1:
		return p.r, 0, 0, uint64(p.sizeOfHeaders)
	}
	s := &p.sections[i-2]
	return p.r, int64(s.Offset), uint64(s.VirtualAddress), uint64(s.Size)
}

// continueLoading does the next piece. The error is errMore where more is left to do.
func (f *Firmware) continueLoading(l *loading) error {
	for left := uint64(step); l.part < 2+len(l.file.sections); {
		from, offset, to, n := l.file.part(l.part)
		n = min(n-l.done, left)
		if err := f.copyFrom(from, offset+int64(l.done), l.memory.Start+to+l.done, n); err != nil {
			return err
		}
		l.done += n
		if left -= n; left == 0 {
			return errMore
		}
		l.part, l.done = l.part+1, 0
	}
	if l.memory.Start == l.file.base {
		return nil
	}
	return f.relocate(l)
}

type zeros struct{}

func (zeros) ReadAt(b []byte, _ int64) (int, error) {
	clear(b)
	return len(b), nil
}

// copyFrom copies n bytes from a file to guest-physical memory.
func (f *Firmware) copyFrom(r io.ReaderAt, from int64, gpa, n uint64) error {
	b := make([]byte, min(n, 64<<10))
	for n > 0 {
		b = b[:min(n, uint64(len(b)))]
		if _, err := r.ReadAt(b, from); err != nil {
			return orNotPE(err)
		}
		if err := f.put(gpa, b); err != nil {
			return err
		}
		from, gpa, n = from+int64(len(b)), gpa+uint64(len(b)), n-uint64(len(b))
	}
	return nil
}

// Types of base relocations (Microsoft PE Format, "Base Relocation Types").
const (
	relocateNothing = 0
	relocate32      = 3  // HIGHLOW
	relocate64      = 10 // DIR64
)

// relocate adds to each address in the image how far it is from where it was linked for. The list is a row of blocks:
// the address of a page, the block's size, and 16 bits for each place in the page.
func (f *Firmware) relocate(l *loading) error {
	const (
		blockHeader = 8
		most        = 4096 // places in a piece, or blocks without any
	)
	if !l.read {
		l.read, l.relocations = true, make([]byte, l.file.relocations.Size)
		if err := f.get(l.memory.Start+uint64(l.file.relocations.VirtualAddress), l.relocations); err != nil {
			return err
		}
	}
	for range most {
		if len(l.list) >= 2 {
			v := binary.LittleEndian.Uint16(l.list)
			if err := f.relocateOne(l.file, l.memory.Start, l.page+uint64(v&0xFFF), v>>12); err != nil {
				return err
			}
			l.list = l.list[2:]
			continue
		}
		if len(l.relocations) < blockHeader {
			return nil
		}
		size := binary.LittleEndian.Uint32(l.relocations[4:])
		if size < blockHeader || uint64(size) > uint64(len(l.relocations)) {
			return errRelocations
		}
		l.page = uint64(binary.LittleEndian.Uint32(l.relocations))
		l.list, l.relocations = l.relocations[blockHeader:size], l.relocations[size:]
	}
	return errMore
}

const errRelocations = imageError("a PE file with damaged relocations")

func (f *Firmware) relocateOne(p *peFile, base, at uint64, kind uint16) error {
	var b [8]byte
	n := uint64(8)
	switch kind {
	case relocateNothing:
		return nil
	case relocate32:
		n = 4
	case relocate64:
	default:
		return errRelocations
	}
	if at+n > uint64(p.sizeOfImage) {
		return errRelocations
	}
	if err := f.get(base+at, b[:n]); err != nil {
		return err
	}
	if n == 4 {
		put32(b[:], uint32(uint64(binary.LittleEndian.Uint32(b[:]))+base-p.base))
	} else {
		put64(b[:], binary.LittleEndian.Uint64(b[:])+base-p.base)
	}
	return f.put(base+at, b[:n])
}
