package image

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A terse file is a PE file with most of its headers left out, as firmware keeps what it runs before it has memory (PI
// 1.8, volume 1, section 15): a header of 40 bytes, the headers of sections, and the rest as it was, so that all places
// count from what was there before.
const (
	terseHeaderSize  = 40
	terseSectionSize = 40
)

// Headers reads the headers of a module.
func (m Module) Headers() (*PE, error) {
	if string(m.Data[:min(2, len(m.Data))]) != "VZ" {
		return ReadPE(headReader(m.Data), int64(len(m.Data)))
	}
	b, le := m.Data, binary.LittleEndian
	if len(b) < terseHeaderSize {
		return nil, errors.New("truncated terse file")
	}
	stripped := int64(le.Uint16(b[6:])) - terseHeaderSize // bytes that every place is nearer to the start
	p := &PE{
		Machine: le.Uint16(b[2:]), Subsystem: uint16(b[5]), EntryPoint: le.Uint32(b[8:]),
		Base: le.Uint64(b[16:]),
	}
	count := int(b[4])
	if terseHeaderSize+count*terseSectionSize > len(b) {
		return nil, fmt.Errorf("truncated terse file: %d sections", count)
	}
	for i := range count {
		h := b[terseHeaderSize+i*terseSectionSize:]
		name := string(h[:8])
		size, address := min(le.Uint32(h[8:]), le.Uint32(h[16:])), le.Uint32(h[12:])
		at := int64(le.Uint32(h[20:])) - stripped
		if size != 0 && (at < 0 || at+int64(size) > int64(len(b))) {
			return nil, fmt.Errorf("truncated terse file: section %q ends at byte %d of %d", name, at+int64(size), len(b))
		}
		p.Sections = append(p.Sections, Section{name, address, at, int64(size)})
	}
	return p, nil
}
