package device

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"strings"
	"testing"
)

// What a program reads: key by key, byte by byte, as QEMU's test programs do (docs/specs/fw_cfg.rst).
func TestFWCfg(t *testing.T) {
	f, err := newFWCfg(&Program{
		CPUs: 3, Memory: 5 << 30, CommandLine: "a b", Kernel: []byte("kernel"), Initrd: []byte("rd"), Files: []File{{"etc/e820", []byte{1, 2, 3}}, {"opt/x", []byte("y")}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var bus Bus
	if err := bus.MapPorts(FWCfgPort, fwCfgPorts, f); err != nil {
		t.Fatal(err)
	}
	read := func(key uint32, n int) (b []byte) {
		bus.Out(FWCfgPort, 2, key)
		for range n {
			b = append(b, byte(bus.In(FWCfgPort+1, 1)))
		}
		return b
	}
	for _, c := range []struct {
		key  uint32
		want string
	}{
		{0, "QEMU\x00"}, {1, "\x01\x00\x00\x00\x00"}, {3, "\x00\x00\x00\x40\x01\x00\x00\x00"}, {5, "\x03\x00"}, {0xF, "\x03\x00"},
		{0x08, "\x06\x00\x00\x00"}, {0x11, "kernel\x00"}, {0x0B, "\x02\x00\x00\x00"}, {0x12, "rd"}, {0x14, "\x04\x00\x00\x00"}, {0x15, "a b\x00\x00"},
		{0x20, "\x01\x02\x03\x00"}, {0x21, "y\x00"}, {0x22, "\x00"}, {0x4000, "QEMU"},
		{0x19, "\x00\x00\x00\x02" + "\x00\x00\x00\x03\x00\x20\x00\x00etc/e820" + strings.Repeat("\x00", 48) + "\x00\x00\x00\x01\x00\x21\x00\x00opt/x" + strings.Repeat("\x00", 51) + "\x00"},
	} {
		if got := read(c.key, len(c.want)); !bytes.Equal(got, []byte(c.want)) {
			t.Errorf("key %#x: %q, want %q", c.key, got, c.want)
		}
	}
	if read(0, 2); bus.In(FWCfgPort, 1) != 'M' || bus.In(FWCfgPort+1, 2) != 0xFFFF || bus.In(FWCfgPort, 4) != 0xFFFF_FFFF || bus.In(FWCfgPort+1, 1) != 'U' {
		t.Error("a wide read is one, or has moved on")
	}
	bus.Out(FWCfgPort+1, 1, 'x')
	if got := read(0, 4); string(got) != "QEMU" {
		t.Errorf("after a write: %q", got)
	}
	if _, err := newFWCfg(&Program{Files: []File{{Name: strings.Repeat("n", 56)}}}, nil); err == nil {
		t.Error("a name that does not fit is taken")
	}
}

// reach is the first bytes of a guest's memory, of which a device reaches no more.
type reach []byte

var errReach = errors.New("no such memory")

func (r reach) part(gpa uint64, n int) ([]byte, error) {
	if gpa > uint64(len(r)) || uint64(n) > uint64(len(r))-gpa {
		return nil, errReach
	}
	return r[gpa:][:n], nil
}

func (r reach) Read(gpa uint64, b []byte) error {
	from, err := r.part(gpa, len(b))
	copy(b, from)
	return err
}

func (r reach) Write(gpa uint64, b []byte) error {
	to, err := r.part(gpa, len(b))
	copy(to, b)
	return err
}

// Transfers as a program asks for them: what they do is in memory, and how they went is there after them.
func TestFWCfgTransfers(t *testing.T) {
	memory := make(reach, 4<<20)
	f, err := newFWCfg(&Program{Kernel: []byte("kernel"), Initrd: make([]byte, 2<<20)}, memory)
	if err != nil {
		t.Fatal(err)
	}
	var bus Bus
	if err := bus.MapPorts(FWCfgPort, fwCfgPorts, f); err != nil {
		t.Fatal(err)
	}
	if a, b := bus.In(FWCfgPort+4, 4), bus.In(FWCfgPort+8, 4); a != 0x554D4551 || b != 0x47464320 || bus.In(FWCfgPort+9, 1) != 'C' || bus.In(FWCfgPort+2, 1) != 0xFF || bus.In(FWCfgPort+10, 4) != 0xFFFF_FFFF {
		t.Errorf("the address reads %#x, %#x", a, b)
	}
	bus.Out(FWCfgPort, 2, fwCfgID)
	if got := bus.In(FWCfgPort+1, 1); got != 3 {
		t.Errorf("features %d", got)
	}
	const at, to, beyond = 0x100, 0x200, 8 << 20
	const kernel = fwCfgKernelData<<16 | fwCfgSelect
	for _, c := range []struct {
		name            string
		at              uint64
		control, length uint32
		to              uint64
		result          uint32 // ^0: none is told
		found           string
	}{
		{"a read", at, kernel | fwCfgRead, 3, to, 0, "ker."},
		{"the rest, and zeros", at, fwCfgRead, 5, to, 0, "nel\x00\x00."},
		{"after the end", at, fwCfgRead, 2, to, 0, "\x00\x00."},
		{"all but the first", at, kernel | fwCfgSkip, 2, to, 0, "."},
		{"what was left", at, fwCfgRead, 4, to, 0, "rnel."},
		{"a long skip", at, kernel | fwCfgSkip, 1<<32 - 1, to, 0, "."},
		{"after it", at, fwCfgRead, 1, to, 0, "\x00."},
		{"no item", at, 0x7777<<16 | fwCfgSelect | fwCfgRead, 2, to, 0, "\x00\x00."},
		{"neither", at, kernel, 2, to, 0, "."},
		{"nothing", at, kernel | fwCfgRead, 0, beyond, 0, "."},
		{"a write", at, kernel | fwCfgStore, 2, to, fwCfgError, "."},
		{"to nowhere", at, kernel | fwCfgRead, 2, beyond, fwCfgError, "."},
		{"to the end of memory and over it", at, fwCfgInitrdData<<16 | fwCfgSelect | fwCfgRead, 2 << 20, 3 << 20, fwCfgError, "."},
		{"too many zeros", at, kernel | fwCfgRead, 3 << 20, to, fwCfgError, "."},
		{"asked from nowhere", beyond, kernel | fwCfgRead, 2, to, ^uint32(0), "."},
		{"asked from far away", 1 << 40, kernel | fwCfgRead, 2, to, ^uint32(0), "."},
	} {
		copy(memory[to:], "........")
		big := binary.BigEndian
		big.PutUint32(memory[at:], c.control)
		big.PutUint32(memory[at+4:], c.length)
		big.PutUint64(memory[at+8:], c.to)
		bus.Out(FWCfgPort+4, 4, bits.ReverseBytes32(uint32(c.at>>32)))
		bus.Out(FWCfgPort+8, 4, bits.ReverseBytes32(uint32(c.at)))
		want := c.result
		if want == ^uint32(0) {
			want = c.control
		}
		if got := big.Uint32(memory[at:]); got != want || string(memory[to:][:len(c.found)]) != c.found {
			t.Errorf("%s: %#x, want %#x; found %q, want %q", c.name, got, want, memory[to:][:len(c.found)], c.found)
		}
	}
}
