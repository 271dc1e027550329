package accept_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/accept"
)

func TestHeaderFor(t *testing.T) {
	type r = accept.Range
	for _, c := range []struct {
		name string
		span r
		want accept.Header
	}{
		{"4 KiB of bitmap describe 64 GiB", r{0, 64 * giB}, accept.Header{Size: 4 * kiB}},
		{"256 MiB describe 4 PiB", r{0, 4 * piB}, accept.Header{Size: 256 * miB}},
		{"one unit more is one byte more", r{4 * giB, 68*giB + 2*miB}, accept.Header{PhysBase: 4 * giB, Size: 4*kiB + 1}},
		{"eight units are a byte", r{2 * miB, 18 * miB}, accept.Header{PhysBase: 2 * miB, Size: 1}},
		{"nine are two", r{2 * miB, 20 * miB}, accept.Header{PhysBase: 2 * miB, Size: 2}},
		{"ends are rounded outward", r{4*giB + 4*kiB, 4*giB + 14*miB + 4*kiB}, accept.Header{PhysBase: 4 * giB, Size: 1}},
		{"also over the end of a byte", r{4*giB - 4*kiB, 4*giB + 14*miB + 4*kiB},
			accept.Header{PhysBase: 4*giB - 2*miB, Size: 2}},
		{"nothing", r{4 * giB, 4 * giB}, accept.Header{}},
	} {
		got := accept.HeaderFor(c.span)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		m, err := got.Bitmap(make([]byte, got.Size))
		if err != nil || !c.span.In(m.Span()) {
			t.Errorf("%s: %v does not hold %v (%v)", c.name, m.Span(), c.span, err)
		}
	}
}

// A table as a C compiler lays it out: struct efi_unaccepted_memory for 12 GiB at 4 GiB.
var table = []byte{
	0x01, 0x00, 0x00, 0x00, // version
	0x00, 0x00, 0x20, 0x00, // unit_size
	0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, // phys_base
	0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // size
}

func TestHeaderLayout(t *testing.T) {
	h := accept.HeaderFor(accept.Range{Start: 4 * giB, End: 16 * giB})
	got := bytes.Repeat([]byte{0xee}, 32)
	h.Put(got)
	if want := append(bytes.Clone(table), bytes.Repeat([]byte{0xee}, 8)...); !bytes.Equal(got, want) {
		t.Errorf("Put wrote\n% x, want\n% x", got, want)
	}
	if back, err := accept.ParseHeader(table); err != nil || back != h {
		t.Errorf("parsed %+v, %v; want %+v", back, err, h)
	}
}

func TestHostileHeaders(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(b []byte) []byte
		want   string // in the error
	}{
		{"empty", func(b []byte) []byte { return nil }, "length is 0x0"},
		{"cut short", func(b []byte) []byte { return b[:23] }, "length is 0x17"},
		{"version 0", put(0, uint32(0)), "version is 0x0"},
		{"version 2", put(0, uint32(2)), "version is 0x2"},
		{"no unit", put(4, uint32(0)), "unit_size is 0x0"},
		{"units of a page", put(4, uint32(4*kiB)), "unit_size is 0x1000"},
		{"base in a unit", put(8, uint64(4*giB+4*kiB)), "phys_base is 0x100001000"},
		{"base above all memory", put(8, uint64(4*piB)), "phys_base is 0x10000000000000"},
		{"base at the top", put(8, uint64(top&^(accept.UnitSize-1))), "phys_base is 0xffffffffffe00000"},
		{"a byte too large", put(16, uint64(256*miB-255)), "size is 0xfffff01"},
		{"a size that overflows", put(16, uint64(1<<40)), "size is 0x10000000000"},
		{"the largest size", put(16, uint64(top)), "size is 0xffffffffffffffff"},
	} {
		h, err := accept.ParseHeader(c.change(bytes.Clone(table)))
		var format *accept.FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %+v, %v; want an error with %q", c.name, h, err, c.want)
		}
	}
	// The largest table that can be, one at the very end, and one that tracks nothing.
	for _, h := range []accept.Header{
		{PhysBase: 0, Size: 256 * miB},
		{PhysBase: 4 * giB, Size: 256*miB - 256},
		{PhysBase: 4*piB - 2*miB, Size: 1},
		{PhysBase: 4 * giB, Size: 0},
	} {
		b := make([]byte, accept.HeaderSize)
		h.Put(b)
		if back, err := accept.ParseHeader(b); err != nil || back != h {
			t.Errorf("%+v became %+v, %v", h, back, err)
		}
	}
}

