package firmware

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/uefi"
)

// This file lets programs reach ports, devices' registers and PCI's configuration space by way of firmware: EFI_CPU_IO2_PROTOCOL
// (PI 1.8, volume 2, section 15.2) and EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL (UEFI 2.10, section 14.2).

// A Bus has the devices. Sizes are 1, 2, 4 and for memory 8 bytes.
type Bus interface {
	In(port uint16, size int) uint32
	Out(port uint16, size int, value uint32)
	Read(gpa uint64, size int) uint64
	Write(gpa uint64, size int, value uint64)
}

var cpuIO = where((*Firmware).hasBus,
	member("CpuIo2.Mem.Read", uefi.CPUIO2MemRead, 5, (*Firmware).memRead),
	member("CpuIo2.Mem.Write", uefi.CPUIO2MemWrite, 5, (*Firmware).memWrite),
	member("CpuIo2.Io.Read", uefi.CPUIO2IORead, 5, (*Firmware).ioRead),
	member("CpuIo2.Io.Write", uefi.CPUIO2IOWrite, 5, (*Firmware).ioWrite),
)

var pciRootBridge = where((*Firmware).hasPCI,
	member("PciRootBridgeIo.PollMem", uefi.PCIRootBridgePollMem, 7, (*Firmware).notOffered),
	member("PciRootBridgeIo.PollIo", uefi.PCIRootBridgePollIO, 7, (*Firmware).notOffered),
	member("PciRootBridgeIo.Mem.Read", uefi.PCIRootBridgeMemRead, 5, (*Firmware).memRead),
	member("PciRootBridgeIo.Mem.Write", uefi.PCIRootBridgeMemWrite, 5, (*Firmware).memWrite),
	member("PciRootBridgeIo.Io.Read", uefi.PCIRootBridgeIORead, 5, (*Firmware).ioRead),
	member("PciRootBridgeIo.Io.Write", uefi.PCIRootBridgeIOWrite, 5, (*Firmware).ioWrite),
	member("PciRootBridgeIo.Pci.Read", uefi.PCIRootBridgePCIRead, 5, (*Firmware).pciRead),
	member("PciRootBridgeIo.Pci.Write", uefi.PCIRootBridgePCIWrite, 5, (*Firmware).pciWrite),
	member("PciRootBridgeIo.CopyMem", uefi.PCIRootBridgeCopyMem, 5, (*Firmware).notOffered),
	member("PciRootBridgeIo.Map", uefi.PCIRootBridgeMap, 6, (*Firmware).mapDMA),
	member("PciRootBridgeIo.Unmap", uefi.PCIRootBridgeUnmap, 2, (*Firmware).unmapDMA),
	member("PciRootBridgeIo.AllocateBuffer", uefi.PCIRootBridgeAllocateBuffer, 6, (*Firmware).allocateBuffer),
	member("PciRootBridgeIo.FreeBuffer", uefi.PCIRootBridgeFreeBuffer, 3, (*Firmware).freeBuffer),
	member("PciRootBridgeIo.Flush", uefi.PCIRootBridgeFlush, 1, (*Firmware).pciFlush),
	member("PciRootBridgeIo.GetAttributes", uefi.PCIRootBridgeGetAttributes, 3, (*Firmware).pciAttributes),
	member("PciRootBridgeIo.SetAttributes", uefi.PCIRootBridgeSetAttributes, 4, (*Firmware).notOffered),
	member("PciRootBridgeIo.Configuration", uefi.PCIRootBridgeConfiguration, 2, (*Firmware).pciConfiguration),
)

func (f *Firmware) hasBus() bool { return f.cfg.Bus != nil }
func (f *Firmware) hasPCI() bool { return f.hasBus() && f.cfg.ACPI.PCI != nil }

