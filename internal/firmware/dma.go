package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// This file gives devices memory: Map, Unmap, AllocateBuffer and FreeBuffer of EFI_PCI_IO_PROTOCOL and of the root bridge's
// (UEFI 2.10, sections 14.2 and 14.4). Where memory is private a device reaches none of it: it gets pages that are shared while they are
// mapped, into which and from which firmware copies, as OVMF does (OvmfPkg/IoMmuDxe). A driver that gives a device
// other memory fails, as on hardware.

// A dmaMapping is memory that a device reaches.
type dmaMapping struct {
	id          uint64 // what the guest holds
	host, bytes uint64 // the driver's memory
	pages       accept.Range
	common      bool // the pages are the driver's own, of AllocateBuffer
	toHost      bool // what the device has written goes to the driver's memory in the end
}

const (
	mappingBase  = 0x7AC1_D000_0000_0000 // not canonical, as handles
	maxMappings  = 1024                  // and buffers
	maxMapped    = 4 << 20               // bytes at a time
	freeMapping  = ^uint64(0)            // of memory that a device reaches anyway
	bufferOption = uefi.PCIMemoryWriteCombine | uefi.PCIMemoryCached | uefi.PCIDualAddressCycle
)

// mapDMA(*This, Operation, *HostAddress, *NumberOfBytes, *DeviceAddress, **Mapping)
func (f *Firmware) mapDMA(a args) error {
	operation, host := uint32(a[1]), a[2]
	if operation > uefi.PCIBusMasterCommonBuffer64 || host == 0 || a[4] == 0 || a[5] == 0 {
		return invalidParameter
	}
	n, err := f.load64(a[3])
	if err != nil {
		return err
	}
	if n == 0 {
		return invalidParameter
	}
	device, id := host, freeMapping
	if f.cfg.Convert != nil {
		m, err := f.newMapping(operation%uefi.PCIBusMasterRead64, host, n)
		if err != nil {
			return err
		}
		device, id = m.pages.Start, m.id
	}
	if err := f.store64(a[4], device); err != nil {
		return err
	}
	return f.store64(a[5], id)
}

// newMapping makes pages shared: those of a common buffer, or others for a copy.
func (f *Firmware) newMapping(operation uint32, host, n uint64) (m dmaMapping, err error) {
	if n > maxMapped || len(f.mappings) >= maxMappings {
		return m, outOfResources
	}
	m = dmaMapping{host: host, bytes: n, common: operation == uefi.PCIBusMasterCommonBuffer, toHost: operation == uefi.PCIBusMasterWrite}
	contents := make([]byte, (n+pageMask)&^pageMask)
	if m.common {
		r, ok := pageRange(host, uint64(len(contents))/pageSize)
		mapped := func(o dmaMapping) bool { return !o.pages.Intersect(r).Empty() }
		if !ok || slices.ContainsFunc(f.mappings, mapped) || !slices.ContainsFunc(f.buffers, func(b accept.Range) bool { return r.In(b) }) {
			return m, invalidParameter // no memory of AllocateBuffer
		}
		m.pages = r
		if err := f.get(r.Start, contents); err != nil {
			return m, err
		}
	} else {
		if operation == uefi.PCIBusMasterRead {
			if err := f.read(host, contents[:n]); err != nil {
				return m, err
			}
		}
		if m.pages, err = f.takePages(uefi.BootServicesData, uint64(len(contents))/pageSize, physical.HighStart, pageSize); err != nil {
			return m, err
		}
	}
	if err := f.convertPages(m.pages, true); err != nil {
		if !m.common {
			f.memory.set(m.pages, uefi.ConventionalMemory)
		}
		return m, err
	}
	f.touch(len(contents))
	if err := f.cpu.WritePhysical(m.pages.Start|f.cfg.SharedBit, contents); err != nil {
		return m, err
	}
	f.mappingSeq++
	m.id = mappingBase + f.mappingSeq
	f.mappings = append(f.mappings, m)
	return m, nil
}

// unmapDMA(*This, *Mapping)
func (f *Firmware) unmapDMA(a args) error {
	if f.cfg.Convert == nil {
		if a[1] != freeMapping {
			return invalidParameter
		}
		return nil
	}
	i := slices.IndexFunc(f.mappings, func(m dmaMapping) bool { return m.id == a[1] })
	if i < 0 {
		return invalidParameter
	}
	m := f.mappings[i]
	f.mappings = slices.Delete(f.mappings, i, i+1)
	contents := make([]byte, m.pages.Len())
	if err := f.cpu.ReadPhysical(m.pages.Start|f.cfg.SharedBit, contents); err != nil {
		return err
	}
	f.touch(len(contents))
	if err := f.convertPages(m.pages, false); err != nil {
		return err
	}
	if m.common {
		return f.put(m.pages.Start, contents)
	}
	if !f.memory.set(m.pages, uefi.ConventionalMemory) {
		return outOfResources
	}
	if m.toHost {
		return f.write(m.host, contents[:m.bytes])
	}
	return nil
}

// allocateBuffer(*This, Type, MemoryType, Pages, **HostAddress, Attributes): what Type says about the place is ignored.
func (f *Firmware) allocateBuffer(a args) error {
	kind := uefi.MemoryType(a[2])
	switch {
	case a[4] == 0 || kind != uefi.BootServicesData && kind != uefi.RuntimeServicesData:
		return invalidParameter
	case a[5]&^bufferOption != 0:
		return unsupported
	case len(f.buffers) >= maxMappings:
		return outOfResources
	}
	if _, err := f.load64(a[4]); err != nil {
		return err
	}
	r, err := f.takePages(kind, a[3], physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	f.buffers = append(f.buffers, r)
	return f.store64(a[4], r.Start)
}

// freeBuffer(*This, Pages, *HostAddress)
func (f *Firmware) freeBuffer(a args) error {
	r, ok := pageRange(a[2], a[1])
	i := slices.Index(f.buffers, r)
	if !ok || i < 0 || slices.ContainsFunc(f.mappings, func(m dmaMapping) bool { return m.common && m.pages.In(r) }) {
		return invalidParameter
	}
	if !f.memory.covers(r, allocatable) || !f.memory.set(r, uefi.ConventionalMemory) {
		return outOfResources
	}
	f.buffers = slices.Delete(f.buffers, i, i+1)
	return nil
}

// endDMA makes private what is still shared when boot services are left, as OVMF does: an operating system takes it to be.
func (f *Firmware) endDMA() error {
	for _, m := range f.mappings {
		if err := f.convertPages(m.pages, false); err != nil {
			return err
		}
	}
	f.mappings, f.buffers = nil, nil
	return nil
}

func (f *Firmware) carryDMA(s *state.Stream) {
	state.Numbers(s, &f.mappingSeq)
	state.Slice(s, &f.mappings, maxMappings, func(m *dmaMapping) {
		state.Numbers(s, &m.id, &m.host, &m.bytes)
		carryRange(s, &m.pages)
		s.Bool(&m.common, &m.toHost)
		s.Check(m.bytes <= m.pages.Len() && m.pages.Len() <= maxMapped && (m.pages.Start|m.pages.End)&pageMask == 0, "memory of a device that is no pages")
	})
	state.Slice(s, &f.buffers, maxMappings, func(r *accept.Range) { carryRange(s, r) })
}
