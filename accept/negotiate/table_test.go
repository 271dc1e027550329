package negotiate_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

func checked(t *testing.T, list ...uefi.MemoryDescriptor) *negotiate.Map {
	t.Helper()
	m := new(negotiate.Map)
	buf := encode(list...)
	if err := m.Check(buf, infoOf(buf), negotiate.Bounds{}); err != nil {
		t.Fatal(err)
	}
	return m
}

// newTable is a table as a system makes it: sized by one map, filled in by another.
func newTable(t *testing.T, sized, final *negotiate.Map, d accept.Driver) []byte {
	t.Helper()
	h := sized.Header()
	table := make([]byte, accept.HeaderSize+h.Size)
	h.Put(table)
	b, err := h.Bitmap(table[accept.HeaderSize:])
	if err != nil {
		t.Fatal(err)
	}
	if err := final.Fill(b, d); err != nil {
		t.Fatal(err)
	}
	return table
}

func TestFill(t *testing.T) {
	sized := checked(t, region(uefi.UnacceptedMemory, 64*miB+4*kiB, 128*miB))
	final := checked(t,
		region(uefi.UnacceptedMemory, 16*miB, 32*miB), // below the bitmap
		region(uefi.UnacceptedMemory, 64*miB+4*kiB, 80*miB),
		region(uefi.UnacceptedMemory, 80*miB, 100*miB+8*kiB), // one range with that before it
		region(uefi.UnacceptedMemory, 120*miB, 123*miB),      // too short
	)
	f := &firmware{}
	table := newTable(t, sized, final, accept.DriverFunc(f.accept))
	want := []accept.Range{
		{Start: 16 * miB, End: 32 * miB},
		{Start: 64*miB + 4*kiB, End: 66 * miB}, {Start: 100 * miB, End: 100*miB + 8*kiB},
		{Start: 120 * miB, End: 123 * miB},
	}
	if fmt.Sprint(f.accepted) != fmt.Sprint(want) {
		t.Errorf("accepted %v, want %v", f.accepted, want)
	}
	h, err := accept.ParseHeader(table)
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.Bitmap(table[accept.HeaderSize:])
	if err != nil || b.Count(b.Span())*accept.UnitSize != 34*miB || !b.All(accept.Range{Start: 66 * miB, End: 100 * miB}) {
		t.Errorf("%v marked, %v", collect(b.Runs(b.Span())), err)
	}

	failure := errors.New("no")
	for _, start := range []uint64{64*miB + 4*kiB, 64 * miB} { // at the head, at the tail
		m := checked(t, region(uefi.UnacceptedMemory, start, 128*miB+4*kiB))
		if err := m.Fill(b, accept.DriverFunc(func(accept.Range) error { return failure })); !errors.Is(err, failure) {
			t.Errorf("%v", err)
		}
	}
	if h := checked(t, region(uefi.ConventionalMemory, 0, giB)).Header(); h.Size != 0 {
		t.Errorf("a table of %+v for nothing", h)
	}
}

// What one kernel leaves to the next, and what could be there instead.
func TestTakeOver(t *testing.T) {
	m := checked(t,
		region(uefi.ConventionalMemory, 0, 64*miB),
		region(uefi.UnacceptedMemory, 64*miB+4*kiB, 128*miB+4*kiB),
		region(uefi.ConventionalMemory, 1*giB, 2*giB),
		region(uefi.UnacceptedMemory, 4*giB, 5*giB),
	)
	f := &firmware{}
	valid := newTable(t, m, m, accept.DriverFunc(f.accept))
	b, err := m.TakeOver(valid)
	if err != nil || b.Count(b.Span())*accept.UnitSize != 62*miB+1*giB {
		t.Fatalf("%v, %v", b.Span(), err)
	}
	// The kernel before has accepted some of it.
	b.Clear(accept.Range{Start: 4 * giB, End: 4*giB + 16*miB})
	if again, err := m.TakeOver(valid); err != nil || again.Count(b.Span())*accept.UnitSize != 62*miB+1*giB-16*miB {
		t.Errorf("%v, %v", again.Span(), err)
	}
	before := bytes.Clone(valid)
	for _, c := range []struct {
		name   string
		change func(table []byte) []byte
		want   negotiate.Error
	}{
		{"version 7", func(b []byte) []byte { b[0] = 7; return b }, negotiate.ErrTableFormat},
		{"units of 4 MiB", func(b []byte) []byte { b[6] = 0x40; return b }, negotiate.ErrTableFormat},
		{"no header", func(b []byte) []byte { return b[:23] }, negotiate.ErrTableFormat},
		{"nothing", func([]byte) []byte { return nil }, negotiate.ErrTableFormat},
		{"half the bitmap", func(b []byte) []byte { return b[:len(b)-1] }, negotiate.ErrTableFormat},
		{"all memory there can be", func(b []byte) []byte { b[20] = 1; return b }, negotiate.ErrTableFormat},
		{"a bitmap that ends early", func(b []byte) []byte { b[16]--; return b }, negotiate.ErrTableShort},
		{"a bitmap that begins late", func(b []byte) []byte { b[11] = 0x10; return b }, negotiate.ErrTableShort},
		{"marks free memory", mark(accept.Range{Start: 1 * giB, End: 1*giB + 2*miB}), negotiate.ErrTableContradict},
		{"marks nothing at all", mark(accept.Range{Start: 3 * giB, End: 3*giB + 2*miB}), negotiate.ErrTableContradict},
		{"marks a unit of which a part is free", mark(accept.Range{Start: 64 * miB, End: 66 * miB}), negotiate.ErrTableContradict},
		{"marks the unit after the last", mark(accept.Range{Start: 5 * giB, End: 5*giB + 2*miB}), negotiate.ErrTableContradict},
	} {
		b, err := m.TakeOver(c.change(bytes.Clone(before)))
		if !errors.Is(err, c.want) || !b.Span().Empty() {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	none := checked(t, region(uefi.ConventionalMemory, 0, 8*giB))
	if _, err := none.TakeOver(before); !errors.Is(err, negotiate.ErrTableContradict) {
		t.Errorf("nothing is unaccepted: %v", err)
	}
}

// mark changes a table, which it makes a byte longer so that it reaches beyond the last unit.
func mark(r accept.Range) func(table []byte) []byte {
	return func(table []byte) []byte {
		h, err := accept.ParseHeader(table)
		if err != nil {
			panic(err)
		}
		table, h.Size = append(table, 0), h.Size+1
		h.Put(table)
		b, err := h.Bitmap(table[accept.HeaderSize:])
		if err != nil {
			panic(err)
		}
		b.Mark(r)
		return table
	}
}
