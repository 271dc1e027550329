package processors_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/guest/processors"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
)

// What firmware's tables say is found; and where they are cut off, or lead anywhere, what is still there, or nothing.
func TestMADT(t *testing.T) {
	const base = 0x7000_0000
	machine := acpi.Machine{CPUs: 5, APICID: func(cpu int) uint32 { return uint32(3 * cpu) }, Mailbox: 0x6000_0000}
	tables, err := machine.Tables(base)
	if err != nil {
		t.Fatal(err)
	}
	block := slices.Clone(tables.Block)
	at := func(gpa, n uint64) []byte {
		if gpa < base || n > uint64(len(block)) || gpa-base > uint64(len(block))-n {
			return nil
		}
		return block[gpa-base:][:n]
	}
	want := []uint32{0, 3, 6, 9, 12}
	madt := processors.MADT(at, tables.RSDP)
	if got := slices.Collect(processors.IDs(madt)); !slices.Equal(got, want) || processors.Mailbox(madt) != 0x6000_0000 {
		t.Errorf("processors %v, want %v; the mailbox at %#x", got, want, processors.Mailbox(madt))
	}
	for n := range madt {
		got := slices.Collect(processors.IDs(madt[:n]))
		if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
			t.Fatalf("of %d bytes: %v", n, got)
		}
	}
	if processors.MADT(at, base-4096) != nil || processors.MADT(at, tables.RSDP+1<<40) != nil {
		t.Error("a table is found where there is no root")
	}
	for i := range block { // whatever is in there
		for _, b := range []byte{0, 0xFF} {
			was := block[i]
			block[i] = b
			m := processors.MADT(at, tables.RSDP)
			if n := len(slices.Collect(processors.IDs(m))); n > len(m) {
				t.Errorf("%d processors in %d bytes", n, len(m))
			}
			_ = processors.Mailbox(m)
			block[i] = was
		}
	}
}

// A processor is found once, in the form that Linux counts it in, and only if it can be used.
func TestIDs(t *testing.T) {
	entry := func(b ...byte) []byte { return append([]byte{b[0], byte(len(b) + 1)}, b[1:]...) }
	local := func(id, flags byte) []byte { return entry(0, 0, id, flags, 0, 0, 0) }
	x2apic := func(id uint32, flags byte) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte{9, 16, 0, 0}, id), flags, 0, 0, 0, 0, 0, 0, 0)
	}
	for _, c := range []struct {
		entries [][]byte
		want    []uint32
	}{
		{nil, nil},
		{[][]byte{local(0, 1), local(4, 0), local(2, 1), local(0xFF, 1)}, []uint32{0, 2}},
		{[][]byte{x2apic(0, 1), x2apic(7, 0), x2apic(300, 1)}, []uint32{0, 300}},
		{[][]byte{x2apic(0, 1), x2apic(256, 1), local(0, 1)}, []uint32{256, 0}},
		{[][]byte{local(1, 1), {0, 1}, local(2, 1)}, []uint32{1}},
		{[][]byte{local(1, 1), {0, 40, 0}}, []uint32{1}},
	} {
		madt := slices.Concat(append([][]byte{make([]byte, 44)}, c.entries...)...)
		if got := slices.Collect(processors.IDs(madt)); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.entries, got, c.want)
		}
	}
}

// A processor that the mailbox wakes finds where to go, and says that it has come.
func TestMailbox(t *testing.T) {
	m := make([]byte, 4096)
	if !processors.Woken(m) {
		t.Error("an empty mailbox asks for somebody")
	}
	processors.WakeUp(m, 0x1_0002, 0x9000)
	le := binary.LittleEndian
	if le.Uint16(m) != 1 || le.Uint32(m[4:]) != 0x1_0002 || le.Uint64(m[8:]) != 0x9000 || processors.Woken(m) {
		t.Errorf("the mailbox holds % x", m[:16])
	}
	le.PutUint16(m, 0)
	if !processors.Woken(m) {
		t.Error("the command was cleared")
	}
}
