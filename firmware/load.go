package firmware

import (
	"encoding/binary"
	"io"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// load puts an image into memory and returns where: headers, sections, zeros between and behind them, addresses
// relocated.
func (f *Firmware) load(p *peFile) (accept.Range, error) {
	r, err := f.takeImage(p)
	if err != nil {
		return r, err
	}
	if err := f.fill(p, r.Start); err != nil {
		// Where this fails for want of map entries, the image's memory is lost with the rest.
		f.memory.set(r, uefi.ConventionalMemory)
		return r, err
	}
	return r, nil
}

// takeImage allocates the image's memory, at the address it was linked for if it cannot be anywhere else.
func (f *Firmware) takeImage(p *peFile) (accept.Range, error) {
	kind := memoryTypes[p.subsystem].code
	n := (uint64(p.sizeOfImage) + pageMask) / pageSize
	if p.fixed {
		r, err := f.takeExactly(kind, n, p.base)
		if err == notFound {
			err = loadError
		}
		return r, err
	}
	return f.takePages(kind, n, noLimit, max(uint64(p.alignment), pageSize))
}

func (f *Firmware) fill(p *peFile, base uint64) error {
	if err := f.copyFrom(zeros{}, 0, base, uint64(p.sizeOfImage)); err != nil {
		return err
	}
	if err := f.copyFrom(p.r, 0, base, uint64(p.sizeOfHeaders)); err != nil {
		return err
	}
	for _, s := range p.sections {
		err := f.copyFrom(p.r, int64(s.Offset), base+uint64(s.VirtualAddress), uint64(s.Size))
		if err != nil {
			return err
		}
	}
	if base == p.base {
		return nil
	}
	return f.relocate(p, base)
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
func (f *Firmware) relocate(p *peFile, base uint64) error {
	blocks := make([]byte, p.relocations.Size)
	if err := f.get(base+uint64(p.relocations.VirtualAddress), blocks); err != nil {
		return err
	}
	const blockHeader = 8
	for len(blocks) >= blockHeader {
		page := uint64(binary.LittleEndian.Uint32(blocks))
		size := binary.LittleEndian.Uint32(blocks[4:])
		if size < blockHeader || uint64(size) > uint64(len(blocks)) {
			return errRelocations
		}
		for list := blocks[blockHeader:size]; len(list) >= 2; list = list[2:] {
			v := binary.LittleEndian.Uint16(list)
			if err := f.relocateOne(p, base, page+uint64(v&0xFFF), v>>12); err != nil {
				return err
			}
		}
		blocks = blocks[size:]
	}
	return nil
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
