package alloc_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/alloc"
)

// A system has 4 MiB that its firmware has accepted, and 60 that it has not.
func Example() {
	memory := accept.Range{Start: 0x4000000, End: 0x8000000}
	unaccepted := accept.Range{Start: 0x4400000, End: 0x8000000}

	header := accept.HeaderFor(unaccepted)
	bitmap, err := header.Bitmap(make([]byte, header.Size))
	if err != nil {
		fmt.Println(err)
		return
	}
	bitmap.Mark(unaccepted)
	driver := accept.DriverFunc(func(r accept.Range) error {
		fmt.Println("accept", r)
		return nil
	})

	var a alloc.Allocator
	ram := []accept.Range{memory}
	err = a.Init(alloc.Config{
		RAM:     ram,
		Books:   make([]uint64, alloc.Words(ram)), // on bare metal, memory that is not in RAM
		Tracker: &accept.Tracker{Bitmap: bitmap},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// Five blocks of 1 MiB. The last page in front of unaccepted memory is held back, since who has it may read past its
	// end: the fourth block cannot be had before the memory behind it has been accepted.
	const oneMiB = 8
	var blocks []uint64
	for range 5 {
		block, err := a.Alloc(oneMiB, driver)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%#x\n", block)
		blocks = append(blocks, block)
	}
	if err := a.Free(blocks[1], oneMiB); err != nil {
		fmt.Println(err)
	}
	fmt.Println("freed twice:", a.Free(blocks[1], oneMiB))

	info := a.Meminfo()
	fmt.Println(info.Used>>20, "MiB used,", info.FreeUnaccepted>>20, "MiB unaccepted")

	// Output:
	// 0x4000000
	// 0x4100000
	// 0x4200000
	// accept [0x4400000, 0x4600000)
	// 0x4300000
	// 0x4400000
	// freed twice: alloc: freed memory is not in use
	// 4 MiB used, 58 MiB unaccepted
}
