package alloc_test

import (
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/alloc"
)

// written returns how many pages of the books are not all zeros.
func written(books []uint64) (n int) {
	for page := range (len(books) + 511) / 512 {
		for _, word := range books[page*512 : min(len(books), page*512+512)] {
			if word != 0 {
				n++
				break
			}
		}
	}
	return n
}

// The books of a large machine are small, and hardly written before memory is in use.
func TestLargeMachines(t *testing.T) {
	driver := accept.DriverFunc(func(accept.Range) error { return nil })
	for _, size := range []uint64{tiB, 4 * tiB} {
		for _, lazy := range []bool{true, false} {
			ram := []accept.Range{{Start: 16 * miB, End: 2 * giB}, {Start: 4 * giB, End: size}}
			all := accept.Range{End: size}
			c := alloc.Config{RAM: ram, Books: make([]uint64, alloc.Words(ram))}
			if lazy {
				h := accept.HeaderFor(all)
				bitmap, err := h.Bitmap(make([]byte, h.Size))
				if err != nil {
					t.Fatal(err)
				}
				bitmap.Mark(accept.Range{Start: giB, End: size})
				c.Tracker = &accept.Tracker{Bitmap: bitmap}
			}
			bits, perUnit := size/accept.PageSize/8, size/accept.UnitSize*16
			if n := uint64(len(c.Books)) * 8; n > bits+perUnit {
				t.Errorf("%d GiB: %d KiB of books", size/giB, n/kiB)
			}
			var a alloc.Allocator
			if err := a.Init(c); err != nil {
				t.Fatal(err)
			}
			for range 10_000 {
				if _, err := a.Alloc(0, driver); err != nil {
					t.Fatal(err)
				}
			}
			n := written(c.Books)
			t.Logf("%d GiB, unaccepted: %v: %d MiB of books; %d KiB of them written",
				size/giB, lazy, len(c.Books)*8/miB, n*4)
			if want := 100; lazy && n > want || n > want+int(size/accept.UnitSize/8/4096) {
				t.Errorf("%d pages of the books are written", n)
			}
		}
	}
}

// An address that is far away, and the last that there is.
func TestHighAddresses(t *testing.T) {
	ram := []accept.Range{{Start: 1<<52 - 16*miB, End: 1 << 52}}
	var a alloc.Allocator
	if err := a.Init(alloc.Config{RAM: ram, Books: make([]uint64, alloc.Words(ram))}); err != nil {
		t.Fatal(err)
	}
	addr, err := a.AllocUnits(8, nil)
	if addr != 1<<52-16*miB || err != nil {
		t.Errorf("all of it: %#x, %v", addr, err)
	}
	if err := a.FreeUnits(addr, 9); err != alloc.ErrBadFree {
		t.Errorf("freeing more than all: %v", err)
	}
	if err := a.FreeUnits(addr, 8); err != nil {
		t.Errorf("freeing all: %v", err)
	}
	for _, addr := range []uint64{0, 1, 1 << 52, 1<<64 - accept.PageSize} {
		if err := a.Free(addr, 0); err != alloc.ErrBadFree {
			t.Errorf("freeing %#x: %v", addr, err)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		ram   []accept.Range
		short uint64
		want  error
	}{
		{nil, 0, alloc.ErrRAM},
		{[]accept.Range{{Start: 5, End: 4100}}, 0, alloc.ErrRAM},
		{[]accept.Range{{Start: 1 << 52, End: 1<<52 + 4096}}, 0, alloc.ErrRAM},
		{[]accept.Range{{Start: 0, End: 4096}}, 1, alloc.ErrBooks},
		{[]accept.Range{{Start: 0, End: 4096}}, 0, nil},
		{[]accept.Range{{Start: 8192, End: 1 << 30}, {Start: 0, End: 12288}, {}}, 0, nil}, // in no order, overlapping
	} {
		var a alloc.Allocator
		if err := a.Init(alloc.Config{RAM: c.ram, Books: make([]uint64, alloc.Words(c.ram)-c.short)}); err != c.want {
			t.Errorf("%v: %v, want %v", c.ram, err, c.want)
		}
	}
	var a alloc.Allocator
	ram := []accept.Range{units(0, 1)}
	if err := a.Init(alloc.Config{RAM: ram, Books: make([]uint64, alloc.Words(ram))}); err != nil {
		t.Fatal(err)
	}
	for _, order := range []int{-1, 10} {
		if _, err := a.Alloc(order, nil); err != alloc.ErrSize {
			t.Errorf("Alloc(%d): %v", order, err)
		}
		if err := a.Free(0, order); err != alloc.ErrSize {
			t.Errorf("Free(0, %d): %v", order, err)
		}
	}
	if _, err := a.AllocUnits(0, nil); err != alloc.ErrSize {
		t.Errorf("AllocUnits(0): %v", err)
	}
	if _, err := a.AllocUnits(1<<62, nil); err != alloc.ErrNoMemory {
		t.Errorf("more than there is: %v", err)
	}
}
