package firmware

import (
	"encoding/binary"
	"slices"

	"github.com/tacit-vm/tacit/uefi"
)

// This file finds protocols.

const maxMissed = 3

// asked notes who asks for the protocol by which an operating system says that it accepts memory itself, and what was
// not there.
func (f *Firmware) asked(protocol uefi.GUID, there bool) {
	if protocol == uefi.MemoryAcceptanceProtocolGUID {
		f.negotiation.LookUp(f.caller())
	}
	if there {
		return
	}
	f.missed = append(slices.DeleteFunc(f.missed, func(m uefi.GUID) bool { return m == protocol }), protocol)
	if len(f.missed) > maxMissed {
		f.missed = f.missed[1:]
	}
}

// handleProtocol(Handle, *Protocol, **Interface)
//
// The specification makes it OpenProtocol by firmware's own image, of which there is no handle: it is not kept.
func (f *Firmware) handleProtocol(a args) error {
	return f.openProtocol(args{a[0], a[1], a[2], 0, 0, uefi.OpenProtocolByHandleProtocol})
}

// protocolsPerHandle(Handle, ***ProtocolBuffer, *ProtocolBufferCount)
func (f *Firmware) protocolsPerHandle(a args) error {
	h, ok := f.handles.find(a[0])
	if !ok || a[1] == 0 || a[2] == 0 {
		return invalidParameter
	}
	// The buffer holds pointers to GUIDs, which follow them.
	n := uint64(len(h.interfaces))
	buffer, err := f.takePool(uefi.BootServicesData, n*24)
	if err != nil {
		return err
	}
	b := make([]byte, n*24)
	for i, p := range h.interfaces {
		guid := n*8 + uint64(i)*16
		put64(b[i*8:], buffer+guid)
		copy(b[guid:], p.protocol[:])
	}
	if err := f.put(buffer, b); err != nil {
		return err
	}
	if err := f.store64(a[1], buffer); err != nil {
		return err
	}
	return f.store64(a[2], n)
}

// search returns the handles that a search is for. Of those that a registration is to be told of it is one at a time, and seen
// says that it has been.
func (f *Firmware) search(how, guidAt, key uint64) (ids []uint64, seen func(), err error) {
	seen = func() {}
	switch uint32(how) {
	case uefi.AllHandles:
		return f.handles.all(), seen, nil
	case uefi.ByProtocol:
		protocol, err := f.loadGUID(guidAt)
		if err != nil {
			return nil, nil, err
		}
		ids := f.handles.with(protocol)
		f.asked(protocol, len(ids) > 0)
		return ids, seen, nil
	case uefi.ByRegisterNotify:
		id, _, seen, err := f.next(key)
		if err == notFound {
			return nil, nil, nil
		}
		return []uint64{id}, seen, err
	}
	return nil, nil, invalidParameter
}

func encode(ids []uint64) []byte {
	var b []byte
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint64(b, id)
	}
	return b
}

// locateHandle(SearchType, *Protocol, *SearchKey, *BufferSize, *Buffer)
func (f *Firmware) locateHandle(a args) error {
	ids, seen, err := f.search(a[0], a[1], a[2])
	if err != nil {
		return err
	}
	size, err := f.load64(a[3])
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return notFound
	}
	b := encode(ids)
	if err := f.store64(a[3], uint64(len(b))); err != nil {
		return err
	}
	if size < uint64(len(b)) {
		return bufferTooSmall
	}
	if err := f.write(a[4], b); err != nil {
		return err
	}
	seen()
	return nil
}

// locateHandleBuffer(SearchType, *Protocol, *SearchKey, *NoHandles, **Buffer)
func (f *Firmware) locateHandleBuffer(a args) error {
	ids, seen, err := f.search(a[0], a[1], a[2])
	if err != nil {
		return err
	}
	if a[3] == 0 || a[4] == 0 {
		return invalidParameter
	}
	var buffer uint64
	if len(ids) > 0 {
		if buffer, err = f.putPool(uefi.BootServicesData, encode(ids)); err != nil {
			return err
		}
	}
	if err := f.store64(a[3], uint64(len(ids))); err != nil {
		return err
	}
	if err := f.store64(a[4], buffer); err != nil {
		return err
	}
	if len(ids) == 0 {
		return notFound
	}
	seen()
	return nil
}

// locateProtocol(*Protocol, *Registration, **Interface)
func (f *Firmware) locateProtocol(a args) error {
	if a[2] == 0 {
		return invalidParameter
	}
	protocol, err := f.loadGUID(a[0])
	if err != nil {
		return err
	}
	address, seen, err := f.first(protocol, a[1])
	if err == nil {
		f.asked(protocol, true)
		if err := f.store64(a[2], address); err != nil {
			return err
		}
		seen()
		return nil
	}
	if err != notFound {
		return err
	}
	f.asked(protocol, false)
	if err := f.store64(a[2], 0); err != nil {
		return err
	}
	return notFound
}

// first finds an interface of a protocol, or the one that a registration is to be told of next.
func (f *Firmware) first(protocol uefi.GUID, registration uint64) (address uint64, seen func(), err error) {
	if registration != 0 {
		_, address, seen, err = f.next(registration)
		return address, seen, err
	}
	for i := range f.handles.handles {
		if address, ok := f.handles.handles[i].find(protocol); ok {
			return address, func() {}, nil
		}
	}
	return 0, nil, notFound
}

// locateDevicePath(*Protocol, **DevicePath, *Device)
func (f *Firmware) locateDevicePath(a args) error {
	protocol, err := f.loadGUID(a[0])
	if err != nil {
		return err
	}
	start, err := f.load64(a[1])
	if err != nil {
		return err
	}
	path, err := f.loadPath(start)
	if err != nil {
		return err
	}
	best, length, err := f.matchPath(protocol, path)
	if err != nil {
		return err
	}
	if best == 0 {
		return notFound
	}
	if err := f.store64(a[2], best); err != nil {
		return err
	}
	return f.store64(a[1], start+uint64(length))
}
