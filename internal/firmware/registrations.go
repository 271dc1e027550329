package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/uefi"
)

// This file is RegisterProtocolNotify (UEFI 2.10, section 7.3): programs that want to hear of interfaces that are installed later.

// A registration is for interfaces of a protocol. Each is found by it once, in the order in which they were installed.
type registration struct {
	id       uint64 // what the guest holds
	protocol uefi.GUID
	event    uint64
	seen     uint64 // the serial number of the interface that was found last
}

const (
	registrationBase = 0x7AC1_B000_0000_0000 // not canonical, as handles
	maxRegistrations = maxEvents
)

// registerProtocolNotify(*Protocol, Event, **Registration)
func (f *Firmware) registerProtocolNotify(a args) error {
	protocol, err := f.loadGUID(a[0])
	if err != nil {
		return err
	}
	if _, err := f.event(a[1]); err != nil {
		return err
	}
	if len(f.registrations) >= maxRegistrations {
		return outOfResources
	}
	r := registration{id: registrationBase + f.registrationSeq + 1, protocol: protocol, event: a[1], seen: f.handles.installed}
	if err := f.store64(a[2], r.id); err != nil {
		return err
	}
	f.registrationSeq++
	f.registrations = append(f.registrations, r)
	return nil
}

// announce signals the events of those who want to hear of a protocol.
func (f *Firmware) announce(protocol uefi.GUID) {
	for _, r := range f.registrations {
		if r.protocol != protocol {
			continue
		}
		if e, err := f.event(r.event); err == nil {
			f.signal(e)
		}
	}
}

// unregister forgets the registrations of an event that is closed.
func (f *Firmware) unregister(event uint64) {
	f.registrations = slices.DeleteFunc(f.registrations, func(r registration) bool { return r.event == event })
}

// next finds the interface that a registration is told of next, and the handle that it is on. seen says that it has been.
func (f *Firmware) next(id uint64) (handle, address uint64, seen func(), err error) {
	n := slices.IndexFunc(f.registrations, func(r registration) bool { return r.id == id })
	if n < 0 {
		return 0, 0, nil, invalidParameter
	}
	r := &f.registrations[n]
	var found *installed
	for h := range f.handles.handles {
		i := f.handles.handles[h].of(r.protocol)
		if i != nil && i.serial > r.seen && (found == nil || i.serial < found.serial) {
			found, handle = i, f.handles.handles[h].id
		}
	}
	if found == nil {
		return 0, 0, nil, notFound
	}
	serial := found.serial
	return handle, found.address, func() { r.seen = serial }, nil
}
