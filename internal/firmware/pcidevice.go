package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/uefi"
)

// This file is EFI_PCI_IO_PROTOCOL (UEFI 2.10, section 14.4), by which drivers drive the devices on the bus. These have one function
// each, with memory at BARs of 32 bits and no ports.

// A pciFunction is one of a device on the first bus.
type pciFunction struct {
	device uint8
	this   uint64       // the address of its EFI_PCI_IO_PROTOCOL
	bars   [bars]uint64 // what they hold, in bytes; 0 for none
	wants  uint64       // attributes that are no bits of the command register
	can    uint64       // attributes that it can have
}

const bars = 6

// Registers of configuration space (PCI 3.0, 6.1) and bits of the command register.
const (
	pciCommand = 0x04
	pciBAR0    = 0x10

	pciCommandIO     = 1 << 0
	pciCommandMemory = 1 << 1
	pciCommandMaster = 1 << 2
)

// commandBits are the attributes that bits of the command register stand for.
var commandBits = []struct {
	attribute uint64
	bit       uint64
}{{uefi.PCIAttributeIO, pciCommandIO}, {uefi.PCIAttributeMemory, pciCommandMemory}, {uefi.PCIAttributeBusMaster, pciCommandMaster}}

var pciDevice = where((*Firmware).hasDevices,
	member("PciIo.PollMem", uefi.PCIIOPollMem, 8, (*Firmware).devicePollMem),
	member("PciIo.PollIo", uefi.PCIIOPollIO, 8, (*Firmware).notOffered),
	member("PciIo.Mem.Read", uefi.PCIIOMemRead, 6, (*Firmware).deviceMemRead),
	member("PciIo.Mem.Write", uefi.PCIIOMemWrite, 6, (*Firmware).deviceMemWrite),
	member("PciIo.Io.Read", uefi.PCIIOIORead, 6, (*Firmware).deviceIORead),
	member("PciIo.Io.Write", uefi.PCIIOIOWrite, 6, (*Firmware).deviceIOWrite),
	member("PciIo.Pci.Read", uefi.PCIIOPCIRead, 5, (*Firmware).devicePCIRead),
	member("PciIo.Pci.Write", uefi.PCIIOPCIWrite, 5, (*Firmware).devicePCIWrite),
	member("PciIo.CopyMem", uefi.PCIIOCopyMem, 7, (*Firmware).notOffered),
	member("PciIo.Map", uefi.PCIIOMap, 6, (*Firmware).deviceMap),
	member("PciIo.Unmap", uefi.PCIIOUnmap, 2, (*Firmware).unmapDMA),
	member("PciIo.AllocateBuffer", uefi.PCIIOAllocateBuffer, 6, (*Firmware).allocateBuffer),
	member("PciIo.FreeBuffer", uefi.PCIIOFreeBuffer, 3, (*Firmware).freeBuffer),
	member("PciIo.Flush", uefi.PCIIOFlush, 1, (*Firmware).pciFlush),
	member("PciIo.GetLocation", uefi.PCIIOGetLocation, 5, (*Firmware).deviceLocation),
	member("PciIo.Attributes", uefi.PCIIOAttributes, 4, (*Firmware).deviceAttributes),
	member("PciIo.GetBarAttributes", uefi.PCIIOGetBarAttributes, 4, (*Firmware).deviceBAR),
	member("PciIo.SetBarAttributes", uefi.PCIIOSetBarAttributes, 5, (*Firmware).notOffered),
)

// register is the address of a register in a function's configuration space.
func (f *Firmware) register(fn *pciFunction, offset uint64) uint64 {
	return uint64(f.cfg.ACPI.PCI.ECAM) + uint64(fn.device)<<15 + offset
}

// publishDevices offers the protocol for each device on the bus: on the disk's handle, where it is one.
func (f *Firmware) publishDevices() error {
	if !f.hasPCI() {
		return nil
	}
	const slots, none = 32, 0xFFFF_FFFF
	for device := range uint8(slots) {
		fn := pciFunction{device: device, can: uefi.PCIDualAddressCycle}
		if f.cfg.Bus.Read(f.register(&fn, 0), 4) == none {
			continue
		}
		f.look(&fn)
		handle, err := f.deviceHandle(device)
		if err != nil {
			return err
		}
		p, err := f.publish(handle, uefi.PCIIOProtocolGUID, uefi.PCIIOSize, pciDevice)
		if err != nil {
			return err
		}
		fn.this = p.address
		f.functions = append(f.functions, fn)
	}
	return nil
}

