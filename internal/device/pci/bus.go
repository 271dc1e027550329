package pci

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/state"
)

// Where the bus is, for the ACPI tables: below the I/O APIC and above all RAM that lies below 4 GiB.
const (
	WindowBase = 0xC000_0000 // memory that BARs may have
	WindowSize = 0x0100_0000

	// The same on a [Q35]: from where RAM may end to the configuration space.
	Q35WindowBase = 0x8000_0000
	Q35WindowSize = ECAMBase - Q35WindowBase

	ECAMBase = 0xE000_0000 // configuration space of bus 0
	ECAMSize = 1 << 20     // 4 KiB for each of 256 functions

	addressPort = 0xCF8
	dataPort    = 0xCFC
)

// Slots is how many devices a bus has room for. The host bridge is device 0.
const Slots = 32

// A Bus is bus 0.
type Bus struct {
	slots   [Slots]*Function
	window  uint64 // where the memory begins that BARs may have
	bare    bool   // BARs are placed by firmware in the guest
	address uint32 // CONFIG_ADDRESS
}

// NewBus returns a bus with nothing on it but the host bridge, and maps it.
func NewBus(board *device.Board) (*Bus, error) {
	b := &Bus{window: WindowBase}
	// The bridge has the identity of QEMU's generic one (hw/pci-host/gpex.c, docs/specs/pci-ids), for which kernels have
	// no special treatment.
	bridge := NewFunction(Identity{Vendor: 0x1B36, Device: 0x0008, Class: 0x060000}, nil, 0, nil)
	return b, b.begin(board, bridge, WindowSize)
}

// begin puts the host bridge on the bus, and maps it.
func (b *Bus) begin(board *device.Board, bridge *Function, windowSize uint64) error {
	if err := b.Add(0, bridge); err != nil {
		return err
	}
	for _, err := range []error{
		board.MapPorts(addressPort, 1, addressRegister{b}), // and the reset register is at the port after it
		board.MapPorts(dataPort, 4, dataRegister{b}),
		board.MapMemory(ECAMBase, ECAMSize, ecam{b}),
		board.MapMemory(b.window, windowSize, window{b}),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// Add puts a function into a slot that is empty, and gives its BAR an address, unless firmware in the guest does.
func (b *Bus) Add(slot int, f *Function) error {
	if slot < 0 || slot >= Slots || b.slots[slot] != nil {
		return fmt.Errorf("pci: no room in slot %d", slot)
	}
	b.slots[slot] = f
	if f.registers != nil && !b.bare {
		f.place(WindowBase + uint32(slot)*barSize)
	}
	return nil
}

// Carry carries the state of the bus and of the functions on it, without their registers'.
func (b *Bus) Carry(s *state.Stream) {
	state.Numbers(s, &b.address)
	for _, f := range b.slots {
		if f != nil {
			f.carry(s)
		}
	}
}

// StateVersion changes with what [Bus.Carry] carries.
const StateVersion = 1

// config reads configuration space. Where there is no function, and beyond its 256 bytes, it reads as ones.
func (b *Bus) config(bus, slot, function, offset uint32, size int) uint32 {
	if bus != 0 || function != 0 || slot >= Slots || b.slots[slot] == nil {
		return 0xFFFF_FFFF
	}
	return b.slots[slot].readConfig(offset, size)
}

func (b *Bus) setConfig(bus, slot, function, offset uint32, size int, value uint32) {
	if bus == 0 && function == 0 && slot < Slots && b.slots[slot] != nil {
		b.slots[slot].writeConfig(offset, size, value)
	}
}

// An addressRegister is CONFIG_ADDRESS, which is there for accesses of 4 bytes alone (PCI 3.0, 3.2.2.3.2).
type addressRegister struct{ bus *Bus }

var _ device.WidePortDevice = addressRegister{}

func (r addressRegister) In(uint16) uint8   { return 0xFF }
func (r addressRegister) Out(uint16, uint8) {}

func (r addressRegister) InWide(_ uint16, size int) uint32 {
	if size != 4 {
		return 0xFFFF_FFFF
	}
	return r.bus.address
}

func (r addressRegister) OutWide(_ uint16, size int, value uint32) {
	if size == 4 {
		r.bus.address = value & 0x80FF_FFFC
	}
}

// A dataRegister is CONFIG_DATA: the register that CONFIG_ADDRESS names.
type dataRegister struct{ bus *Bus }

const addressEnable = 1 << 31

func (r dataRegister) In(offset uint16) uint8         { return uint8(r.InWide(offset, 1)) }
func (r dataRegister) Out(offset uint16, value uint8) { r.OutWide(offset, 1, uint32(value)) }

func (r dataRegister) InWide(offset uint16, size int) uint32 {
	a := r.bus.address
	if a&addressEnable == 0 {
		return 0xFFFF_FFFF
	}
	return r.bus.config(a>>16&0xFF, a>>11&31, a>>8&7, a&0xFC+uint32(offset), size)
}

func (r dataRegister) OutWide(offset uint16, size int, value uint32) {
	if a := r.bus.address; a&addressEnable != 0 {
		r.bus.setConfig(a>>16&0xFF, a>>11&31, a>>8&7, a&0xFC+uint32(offset), size, value)
	}
}

// An ecam is configuration space in memory.
type ecam struct{ bus *Bus }

func (e ecam) Read(offset uint64, size int) uint64 {
	o := uint32(offset)
	if size == 8 { // two registers: no bridge has to do that, and this one does
		return uint64(e.bus.config(o>>20, o>>15&31, o>>12&7, o&0xFFF, 4)) | uint64(e.bus.config(o>>20, o>>15&31, o>>12&7, o&0xFFF+4, 4))<<32
	}
	return uint64(e.bus.config(o>>20, o>>15&31, o>>12&7, o&0xFFF, size))
}

func (e ecam) Write(offset uint64, size int, value uint64) {
	o := uint32(offset)
	if size == 8 {
		e.bus.setConfig(o>>20, o>>15&31, o>>12&7, o&0xFFF+4, 4, uint32(value>>32))
		size = 4
	}
	e.bus.setConfig(o>>20, o>>15&31, o>>12&7, o&0xFFF, size, uint32(value))
}

// A window is the memory that BARs may have.
type window struct{ bus *Bus }

func (w window) at(offset uint64, size int) (f *Function, within uint64) {
	for _, f := range w.bus.slots {
		if f == nil {
			continue
		}
		if within, ok := f.decodes(w.bus.window+offset, size); ok {
			return f, within
		}
	}
	return nil, 0
}

func (w window) Read(offset uint64, size int) uint64 {
	if f, within := w.at(offset, size); f != nil {
		return f.read(within, size)
	}
	return ^uint64(0)
}

func (w window) Write(offset uint64, size int, value uint64) {
	if f, within := w.at(offset, size); f != nil {
		f.write(within, size, value)
	}
}
