package negotiate

import "github.com/tacit-vm/tacit/uefi"

// BootServices is what an operating system needs of firmware in order to leave it. Each method is one service (UEFI 2.10,
// chapter 7) and passes on what firmware says, believed or not.
type BootServices interface {
	// LocateProtocol returns the address of a protocol's interface.
	LocateProtocol(protocol uefi.GUID) (address uint64, s uefi.Status)
	// AllowUnacceptedMemory calls the function at the beginning of the interface at an address, with that address.
	AllowUnacceptedMemory(address uint64) uefi.Status
	// GetMemoryMap writes the memory map to buf, whose length is the MemoryMapSize passed in.
	GetMemoryMap(buf []byte) (MapInfo, uefi.Status)
	// ExitBootServices leaves boot services, on behalf of the running image.
	ExitBootServices(key uint64) uefi.Status
}

// A MapInfo is what GetMemoryMap says beside the map itself (UEFI 2.10, section 7.2.3).
type MapInfo struct {
	Size              uint64 // MemoryMapSize: of the map in bytes, also where the buffer was too small for it
	Key               uint64 // MapKey
	DescriptorSize    uint64 // from one descriptor to the next, in bytes
	DescriptorVersion uint32
}

// An Answer is what became of an announcement.
type Answer struct {
	Reply  Reply
	Status uefi.Status // of the last service that was called
}

// A Reply is what firmware does about unaccepted memory, as far as it has said so.
type Reply uint8

const (
	// NotOffered: there is no protocol to call. Firmware leaves memory unaccepted, or has accepted it all.
	NotOffered Reply = iota
	// Allowed: firmware leaves memory unaccepted.
	Allowed
	// Refused: firmware may accept the rest at ExitBootServices, or not. The map will tell.
	Refused
)

// String returns the name of r in lower case.
func (r Reply) String() string {
	switch r {
	case NotOffered:
		return "not offered"
	case Allowed:
		return "allowed"
	}
	return "refused"
}

// Announce tells firmware that the system accepts memory itself. Whatever the answer is, the system can go on: it is the
// memory map that says what is unaccepted.
//
// Call it last of all, before the map is sized: who announces and then returns to firmware, or starts a system that
// cannot accept, has spoken for somebody else.
func Announce(bs BootServices) Answer {
	address, s := bs.LocateProtocol(uefi.MemoryAcceptanceProtocolGUID)
	if s != uefi.Success || address == 0 {
		return Answer{NotOffered, s}
	}
	if s = bs.AllowUnacceptedMemory(address); s != uefi.Success {
		return Answer{Refused, s}
	}
	return Answer{Allowed, s}
}

// Spare is for how many descriptors more than there are a buffer must have room. Allocating the buffer and installing a
// table split regions, and what firmware accepts during ExitBootServices may do so as well, when nothing can be allocated
// any more. Linux takes as many (EFI_MMAP_NR_SLACK_SLOTS in drivers/firmware/efi/libstub/efistub.h).
const Spare = 32

// Room returns how many bytes the buffer that [Leave] is given should have: what the map takes now, and [Spare]
// descriptors. Firmware that claims more than [MaxDescriptors] gets an error, not the memory.
func Room(bs BootServices) (bytes uint64, err error) {
	info, s := bs.GetMemoryMap(nil)
	if s != uefi.BufferTooSmall {
		return 0, ErrNoMap
	}
	if err := info.shape(); err != nil {
		return 0, err
	}
	return info.Size + Spare*info.DescriptorSize, nil
}

// An Exit is how boot services were left, or not.
type Exit struct {
	Map    MapInfo     // of the map that is in the buffer
	Status uefi.Status // of the last service that was called
	Calls  int         // of ExitBootServices
}

// Leave gets the memory map into buf and calls ExitBootServices. Where that fails since the map has changed, it does both
// once more, without anything in between: after a first ExitBootServices firmware need serve nothing but its memory
// services, and changes of the map are its own (UEFI 2.10, section 7.4.6). A second failure is final, for who is refused
// twice would be refused for ever.
//
// Afterwards the first [MapInfo.Size] bytes of buf are the final map, unchecked but for its shape: [Map.Check] is next.
// With [ErrBufferTooSmall], Exit.Map.Size says what would have been needed.
func Leave(bs BootServices, buf []byte) (Exit, error) {
	const tries = 2
	var e Exit
	for e.Calls < tries {
		e.Map, e.Status = bs.GetMemoryMap(buf)
		switch {
		case e.Status == uefi.BufferTooSmall:
			return e, ErrBufferTooSmall
		case e.Status != uefi.Success:
			return e, ErrNoMap
		case e.Map.Size > uint64(len(buf)):
			return e, ErrMapSize
		}
		if err := e.Map.shape(); err != nil {
			return e, err
		}
		e.Calls++
		e.Status = bs.ExitBootServices(e.Map.Key)
		switch e.Status {
		case uefi.Success:
			return e, nil
		case uefi.InvalidParameter:
		default:
			return e, ErrExit
		}
	}
	return e, ErrRefused
}