// publishBus offers the protocols where there are devices, and a bus.
func (f *Firmware) publishBus() error {
	if !f.hasBus() {
		return nil
	}
	if _, err := f.publish(0, uefi.CPUIO2ProtocolGUID, uefi.CPUIO2Size, cpuIO); err != nil {
		return err
	}
	if !f.hasPCI() {
		return nil
	}
	bridge, err := f.publish(0, uefi.PCIRootBridgeIOProtocolGUID, uefi.PCIRootBridgeSize, pciRootBridge)
	if err != nil {
		return err
	}
	path, err := f.putPool(uefi.BootServicesData, endPath(rootNode()))
	if err != nil {
		return err
	}
	_, err = f.handles.install(bridge.handle, uefi.DevicePathProtocolGUID, path)
	return err
}

// hasDevices says whether there is a bus with devices that drivers can drive.
func (f *Firmware) hasDevices() bool { return len(f.functions) > 0 }

// An elementwise access moves elements of 1, 2, 4 or 8 bytes between a buffer and places that follow one another, or one of the
// two stays where it is (EFI_CPU_IO_PROTOCOL_WIDTH, EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL_WIDTH).
type elementwise struct {
	size           int // bytes
	address, count uint64
	buffer         uint64
	stays, refills bool // the address; the buffer
}

// elements reads the arguments (*This, Width, Address, Count, *Buffer).
func elements(a args) (e elementwise, err error) {
	width := uint32(a[1])
	if width >= 12 || a[4] == 0 {
		return e, invalidParameter
	}
	e = elementwise{size: 1 << (width & 3), address: a[2], count: a[3], buffer: a[4], stays: width>>2 == 1, refills: width>>2 == 2}
	last := e.address
	if !e.stays && e.count > 0 {
		if e.count-1 > ^uint64(0)/8 {
			return e, unsupported
		}
		last += (e.count-1)*uint64(e.size) + uint64(e.size) - 1
	}
	if last < e.address {
		return e, unsupported
	}
	return e, nil
}

// each does one element after the other, some at a time: do gets the address and the element.
func (f *Firmware) each(e elementwise, write bool, do func(address uint64, size int, b []byte) error) error {
	const atOnce = 256
	u := &f.unfinished
	for n := 0; n < atOnce && u.done < e.count; n++ {
		address, at := e.address, e.buffer
		if !e.stays {
			address += u.done * uint64(e.size)
		}
		if !e.refills {
			at += u.done * uint64(e.size)
		}
		b := make([]byte, e.size)
		if write {
			if err := f.read(at, b); err != nil {
				return err
			}
		}
		f.cpu.Charge(cost.Exit, 1)
		if err := do(address, e.size, b); err != nil {
			return err
		}
		if !write {
			if err := f.write(at, b); err != nil {
				return err
			}
		}
		u.done++
	}
	if u.done < e.count {
		return errMore
	}
	return nil
}

func (f *Firmware) memRead(a args) error {
	e, err := elements(a)
	if err != nil {
		return err
	}
	return f.each(e, false, func(address uint64, size int, b []byte) error {
		if address < devices.Start || address >= devices.End {
			return f.read(address, b)
		}
		putElement(b, f.cfg.Bus.Read(address, size))
		return nil
	})
}

func (f *Firmware) memWrite(a args) error {
	e, err := elements(a)
	if err != nil {
		return err
	}
	return f.each(e, true, func(address uint64, size int, b []byte) error {
		if address < devices.Start || address >= devices.End {
			return f.write(address, b)
		}
		f.cfg.Bus.Write(address, size, element(b))
		return nil
	})
}

// ports reads the arguments of an access to ports, of which there are 64 Ki, of at most 4 bytes each.
func ports(a args) (elementwise, error) {
	e, err := elements(a)
	switch {
	case err != nil:
		return e, err
	case e.size == 8:
		return e, invalidParameter
	case e.address > 0xFFFF || !e.stays && e.count*uint64(e.size) > 0x1_0000-e.address:
		return e, unsupported
	}
	return e, nil
}

func (f *Firmware) ioRead(a args) error {
	e, err := ports(a)
	if err != nil {
		return err
	}
	return f.each(e, false, func(address uint64, size int, b []byte) error {
		putElement(b, uint64(f.cfg.Bus.In(uint16(address), size)))
		return nil
	})
}

