package accept_test

import (
	"fmt"
	"sync"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
)

// Eight processors need the same memory at once. Each unit is accepted by one of them, and when Accept returns the memory
// is fit for use, no matter who has accepted it.
func ExampleTracker() {
	memory := accept.Range{Start: 4 << 30, End: 5 << 30}
	platform := accepttest.NewMemory(nil, []accept.Range{memory}) // complains if a page is accepted twice

	header := accept.HeaderFor(memory)
	bitmap, err := header.Bitmap(make([]byte, header.Size))
	if err != nil {
		fmt.Println(err)
		return
	}
	bitmap.Mark(memory)
	tracker := accept.Tracker{
		Bitmap: bitmap,
		Lock:   accepttest.NewMonitor(), // on bare metal, a spin lock
		Claims: make([]accept.Range, 8),
	}

	need := accept.Range{Start: 4 << 30, End: 4<<30 + 100<<20}
	var processors sync.WaitGroup
	for range 8 {
		processors.Go(func() {
			if err := tracker.Accept(accept.Guard(need), platform); err != nil {
				fmt.Println(err)
			}
		})
	}
	processors.Wait()

	fmt.Println(platform.Count().Accepted>>20, "MiB accepted,", tracker.Unaccepted(memory)>>20, "MiB left;", platform.Err())
	// Output:
	// 102 MiB accepted, 922 MiB left; <nil>
}

// The steps of Accept, one by one: for a system that has something better to do than to wait.
func ExampleTracker_Claim() {
	memory := accept.Range{Start: 4 << 30, End: 4<<30 + 16<<20}
	header := accept.HeaderFor(memory)
	bitmap, err := header.Bitmap(make([]byte, header.Size))
	if err != nil {
		fmt.Println(err)
		return
	}
	bitmap.Mark(memory)
	tracker := accept.Tracker{Bitmap: bitmap, Claims: make([]accept.Range, 2)}

	unit := accept.Range{Start: memory.Start, End: memory.Start + accept.UnitSize}
	claim, answer := tracker.Claim(unit)
	fmt.Println(claim.Range, answer == accept.Claimed)
	_, answer = tracker.Claim(unit) // somebody else, meanwhile
	fmt.Println(answer == accept.Busy)
	// Here claim.Range is accepted.
	tracker.Commit(claim)
	_, answer = tracker.Claim(unit)
	fmt.Println(answer == accept.Accepted)
	// Output:
	// [0x100000000, 0x100200000) true
	// true
	// true
}
