package negotiate_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

// smallFirmware has no more than it takes to be left: the protocol, a memory map, and a key that changes with it.
type smallFirmware struct {
	negotiation negotiate.Negotiation
	memory      []uefi.MemoryDescriptor
	key         uint64
}

func (f *smallFirmware) LocateProtocol(protocol uefi.GUID) (address uint64, s uefi.Status) {
	f.negotiation.LookUp("the system")
	if protocol != uefi.MemoryAcceptanceProtocolGUID || !f.negotiation.Offered {
		return 0, uefi.NotFound
	}
	return 0x1000, uefi.Success
}

func (f *smallFirmware) AllowUnacceptedMemory(uint64) uefi.Status {
	f.negotiation.Allow("the system")
	return uefi.Success
}

func (f *smallFirmware) GetMemoryMap(buf []byte) (info negotiate.MapInfo, s uefi.Status) {
	const size = 48
	info = negotiate.MapInfo{Size: uint64(len(f.memory)) * size, Key: f.key, DescriptorSize: size, DescriptorVersion: uefi.MemoryDescriptorVersion}
	if uint64(len(buf)) < info.Size {
		return info, uefi.BufferTooSmall
	}
	for i, d := range f.memory {
		d.Put(buf[i*size:])
	}
	return info, uefi.Success
}

// ExitBootServices is where firmware makes up for a system that has said nothing.
func (f *smallFirmware) ExitBootServices(key uint64) uefi.Status {
	if _, err := f.negotiation.AcceptRest(f, say("firmware")); err != nil {
		return uefi.DeviceError
	}
	if key != f.key {
		return uefi.InvalidParameter
	}
	return uefi.Success
}

func (f *smallFirmware) NextUnaccepted(from uint64) accept.Range {
	for _, d := range f.memory {
		if d.Type == uefi.UnacceptedMemory && d.PhysicalStart >= from {
			return accept.Range{Start: d.PhysicalStart, End: d.End()}
		}
	}
	return accept.Range{}
}

func (f *smallFirmware) Accepted(r accept.Range) error {
	for i := range f.memory {
		if f.memory[i].PhysicalStart == r.Start {
			f.memory[i].Type = uefi.ConventionalMemory
		}
	}
	f.key++
	return nil
}

// say is a driver that says what it is asked for, and by whom.
func say(who string) accept.Driver {
	return accept.DriverFunc(func(r accept.Range) error {
		fmt.Printf("%s accepts %v\n", who, r)
		return nil
	})
}

// start is what a system does between its first instruction and its own memory management. It ends where something
// cannot be: with firmware, or with what firmware says.
func start(bs negotiate.BootServices, announces bool) error {
	if announces {
		fmt.Println("unaccepted memory is", negotiate.Announce(bs).Reply)
	}
	room, err := negotiate.Room(bs)
	if err != nil {
		return err
	}
	buf := make([]byte, room) // on bare metal, AllocatePages; the table comes from there, too
	exit, err := negotiate.Leave(bs, buf)
	if err != nil {
		return err
	}
	fmt.Println("ExitBootServices was called", exit.Calls, "times")

	var m negotiate.Map
	image := accept.Range{Start: 0x400000, End: 0x600000}
	if err := m.Check(buf, exit.Map, negotiate.Bounds{Limit: 1 << 47, InUse: []accept.Range{image}}); err != nil {
		return err
	}
	for r := range m.Free() {
		fmt.Println("free", r)
	}
	header := m.Header()
	bitmap, err := header.Bitmap(make([]byte, header.Size))
	if err != nil {
		return err
	}
	if err := m.Fill(bitmap, say("the system")); err != nil {
		return err
	}
	for r := range bitmap.Runs(bitmap.Span()) {
		fmt.Println("for later", r)
	}
	return nil
}

// One firmware, with a system that accepts memory itself, one that has never heard of it, and one that is lied to.
func Example() {
	for _, announces := range []bool{true, false} {
		f := &smallFirmware{memory: []uefi.MemoryDescriptor{
			{Type: uefi.LoaderCode, PhysicalStart: 0x400000, NumberOfPages: 0x200, Attribute: uefi.MemoryWB},
			{Type: uefi.ConventionalMemory, PhysicalStart: 0x600000, NumberOfPages: 0x7a00, Attribute: uefi.MemoryWB},
			{Type: uefi.UnacceptedMemory, PhysicalStart: 0x8000000, NumberOfPages: 0x8001, Attribute: uefi.MemoryWB},
		}}
		f.negotiation.Offer()
		if err := start(f, announces); err != nil {
			fmt.Println(err)
		}
		fmt.Println()
	}

	f := &smallFirmware{negotiation: negotiate.Negotiation{Policy: negotiate.Lazy}, memory: []uefi.MemoryDescriptor{
		{Type: uefi.UnacceptedMemory, PhysicalStart: 0x400000, NumberOfPages: 0x200, Attribute: uefi.MemoryWB},
	}}
	fmt.Println(start(f, true))

	// Output:
	// unaccepted memory is allowed
	// ExitBootServices was called 1 times
	// free [0x600000, 0x8000000)
	// the system accepts [0x10000000, 0x10001000)
	// for later [0x8000000, 0x10000000)
	//
	// firmware accepts [0x8000000, 0x10001000)
	// ExitBootServices was called 2 times
	// free [0x600000, 0x10001000)
	//
	// unaccepted memory is not offered
	// ExitBootServices was called 1 times
	// memory map: unaccepted memory where the system runs: Unaccepted, 0x200 pages at 0x400000; in use is [0x400000, 0x600000)
}
