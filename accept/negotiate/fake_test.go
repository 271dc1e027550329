package negotiate_test

import (
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

const (
	kiB = 1 << 10
	miB = 1 << 20
	giB = 1 << 30
)

// stride is EDK2's descriptor size.
const stride = 48

const (
	protocolAddress = 0x7000
	attributes      = uefi.MemoryWB
)

// region makes a descriptor of ordinary memory.
func region(kind uefi.MemoryType, start, end uint64) uefi.MemoryDescriptor {
	return uefi.MemoryDescriptor{Type: kind, PhysicalStart: start, NumberOfPages: (end - start) / uefi.PageSize, Attribute: attributes}
}

// encode lays a map out as firmware does.
func encode(list ...uefi.MemoryDescriptor) []byte {
	b := make([]byte, len(list)*stride)
	for i, d := range list {
		d.Put(b[i*stride:])
	}
	return b
}

func infoOf(buf []byte) negotiate.MapInfo {
	return negotiate.MapInfo{Size: uint64(len(buf)), DescriptorSize: stride, DescriptorVersion: uefi.MemoryDescriptorVersion}
}

// A firmware is both what a system calls and the memory that it works on: a Negotiation, a memory map that changes when
// something is accepted or allocated, and a platform for which accepting twice is fatal.
type firmware struct {
	negotiate.Negotiation
	memory   []uefi.MemoryDescriptor
	key      uint64
	exited   bool
	accepted []accept.Range
	fails    error // what the driver says; nil where it works

	// What a firmware that lies changes in its answers.
	tell   func(*negotiate.MapInfo, *uefi.Status)
	answer func(uefi.Status) uefi.Status // of ExitBootServices
	refuse uefi.Status                   // what AllowUnacceptedMemory returns
}

func newFirmware(p negotiate.Policy) *firmware {
	f := &firmware{Negotiation: negotiate.Negotiation{Policy: p}, memory: []uefi.MemoryDescriptor{
		region(uefi.ConventionalMemory, 0, 640*kiB),
		region(uefi.LoaderCode, 1*miB, 3*miB),
		region(uefi.ConventionalMemory, 3*miB, 256*miB),
		region(uefi.UnacceptedMemory, 256*miB, 2*giB-4*kiB),
		region(uefi.RuntimeServicesData, 2*giB-4*kiB, 2*giB),
		region(uefi.UnacceptedMemory, 4*giB, 6*giB),
	}}
	f.Offer()
	return f
}

// The services.

func (f *firmware) LocateProtocol(protocol uefi.GUID) (uint64, uefi.Status) {
	if protocol != uefi.MemoryAcceptanceProtocolGUID {
		panic("who needs it?")
	}
	f.LookUp("system")
	if !f.Offered {
		return 0, uefi.NotFound
	}
	return protocolAddress, uefi.Success
}

func (f *firmware) AllowUnacceptedMemory(address uint64) uefi.Status {
	if address != protocolAddress {
		panic("a call of nothing")
	}
	if f.refuse == uefi.Success {
		f.Allow("system")
	}
	return f.refuse
}

func (f *firmware) GetMemoryMap(buf []byte) (info negotiate.MapInfo, s uefi.Status) {
	b := encode(f.memory...)
	info = infoOf(b)
	info.Key = f.key
	s = uefi.BufferTooSmall
	if len(buf) >= len(b) {
		copy(buf, b)
		s = uefi.Success
	}
	if f.tell != nil {
		f.tell(&info, &s)
	}
	return info, s
}

func (f *firmware) ExitBootServices(key uint64) uefi.Status {
	if _, err := f.AcceptRest(f, accept.DriverFunc(f.accept)); err != nil {
		return uefi.DeviceError
	}
	f.ExitAttempts++
	s := uefi.Success
	if key != f.key {
		s = uefi.InvalidParameter
	}
	if f.answer != nil {
		s = f.answer(s)
	}
	f.exited = s == uefi.Success
	return s
}

// The books.

func (f *firmware) NextUnaccepted(from uint64) accept.Range {
	for _, d := range f.memory {
		if d.Type == uefi.UnacceptedMemory && d.PhysicalStart >= from {
			return accept.Range{Start: d.PhysicalStart, End: d.End()}
		}
	}
	return accept.Range{}
}

func (f *firmware) Accepted(r accept.Range) error {
	i := slices.IndexFunc(f.memory, func(d uefi.MemoryDescriptor) bool { return d.PhysicalStart == r.Start && d.End() == r.End })
	f.memory[i].Type = uefi.ConventionalMemory
	f.key++
	return nil
}

// accept is the platform's.
func (f *firmware) accept(r accept.Range) error {
	if f.fails != nil {
		return f.fails
	}
	for _, done := range f.accepted {
		if !done.Intersect(r).Empty() {
			return fmt.Errorf("%v is accepted already", r)
		}
	}
	f.accepted = append(f.accepted, r)
	return nil
}
