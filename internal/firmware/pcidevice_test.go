package firmware

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/uefi"
)

// A slotBus has one device, in slot 3, whose memory of 32 KiB is at BAR 0. Where there is a test it wants the BAR left alone while
// it is decoded.
type slotBus struct {
	wire
	t      testing.TB
	config [256]byte
	memory map[uint64]uint64
}

const (
	slotECAM   = 0xE000_0000 + 3<<15
	slotMemory = 0xC001_8000
)

func newSlotBus(t testing.TB) *slotBus {
	b := &slotBus{t: t, memory: map[uint64]uint64{}}
	le := binary.LittleEndian
	le.PutUint32(b.config[0:], 0x1041_1AF4)
	le.PutUint16(b.config[pciCommand:], pciCommandMemory)
	le.PutUint32(b.config[pciBAR0:], slotMemory)
	return b
}

func (b *slotBus) Read(gpa uint64, size int) uint64 {
	if gpa < 0xE000_0000 {
		return b.memory[gpa]
	}
	if gpa < slotECAM || gpa >= slotECAM+256 {
		return 1<<(8*size) - 1
	}
	var v [8]byte
	copy(v[:size], b.config[gpa-slotECAM:])
	return binary.LittleEndian.Uint64(v[:])
}

func (b *slotBus) Write(gpa uint64, size int, value uint64) {
	le := binary.LittleEndian
	switch {
	case gpa < 0xE000_0000:
		b.memory[gpa] = value
	case gpa == slotECAM+pciCommand:
		le.PutUint16(b.config[pciCommand:], uint16(value)&(pciCommandMemory|pciCommandMaster))
	case gpa == slotECAM+pciBAR0:
		if b.t != nil && b.config[pciCommand]&pciCommandMemory != 0 {
			b.t.Error("a BAR is written to that is decoded")
		}
		le.PutUint32(b.config[pciBAR0:], uint32(value)&^0x7FFF)
	}
}

