package device

import (
	"bytes"
	"strings"
	"testing"
)

// What a program reads: key by key, byte by byte, as QEMU's test programs do (docs/specs/fw_cfg.rst).
func TestFWCfg(t *testing.T) {
	f, err := newFWCfg(&Program{
		CPUs: 3, Memory: 5 << 30, CommandLine: "a b", Kernel: []byte("kernel"), Initrd: []byte("rd"), Files: []File{{"etc/e820", []byte{1, 2, 3}}, {"opt/x", []byte("y")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var bus Bus
	if err := bus.MapPorts(fwCfgPort, fwCfgPorts, f); err != nil {
		t.Fatal(err)
	}
	read := func(key uint32, n int) (b []byte) {
		bus.Out(fwCfgPort, 2, key)
		for range n {
			b = append(b, byte(bus.In(fwCfgPort+1, 1)))
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
	if read(0, 2); bus.In(fwCfgPort, 1) != 'M' || bus.In(fwCfgPort+1, 2) != 0xFFFF || bus.In(fwCfgPort, 4) != 0xFFFF_FFFF || bus.In(fwCfgPort+1, 1) != 'U' {
		t.Error("a wide read is one, or has moved on")
	}
	bus.Out(fwCfgPort+1, 1, 'x')
	if got := read(0, 4); string(got) != "QEMU" {
		t.Errorf("after a write: %q", got)
	}
	if _, err := newFWCfg(&Program{Files: []File{{Name: strings.Repeat("n", 56)}}}); err == nil {
		t.Error("a name that does not fit is taken")
	}
}