// deviceHandle is the handle of a device, whose path says where it is.
func (f *Firmware) deviceHandle(device uint8) (uint64, error) {
	path := append(rootNode(), pathNode(pathHardware, pathPCI, []byte{0, device})...)
	for i := range f.media {
		if slices.Equal(f.media[i].path, endPath(path)) {
			return f.media[i].handle, nil
		}
	}
	at, err := f.putPool(uefi.BootServicesData, endPath(path))
	if err != nil {
		return 0, err
	}
	return f.handles.install(0, uefi.DevicePathProtocolGUID, at)
}

// look finds out what a function has: what stays of ones that are written to a BAR or to the command register, which get back what they
// held (PCI 3.0, 6.2.5.1).
func (f *Firmware) look(fn *pciFunction) {
	bus := f.cfg.Bus
	command := f.register(fn, pciCommand)
	was := bus.Read(command, 2)
	for _, c := range commandBits {
		if bus.Write(command, 2, was|c.bit); bus.Read(command, 2)&c.bit != 0 {
			fn.can |= c.attribute
		}
	}
	bus.Write(command, 2, was&^(pciCommandIO|pciCommandMemory))
	for i := range fn.bars {
		at := f.register(fn, pciBAR0+4*uint64(i))
		held := bus.Read(at, 4)
		bus.Write(at, 4, 0xFFFF_FFFF)
		fn.bars[i] = uint64(-(uint32(bus.Read(at, 4)) &^ 0xF))
		bus.Write(at, 4, held)
	}
	bus.Write(command, 2, was)
}

// function finds the function whose interface a driver has called.
func (f *Firmware) function(this uint64) (*pciFunction, error) {
	for i := range f.functions {
		if f.functions[i].this == this {
			return &f.functions[i], nil
		}
	}
	return nil, invalidParameter
}

// inBAR makes the arguments (*This, Width, BarIndex, Offset, Count, *Buffer) those of an access to an address.
func (f *Firmware) inBAR(a args) (args, error) {
	fn, err := f.function(a[0])
	if err != nil {
		return a, err
	}
	plain := args{a[0], a[1], a[3], a[4], a[5]}
	index := byte(a[2])
	if index == uefi.PCIIOPassThroughBAR {
		return plain, nil
	}
	e, err := elements(plain)
	if err != nil {
		return a, err
	}
	if index >= bars || fn.bars[index] == 0 {
		return a, unsupported
	}
	size, n := fn.bars[index], uint64(e.size)
	if !e.stays {
		n = e.count * uint64(e.size) // elements has looked whether that overflows
	}
	if e.count > 0 && (n > size || e.address > size-n) {
		return a, unsupported
	}
	plain[2] += f.base(fn, index)
	return plain, nil
}

// base is where a BAR is now.
func (f *Firmware) base(fn *pciFunction, index byte) uint64 {
	return f.cfg.Bus.Read(f.register(fn, pciBAR0+4*uint64(index)), 4) &^ 0xF
}

func (f *Firmware) deviceMemRead(a args) error {
	a, err := f.inBAR(a)
	if err != nil {
		return err
	}
	return f.memRead(a)
}

func (f *Firmware) deviceMemWrite(a args) error {
	a, err := f.inBAR(a)
	if err != nil {
		return err
	}
	return f.memWrite(a)
}

// toPorts makes the arguments those of an access to ports, of which no function has any.
func (f *Firmware) toPorts(a args) (args, error) {
	if _, err := f.function(a[0]); err != nil {
		return a, err
	}
	if byte(a[2]) != uefi.PCIIOPassThroughBAR {
		return a, unsupported
	}
	return args{a[0], a[1], a[3], a[4], a[5]}, nil
}

func (f *Firmware) deviceIORead(a args) error {
	a, err := f.toPorts(a)
	if err != nil {
		return err
	}
	return f.ioRead(a)
}

func (f *Firmware) deviceIOWrite(a args) error {
	a, err := f.toPorts(a)
	if err != nil {
		return err
	}
	return f.ioWrite(a)
}

// inConfig makes the arguments (*This, Width, Offset, Count, *Buffer) those of the root bridge's access.
func (f *Firmware) inConfig(a args) (args, error) {
	fn, err := f.function(a[0])
	if err != nil {
		return a, err
	}
	offset := a[2] & 0xFFFF_FFFF
	if offset > 0xFF {
		offset <<= 32
	}
	a[2] = uint64(fn.device)<<16 | offset
	return a, nil
}

func (f *Firmware) devicePCIRead(a args) error {
	a, err := f.inConfig(a)
	if err != nil {
		return err
	}
	return f.pciRead(a)
}

