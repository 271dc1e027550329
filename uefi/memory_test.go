package uefi_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// The C structure, as encoding/binary would lay it out.
type descriptor struct {
	Type                                                  uint32
	_                                                     uint32
	PhysicalStart, VirtualStart, NumberOfPages, Attribute uint64
}

var unaccepted = uefi.MemoryDescriptor{
	Type:          uefi.UnacceptedMemory,
	PhysicalStart: 0x1_0000_0000,
	VirtualStart:  0xffff_8000_1234_5678,
	NumberOfPages: 0xc_0000,
	Attribute:     uefi.MemoryWB | uefi.MemoryXP | uefi.MemoryRuntime,
}

func TestMemoryDescriptorLayout(t *testing.T) {
	var want bytes.Buffer
	d := unaccepted
	if err := binary.Write(&want, binary.LittleEndian, descriptor{
		Type: 15, PhysicalStart: d.PhysicalStart, VirtualStart: d.VirtualStart,
		NumberOfPages: d.NumberOfPages, Attribute: 0x8000_0000_0000_4008,
	}); err != nil {
		t.Fatal(err)
	}
	got := bytes.Repeat([]byte{0xee}, 48)
	d.Put(got)
	if !bytes.Equal(got[:uefi.MemoryDescriptorSize], want.Bytes()) {
		t.Errorf("Put wrote\n% x, want\n% x", got[:uefi.MemoryDescriptorSize], want.Bytes())
	}
	if rest := got[uefi.MemoryDescriptorSize:]; !bytes.Equal(rest, bytes.Repeat([]byte{0xee}, 8)) {
		t.Errorf("Put wrote % x after the descriptor", rest)
	}
	got[5] = 0x99 // padding says nothing
	if back, err := uefi.ParseMemoryDescriptor(got); err != nil || back != d {
		t.Errorf("parsed %+v, %v; want %+v", back, err, d)
	}
	if _, err := uefi.ParseMemoryDescriptor(got[:uefi.MemoryDescriptorSize-1]); err == nil {
		t.Error("39 bytes made a descriptor")
	}
}

func TestMemoryDescriptorEnd(t *testing.T) {
	const top = 1<<64 - 1
	for _, c := range []struct{ start, pages, want uint64 }{
		{0x1000, 0, 0x1000},
		{0x1_0000_0000, 0xc_0000, 0x1_c000_0000},
		{1<<64 - 0x2000, 1, 1<<64 - 0x1000},
		{1<<64 - 0x2000, 2, top}, // 2⁶⁴ itself
		{0x1000, 1 << 52, top},
		{top, top, top},
	} {
		d := uefi.MemoryDescriptor{PhysicalStart: c.start, NumberOfPages: c.pages}
		if got := d.End(); got != c.want {
			t.Errorf("%#x pages at %#x end at %#x, want %#x", c.pages, c.start, got, c.want)
		}
	}
}

// Firmware has 48 bytes from one descriptor to the next, just so that it is not taken for 40.
func TestMemoryMapStride(t *testing.T) {
	const stride = 48
	want := []uefi.MemoryDescriptor{{Type: uefi.ConventionalMemory, NumberOfPages: 0x80}, unaccepted, {Type: 0x8000_0001}}
	buf := make([]byte, len(want)*stride)
	for i, d := range want {
		d.Put(buf[i*stride:])
	}
	m, err := uefi.ParseMemoryMap(buf, stride)
	if err != nil {
		t.Fatal(err)
	}
	var got []uefi.MemoryDescriptor
	for d := range m.All() {
		got = append(got, d)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for range m.All() {
		break // must not go on
	}
	if _, err := uefi.ParseMemoryMap(buf, 39); err == nil {
		t.Error("a stride of 39 was taken")
	}
	if _, err := uefi.ParseMemoryMap(buf[:stride+40], stride); err == nil {
		t.Error("a map that ends in its second entry was taken")
	}
	if m, err := uefi.ParseMemoryMap(nil, stride); err != nil {
		t.Errorf("an empty map: %v", err)
	} else {
		for d := range m.All() {
			t.Errorf("an empty map holds %v", d)
		}
	}
}

func FuzzParseMemoryMap(f *testing.F) {
	f.Add(make([]byte, 96), uint64(48))
	f.Add(make([]byte, 40), uint64(1<<63))
	f.Add([]byte{}, uint64(0))
	f.Fuzz(func(t *testing.T, buf []byte, stride uint64) {
		m, err := uefi.ParseMemoryMap(buf, stride)
		if err != nil {
			return
		}
		n := uint64(0)
		for d := range m.All() {
			var b [uefi.MemoryDescriptorSize]byte
			d.Put(b[:])
			if at := buf[n*stride:]; !bytes.Equal(b[:4], at[:4]) || !bytes.Equal(b[8:], at[8:40]) {
				t.Fatalf("descriptor %d: % x became % x", n, at[:40], b)
			}
			if end := d.End(); end < d.PhysicalStart {
				t.Fatalf("%+v ends at %#x", d, end)
			}
			n++
		}
		if n*stride != uint64(len(buf)) {
			t.Fatalf("%d descriptors of %d bytes in %d", n, stride, len(buf))
		}
	})
}

func TestNoAllocations(t *testing.T) {
	buf := make([]byte, 10*48)
	var sum uint64
	var name string
	if n := testing.AllocsPerRun(100, func() {
		for at := 0; at < len(buf); at += 48 {
			unaccepted.Put(buf[at:])
		}
		m, err := uefi.ParseMemoryMap(buf, 48)
		if err != nil {
			t.Error(err)
		}
		for d := range m.All() {
			sum += d.NumberOfPages
			name = d.Type.String()
		}
		g, err := uefi.ParseGUID(espText)
		if err != nil {
			t.Error(err)
		}
		sum += uint64(g[0])
		name = uefi.NotFound.String()
		name = uefi.BSExitBootServices.String()
	}); n != 0 {
		t.Errorf("%v allocations (%d, %s)", n, sum, name)
	}
}
