package accept_test

import (
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/accept"
)

// A bit stands for 2 MiB, so a page of bitmap for 64 GiB. All that 52 bits address has one of 256 MiB.
func ExampleHeaderFor() {
	for _, memory := range []accept.Range{
		{Start: 0, End: 64 << 30},
		{Start: 0, End: 4 << 50},
		{Start: 1 << 40, End: 1<<40 + 64<<30}, // it begins with the memory, not at address 0
	} {
		h := accept.HeaderFor(memory)
		fmt.Printf("%d GiB at %#x: %d KiB\n", memory.Len()>>30, h.PhysBase, h.Size>>10)
	}
	// Output:
	// 64 GiB at 0x0: 4 KiB
	// 4194304 GiB at 0x0: 262144 KiB
	// 64 GiB at 0x10000000000: 4 KiB
}

// Memory that begins and ends in units: the ends are accepted up front. Less than two units are so whatever they are.
func ExampleSplit() {
	span := accept.Range{Start: 0x40000000, End: 0x80000000}
	for _, r := range []accept.Range{
		{Start: 0x40001000, End: 0x48001000},
		{Start: 0x50000000, End: 0x50200000},
	} {
		head, tracked, tail := accept.Split(r, span)
		fmt.Println("up front:", head.Len()>>10, "and", tail.Len()>>10, "KiB; for later:", tracked.Len()>>10, "KiB")
	}
	// Output:
	// up front: 2044 and 4 KiB; for later: 129024 KiB
	// up front: 2048 and 0 KiB; for later: 0 KiB
}

// Who needs the end of a unit may read past it.
func ExampleGuard() {
	fmt.Println(accept.Guard(accept.Range{Start: 0x40000000, End: 0x40100000}))
	fmt.Println(accept.Guard(accept.Range{Start: 0x40100000, End: 0x40200000}))
	// Output:
	// [0x40000000, 0x40100000)
	// [0x40100000, 0x40400000)
}

// A driver is one function. This one is for a platform that accepts in units only, and knows which it has accepted.
func ExampleDriverFunc() {
	accepted := map[uint64]bool{}
	driver := accept.DriverFunc(func(r accept.Range) error {
		for at := r.Start; at < r.End; at += accept.UnitSize {
			if accepted[at] {
				return errors.New("accepted before: the host is not to be trusted, or who calls")
			}
			accepted[at] = true
		}
		return nil
	})
	unit := accept.Range{Start: 0x40000000, End: 0x40200000}
	fmt.Println(driver.Accept(unit))
	fmt.Println(driver.Accept(unit))
	// Output:
	// <nil>
	// accepted before: the host is not to be trusted, or who calls
}
