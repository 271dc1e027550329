package device

import "testing"

// pattern is a device that answers with where it was read, and remembers how it was written.
type pattern struct{ wrote []uint64 }

func (p *pattern) In(offset uint16) uint8 { return 0x10 + uint8(offset) }
func (p *pattern) Out(offset uint16, value uint8) {
	p.wrote = append(p.wrote, uint64(offset), uint64(value))
}
func (p *pattern) Read(offset uint64, size int) uint64 {
	return 0xA0A1A2A3A4A5A600 + offset
}
func (p *pattern) Write(offset uint64, size int, value uint64) {
	p.wrote = append(p.wrote, offset, uint64(size), value)
}

func wantWrites(t *testing.T, p *pattern, want ...uint64) {
	t.Helper()
	if len(p.wrote) != len(want) {
		t.Fatalf("writes %#x, want %#x", p.wrote, want)
	}
	for i := range want {
		if p.wrote[i] != want[i] {
			t.Fatalf("writes %#x, want %#x", p.wrote, want)
		}
	}
	p.wrote = nil
}

func TestBusSplitsPortAccesses(t *testing.T) {
	var bus Bus
	p, last := &pattern{}, &pattern{}
	if err := bus.MapPorts(0x100, 4, p); err != nil {
		t.Fatal(err)
	}
	if err := bus.MapPorts(0xFFFE, 2, last); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		port uint16
		size int
		want uint32
	}{
		{0x100, 1, 0x10}, {0x103, 1, 0x13}, {0x101, 2, 0x1211}, {0x100, 4, 0x13121110},
		{0x102, 4, 0xFFFF1312},                                       // the rest is no device's
		{0x0FF, 1, 0xFF}, {0x0FE, 4, 0xFFFFFFFF}, {0x104, 2, 0xFFFF}, // no device holds the first port
		{0xFFFE, 2, 0x1110}, {0xFFFF, 4, 0xFFFFFF11}, // the last port
		{0x100, 3, 0xFFFFFF}, {0x100, 0, 0xFFFFFFFF}, {0x100, -1, 0xFFFFFFFF}, {0x100, 1 << 30, 0xFFFFFFFF},
	} {
		if got := bus.In(c.port, c.size); got != c.want {
			t.Errorf("In(%#x, %d) = %#x, want %#x", c.port, c.size, got, c.want)
		}
	}
	bus.Out(0x102, 4, 0x44332211)
	wantWrites(t, p, 2, 0x11, 3, 0x22)
	bus.Out(0x0FF, 2, 0x2211)
	bus.Out(0x100, 3, 0x332211)
	bus.Out(0x100, -1, 0x332211)
	wantWrites(t, p)
	bus.Out(0xFFFF, 4, 0x44332211)
	wantWrites(t, last, 1, 0x11)
}

func TestBusMemory(t *testing.T) {
	var bus Bus
	p := &pattern{}
	const base, length = 0xFEC00000, 0x1000
	if err := bus.MapMemory(base, length, p); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		gpa  uint64
		size int
		want uint64
	}{
		{base, 8, 0xA0A1A2A3A4A5A600}, {base + 0x10, 4, 0xA4A5A610}, {base + 3, 1, 0x03}, {base + 0xFFE, 2, 0xB5FE},
		{base + 0xFFE, 4, 0xFFFFFFFF}, {base - 1, 2, 0xFFFF}, {base + length, 1, 0xFF}, {0, 8, ^uint64(0)},
		{^uint64(0), 8, ^uint64(0)}, {base, 0, ^uint64(0)}, {base, -8, ^uint64(0)}, {base, 9, ^uint64(0)},
	} {
		if got := bus.Read(c.gpa, c.size); got != c.want {
			t.Errorf("Read(%#x, %d) = %#x, want %#x", c.gpa, c.size, got, c.want)
		}
	}
	bus.Write(base+0x20, 2, 0x44332211)
	wantWrites(t, p, 0x20, 2, 0x2211)
	bus.Write(base+0xFFF, 2, 1)
	bus.Write(base, 3, 1)
	wantWrites(t, p)
	for gpa, want := range map[uint64]bool{base - 1: false, base: true, base + length - 1: true, base + length: false} {
		if got := bus.Claims(gpa); got != want {
			t.Errorf("Claims(%#x) = %v", gpa, got)
		}
	}
}

func TestBusRefusesBadRanges(t *testing.T) {
	var bus Bus
	p := &pattern{}
	for _, c := range []struct {
		first, count uint16
		ok           bool
	}{
		{0x60, 4, true}, {0x64, 1, true}, {0x5F, 1, true}, {0xFFFF, 1, true},
		{0x63, 1, false}, {0x5E, 2, false}, {0x50, 0x100, false}, {0x70, 0, false}, {0xFFFE, 3, false},
	} {
		if err := bus.MapPorts(c.first, c.count, p); (err == nil) != c.ok {
			t.Errorf("MapPorts(%#x, %#x): %v", c.first, c.count, err)
		}
	}
	for _, c := range []struct {
		base, length uint64
		ok           bool
	}{
		{0x1000, 0x1000, true}, {0x2000, 0x1000, true}, {^uint64(0) - 0xFFF, 0xFFF, true},
		{0x1FFF, 1, false}, {0, 0x1001, false}, {0, 1 << 32, false}, {0x5000, 0, false}, {^uint64(0), 2, false},
	} {
		if err := bus.MapMemory(c.base, c.length, p); (err == nil) != c.ok {
			t.Errorf("MapMemory(%#x, %#x): %v", c.base, c.length, err)
		}
	}
}
