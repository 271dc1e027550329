package firmware

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
)

// A peImage describes an image for testImage to build.
type peImage struct {
	base        uint64
	alignment   uint32
	subsystem   uint16
	fixed       bool
	code        []byte // at 0x1000, where the entry point is
	data        []byte // at 0x2000, followed by zeros
	relocations []byte // at 0x3000
	sizeOfImage uint32
}

const (
	testText  = 0x1000
	testData  = 0x2000
	testReloc = 0x3000
)

// testImage builds a PE file after Microsoft's PE Format, with sections that are padded in the file and others that are
// not in it at all.
func testImage(change func(*peImage)) []byte {
	im := peImage{
		alignment: 0x1000, subsystem: pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, sizeOfImage: 0x5000,
		code: []byte{0xC3}, data: []byte("data"),
	}
	if change != nil {
		change(&im)
	}
	var file bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&file, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	dos := make([]byte, 0x80)
	copy(dos, "MZ")
	binary.LittleEndian.PutUint32(dos[0x3C:], uint32(len(dos)))
	put(dos)
	put([]byte("PE\x00\x00"))
	contents := [][]byte{im.code, im.data, im.relocations}
	sections := []pe.SectionHeader32{
		{VirtualAddress: testText, VirtualSize: uint32(len(im.code))},
		{VirtualAddress: testData, VirtualSize: 0x1000},
		{VirtualAddress: testReloc, VirtualSize: 0x200},
		{VirtualAddress: 0x4000, VirtualSize: 0x1000}, // .bss
	}
	next := uint32(0x400)
	for i, c := range contents {
		sections[i].PointerToRawData = next
		sections[i].SizeOfRawData = max((uint32(len(c))+0x1FF)&^0x1FF, 0x200)
		next += sections[i].SizeOfRawData
	}
	characteristics := uint16(pe.IMAGE_FILE_EXECUTABLE_IMAGE)
	if im.fixed {
		characteristics |= pe.IMAGE_FILE_RELOCS_STRIPPED
	}
	put(pe.FileHeader{
		Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: uint16(len(sections)),
		SizeOfOptionalHeader: uint16(binary.Size(pe.OptionalHeader64{})), Characteristics: characteristics,
	})
	optional := pe.OptionalHeader64{
		Magic: 0x20B, AddressOfEntryPoint: testText, ImageBase: im.base, SectionAlignment: im.alignment, FileAlignment: 0x200,
		SizeOfImage: im.sizeOfImage, SizeOfHeaders: 0x400, Subsystem: im.subsystem, NumberOfRvaAndSizes: 16,
	}
	optional.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_BASERELOC] = pe.DataDirectory{VirtualAddress: testReloc, Size: uint32(len(im.relocations))}
	put(optional)
	put(sections)
	file.Write(make([]byte, 0x400-file.Len()))
	for i, c := range contents {
		file.Write(c)
		padding := []byte{0xEE} // must not get into memory where the section is shorter there
		if i > 0 {
			padding = []byte{0}
		}
		file.Write(bytes.Repeat(padding, int(sections[i].PointerToRawData+sections[i].SizeOfRawData)-file.Len()))
	}
	return file.Bytes()
}
