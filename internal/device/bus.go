package device

import "fmt"

// PortDevice is a device in the I/O port space. The devices of a PC without PCI all sit on an 8-bit bus: the Bus splits
// wider accesses, but for a [WidePortDevice].
type PortDevice interface {
	// In reads the port at offset from the device's first one.
	In(offset uint16) uint8
	// Out writes it.
	Out(offset uint16, value uint8)
}

// A WidePortDevice sees accesses to its ports whole, as PCI's configuration mechanism has to. Size is 1, 2 or 4 bytes, and
// an access may run over the end of its ports.
type WidePortDevice interface {
	PortDevice
	InWide(offset uint16, size int) uint32
	OutWide(offset uint16, size int, value uint32)
}

// MemoryDevice is a device in the guest-physical address space. It sees an access as the guest made it; size is 1, 2, 4
// or 8 bytes and the access does not cross the end of the device's window.
type MemoryDevice interface {
	// Read returns size bytes at offset from the window's start, little-endian.
	Read(offset uint64, size int) uint64
	// Write stores the low size bytes of value.
	Write(offset uint64, size int, value uint64)
}

// Bus finds the device that an access is for. The zero Bus is ready to use and answers all ones everywhere. An access
// of a size that no instruction has, which a guest can ask for through a hypercall, reaches no device either.
type Bus struct {
	// A machine has a handful of ranges, so a walk in the order of mapping is the fastest look-up.
	ports  []portRange
	memory []memoryRange
}

type portRange struct {
	first, count uint32
	device       PortDevice
	wide         WidePortDevice // the same device, where it is one
}

type memoryRange struct {
	base, length uint64
	device       MemoryDevice
}

// MapPorts gives a device count ports from first on. It is an error if they run over 0xFFFF or another device has one
// of them.
func (b *Bus) MapPorts(first, count uint16, device PortDevice) error {
	start, end := uint32(first), uint32(first)+uint32(count)
	if count == 0 || end > 1<<16 {
		return fmt.Errorf("device: bad port range %#x+%#x", first, count)
	}
	for _, r := range b.ports {
		if start < r.first+r.count && r.first < end {
			return fmt.Errorf("device: ports %#x+%#x overlap %#x+%#x", first, count, r.first, r.count)
		}
	}
	wide, _ := device.(WidePortDevice)
	b.ports = append(b.ports, portRange{first: start, count: uint32(count), device: device, wide: wide})
	return nil
}

// MapMemory gives a device length bytes of guest-physical addresses from base on. It is an error if they wrap around or
// another device has one of them.
func (b *Bus) MapMemory(base, length uint64, device MemoryDevice) error {
	if length == 0 || base+length < base {
		return fmt.Errorf("device: bad window %#x+%#x", base, length)
	}
	for _, r := range b.memory {
		if base < r.base+r.length && r.base < base+length {
			return fmt.Errorf("device: window %#x+%#x overlaps %#x+%#x", base, length, r.base, r.length)
		}
	}
	b.memory = append(b.memory, memoryRange{base: base, length: length, device: device})
	return nil
}

// In reads size bytes (1, 2 or 4) from a port. What no device claims reads as all ones.
//
// The device that holds the first port gets the access, byte by byte from the lowest port up; bytes beyond its range
// read as ones. A PCI chipset decodes the same way: the dword at 0xCF8 is PCI's CONFIG_ADDRESS and must not reach the
// reset register that is the single byte at 0xCF9.
func (b *Bus) In(port uint16, size int) uint32 {
	r := b.portRange(port, size)
	if r == nil {
		return uint32(allOnes(size))
	}
	if r.wide != nil {
		return r.wide.InWide(port-uint16(r.first), size) & uint32(allOnes(size))
	}
	var value uint32
	for i := range uint32(size) {
		octet := uint8(0xFF)
		if offset := uint32(port) - r.first + i; offset < r.count {
			octet = r.device.In(uint16(offset))
		}
		value |= uint32(octet) << (8 * i)
	}
	return value
}

// Out writes the low size bytes (1, 2 or 4) of value to a port, split up like In. What no device claims is lost.
func (b *Bus) Out(port uint16, size int, value uint32) {
	r := b.portRange(port, size)
	if r == nil {
		return
	}
	if r.wide != nil {
		r.wide.OutWide(port-uint16(r.first), size, value&uint32(allOnes(size)))
		return
	}
	for i := range uint32(size) {
		if offset := uint32(port) - r.first + i; offset < r.count {
			r.device.Out(uint16(offset), uint8(value>>(8*i)))
		}
	}
}

// Claims tells whether a device's window holds the guest-physical address.
func (b *Bus) Claims(gpa uint64) bool { return b.window(gpa, 1) != nil }

// Read reads size bytes (1, 2, 4 or 8) at a guest-physical address. What no device claims reads as all ones, and so does
// an access that crosses the end of a window.
func (b *Bus) Read(gpa uint64, size int) uint64 {
	r := b.window(gpa, size)
	if r == nil {
		return allOnes(size)
	}
	return r.device.Read(gpa-r.base, size) & allOnes(size)
}

// Write writes the low size bytes (1, 2, 4 or 8) of value to a guest-physical address. What no device claims is lost, and
// so is an access that crosses the end of a window.
func (b *Bus) Write(gpa uint64, size int, value uint64) {
	if r := b.window(gpa, size); r != nil {
		r.device.Write(gpa-r.base, size, value&allOnes(size))
	}
}

func (b *Bus) portRange(port uint16, size int) *portRange {
	if size != 1 && size != 2 && size != 4 {
		return nil
	}
	for i := range b.ports {
		if r := &b.ports[i]; uint32(port)-r.first < r.count {
			return r
		}
	}
	return nil
}

func (b *Bus) window(gpa uint64, size int) *memoryRange {
	if size != 1 && size != 2 && size != 4 && size != 8 {
		return nil
	}
	for i := range b.memory {
		if r := &b.memory[i]; gpa-r.base < r.length && r.length-(gpa-r.base) >= uint64(size) {
			return r
		}
	}
	return nil
}

// allOnes is what a bus without a driver reads as, over size bytes.
func allOnes(size int) uint64 {
	if size < 1 || size > 8 {
		return ^uint64(0)
	}
	return 1<<(8*size) - 1
}
