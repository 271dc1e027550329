package firmware

import (
	"math"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// noLimit is the limit of an allocation that may be anywhere.
const noLimit = math.MaxUint64

// takePages allocates n pages for a use, below limit and at a multiple of align, a power of two. They come from as high
// as there is room, but first from below 4 GiB: that is where upstream firmware's own memory is, and pointers to it fit
// the 32-bit fields that some of it goes to.
func (f *Firmware) takePages(kind uefi.MemoryType, n, limit, align uint64) (accept.Range, error) {
	if n == 0 || n > maxMemory/pageSize {
		return accept.Range{}, outOfResources
	}
	r, ok := f.memory.highest(n*pageSize, min(limit, physical.HighStart), align)
	if !ok && limit > physical.HighStart {
		r, ok = f.memory.highest(n*pageSize, limit, align)
	}
	if !ok || !f.memory.set(r, kind) {
		return accept.Range{}, outOfResources
	}
	return r, nil
}

// allocatable says whether a guest may ask for memory of a type: not for what is free, persistent or unaccepted by
// definition, and not for a number that the specification reserves (UEFI 2.10, section 7.2.1, table 7.6 and
// AllocatePages).
func allocatable(kind uefi.MemoryType) bool {
	const firstOEM = 0x7000_0000
	switch kind {
	case uefi.ConventionalMemory, uefi.PersistentMemory, uefi.UnacceptedMemory:
		return false
	}
	return kind < uefi.MaxMemoryType || kind >= firstOEM
}

// allocatePages(Type, MemoryType, Pages, *Memory)
func (f *Firmware) allocatePages(a args) error {
	how, kind, n, at := uint32(a[0]), uefi.MemoryType(a[1]), a[2], a[3]
	address, err := f.load64(at)
	if err != nil {
		return err
	}
	if !allocatable(kind) || n == 0 {
		return invalidParameter
	}
	var r accept.Range
	switch how {
	case uefi.AllocateAnyPages:
		r, err = f.takePages(kind, n, noLimit, pageSize)
	case uefi.AllocateMaxAddress:
		limit := uint64(noLimit)
		if address < noLimit {
			limit = address + 1
		}
		r, err = f.takePages(kind, n, limit, pageSize)
	case uefi.AllocateAddress:
		r, err = f.takeExactly(kind, n, address)
	default:
		return invalidParameter
	}
	if err != nil {
		return err
	}
	return f.store64(at, r.Start)
}

func (f *Firmware) takeExactly(kind uefi.MemoryType, n, address uint64) (accept.Range, error) {
	r, ok := pageRange(address, n)
	if !ok || !f.memory.covers(r, func(k uefi.MemoryType) bool { return k == uefi.ConventionalMemory }) {
		return r, notFound
	}
	if !f.memory.set(r, kind) {
		return r, outOfResources
	}
	return r, nil
}

// pageRange returns n pages from address on, where they exist at all.
func pageRange(address, n uint64) (accept.Range, bool) {
	if address%pageSize != 0 || n == 0 || n > maxMemory/pageSize || address > math.MaxUint64-n*pageSize {
		return accept.Range{}, false
	}
	return accept.Range{Start: address, End: address + n*pageSize}, true
}

// freePages(Memory, Pages)
func (f *Firmware) freePages(a args) error {
	address, n := a[0], a[1]
	if address%pageSize != 0 || n == 0 {
		return invalidParameter
	}
	r, ok := pageRange(address, n)
	if !ok || !f.memory.covers(r, allocatable) {
		return notFound
	}
	if !f.memory.set(r, uefi.ConventionalMemory) {
		return outOfResources
	}
	return nil
}

// descriptorSize is what GetMemoryMap announces: more than the structure has, so that callers who rely on its size are
// found out early, as EDK2 does (MdeModulePkg/Core/Dxe/Mem/Page.c).
const descriptorSize = 48

// getMemoryMap(*MemoryMapSize, *MemoryMap, *MapKey, *DescriptorSize, *DescriptorVersion)
func (f *Firmware) getMemoryMap(a args) error {
	sizeAt, mapAt, keyAt, descriptorSizeAt, versionAt := a[0], a[1], a[2], a[3], a[4]
	size, err := f.load64(sizeAt)
	if err != nil {
		return err
	}
	regions, told, lie := f.mapToTell()
	need := uint64(len(regions)) * descriptorSize
	if err := f.store64(sizeAt, need); err != nil {
		return err
	}
	// The two that describe descriptors are wanted with every outcome; callers may leave them out.
	if descriptorSizeAt != 0 {
		if err := f.store64(descriptorSizeAt, told); err != nil {
			return err
		}
		if told != descriptorSize {
			f.tell(Told{Times: 1})
		}
	}
	if versionAt != 0 {
		if err := f.store32(versionAt, uefi.MemoryDescriptorVersion); err != nil {
			return err
		}
	}
	if size < need {
		return bufferTooSmall
	}
	if keyAt == 0 {
		return invalidParameter
	}
	if err := f.write(mapAt, descriptors(regions)); err != nil {
		return err
	}
	f.tell(lie)
	f.sawMap()
	return f.store64(keyAt, f.memory.key)
}

// descriptors returns a map in the specification's form, descriptorSize bytes each.
func descriptors(regions []region) []byte {
	b := make([]byte, len(regions)*descriptorSize)
	for i, g := range regions {
		d := uefi.MemoryDescriptor{
			Type:          g.kind,
			PhysicalStart: g.start,
			NumberOfPages: (g.end - g.start) / pageSize,
			Attribute:     attributes(g.kind),
		}
		d.Put(b[i*descriptorSize:])
	}
	return b
}

// allocatePool(PoolType, Size, **Buffer)
func (f *Firmware) allocatePool(a args) error {
	kind, size, at := uefi.MemoryType(a[0]), a[1], a[2]
	if !allocatable(kind) {
		return invalidParameter
	}
	if _, err := f.load64(at); err != nil {
		return err
	}
	address, err := f.takePool(kind, size)
	if err != nil {
		return err
	}
	return f.store64(at, address)
}

// freePool(*Buffer)
func (f *Firmware) freePool(a args) error { return f.returnPool(a[0]) }
