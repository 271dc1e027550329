//go:build linux && amd64

package kernel

import "unsafe"

// A contactInfo is what the first instructions leave for the kernel. Like all that the kernel needs, it is in the
// program's initialised data, for which something in it must not be 0.
type contactInfo struct {
	next        uint64 // what of the arena is free; it begins as something else than 0, for that reason
	handle      uint64 // of the image
	systemTable uint64 // guest-physical
	firmwareCR3 uint64
	arena       uint64 // guest-physical, arenaPages pages of EfiLoaderData
	earlyCR3    uint64
	linkedEntry uint64 // where the program goes on when it is mapped where it is linked
	imageBase   uint64 // guest-physical address of what is linked at linkBase
	encrypted   uint64 // address bits that mark private memory in page tables: the C-bit, or 0
}

var contact = contactInfo{next: 1}

// The kernel's own g and the word before the FS base that points to it, by which Go code finds it. What counts of a g
// here is its stack guard, which is 0: the kernel's stacks are not grown.
var (
	//lint:ignore U1000 entry_amd64.s uses it
	bootTLS = [2]uint64{0, 1}
	//lint:ignore U1000 entry_amd64.s uses it
	bootG = [128]uint64{127: 1}
)

// The arena is what the kernel asks of firmware before anything else: its first page tables and stacks, and room for
// the memory map.
const (
	arenaPages   = 768
	arenaSize    = arenaPages * pageSize
	bootStackEnd = 64 << 10 // the stack is at the beginning
	earlyTables  = bootStackEnd

	pageSize = 4 << 10
	pageMask = pageSize - 1
)

// Where the linker has put things: their addresses, as data, while code gets to see where they are (entry_amd64.s).
var entryLinked, linkedLinked, nextStageLinked, endLinked uint64

// early makes the page tables with which the program goes on where it is linked: firmware's own, and in addition the
// program and a first direct map. It runs where firmware has put the program, so it uses nothing but its argument and what is relative to RIP.
//
//lint:ignore U1000 entry_amd64.s calls it
//go:nosplit
func early(entry uint64) {
	base := entry - (entryLinked - linkBase)
	contact.imageBase = base
	contact.linkedEntry = linkedLinked
	contact.encrypted = encryptionBit(contact.firmwareCR3, base)

	next := contact.arena + earlyTables
	root := next
	next += pageSize
	old := contact.firmwareCR3 & earlyMask
	for i := uint64(0); i < 512; i++ {
		*at(root + 8*i) = *at(old + 8*i)
	}
	for i := uint64(0); i < (sharedPages-directMap)>>39; i++ {
		*at(root + 8*(256+i)) = *at(old + 8*i) // the direct map, as far as firmware maps memory
	}
	for va := uint64(linkBase); va < endLinked; va += pageSize {
		entry := at(root + 8*(va>>39&511))
		for shift := uint64(30); shift >= 12; shift -= 9 {
			if *entry&present == 0 {
				for i := uint64(0); i < 512; i++ {
					*at(next + 8*i) = 0
				}
				*entry = next | contact.encrypted | present | writable
				next += pageSize
			}
			entry = at(*entry&earlyMask + 8*(va>>shift&511))
		}
		*entry = (base + va - linkBase) | contact.encrypted | present | writable
	}
	// With the C-bit only where firmware's CR3 has it: OVMF's boot services look for page tables at what CR3 holds, and leave
	// it out, since the processor takes page tables for private in any case.
	contact.earlyCR3 = root | contact.firmwareCR3&contact.encrypted
	contact.next = next
}

// earlyMask is what counts of an address in page tables until it is known where the C-bit is: it is bit 47 or
// above, and no memory is.
const earlyMask = addressMask & (1<<47 - 1)

// encryptionBit returns the address bits by which firmware's page tables map pa as private, beyond pa itself.
//
//go:nosplit
func encryptionBit(cr3, pa uint64) uint64 {
	table := cr3 & earlyMask
	for shift := uint64(39); ; shift -= 9 {
		entry := *at(table + 8*(pa>>shift&511))
		if shift == 12 || entry&large != 0 && shift < 39 {
			return (entry ^ pa) & addressMask &^ (1<<shift - 1)
		}
		table = entry & earlyMask
	}
}

// pointer makes a pointer of an address. The memory is not the Go runtime's, which need not know.
//
//go:nosplit
func pointer(va uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&va)) }

// at is the number at an address.
//
//go:nosplit
func at(va uint64) *uint64 { return (*uint64)(pointer(va)) }
