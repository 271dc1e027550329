package acpi

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// What the commands make of the tables at an address are the tables for that address.
func TestScript(t *testing.T) {
	m := machine()
	s, err := m.Script()
	if err != nil {
		t.Fatal(err)
	}
	le, b := binary.LittleEndian, append([]byte(nil), s.Tables...)
	allocated := false
	for c := s.Commands; len(c) > 0; c = c[commandSize:] {
		name := func(at int) string { return string(bytes.TrimRight(c[at:at+fileNameSize], "\x00")) }
		if name(4) != TablesFile {
			t.Fatalf("a command for file %q", name(4))
		}
		const second, numbers = 4 + fileNameSize, 4 + 2*fileNameSize
		switch what := le.Uint32(c); what {
		case commandAllocate:
			allocated = true
		case commandPointer:
			at := le.Uint32(c[numbers:])
			switch size := c[numbers+4]; {
			case name(second) != TablesFile || !allocated:
				t.Fatalf("a pointer into %q", name(second))
			case size == 4:
				le.PutUint32(b[at:], le.Uint32(b[at:])+base)
			case size == 8:
				le.PutUint64(b[at:], le.Uint64(b[at:])+base)
			default:
				t.Errorf("a pointer of %d bytes", size)
			}
		case commandChecksum:
			at, start, length := le.Uint32(c[second:]), le.Uint32(c[second+4:]), le.Uint32(c[second+8:])
			b[at] = checksum(b[start:][:length])
		default:
			t.Errorf("command %d", what)
		}
	}
	facs := len(b) - facsSize
	if !bytes.Equal(b[facs:], FACS()) {
		t.Errorf("the FACS is % x", b[facs:])
	}
	m.FACS = base + uint32(facs)
	want, err := m.Tables(base)
	if err != nil {
		t.Fatal(err)
	}
	root := want.Block[want.RSDP-base:]
	rsdt, end := le.Uint32(root[16:])-base, uint32(want.RSDP-base) // the one that nobody is led to, up to the root pointers
	for i := range b[:rsdt] {
		if b[i] != want.Block[i] {
			t.Fatalf("byte %#x is %#x, want %#x", i, b[i], want.Block[i])
		}
	}
	if rsdt >= end {
		t.Fatal("the tables are in another order")
	}
}
