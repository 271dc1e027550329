package uefi

// PageSize is the unit of AllocatePages and of a memory descriptor, in bytes (UEFI 2.10, section 7.2.1).
const PageSize = 4096

// A MemoryType is an EFI_MEMORY_TYPE (UEFI 2.10, section 7.2.1, AllocatePages).
type MemoryType uint32

const (
	ReservedMemoryType MemoryType = iota
	LoaderCode
	LoaderData
	BootServicesCode
	BootServicesData
	RuntimeServicesCode
	RuntimeServicesData
	ConventionalMemory
	UnusableMemory
	ACPIReclaimMemory
	ACPIMemoryNVS
	MemoryMappedIO
	MemoryMappedIOPortSpace
	PalCode
	PersistentMemory
	UnacceptedMemory // must be accepted before it is touched; since UEFI 2.9
	MaxMemoryType    // not a type: from here to 0x6fffffff all are invalid; then come those of OEMs and of OS loaders
)

var memoryTypes = [MaxMemoryType]string{
	"Reserved", "LoaderCode", "LoaderData", "BootServicesCode", "BootServicesData",
	"RuntimeServicesCode", "RuntimeServicesData", "Conventional", "Unusable", "ACPIReclaim", "ACPINVS",
	"MemoryMappedIO", "MemoryMappedIOPortSpace", "PalCode", "Persistent", "Unaccepted",
}

// String returns the name of t without "Memory", as in "Conventional", or its number where it has none.
func (t MemoryType) String() string {
	if t < MaxMemoryType {
		return memoryTypes[t]
	}
	return "MemoryType(" + hex(uint64(t)) + ")"
}

// Memory attributes, EFI_MEMORY_UC and so on (UEFI 2.10, section 7.2.3, GetMemoryMap). The first group is what the
// memory can be used as, the second how it may be protected, the third what it is.
const (
	MemoryUC  = 1 << 0 // uncacheable
	MemoryWC  = 1 << 1 // write combining
	MemoryWT  = 1 << 2 // write through
	MemoryWB  = 1 << 3 // write back
	MemoryUCE = 1 << 4 // uncacheable, exported, with fetch and add

	MemoryWP = 1 << 12 // write protected, as a way of caching
	MemoryRP = 1 << 13 // read protected
	MemoryXP = 1 << 14 // execution protected
	MemoryRO = 1 << 17 // read only

	MemoryNV           = 1 << 15 // persistent
	MemoryMoreReliable = 1 << 16
	MemorySP           = 1 << 18 // specific purpose: not for general use
	MemoryCPUCrypto    = 1 << 19 // the processor can encrypt it
	MemoryHotPluggable = 1 << 20 // UEFI 2.11
	MemoryISAValid     = 1 << 62 // MemoryISAMask says something
	MemoryISAMask      = 0x0ffff00000000000
	MemoryRuntime      = 1 << 63 // runtime services need a mapping of it
)

// A MemoryDescriptor is an EFI_MEMORY_DESCRIPTOR (UEFI 2.10, section 7.2.3), one entry of a memory map.
type MemoryDescriptor struct {
	Type          MemoryType
	PhysicalStart uint64 // guest-physical address, a multiple of PageSize
	VirtualStart  uint64 // 0 until SetVirtualAddressMap
	NumberOfPages uint64
	Attribute     uint64 // MemoryUC and so on
}

const (
	// MemoryDescriptorSize is the size of the fields of a descriptor in bytes.
	// The distance from one descriptor to the next in a map is larger or equal, and told by GetMemoryMap.
	MemoryDescriptorSize = 40

	// MemoryDescriptorVersion is EFI_MEMORY_DESCRIPTOR_VERSION (UEFI 2.10, section 7.2.3).
	MemoryDescriptorVersion = 1
)

// End returns the address after the last byte of d, or the highest address where there is none.
func (d MemoryDescriptor) End() uint64 {
	const top = ^uint64(0)
	if d.NumberOfPages > (top-d.PhysicalStart)/PageSize {
		return top
	}
	return d.PhysicalStart + d.NumberOfPages*PageSize
}

// String returns d in the form "Unaccepted, 0x400 pages at 0x80000000".
func (d MemoryDescriptor) String() string {
	return d.Type.String() + ", " + hex(d.NumberOfPages) + " pages at " + hex(d.PhysicalStart)
}

// Put writes d to the first [MemoryDescriptorSize] bytes of b. It panics if b is shorter.
func (d MemoryDescriptor) Put(b []byte) {
	b = b[:MemoryDescriptorSize]
	put64(b[0:], uint64(d.Type)) // UINT32 and four bytes of padding
	put64(b[8:], d.PhysicalStart)
	put64(b[16:], d.VirtualStart)
	put64(b[24:], d.NumberOfPages)
	put64(b[32:], d.Attribute)
}

// ParseMemoryDescriptor reads the descriptor at the start of b.
// It returns an error if b has less than [MemoryDescriptorSize] bytes.
func ParseMemoryDescriptor(b []byte) (MemoryDescriptor, error) {
	if len(b) < MemoryDescriptorSize {
		return MemoryDescriptor{}, formatError("a memory descriptor has 40 bytes")
	}
	return descriptor(b), nil
}

func descriptor(b []byte) MemoryDescriptor {
	return MemoryDescriptor{
		Type:          MemoryType(get64(b[0:])),
		PhysicalStart: get64(b[8:]),
		VirtualStart:  get64(b[16:]),
		NumberOfPages: get64(b[24:]),
		Attribute:     get64(b[32:]),
	}
}

// A MemoryMap is what GetMemoryMap returns and SetVirtualAddressMap takes: descriptors in a row.
type MemoryMap struct {
	buf    []byte
	stride uint64
}

// ParseMemoryMap returns the map that buf holds, in which the next descriptor begins stride bytes after the last:
// the DescriptorSize of GetMemoryMap, which is not [MemoryDescriptorSize].
// It returns an error if stride is smaller than that, or if buf ends within a descriptor.
func ParseMemoryMap(buf []byte, stride uint64) (MemoryMap, error) {
	if stride < MemoryDescriptorSize {
		return MemoryMap{}, formatError("memory map: a descriptor size of " + hex(stride) + " bytes is too small")
	}
	if n := uint64(len(buf)); n%stride != 0 {
		return MemoryMap{}, formatError("memory map: " + hex(n) + " bytes do not divide into descriptors of " + hex(stride))
	}
	return MemoryMap{buf, stride}, nil
}

// All yields the descriptors of m in their order.
func (m MemoryMap) All() func(yield func(MemoryDescriptor) bool) {
	return func(yield func(MemoryDescriptor) bool) {
		for rest := m.buf; len(rest) > 0; rest = rest[m.stride:] {
			if !yield(descriptor(rest)) {
				return
			}
		}
	}
}
