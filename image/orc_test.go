package image

import (
	"testing"
)

// Entries of both layouts, as kernels have them.
func TestORCFind(t *testing.T) {
	const sp, prevSP = uint16(ORCSP), uint16(ORCPrevSP) << 4
	entry := func(spOffset, bpOffset int16, bits uint16) []byte {
		return []byte{byte(spOffset), byte(spOffset >> 8), byte(bpOffset), byte(bpOffset >> 8), byte(bits), byte(bits >> 8)}
	}
	o := &ORC{addresses: []uint64{0x1000, 0x1010, 0x2000}}
	o.entries = append(append(entry(8, 0, sp|2<<8), entry(-16, -24, sp|prevSP|3<<8|1<<11)...), entry(0, 0, 1<<8)...)
	for address, want := range map[uint64]ORCEntry{
		0x1000: {SP: ORCSP, SPOffset: 8, Type: ORCTypeCall},
		0x100F: {SP: ORCSP, SPOffset: 8, Type: ORCTypeCall},
		0x1010: {SP: ORCSP, BP: ORCPrevSP, SPOffset: -16, BPOffset: -24, Type: ORCTypeRegs, Signal: true},
		0x9999: {Type: ORCTypeEndOfStack},
	} {
		if e, ok := o.Find(address); !ok || e != want {
			t.Errorf("%#x: %+v, %v; want %+v", address, e, ok, want)
		}
	}
	if _, ok := o.Find(0xFFF); ok {
		t.Error("there is an entry before the first")
	}
	o.old = true
	o.entries = append(append(entry(8, 0, sp|0<<8), entry(0, 0, sp|1<<8|1<<10)...), entry(0, 0, 1<<11)...)
	for address, want := range map[uint64]ORCType{0x1000: ORCTypeCall, 0x1010: ORCTypeRegs, 0x2000: ORCTypeEndOfStack} {
		if e, ok := o.Find(address); !ok || e.Type != want || e.Signal != (address == 0x1010) {
			t.Errorf("before 6.4, %#x: %+v, want type %d", address, e, want)
		}
	}
}

// Newer kernels have given the registers other numbers; where the stack pointer stands says so.
func TestORCNumbers(t *testing.T) {
	function := func(sp byte) []byte { return []byte{8, 0, 0, 0, sp, byte(ORCTypeCall)} }
	for name, c := range map[string]struct {
		entries []byte
		at      uint64
		want    ORCEntry
		fails   bool
	}{
		"older":           {append(function(5), 16, 0, 0xF0, 0xFF, 4|1<<4, 2), 1, ORCEntry{SP: ORCBP, BP: ORCPrevSP, SPOffset: 16, BPOffset: -16, Type: ORCTypeCall}, false},
		"newer":           {append(function(3), 16, 0, 0xF0, 0xFF, 4|8<<4, 2), 1, ORCEntry{SP: ORCBP, BP: ORCPrevSP, SPOffset: 16, BPOffset: -16, Type: ORCTypeCall}, false},
		"newer, indirect": {append(function(3), 0, 0, 0, 0, 10, 3), 1, ORCEntry{SP: ORCBPIndirect, Type: ORCTypeRegs}, false},
		"unknown":         {append(function(11), function(11)...), 0, ORCEntry{}, true},
		"none":            {append([]byte{8, 0, 0, 0, 5, byte(ORCTypeRegs)}, 0, 0, 0, 0, 0, 0), 0, ORCEntry{}, true},
	} {
		o := &ORC{addresses: []uint64{0, 1}, entries: c.entries}
		if err := o.number(); (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		} else if e, ok := o.Find(c.at); !c.fails && (!ok || e != c.want) {
			t.Errorf("%s: %+v, %v; want %+v", name, e, ok, c.want)
		}
	}
}

// A file that only looks like a kernel is an error or a table, in bounded memory, and never a panic.
func FuzzORC(f *testing.F) {
	f.Add([]byte("\x7fELF"), uint64(0))
	f.Fuzz(func(t *testing.T, vmlinux []byte, address uint64) {
		if o, err := ReadORC(vmlinux); err == nil {
			o.Find(address)
		}
	})
}
