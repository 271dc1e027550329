package efi

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// relocate puts the addresses in the program's data that depend on where it is, as if it were where it is linked, and
// makes of the ELF file's list of these places the image's (Microsoft PE Format, "The .reloc Section"). Of a program
// in Go alone all are words that hold an address in the program.
func (m *image) relocate(f *elf.File) error {
	if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
		return fmt.Errorf("a program that needs libraries: build it with CGO_ENABLED=0 (%v)", libraries)
	}
	list := f.Section(".rela")
	if list == nil {
		return errors.New("a program without relocations: build it with -buildmode=pie")
	}
	data, err := list.Data()
	if err != nil {
		return fmt.Errorf("relocations: %w", err)
	}
	relocations := make([]elf.Rela64, len(data)/binary.Size(elf.Rela64{}))
	if err := binary.Read(bytes.NewReader(data), binary.LittleEndian, relocations); err != nil {
		return fmt.Errorf("relocations: %w", err)
	}
	places := make([]uint32, 0, len(relocations))
	for _, r := range relocations {
		if kind := elf.R_X86_64(elf.R_TYPE64(r.Info)); kind != elf.R_X86_64_RELATIVE {
			return fmt.Errorf("a relocation of type %v at %#x", kind, r.Off)
		}
		word := m.word(r.Off)
		if word == nil {
			return fmt.Errorf("a relocation at %#x, which is not in the program's data", r.Off)
		}
		binary.LittleEndian.PutUint64(word, uint64(r.Addend))
		places = append(places, uint32(r.Off-m.base))
	}
	slices.Sort(places)
	blocks := relocationBlocks(places)
	m.relocations = pe.DataDirectory{VirtualAddress: uint32(m.size), Size: uint32(len(blocks))}
	m.sections = append(m.sections, section{name: ".reloc", address: uint32(m.size), size: uint32(len(blocks)), data: blocks,
		characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ | pe.IMAGE_SCN_MEM_DISCARDABLE})
	m.size += up(uint64(len(blocks)), sectionAlignment)
	return nil
}

// word returns the eight bytes at an address, nil where the file has none.
func (m *image) word(address uint64) []byte {
	at := address - m.base
	for _, s := range m.sections {
		if from := at - uint64(s.address); at >= uint64(s.address) && from+8 <= uint64(len(s.data)) {
			return s.data[from:][:8]
		}
	}
	return nil
}

// relocationBlocks makes a block for each page that has one of the places, which are ascending: the page's address, the
// block's size, and 16 bits for each place, padded to whole words of 32.
func relocationBlocks(places []uint32) (blocks []byte) {
	const dir64, header = 10 << 12, 8
	for len(places) > 0 {
		page := places[0] &^ (sectionAlignment - 1)
		n := 0
		for n < len(places) && places[n]-page < sectionAlignment {
			n++
		}
		size := up(uint64(header+2*n), 4)
		block := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, page), uint32(size))
		for _, place := range places[:n] {
			block = binary.LittleEndian.AppendUint16(block, dir64|uint16(place-page))
		}
		blocks = append(blocks, append(block, make([]byte, size-uint64(len(block)))...)...)
		places = places[n:]
	}
	return blocks
}
