package accept_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/accept"
)

// A guest takes over what firmware left unaccepted, and then needs memory.
func Example() {
	// From firmware's memory map: what is of type EfiUnacceptedMemoryType.
	unaccepted := []accept.Range{
		{Start: 0x80000000, End: 0xb0001000},
		{Start: 0x100000000, End: 0x480000000},
	}

	// This is all that depends on the architecture: TDG.MEM.PAGE.ACCEPT or PVALIDATE.
	platform := accept.DriverFunc(func(r accept.Range) error {
		fmt.Println("accept", r)
		return nil
	})

	var span accept.Range
	for _, r := range unaccepted {
		span = span.Union(r)
	}
	header := accept.HeaderFor(span)
	table := make([]byte, accept.HeaderSize+header.Size)
	header.Put(table)
	bitmap, err := header.Bitmap(table[accept.HeaderSize:])
	if err != nil {
		fmt.Println(err)
		return
	}

	// What whole units cannot stand for is accepted up front, the rest when it is needed.
	for _, r := range unaccepted {
		head, tracked, tail := accept.Split(r, bitmap.Span())
		for _, piece := range []accept.Range{head, tail} {
			if piece.Empty() {
				continue
			}
			if err := platform.Accept(piece); err != nil {
				fmt.Println(err)
				return
			}
		}
		bitmap.Mark(tracked)
	}
	fmt.Println(bitmap.Count(bitmap.Span()), "units unaccepted,", header.Size, "bytes of bitmap")

	// Now it is: 4 MiB, and again, as a page allocator would go on.
	for at := uint64(0x100000000); at < 0x100800000; at += 4 << 20 {
		block := accept.Range{Start: at, End: at + 4<<20}
		if err := bitmap.Accept(accept.Guard(block), platform); err != nil {
			fmt.Println(err)
			return
		}
	}
	for run := range bitmap.Runs(bitmap.Span()) {
		fmt.Println("unaccepted", run)
	}

	// Output:
	// accept [0xb0000000, 0xb0001000)
	// 7552 units unaccepted, 1024 bytes of bitmap
	// accept [0x100000000, 0x100600000)
	// accept [0x100600000, 0x100a00000)
	// unaccepted [0x80000000, 0xb0000000)
	// unaccepted [0x100a00000, 0x480000000)
}

// Someone who can read a guest's memory asks how much of it is still unaccepted.
func ExampleParseHeader() {
	// The configuration table LINUX_EFI_UNACCEPTED_MEM_TABLE, copied out of the guest: 256 MiB from 4 GiB on.
	table := append([]byte{
		1, 0, 0, 0, // version
		0, 0, 0x20, 0, // unit_size
		0, 0, 0, 0, 1, 0, 0, 0, // phys_base
		16, 0, 0, 0, 0, 0, 0, 0, // size
	}, 0, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)

	header, err := accept.ParseHeader(table)
	if err != nil {
		fmt.Println(err)
		return
	}
	bitmap, err := header.Bitmap(table[accept.HeaderSize:])
	if err != nil {
		fmt.Println(err)
		return
	}
	units := bitmap.Count(bitmap.Span())
	fmt.Println(units*accept.UnitSize>>20, "MiB of", bitmap.Span())

	table[4] = 1
	_, err = accept.ParseHeader(table)
	fmt.Println(err)

	// Output:
	// 232 MiB of [0x100000000, 0x110000000)
	// unaccepted memory table: unit_size is 0x200001: only 0x200000 is known
}
