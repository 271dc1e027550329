package pefile

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
)

// A Part is a section of a PE file that is to be made.
type Part struct {
	Name string
	Data []byte
}

// Make makes an EFI application for x86-64 of sections, whose entry is the first byte of the first one; with .linux and
// .cmdline it is a unified kernel image. It has no relocations.
func Make(sections ...Part) []byte {
	const alignment, fileAlignment, start = 0x1000, 0x200, 0x40
	up := func(n, to int) int { return (n + to - 1) / to * to }
	var optional pe.OptionalHeader64
	headers := up(start+4+binary.Size(pe.FileHeader{})+binary.Size(optional)+
		len(sections)*binary.Size(pe.SectionHeader32{}), fileAlignment)
	address, offset := up(headers, alignment), headers
	var table []pe.SectionHeader32
	var body bytes.Buffer
	for _, s := range sections {
		h := pe.SectionHeader32{
			VirtualSize: uint32(len(s.Data)), VirtualAddress: uint32(address),
			SizeOfRawData: uint32(up(len(s.Data), fileAlignment)), PointerToRawData: uint32(offset),
		}
		copy(h.Name[:], s.Name)
		table = append(table, h)
		body.Write(s.Data)
		body.Write(make([]byte, int(h.SizeOfRawData)-len(s.Data)))
		address, offset = up(address+max(len(s.Data), 1), alignment), offset+int(h.SizeOfRawData)
	}
	optional = pe.OptionalHeader64{
		Magic: PE32Plus, AddressOfEntryPoint: alignment, SectionAlignment: alignment, FileAlignment: fileAlignment,
		SizeOfImage: uint32(address), SizeOfHeaders: uint32(headers), Subsystem: pe.IMAGE_SUBSYSTEM_EFI_APPLICATION,
		NumberOfRvaAndSizes: 16,
	}
	out := bytes.NewBuffer(append([]byte("MZ"), make([]byte, start-6)...))
	for _, part := range []any{uint32(start), []byte("PE\x00\x00"), pe.FileHeader{
		Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: uint16(len(sections)),
		SizeOfOptionalHeader: uint16(binary.Size(optional)),
	}, optional, table} {
		_ = binary.Write(out, binary.LittleEndian, part) // to a buffer, of fixed size
	}
	out.Write(make([]byte, headers-out.Len()))
	out.Write(body.Bytes())
	return out.Bytes()
}
