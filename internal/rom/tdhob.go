package rom

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/image"
)

// Kinds of areas in the metadata of TDX (Intel TDX Virtual Firmware Design Guide, table 11-3).
const (
	tdxConfiguration = 1 // the volume of variables
	tdxHOB           = 2
	tdxTemporary     = 3
)

// TDX is what a TD of this image has in its memory, and the address of the hand-off blocks that tell the image of RAM.
func (i *Image) TDX(ram []accept.Range) (all []Piece, hob uint64, err error) {
	m, err := image.ReadFirmware(i.bytes)
	switch {
	case err != nil:
		return nil, 0, err
	case len(m.TDX) == 0:
		return nil, 0, errors.New("it has no metadata of TDX, which would say what memory it wants to find at its start")
	}
	var list *Piece
	for _, a := range m.TDX {
		p := Piece{Range: accept.Range{Start: a.Address, End: a.Address + a.Size}}
		switch a.Kind {
		case image.TDXBootVolume, tdxConfiguration:
			if end := uint64(a.DataOffset) + uint64(a.DataSize); end > uint64(len(i.bytes)) || uint64(a.DataSize) > a.Size {
				return nil, 0, fmt.Errorf("its metadata has a volume of %#x bytes at byte %#x of the image, which is not there", a.DataSize, a.DataOffset)
			}
			p.Content = i.bytes[a.DataOffset:][:a.DataSize]
		case tdxHOB, tdxTemporary:
		default:
			return nil, 0, fmt.Errorf("its metadata of TDX has an area of kind %#x, which is not known", a.Kind)
		}
		all = append(all, p)
		if a.Kind == tdxHOB {
			list = &all[len(all)-1]
		}
	}
	if list == nil {
		return nil, 0, errors.New("its metadata of TDX has no place for the hand-off blocks")
	}
	hob = list.Start
	if err := check(all, i.all(), ram); err != nil {
		return nil, 0, err
	}
	blocks := handOff(hob, all, ram)
	for k := range all {
		if p := &all[k]; p.Start != hob {
			continue
		} else if p.Content = blocks; uint64(len(blocks)) > p.Len() {
			return nil, 0, fmt.Errorf("its metadata of TDX has %d bytes for hand-off blocks, and these are %d", p.Len(), len(blocks))
		}
	}
	return all, hob, nil
}

// Hand-off blocks (PI 1.8, volume 3, chapter 5), and what they say of memory (UEFI: resource type 7 is that which is not accepted).
const (
	hobHandOff  = 1
	hobResource = 3
	hobEnd      = 0xFFFF

	hobHandOffSize  = 56
	hobResourceSize = 48
	hobEndSize      = 8
	hobVersion      = 9

	memoryAccepted   = 0
	memoryUnaccepted = 7
	memoryIsThere    = 1 | 2 | 4 // present, initialised, tested
)

// handOff returns the blocks for an address: RAM, of which the pieces are accepted.
func handOff(at uint64, pieces []Piece, ram []accept.Range) []byte {
	le := binary.LittleEndian
	block := func(b []byte, kind, size uint16) []byte {
		return le.AppendUint32(le.AppendUint16(le.AppendUint16(b, kind), size), 0)
	}
	var resources []byte
	resource := func(start, end uint64, kind uint32) {
		if start >= end {
			return
		}
		resources = append(block(resources, hobResource, hobResourceSize), make([]byte, 16)...) // nobody's
		resources = le.AppendUint32(le.AppendUint32(resources, kind), memoryIsThere)
		resources = le.AppendUint64(le.AppendUint64(resources, start), end-start)
	}
	for _, r := range ram {
		from := r.Start
		for _, p := range pieces { // which are sorted
			if p.In(r) {
				resource(from, p.Start, memoryUnaccepted)
				resource(p.Start, p.End, memoryAccepted)
				from = p.End
			}
		}
		resource(from, r.End, memoryUnaccepted)
	}
	b := le.AppendUint32(le.AppendUint32(block(nil, hobHandOff, hobHandOffSize), hobVersion), 0)
	for range 4 { // of memory that whoever makes the blocks has left: none
		b = le.AppendUint64(b, 0)
	}
	b = le.AppendUint64(b, at+hobHandOffSize+uint64(len(resources)))
	return block(append(b, resources...), hobEnd, hobEndSize)
}