func (f *Firmware) devicePCIWrite(a args) error {
	a, err := f.inConfig(a)
	if err != nil {
		return err
	}
	return f.pciWrite(a)
}

// devicePollMem(*This, Width, BarIndex, Offset, Mask, Value, Delay, *Result) reads until it sees a value, or the time is over.
func (f *Firmware) devicePollMem(a args) error {
	const pause = 1000 // ns from one look to the next
	result := a[7]
	at, err := f.inBAR(args{a[0], a[1], a[2], a[3], 1, result})
	if err != nil {
		return err
	}
	width := uint32(a[1])
	if width > 3 {
		return invalidParameter
	}
	u := &f.unfinished
	if !u.started {
		u.started, u.done = true, uint64(f.cpu.Now())+min(a[6], 1<<53)*tick100ns
	}
	value := f.cfg.Bus.Read(at[2], 1<<width)
	if err := f.store64(result, value); err != nil {
		return err
	}
	switch {
	case value&a[4] == a[5]:
		return nil
	case uint64(f.cpu.Now()) >= u.done:
		return failure(uefi.Timeout)
	}
	f.cpu.Idle(pause)
	return errAgain
}

// deviceMap is Map of what a function can reach: a bridge's operations are none of its.
func (f *Firmware) deviceMap(a args) error {
	if uint32(a[1]) > uefi.PCIBusMasterCommonBuffer {
		return invalidParameter
	}
	return f.mapDMA(a)
}

// deviceLocation(*This, *SegmentNumber, *BusNumber, *DeviceNumber, *FunctionNumber)
func (f *Firmware) deviceLocation(a args) error {
	fn, err := f.function(a[0])
	if err != nil {
		return err
	}
	for i, v := range []uint64{0, 0, uint64(fn.device), 0} {
		if err := f.store64(a[1+i], v); err != nil {
			return err
		}
	}
	return nil
}

// deviceAttributes(*This, Operation, Attributes, *Result)
func (f *Firmware) deviceAttributes(a args) error {
	fn, err := f.function(a[0])
	if err != nil {
		return err
	}
	operation, wanted, result := uint32(a[1]), a[2], a[3]
	now, command := fn.wants, f.cfg.Bus.Read(f.register(fn, pciCommand), 2)
	for _, c := range commandBits {
		if command&c.bit != 0 {
			now |= c.attribute & fn.can
		}
	}
	switch operation {
	case uefi.PCIIOAttributeGet, uefi.PCIIOAttributeSupported:
		if result == 0 {
			return invalidParameter
		}
		if operation == uefi.PCIIOAttributeSupported {
			now = fn.can
		}
		return f.store64(result, now)
	case uefi.PCIIOAttributeSet:
	case uefi.PCIIOAttributeEnable:
		wanted |= now
	case uefi.PCIIOAttributeDisable:
		wanted = now &^ wanted
	default:
		return invalidParameter
	}
	if (wanted|a[2])&^fn.can != 0 {
		return unsupported
	}
	fn.wants = wanted & uefi.PCIDualAddressCycle
	for _, c := range commandBits {
		if command &^= c.bit; wanted&c.attribute != 0 {
			command |= c.bit
		}
	}
	f.cfg.Bus.Write(f.register(fn, pciCommand), 2, command)
	return nil
}

// deviceBAR(*This, BarIndex, *Supports, **Resources)
func (f *Firmware) deviceBAR(a args) error {
	fn, err := f.function(a[0])
	if err != nil {
		return err
	}
	index, supports, at := byte(a[1]), a[2], a[3]
	switch {
	case supports == 0 && at == 0:
		return invalidParameter
	case index >= bars || fn.bars[index] == 0:
		return unsupported
	}
	if supports != 0 {
		if err := f.store64(supports, 0); err != nil {
			return err
		}
	}
	if at == 0 {
		return nil
	}
	list, err := f.putPool(uefi.BootServicesData, resources(resource{resourceMemory, f.base(fn, index), fn.bars[index]}))
	if err != nil {
		return err
	}
	return f.store64(at, list)
}

func (f *Firmware) carryFunctions(s *state.Stream) {
	state.Slice(s, &f.functions, 32, func(fn *pciFunction) {
		state.Numbers(s, &fn.device)
		state.Numbers(s, &fn.this, &fn.wants, &fn.can)
		state.Array(s, fn.bars[:])
		s.Check(fn.device < 32 && f.hasPCI(), "a device that there is no place for")
		s.Check(slices.Max(fn.bars[:]) <= 1<<31, "a BAR that is larger than there is room for")
	})
}