func (f *Firmware) ioWrite(a args) error {
	e, err := ports(a)
	if err != nil {
		return err
	}
	return f.each(e, true, func(address uint64, size int, b []byte) error {
		f.cfg.Bus.Out(uint16(address), size, uint32(element(b)))
		return nil
	})
}

// pciRegisters reads the arguments of an access to configuration space: the register in bits 7:0, or in 63:32 where that is not 0,
// the function in 15:8, the device in 23:16, the bus in 31:24 (UEFI 2.10, section 14.2, table 14.4).
func pciRegisters(a args, ecam uint64) (elementwise, error) {
	e, err := elements(a)
	if err != nil {
		return e, err
	}
	const space = 4096
	register := e.address >> 32
	if register == 0 {
		register = e.address & 0xFF
	}
	bus, device, function := e.address>>24&0xFF, e.address>>16&0xFF, e.address>>8&0xFF
	switch {
	case device > 31 || function > 7 || e.size == 8 || register%uint64(e.size) != 0:
		return e, invalidParameter
	case bus != 0, register >= space || !e.stays && e.count*uint64(e.size) > space-register:
		return e, invalidParameter
	}
	e.address = ecam + device<<15 + function<<12 + register
	return e, nil
}

func (f *Firmware) pciRead(a args) error {
	e, err := pciRegisters(a, uint64(f.cfg.ACPI.PCI.ECAM))
	if err != nil {
		return err
	}
	return f.each(e, false, func(address uint64, size int, b []byte) error {
		putElement(b, f.cfg.Bus.Read(address, size))
		return nil
	})
}

func (f *Firmware) pciWrite(a args) error {
	e, err := pciRegisters(a, uint64(f.cfg.ACPI.PCI.ECAM))
	if err != nil {
		return err
	}
	return f.each(e, true, func(address uint64, size int, b []byte) error {
		f.cfg.Bus.Write(address, size, element(b))
		return nil
	})
}

// pciFlush(*This): nothing waits to be written.
func (f *Firmware) pciFlush(args) error { return nil }

// pciAttributes(*This, *Supports, *Attributes): of what bridges of PCs pass on there is nothing.
func (f *Firmware) pciAttributes(a args) error {
	if a[1] == 0 && a[2] == 0 {
		return invalidParameter
	}
	for _, at := range a[1:3] {
		if at != 0 {
			if err := f.store64(at, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// pciConfiguration(*This, **Resources): what the bridge passes on.
func (f *Firmware) pciConfiguration(a args) error {
	if a[1] == 0 {
		return invalidParameter
	}
	p := f.cfg.ACPI.PCI
	at, err := f.putPool(uefi.BootServicesData, resources(
		resource{resourceBus, 0, 1}, resource{resourcePort, 0, 0x1_0000}, resource{resourceMemory, uint64(p.Window), uint64(p.WindowSize)},
	))
	if err != nil {
		return err
	}
	return f.store64(a[1], at)
}

// A resource is what a bridge passes on, or what a BAR has.
type resource struct {
	kind       byte
	start, len uint64
}

// Kinds of resources (ACPI 6.5, 6.4.3.5).
const (
	resourceMemory = 0
	resourcePort   = 1
	resourceBus    = 2
)

// resources are descriptors of address spaces, and an end tag (ACPI 6.5, 6.4.3.5.1 and 6.4.2.9).
func resources(all ...resource) (b []byte) {
	const (
		quadword, bodySize = 0x8A, 43 // the tag, and how much follows it and its length
		endTag             = 0x79
	)
	le := binary.LittleEndian
	for _, r := range all {
		b = append(b, quadword, bodySize, 0, r.kind, 0, 0)
		for _, v := range []uint64{32, r.start, r.start + r.len - 1, 0, r.len} { // bits of an address, first, last, offset, length
			b = le.AppendUint64(b, v)
		}
	}
	return append(b, endTag, 0)
}

func element(b []byte) uint64 {
	var v [8]byte
	copy(v[:], b)
	return binary.LittleEndian.Uint64(v[:])
}

func putElement(b []byte, v uint64) { copy(b, binary.LittleEndian.AppendUint64(nil, v)) }
