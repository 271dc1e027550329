package alloc_test

import (
	"fmt"
	"sync/atomic"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
	"github.com/tacit-vm/tacit/accept/alloc"
)

// A guest of 4 MiB that firmware has accepted and 60 that it has not.
func Example() {
	ram := []accept.Range{{Start: 0x100000000, End: 0x104000000}}
	unaccepted := accept.Range{Start: 0x100400000, End: 0x104000000}

	// This is all that depends on the architecture: TDG.MEM.PAGE.ACCEPT or PVALIDATE.
	platform := accept.DriverFunc(func(r accept.Range) error {
		fmt.Println("accept", r)
		return nil
	})

	header := accept.HeaderFor(unaccepted)
	bitmap, err := header.Bitmap(make([]byte, header.Size))
	if err != nil {
		fmt.Println(err)
		return
	}
	bitmap.Mark(unaccepted)

	var a alloc.Allocator
	err = a.Init(alloc.Config{
		RAM:     ram,
		Books:   make([]uint64, alloc.Words(ram)), // on bare metal, memory set aside
		Tracker: &accept.Tracker{Bitmap: bitmap},  // a Lock and Claims, with several processors
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The second unit cannot be handed out whole before the third is accepted, since a load may reach over its end.
	for _, order := range []int{0, 9, 9, 3} {
		addr, err := a.Alloc(order, platform)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%4d KiB at %#x\n", 4<<order, addr)
	}
	fmt.Println(a.Free(0x100000000, 0))
	fmt.Println(a.Free(0x100000000, 0))
	info := a.Meminfo()
	fmt.Println(info.Used>>10, "KiB used,", info.FreeAccepted>>10, "accepted,",
		info.FreeUnaccepted>>10, "unaccepted,", info.Held>>10, "held")

	// Output:
	//    4 KiB at 0x100000000
	// accept [0x100400000, 0x100600000)
	// 2048 KiB at 0x100200000
	// accept [0x100600000, 0x100800000)
	// 2048 KiB at 0x100400000
	//   32 KiB at 0x100008000
	// <nil>
	// alloc: freed memory is not in use
	// 4128 KiB used, 4060 accepted, 57344 unaccepted, 4 held
}

// A goroutine keeps a reserve of accepted memory, so that allocations seldom wait.
func ExampleAllocator_Await() {
	machine := accepttest.Machine{Unaccepted: []accept.Range{{Start: 0, End: 1 << 30}}}
	memory, tracker, err := machine.Start(4)
	if err != nil {
		fmt.Println(err)
		return
	}
	ram := machine.RAM()
	var a alloc.Allocator
	if err := a.Init(alloc.Config{RAM: ram, Books: make([]uint64, alloc.Words(ram)), Tracker: tracker}); err != nil {
		fmt.Println(err)
		return
	}

	var stop atomic.Bool
	done := make(chan bool)
	go func() {
		defer close(done)
		for !stop.Load() {
			a.Await()
			for more := true; more && err == nil; {
				more, err = a.Background(memory)
			}
		}
	}()
	for a.Meminfo().FreeAccepted < 12<<20 {
		// The goroutine has just begun. Later this is what it does while others work.
	}
	for range 1000 {
		if _, err := a.Alloc(0, memory); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("units accepted by those who needed memory:", a.Meminfo().ByWaiters)

	tracker.Lock.Lock()
	stop.Store(true)
	tracker.Lock.Broadcast()
	tracker.Lock.Unlock()
	<-done
	fmt.Println(err)

	// Output:
	// units accepted by those who needed memory: 0
	// <nil>
}
