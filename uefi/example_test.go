package uefi_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/uefi"
)

// How much of a machine's memory is unaccepted, by the map that GetMemoryMap has written: with the size of a descriptor
// that it has told, not that of the structure.
func ExampleParseMemoryMap() {
	const descriptorSize = 48
	buf := make([]byte, 2*descriptorSize)
	uefi.MemoryDescriptor{Type: uefi.ConventionalMemory, PhysicalStart: 0, NumberOfPages: 0x10000}.Put(buf)
	uefi.MemoryDescriptor{Type: uefi.UnacceptedMemory, PhysicalStart: 0x10000000, NumberOfPages: 0x70000}.Put(buf[descriptorSize:])

	m, err := uefi.ParseMemoryMap(buf, descriptorSize)
	if err != nil {
		fmt.Println(err)
		return
	}
	for d := range m.All() {
		if d.Type == uefi.UnacceptedMemory {
			fmt.Println(d)
			fmt.Println(d.NumberOfPages*uefi.PageSize>>20, "MiB")
		}
	}
	// Output:
	// Unaccepted, 0x70000 pages at 0x10000000
	// 1792 MiB
}

// A GUID prints as the specifications write it, and lies in memory otherwise.
func ExampleGUID() {
	fmt.Println(uefi.MemoryAcceptanceProtocolGUID)
	fmt.Printf("% x\n", uefi.MemoryAcceptanceProtocolGUID[:8])
	// Output:
	// c5a010fe-38a7-4531-8a4a-0500d2fd1649
	// fe 10 a0 c5 a7 38 31 45
}
