package accepttest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/tacit-vm/tacit/accept"
)

// An Allocator hands out memory in blocks of 4 KiB << order, aligned to their size. What its callers get is accepted,
// and so is the page after it. It may also have the methods of [UnitAllocator] and [Filler], which are tested then.
type Allocator interface {
	Alloc(order int, d accept.Driver) (addr uint64, err error)
	Free(addr uint64, order int) error
}

// A UnitAllocator hands out runs of units.
type UnitAllocator interface {
	AllocUnits(n int, d accept.Driver) (addr uint64, err error)
	FreeUnits(addr uint64, n int) error
}

// A Filler can keep a reserve of accepted memory.
type Filler interface {
	Background(d accept.Driver) (more bool, err error)
}

// AllocatorOptions say what [TestAllocator] does. Zero values mean what is written here.
type AllocatorOptions struct {
	Seed       uint64
	Operations int     // 10,000, by all goroutines together
	Goroutines int     // one; with more, a seed does not repeat what happens
	MaxOrder   int     // 9
	Machine    Machine // a random one, of about 4 to 64 units

	// Fail is [Memory.Fail].
	Fail func(r accept.Range) error

	// Bound is checked after every operation where there is one goroutine, if it is not nil: how much may have been
	// accepted, given how much was touched.
	Bound func(touched uint64) (accepted uint64)

	// Quiet is called when nothing is going on: before the first operation, after the last, and when all has been freed.
	Quiet func(a Allocator, m *Memory) error
}

// TestAllocator does random operations with an allocator of all memory of a machine, and checks that it hands out no
// page twice, nor one that is unaccepted or in front of an unaccepted one; that it refuses to free what is not in use;
// and at the end, when all has been freed, that all can be had again: in whole units, and all but for the pages in front
// of unaccepted memory that is not the allocator's. It returns the first thing that is wrong.
func TestAllocator(newAllocator func(ram []accept.Range, t *accept.Tracker) (Allocator, error), o AllocatorOptions) error {
	if err := testAllocator(newAllocator, o); err != nil {
		return fmt.Errorf("seed %d: %w", o.Seed, err)
	}
	return nil
}

func testAllocator(newAllocator func([]accept.Range, *accept.Tracker) (Allocator, error), o AllocatorOptions) error {
	r := rand.New(rand.NewPCG(o.Seed, 0))
	o.Goroutines = max(o.Goroutines, 1)
	if o.Operations == 0 {
		o.Operations = 10_000
	}
	if o.MaxOrder == 0 {
		o.MaxOrder = 9
	}
	if len(o.Machine.Accepted)+len(o.Machine.Unaccepted) == 0 {
		o.Machine = RandomMachine(r, 4+r.IntN(60))
	}
	memory, tracker, err := o.Machine.Start(1 + r.IntN(o.Goroutines+1))
	if err != nil {
		return err
	}
	before := memory.Count().Accepted // what a guest accepts before it has an allocator
	a, err := newAllocator(o.Machine.RAM(), tracker)
	if err != nil {
		return err
	}
	memory.Fail = o.Fail

	users := make([]user, o.Goroutines)
	var wg sync.WaitGroup
	if err := quiet(o, a, memory); err != nil {
		return err
	}
	for i := range users {
		u := &users[i]
		*u = user{o: o, a: a, m: memory, before: before, r: rand.New(rand.NewPCG(o.Seed, uint64(i)+1))}
		wg.Go(func() { u.run(o.Operations / o.Goroutines) })
	}
	wg.Wait()
	for i := range users {
		if users[i].err != nil {
			return users[i].err
		}
	}
	if err := quiet(o, a, memory); err != nil {
		return err
	}
	for i := range users {
		for len(users[i].blocks) > 0 {
			users[i].free()
		}
		if users[i].err != nil {
			return users[i].err
		}
	}
	if err := quiet(o, a, memory); err != nil {
		return err
	}
	if o.Fail == nil {
		if err := takeAll(&users[0]); err != nil {
			return err
		}
	}
	return memory.Err()
}

func quiet(o AllocatorOptions, a Allocator, m *Memory) error {
	if err := m.Err(); err != nil || o.Quiet == nil {
		return err
	}
	return o.Quiet(a, m)
}

// takeAll allocates everything there is: each run of units, the longest first, and then page by page.
func takeAll(u *user) error {
	whole := runsOf(u.o.Machine)
	for _, n := range whole {
		if _, ok := u.a.(UnitAllocator); ok {
			if !u.allocUnits(n) {
				return fmt.Errorf("all is free, and a run of %d units cannot be had: %w", n, cmp.Or(u.err, u.none))
			}
			continue
		}
		for range n {
			if !u.alloc(9) {
				return fmt.Errorf("all is free, and not all units can be had: %w", cmp.Or(u.err, u.none))
			}
		}
	}
	for u.alloc(0) {
	}
	if u.err != nil {
		return u.err
	}
	for at := u.m.span.Start; at < u.m.span.End; at += accept.PageSize {
		if u.m.unused(at) {
			return fmt.Errorf("all is free, and page %#x cannot be had", at)
		}
	}
	return nil
}

// runsOf returns how many units the runs of m have, in descending order.
func runsOf(m Machine) (runs []int) {
	memory := NewMemory(m.RAM(), nil)
	n := 0
	for _, has := range append(memory.perUnit, 0) {
		if has == accept.UnitSize/accept.PageSize {
			n++
			continue
		}
		if n > 0 {
			i := 0
			for i < len(runs) && runs[i] >= n {
				i++
			}
			runs = append(runs[:i], append([]int{n}, runs[i:]...)...)
		}
		n = 0
	}
	return runs
}