// put returns a change of the field at offset at.
func put(at int, v any) func([]byte) []byte {
	return func(b []byte) []byte {
		if _, err := binary.Encode(b[at:], binary.LittleEndian, v); err != nil {
			panic(err)
		}
		return b
	}
}

func TestBitmapRefuses(t *testing.T) {
	for _, h := range []accept.Header{
		{PhysBase: 4 * giB, Size: 9},            // of 8 bytes
		{PhysBase: 4*giB + 4*kiB, Size: 8},      // in a unit
		{PhysBase: 4*piB - 2*miB, Size: 2},      // beyond 52 bits
		{PhysBase: top &^ (2*miB - 1), Size: 8}, // the span would overflow
		{PhysBase: 0, Size: top},
	} {
		if m, err := h.Bitmap(make([]byte, 8)); err == nil {
			t.Errorf("%+v made a bitmap over %v", h, m.Span())
		}
	}
	var none accept.Bitmap
	everything := accept.Range{Start: 0, End: top}
	none.Mark(everything)
	if none.Any(everything) || none.All(everything) || none.Count(everything) != 0 || !none.Span().Empty() {
		t.Error("the zero Bitmap tracks something")
	}
}

func FuzzTable(f *testing.F) {
	f.Add(table, uint64(0), uint64(top))
	f.Add(append(bytes.Clone(table), make([]byte, 0x300)...), uint64(5*giB), uint64(6*giB))
	f.Add(put(16, uint64(3))(append(bytes.Clone(table), 0xff, 0x0f, 0xaa)), uint64(4*giB), uint64(5*giB))
	f.Fuzz(func(t *testing.T, b []byte, start, end uint64) {
		h, err := accept.ParseHeader(b)
		if err != nil {
			if h != (accept.Header{}) || err.Error() == "" {
				t.Fatalf("%+v, %v", h, err)
			}
			return
		}
		back := make([]byte, accept.HeaderSize)
		h.Put(back)
		if !bytes.Equal(back, b[:accept.HeaderSize]) {
			t.Fatalf("% x became % x", b[:accept.HeaderSize], back)
		}
		m, err := h.Bitmap(b[accept.HeaderSize:])
		if err != nil {
			if uint64(len(b)) >= accept.HeaderSize+h.Size {
				t.Fatalf("%+v in %d bytes: %v", h, len(b), err)
			}
			return
		}
		r, span := accept.Range{Start: start, End: end}, m.Span()
		if span.Start != h.PhysBase || span.Len() != h.Size*16*miB {
			t.Fatalf("%+v spans %v", h, span)
		}
		n, last := uint64(0), span.Start
		for run := range m.Runs(r) {
			if run.Empty() || !run.In(span) || run.Start < last || !m.All(run) || run.Intersect(r).Empty() {
				t.Fatalf("Runs(%v): %v after %#x in %v", r, run, last, span)
			}
			n, last = n+run.Len()/accept.UnitSize, run.End
		}
		if got := m.Count(r); got != n {
			t.Fatalf("Count(%v) = %d, Runs has %d", r, got, n)
		}
		if got := m.Any(r); got != (n > 0) {
			t.Fatalf("Any(%v) = %v of %d", r, got, n)
		}
		head, tracked, tail := accept.Split(r, span)
		m.Mark(tracked)
		if !m.All(tracked) || head.Len()+tracked.Len()+tail.Len() != r.Len() {
			t.Fatalf("Split(%v): %v %v %v in %v", r, head, tracked, tail, span)
		}
		if err := m.Accept(accept.Guard(r), accept.DriverFunc(func(accept.Range) error { return nil })); err != nil || m.Any(accept.Guard(r)) {
			t.Fatalf("Accept(%v) left something: %v", r, err)
		}
	})
}

// ReadTable takes what ParseHeader and Bitmap take, and nothing else.
func TestReadTable(t *testing.T) {
	h := accept.HeaderFor(accept.Range{Start: 4 * giB, End: 5 * giB})
	table := make([]byte, accept.HeaderSize+h.Size)
	h.Put(table)
	b, ok := accept.ReadTable(table)
	if !ok || b.Span() != (accept.Range{Start: 4 * giB, End: 5 * giB}) {
		t.Errorf("%v, %v", b.Span(), ok)
	}
	b.Mark(b.Span())
	if table[accept.HeaderSize] != 0xff {
		t.Error("its bits are not the table's")
	}
	for _, bad := range [][]byte{nil, table[:accept.HeaderSize-1], table[:len(table)-1], append([]byte{2}, table[1:]...)} {
		if _, ok := accept.ReadTable(bad); ok {
			t.Errorf("%d bytes of a table of %d are taken", len(bad), len(table))
		}
	}
}
