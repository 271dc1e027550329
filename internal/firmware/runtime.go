package firmware

import (
	"cmp"
	"slices"

	"github.com/tacit-vm/tacit/uefi"
)

// setVirtualAddressMap(MemoryMapSize, DescriptorSize, DescriptorVersion, *VirtualMap)
//
// Entry points are recognised by their guest-physical address, so all there is to do is to change the pointers that the
// operating system follows. Runtime drivers, if there are any, do the same from their notification functions.
func (f *Firmware) setVirtualAddressMap(a args) error {
	if !f.exited || f.virtual {
		return unsupported
	}
	if f.converting == nil {
		descriptors, err := f.loadDescriptors(a)
		if err != nil {
			return err
		}
		f.converting = descriptors
		f.signalGroup(uefi.EventGroupVirtualAddressChangeGUID)
		return errAgain
	}
	err := f.moveTables()
	f.virtual, f.converting = err == nil, nil
	return err
}

// loadDescriptors reads the map, sorts it and checks that it has a place for all that runtime services need.
func (f *Firmware) loadDescriptors(a args) ([]uefi.MemoryDescriptor, error) {
	size, stride, version, at := a[0], a[1], uint32(a[2]), a[3]
	const maxStride = 4096
	if version != uefi.MemoryDescriptorVersion || stride < uefi.MemoryDescriptorSize || stride > maxStride ||
		size/stride > maxRegions {
		return nil, invalidParameter
	}
	b := make([]byte, size)
	if err := f.read(at, b); err != nil {
		return nil, err
	}
	m, err := uefi.ParseMemoryMap(b, stride)
	if err != nil {
		return nil, invalidParameter
	}
	list := []uefi.MemoryDescriptor{}
	for d := range m.All() {
		if d.Attribute&uefi.MemoryRuntime != 0 {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(d, e uefi.MemoryDescriptor) int { return cmp.Compare(d.PhysicalStart, e.PhysicalStart) })
	for i, d := range list {
		if (d.PhysicalStart|d.VirtualStart)%pageSize != 0 || i > 0 && list[i-1].End() > d.PhysicalStart {
			return nil, invalidParameter
		}
	}
	for _, g := range f.memory.regions {
		for address := g.start; isRuntime(g.kind) && address < g.end; {
			d, ok := find(list, address)
			if !ok {
				return nil, noMapping
			}
			address = d.End()
		}
	}
	return list, nil
}

// find returns the descriptor, of a sorted list, that an address belongs to.
func find(list []uefi.MemoryDescriptor, address uint64) (d uefi.MemoryDescriptor, ok bool) {
	i, ok := slices.BinarySearchFunc(list, address, func(d uefi.MemoryDescriptor, a uint64) int {
		switch {
		case d.End() <= a:
			return -1
		case d.PhysicalStart > a:
			return 1
		}
		return 0
	})
	if !ok {
		return d, false
	}
	return list[i], true
}

// convert returns the virtual address for a physical one.
func convert(list []uefi.MemoryDescriptor, address uint64) (uint64, bool) {
	d, ok := find(list, address)
	return address - d.PhysicalStart + d.VirtualStart, ok
}

// moveTables converts the pointers in the system table and in the table of runtime services. Pointers to configuration
// tables stay physical (UEFI 2.10, section 8.4).
func (f *Firmware) moveTables() error {
	err := error(nil)
	move := func(table []byte, offset int) {
		address := get64(table[offset:])
		moved, ok := convert(f.converting, address)
		if !ok {
			err = notFound
			return
		}
		put64(table[offset:], moved)
	}
	changed := f.change(f.runtimeTable, uefi.RuntimeServicesSize, func(rt []byte) {
		for _, fn := range runtimeFunctions {
			move(rt, fn)
		}
	})
	if changed != nil {
		return changed
	}
	changed = f.change(f.systemTable, uefi.SystemTableSize, func(st []byte) {
		move(st, uefi.SystemTableFirmwareVendor)
		move(st, uefi.SystemTableConfigurationTable)
		move(st, uefi.SystemTableRuntimeServices)
	})
	if changed != nil {
		return changed
	}
	return err
}

// runtimeFunctions are the offsets of all pointers in the table of runtime services.
var runtimeFunctions = func() (offsets []int) {
	for offset := uefi.TableHeaderSize; offset < uefi.RuntimeServicesSize; offset += 8 {
		offsets = append(offsets, offset)
	}
	return offsets
}()

// convertPointer(DebugDisposition, **Address) works while SetVirtualAddressMap notifies.
func (f *Firmware) convertPointer(a args) error {
	if f.converting == nil {
		return unsupported
	}
	address, err := f.load64(a[1])
	if err != nil {
		return err
	}
	if address == 0 {
		if a[0]&uefi.OptionalPtr != 0 {
			return nil
		}
		return invalidParameter
	}
	moved, ok := convert(f.converting, address)
	if !ok {
		return notFound
	}
	return f.store64(a[1], moved)
}

// resetSystem(ResetType, ResetStatus, DataSize, *ResetData) does not return.
func (f *Firmware) resetSystem(a args) error {
	r := &Reset{Type: uint32(a[0]), Status: uefi.Status(a[1])}
	if r.Status != uefi.Success || r.Type == uefi.ResetPlatformSpecific {
		r.Text = f.text(a[3], a[2])
	}
	return r
}

// getNextMonotonicCount(*Count)
func (f *Firmware) getNextMonotonicCount(a args) error {
	f.monotonic++
	return f.store64(a[0], f.monotonic)
}

// getNextHighMonotonicCount(*HighCount)
func (f *Firmware) getNextHighMonotonicCount(a args) error {
	f.monotonic = (f.monotonic>>32 + 1) << 32
	return f.store32(a[0], uint32(f.monotonic>>32))
}