func TestPCIDevice(t *testing.T) {
	bus := newSlotBus(t)
	m := newMachine(t, func(c *Config) {
		c.Bus, c.ACPI.PCI = bus, &acpi.PCI{ECAM: 0xE000_0000, ECAMSize: 1 << 20, Window: 0xC000_0000, WindowSize: 1 << 24}
	})
	if !bytes.Equal(bus.config[:], newSlotBus(t).config[:]) {
		t.Errorf("firmware has changed the device: % x", bus.config[:0x20])
	}
	io := m.located(uefi.PCIIOProtocolGUID)
	call := func(want uefi.Status, offset uint64, a ...uint64) {
		t.Helper()
		if s := m.must(m.word(io+offset), append([]uint64{io}, a...)...); s != want {
			t.Errorf("%d(%#x): %v, want %v", offset, a, s, want)
		}
	}
	const u8, u16, u32, fifo32 = 0, 1, 2, 6
	at := m.room(4)
	call(uefi.Success, uefi.PCIIOGetLocation, at, at+8, at+16, at+24)
	if m.word(at) != 0 || m.word(at+8) != 0 || m.word(at+16) != 3 || m.word(at+24) != 0 {
		t.Errorf("it is at % x", m.bytes(at, 32))
	}
	call(uefi.Success, uefi.PCIIOPCIRead, u16, 2, 1, at)
	if m.word(at)&0xFFFF != 0x1041 {
		t.Errorf("configuration space holds %#x", m.word(at))
	}
	call(uefi.InvalidParameter, uefi.PCIIOPCIRead, u32, 0xFFE, 1, at)

	m.putWord(at, 0x1234_5678)
	call(uefi.Success, uefi.PCIIOMemWrite, u32, 0, 0x7FFC, 1, at)
	if bus.memory[slotMemory+0x7FFC] != 0x1234_5678 {
		t.Errorf("its memory holds %#x", bus.memory)
	}
	for _, bad := range [][3]uint64{{0, 0x7FFD, 1}, {0, 0, 0x2001}, {1, 0, 1}, {6, 0, 1}} {
		call(uefi.Unsupported, uefi.PCIIOMemRead, u32, bad[0], bad[1], bad[2], at)
	}
	call(uefi.Unsupported, uefi.PCIIOMemRead, fifo32, 0, 0x7FFD, 1, at)
	call(uefi.Unsupported, uefi.PCIIOIORead, u8, 0, 0, 1, at)
	call(uefi.Success, uefi.PCIIOIOWrite, u8, uefi.PCIIOPassThroughBAR, 0x70, 1, at)
	if len(bus.said) != 1 || bus.said[0] != "out 0x70/1 0x78" {
		t.Errorf("ports heard %q", bus.said)
	}

	binary.LittleEndian.PutUint32(bus.config[pciBAR0:], slotMemory+0x10_0000) // the driver moves it
	bus.memory[slotMemory+0x10_0004] = 99
	call(uefi.Success, uefi.PCIIOMemRead, u32, 0, 4, 1, at)
	if uint32(m.word(at)) != 99 {
		t.Errorf("it reads %d", m.word(at))
	}
	call(uefi.InvalidParameter, uefi.PCIIOGetBarAttributes, 0, 0, 0)
	call(uefi.Unsupported, uefi.PCIIOGetBarAttributes, 1, at, at+8)
	call(uefi.Success, uefi.PCIIOGetBarAttributes, 0, at, at+8)
	if b := m.bytes(m.word(at+8), 48); b[0] != 0x8A || b[3] != 0 || get64(b[14:]) != slotMemory+0x10_0000 || get64(b[38:]) != 0x8000 || b[46] != 0x79 {
		t.Errorf("its BAR is % x", b)
	}

	attributes := func() uint64 {
		call(uefi.Success, uefi.PCIIOAttributes, uefi.PCIIOAttributeGet, 0, at)
		return m.word(at)
	}
	const memory, master, dac = uefi.PCIAttributeMemory, uefi.PCIAttributeBusMaster, uefi.PCIDualAddressCycle
	call(uefi.Success, uefi.PCIIOAttributes, uefi.PCIIOAttributeSupported, 0, at)
	if m.word(at) != memory|master|dac || attributes() != memory {
		t.Errorf("attributes %#x of %#x", attributes(), m.word(at))
	}
	call(uefi.Unsupported, uefi.PCIIOAttributes, uefi.PCIIOAttributeEnable, uefi.PCIAttributeIO, 0)
	call(uefi.Success, uefi.PCIIOAttributes, uefi.PCIIOAttributeEnable, master|dac, 0)
	if attributes() != memory|master|dac || bus.config[pciCommand] != pciCommandMemory|pciCommandMaster {
		t.Errorf("attributes %#x, command %#x", attributes(), bus.config[pciCommand])
	}
	call(uefi.Success, uefi.PCIIOAttributes, uefi.PCIIOAttributeDisable, memory|dac, 0)
	if attributes() != master || bus.config[pciCommand] != pciCommandMaster {
		t.Errorf("attributes %#x, command %#x", attributes(), bus.config[pciCommand])
	}
	call(uefi.InvalidParameter, uefi.PCIIOAttributes, 5, 0, at)

	m.steps = 0
	bus.memory[slotMemory+0x10_0008] = 0x80
	call(uefi.Success, uefi.PCIIOPollMem, u32, 0, 8, 0xF0, 0x80, 0, at)
	now := m.now
	call(uefi.Timeout, uefi.PCIIOPollMem, u32, 0, 8, 0xF0, 0x40, 100, at)
	if m.now-now < 10_000 || m.now-now > 20_000 || uint32(m.word(at)) != 0x80 {
		t.Errorf("it waited %d ns, and saw %#x", m.now-now, m.word(at))
	}
	if s := m.must(m.word(io+uefi.PCIIOGetLocation), io+8, at, at, at, at); s != uefi.InvalidParameter {
		t.Errorf("a device that there is not: %v", s)
	}
}
