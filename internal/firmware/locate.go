package firmware

import (
	"encoding/binary"
	"slices"

	"github.com/tacit-vm/tacit/uefi"
)

// This file finds protocols. There are no drivers and no controllers: a program that opens a protocol gets it, and who has it
// open is not kept.

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
func (f *Firmware) handleProtocol(a args) error { return f.lookUp(a[0], a[1], a[2]) }

// interfaceOf finds a protocol's interface on a handle; ok is false where the handle has none.
func (f *Firmware) interfaceOf(id, guidAt uint64) (protocol uefi.GUID, address uint64, ok bool, err error) {
	h, known := f.handles.find(id)
	if !known {
		return protocol, 0, false, invalidParameter
	}
	if protocol, err = f.loadGUID(guidAt); err == nil {
		address, ok = h.find(protocol)
	}
	return protocol, address, ok, err
}

func (f *Firmware) lookUp(id, guidAt, at uint64) error {
	if at == 0 {
		return invalidParameter
	}
	protocol, address, ok, err := f.interfaceOf(id, guidAt)
	if err != nil {
		return err
	}
	f.asked(protocol, ok)
	if !ok {
		if err := f.store64(at, 0); err != nil {
			return err
		}
		return unsupported
	}
	return f.store64(at, address)
}

// openProtocol(Handle, *Protocol, **Interface, AgentHandle, ControllerHandle, Attributes)
func (f *Firmware) openProtocol(a args) error {
	switch uint32(a[5]) {
	case uefi.OpenProtocolTestProtocol: // Interface is optional
		protocol, _, ok, err := f.interfaceOf(a[0], a[1])
		if err == nil && !ok {
			f.asked(protocol, false)
			err = unsupported
		}
		return err
	case uefi.OpenProtocolByHandleProtocol, uefi.OpenProtocolGetProtocol, uefi.OpenProtocolByChildController,
		uefi.OpenProtocolByDriver, uefi.OpenProtocolExclusive, uefi.OpenProtocolByDriver | uefi.OpenProtocolExclusive:
		return f.lookUp(a[0], a[1], a[2])
	}
	return invalidParameter
}

// closeProtocol(Handle, *Protocol, AgentHandle, ControllerHandle)
func (f *Firmware) closeProtocol(a args) error {
	_, _, ok, err := f.interfaceOf(a[0], a[1])
	if err == nil && !ok {
		err = notFound
	}
	return err
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

// search returns the handles that a search is for.
func (f *Firmware) search(how, guidAt uint64) ([]uint64, error) {
	switch uint32(how) {
	case uefi.AllHandles:
		return f.handles.all(), nil
	case uefi.ByProtocol:
		protocol, err := f.loadGUID(guidAt)
		if err != nil {
			return nil, err
		}
		ids := f.handles.with(protocol)
		f.asked(protocol, len(ids) > 0)
		return ids, nil
	case uefi.ByRegisterNotify:
		return nil, nil // RegisterProtocolNotify is not offered
	}
	return nil, invalidParameter
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
	ids, err := f.search(a[0], a[1])
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
	return f.write(a[4], b)
}

// locateHandleBuffer(SearchType, *Protocol, *SearchKey, *NoHandles, **Buffer)
func (f *Firmware) locateHandleBuffer(a args) error {
	ids, err := f.search(a[0], a[1])
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
	for i := range f.handles.handles {
		if address, ok := f.handles.handles[i].find(protocol); ok && a[1] == 0 {
			f.asked(protocol, true)
			return f.store64(a[2], address)
		}
	}
	f.asked(protocol, false)
	if err := f.store64(a[2], 0); err != nil {
		return err
	}
	return notFound
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

// connectController(ControllerHandle, *DriverImageHandle, *RemainingDevicePath, Recursive)
func (f *Firmware) connectController(a args) error {
	if _, ok := f.handles.find(a[0]); !ok {
		return invalidParameter
	}
	return notFound // no driver wants it
}

// disconnectController(ControllerHandle, DriverImageHandle, ChildHandle)
func (f *Firmware) disconnectController(a args) error {
	if _, ok := f.handles.find(a[0]); !ok {
		return invalidParameter
	}
	return nil // no driver manages it
}
