package main

import (
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

const (
	mibs = 1 << 20
	gibs = 1 << 30
)

// A firmware is what is left of one when only unaccepted memory counts: a memory map, the key that changes with it, and
// what it and the system have told each other. A real one puts its driver in the platform's place, accept/tdx or
// accept/snp.
type firmware struct {
	platform    *accepttest.Memory
	memory      []uefi.MemoryDescriptor
	key         uint64
	negotiation negotiate.Negotiation
}

// newFirmware is firmware that is about to start a system: it has accepted 256 MiB to work in, and is asked to do what
// the policy says about the rest.
func newFirmware(p negotiate.Policy) (*firmware, error) {
	accepted := accept.Range{Start: 0, End: 256 * mibs}
	rest := []accept.Range{{Start: 256 * mibs, End: 1 * gibs}, {Start: 4 * gibs, End: 5 * gibs}}
	f := &firmware{
		platform:    accepttest.NewMemory([]accept.Range{accepted}, rest),
		memory:      []uefi.MemoryDescriptor{describe(uefi.ConventionalMemory, accepted)},
		negotiation: negotiate.Negotiation{Policy: p},
	}
	for _, r := range rest {
		f.memory = append(f.memory, describe(uefi.UnacceptedMemory, r))
	}
	if p == negotiate.Eager {
		for _, r := range rest {
			if err := f.platform.Accept(r); err != nil {
				return nil, err
			}
			if err := f.Accepted(r); err != nil {
				return nil, err
			}
		}
	}
	f.negotiation.Offer() // a real one installs the protocol where this says so
	return f, nil
}

func describe(t uefi.MemoryType, r accept.Range) uefi.MemoryDescriptor {
	return uefi.MemoryDescriptor{Type: t, PhysicalStart: r.Start, NumberOfPages: r.Len() / uefi.PageSize, Attribute: uefi.MemoryWB}
}

// NextUnaccepted implements [negotiate.Books].
func (f *firmware) NextUnaccepted(from uint64) accept.Range {
	for _, d := range f.memory {
		if d.Type == uefi.UnacceptedMemory && d.PhysicalStart >= from {
			return accept.Range{Start: d.PhysicalStart, End: d.End()}
		}
	}
	return accept.Range{}
}

// Accepted implements [negotiate.Books]: the memory is free, and one with what is free before it.
func (f *firmware) Accepted(r accept.Range) error {
	i := slices.IndexFunc(f.memory, func(d uefi.MemoryDescriptor) bool { return d.PhysicalStart == r.Start })
	f.memory[i].Type = uefi.ConventionalMemory
	if i > 0 && f.memory[i-1].Type == uefi.ConventionalMemory && f.memory[i-1].End() == r.Start {
		f.memory[i-1].NumberOfPages += f.memory[i].NumberOfPages
		f.memory = slices.Delete(f.memory, i, i+1)
	}
	f.key++
	return nil
}

// The services that a system takes, as it calls them: [negotiate.BootServices].

// protocol is where the interface of the memory acceptance protocol is.
const protocol = 0x1000

func (f *firmware) LocateProtocol(p uefi.GUID) (address uint64, s uefi.Status) {
	if p != uefi.MemoryAcceptanceProtocolGUID || !f.negotiation.Offered {
		return 0, uefi.NotFound
	}
	f.negotiation.LookUp("the system")
	return protocol, uefi.Success
}

func (f *firmware) AllowUnacceptedMemory(address uint64) uefi.Status {
	if address != protocol {
		return uefi.InvalidParameter
	}
	f.negotiation.Allow("the system")
	return uefi.Success
}

func (f *firmware) GetMemoryMap(buf []byte) (info negotiate.MapInfo, s uefi.Status) {
	info = negotiate.MapInfo{
		Size: uint64(len(f.memory)) * uefi.MemoryDescriptorSize, Key: f.key,
		DescriptorSize: uefi.MemoryDescriptorSize, DescriptorVersion: uefi.MemoryDescriptorVersion,
	}
	if uint64(len(buf)) < info.Size {
		return info, uefi.BufferTooSmall
	}
	for i, d := range f.memory {
		d.Put(buf[i*uefi.MemoryDescriptorSize:])
	}
	return info, uefi.Success
}

// ExitBootServices is where firmware finds out that its protocol has not been called, and accepts what is left. That changes the map,
// so the system's key is wrong, and the system looks again.
func (f *firmware) ExitBootServices(key uint64) uefi.Status {
	if _, err := f.negotiation.AcceptRest(f, f.platform); err != nil {
		return uefi.DeviceError
	}
	if key != f.key {
		return uefi.InvalidParameter
	}
	return uefi.Success
}
