package accepttest_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
)

// plain is an allocator that is right and simple: the first block of which all pages are free. It can be wrong in
// several ways.
type plain struct {
	mu      sync.Mutex
	tracker *accept.Tracker
	free    map[uint64]bool // the pages of RAM
	end     uint64

	noGuard, noAccept, noCheck, twice, keepsUnits bool
}

func newPlain(ram []accept.Range, t *accept.Tracker) *plain {
	p := &plain{tracker: t, free: map[uint64]bool{}}
	for _, r := range ram {
		for r = r.AlignIn(accept.PageSize); !r.Empty(); r.Start += accept.PageSize {
			p.free[r.Start] = true
		}
		p.end = max(p.end, r.End)
	}
	return p
}

var errNone = errors.New("none")

func (p *plain) Alloc(order int, d accept.Driver) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := uint64(accept.PageSize) << order
	for at := uint64(0); at < p.end; at += size {
		block := accept.Range{Start: at, End: at + size}
		if !p.all(block, true) {
			continue
		}
		p.set(block, p.twice)
		need := accept.Guard(block)
		if p.noGuard {
			need = block
		}
		if p.noAccept {
			return at, nil
		}
		return at, p.tracker.Accept(need, d)
	}
	return 0, errNone
}

func (p *plain) Free(addr uint64, order int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := uint64(accept.PageSize) << order
	block := accept.Range{Start: addr, End: addr + size}
	if !p.noCheck && (addr%size != 0 || !p.all(block, false)) {
		return errNone
	}
	if p.keepsUnits && order == 9 {
		return nil
	}
	p.set(block, true)
	return nil
}

func (p *plain) all(block accept.Range, free bool) bool {
	for ; !block.Empty(); block.Start += accept.PageSize {
		if is, ram := p.free[block.Start]; !ram || is != free {
			return false
		}
	}
	return true
}

func (p *plain) set(block accept.Range, free bool) {
	for ; !block.Empty(); block.Start += accept.PageSize {
		p.free[block.Start] = free
	}
}

func TestAllocators(t *testing.T) {
	test := func(wrong func(p *plain), goroutines int) error {
		for seed := range uint64(8) {
			if err := accepttest.TestAllocator(func(ram []accept.Range, tracker *accept.Tracker) (accepttest.Allocator, error) {
				p := newPlain(ram, tracker)
				wrong(p)
				return p, nil
			}, accepttest.AllocatorOptions{
				Seed: seed, Operations: 300, Goroutines: goroutines,
				Machine: accepttest.Machine{
					Accepted:   []accept.Range{{Start: 0, End: 5 << 19}},
					Unaccepted: []accept.Range{{Start: 3 << 20, End: 15 << 20}},
					Foreign:    []accept.Range{{Start: 15 << 20, End: 20 << 20}},
				},
			}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, goroutines := range []int{1, 4} {
		if err := test(func(*plain) {}, goroutines); err != nil {
			t.Errorf("a simple allocator, %d goroutines: %v", goroutines, err)
		}
	}
	for what, wrong := range map[string]func(*plain){
		"does not guard":           func(p *plain) { p.noGuard = true },
		"does not accept":          func(p *plain) { p.noAccept = true },
		"does not check":           func(p *plain) { p.noCheck = true },
		"hands out a block twice":  func(p *plain) { p.twice = true },
		"loses units that it gets": func(p *plain) { p.keepsUnits = true },
	} {
		if err := test(wrong, 1); err == nil {
			t.Errorf("an allocator that %s passes", what)
		} else {
			t.Logf("an allocator that %s: %v", what, err)
		}
	}
}
