package alloc

import "github.com/tacit-vm/tacit/accept"

// MaxOrder is the order of the largest block: 4 KiB << 9, one unit.
const MaxOrder = 9

// A Config is what an allocator is made of. The slices become the allocator's.
type Config struct {
	// RAM is the memory to hand out, in any order, at addresses that need not be aligned: what is less than a page at
	// its ends is left out. Init sorts it. What must not be handed out, as the kernel and the books, is not in it.
	RAM []accept.Range

	// Books is memory for the allocator's books: at least Words(RAM) words, all zero. It must not lie in RAM.
	Books []uint64

	// Tracker knows which of RAM is unaccepted. What its bitmap does not say is unaccepted counts as accepted; all of
	// RAM where it is nil. The allocator works under the tracker's lock, so that what it sees is never half a change,
	// and no two locks have an order. It has memory accepted without that lock.
	Tracker *accept.Tracker

	// Lock is used where there is no Tracker. It may be nil where there is one processor, which takes no interrupts.
	Lock accept.Monitor

	// Low and High are the watermarks of the reserve of accepted free memory, in bytes: it is filled up to High when it
	// is below Low. Zero means 1/128 of RAM, but at least 16 MiB, for High; and half of High for Low.
	Low, High uint64
}

// An Allocator hands out memory in blocks. Init makes it ready; it must not be copied then.
//
// Its methods can be called by several processors at once. None of them allocates Go memory or stores a pointer.
type Allocator struct {
	books
	ram     []accept.Range // ascending, with gaps between
	tracker *accept.Tracker
	lock    accept.Monitor

	low, high uint64 // in pages, as all amounts here
	total     uint64
	used      uint64
	free      uint64 // accepted
	held      uint64
	raw       uint64 // unaccepted, and not about to be used
	lowest    uint64 // no unit below is raw

	wanted  uint64 // by those who wait for a block
	coming  uint64 // units being accepted that will be free
	waiting uint64 // processors that wait
	filling bool   // one of the units that come is for the reserve
	asleep  bool   // somebody waits for the reserve to be low
	broken  bool   // nothing can be accepted any more

	byWaiters, byBackground, waits uint64 // in units, and calls
}

// Init makes a, which is zero, an allocator of all of c.RAM. What it has to write does not depend on how much memory
// there is, but on how often accepted memory and unaccepted follow each other, and for what is accepted a bit a unit.
func (a *Allocator) Init(c Config) error {
	a.ram = tidy(c.RAM)
	within := span(a.ram)
	if within.Empty() || within.End > maxAddress {
		return ErrRAM
	}
	if words := a.lay(within); uint64(len(c.Books)) < words {
		return ErrBooks
	}
	a.put(c.Books)
	if a.tracker, a.lock = c.Tracker, c.Lock; a.tracker != nil {
		a.lock = a.tracker.Lock
	}
	for _, r := range a.ram {
		a.total += r.Len() / accept.PageSize
	}
	a.setWatermarks(c)

	a.raw = a.total
	a.acquire()
	for _, r := range a.ram {
		a.enterAccepted(r.AlignOut(accept.UnitSize))
	}
	a.release()
	return nil
}

const maxAddress = 1 << 52

// enterAccepted enters what is accepted of r, which is whole units.
func (a *Allocator) enterAccepted(r accept.Range) {
	if a.tracker != nil {
		for run := range a.tracker.Bitmap.Runs(r) {
			a.enterRun(a.index(r.Start), a.index(run.Start))
			r.Start = run.End
		}
	}
	a.enterRun(a.index(r.Start), a.index(r.End))
}

// enterRun enters the units [u, end), which are accepted. Those between the first and the last are whole.
func (a *Allocator) enterRun(u, end uint64) {
	if u >= end {
		return
	}
	a.enterOnce(u)
	if u++; u >= end {
		return
	}
	if last := end - 1; u < last {
		a.shape.addAll(a.sets[whole], u, last)
		a.listed |= 1 << whole
		a.raw -= (last - u) * unitPages
		a.free += (last - u) * unitPages
	}
	a.enterOnce(end - 1)
}

// enterOnce enters u, unless another range of RAM has a part of it and it has been.
func (a *Allocator) enterOnce(u uint64) {
	if a.kind(u) == raw {
		a.enter(u)
	}
}

// tidy sorts ram by address, in place, and joins what touches.
func tidy(ram []accept.Range) []accept.Range {
	n := 0
	for _, r := range ram {
		if r = r.AlignIn(accept.PageSize); r.Empty() {
			continue
		}
		i := n
		for ; i > 0 && ram[i-1].Start > r.Start; i-- {
			ram[i] = ram[i-1]
		}
		ram[i] = r
		n++
	}
	joined := 0
	for _, r := range ram[:n] {
		if joined > 0 && r.Start <= ram[joined-1].End {
			ram[joined-1].End = max(ram[joined-1].End, r.End)
			continue
		}
		ram[joined] = r
		joined++
	}
	return ram[:joined]
}

func (a *Allocator) index(addr uint64) uint64 { return (addr - a.base) / accept.UnitSize }

func (a *Allocator) acquire() {
	if a.lock != nil {
		a.lock.Lock()
	}
}

func (a *Allocator) release() {
	if a.lock != nil {
		a.lock.Unlock()
	}
}

// wake makes those who wait look again. Others that share the monitor are left alone where none does.
func (a *Allocator) wake() {
	if a.waiting > 0 {
		a.lock.Broadcast()
	}
}

// wait waits for a change. Without a lock there is no other processor to make one, and so no wait.
func (a *Allocator) wait() {
	a.waiting++
	a.waits++
	a.lock.Wait()
	a.waiting--
}
