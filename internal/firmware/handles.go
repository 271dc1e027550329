package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/uefi"
)

// A handleDatabase is what UEFI 2.10, section 7.3 is about: handles, each a set of protocol interfaces.
type handleDatabase struct {
	handles   []handle // in the order of their creation, which is that of their numbers
	created   uint64
	installed uint64 // interfaces, so far
	pieces    int    // interfaces in all
	openings  int    // of them, in all
}

type handle struct {
	id         uint64 // what the guest holds
	interfaces []installed
}

type protocolInterface struct {
	protocol uefi.GUID
	address  uint64
}

// An installed interface is one on a handle.
type installed struct {
	protocolInterface
	serial uint64 // the how manyth that has been installed, or installed again
	opened []opening
}

const (
	handleBase    = 0x7AC1_0000_0000_0000 // not canonical: a guest that takes a handle for a pointer faults
	maxInterfaces = 4096                  // in all; so there are not more handles either
)

func (d *handleDatabase) find(id uint64) (*handle, bool) {
	i, ok := slices.BinarySearchFunc(d.handles, id, func(h handle, id uint64) int {
		switch {
		case h.id < id:
			return -1
		case h.id > id:
			return 1
		}
		return 0
	})
	if !ok {
		return nil, false
	}
	return &d.handles[i], true
}

func (h *handle) find(protocol uefi.GUID) (address uint64, ok bool) {
	if p := h.of(protocol); p != nil {
		return p.address, true
	}
	return 0, false
}

// of returns the interface of a protocol; nil where the handle has none.
func (h *handle) of(protocol uefi.GUID) *installed {
	for i := range h.interfaces {
		if h.interfaces[i].protocol == protocol {
			return &h.interfaces[i]
		}
	}
	return nil
}

// index is where an interface is among the handle's, or -1.
func (h *handle) index(p protocolInterface) int {
	return slices.IndexFunc(h.interfaces, func(i installed) bool { return i.protocolInterface == p })
}

// install adds an interface to the handle id, or to a new one where id is 0, and returns the handle.
func (d *handleDatabase) install(id uint64, protocol uefi.GUID, address uint64) (uint64, error) {
	if d.pieces >= maxInterfaces {
		return 0, outOfResources
	}
	if id == 0 {
		d.created++
		id = handleBase + d.created
		d.handles = append(d.handles, handle{id: id})
	}
	h, ok := d.find(id)
	if !ok {
		return 0, invalidParameter
	}
	if _, ok := h.find(protocol); ok {
		return 0, invalidParameter
	}
	d.installed++
	h.interfaces = append(h.interfaces, installed{protocolInterface: protocolInterface{protocol, address}, serial: d.installed})
	d.pieces++
	return id, nil
}

// uninstall removes an interface, and the handle with its last one.
func (d *handleDatabase) uninstall(id uint64, protocol uefi.GUID, address uint64) error {
	h, ok := d.find(id)
	if !ok {
		return invalidParameter
	}
	i := h.index(protocolInterface{protocol, address})
	if i < 0 {
		return notFound
	}
	d.openings -= len(h.interfaces[i].opened)
	h.interfaces = slices.Delete(h.interfaces, i, i+1)
	d.pieces--
	if len(h.interfaces) == 0 {
		d.handles = slices.DeleteFunc(d.handles, func(h handle) bool { return h.id == id })
	}
	return nil
}

// with returns the handles that have the protocol.
func (d *handleDatabase) with(protocol uefi.GUID) []uint64 {
	var ids []uint64
	for i := range d.handles {
		if _, ok := d.handles[i].find(protocol); ok {
			ids = append(ids, d.handles[i].id)
		}
	}
	return ids
}

func (d *handleDatabase) all() []uint64 {
	ids := make([]uint64, len(d.handles))
	for i := range d.handles {
		ids[i] = d.handles[i].id
	}
	return ids
}

// installProtocolInterface(*Handle, *Protocol, InterfaceType, *Interface)
func (f *Firmware) installProtocolInterface(a args) error {
	at, nativeInterface := a[0], uint32(0)
	id, err := f.load64(at)
	if err != nil {
		return err
	}
	protocol, err := f.loadGUID(a[1])
	if err != nil {
		return err
	}
	if uint32(a[2]) != nativeInterface {
		return invalidParameter
	}
	if id, err = f.install(id, protocol, a[3]); err != nil {
		return err
	}
	return f.store64(at, id)
}

// install adds an interface, and tells those who have asked to be told.
func (f *Firmware) install(id uint64, protocol uefi.GUID, address uint64) (uint64, error) {
	id, err := f.handles.install(id, protocol, address)
	if err == nil {
		f.announce(protocol)
	}
	return id, err
}

// reinstallProtocolInterface(Handle, *Protocol, *OldInterface, *NewInterface): drivers give it up, and are asked again.
func (f *Firmware) reinstallProtocolInterface(a args) error {
	u := &f.unfinished
	if !u.started {
		i, err := f.toTake(a[0], a[1], a[2])
		if err != nil {
			return err
		}
		f.handles.close(i, func(opening) bool { return true }) // they only look
		f.handles.installed++
		i.address, i.serial = a[3], f.handles.installed
		f.announce(i.protocol)
		u.started, u.driving = true, &driving{controllers: []uint64{a[0]}, bindings: f.bindings(nil)}
	}
	return f.connect(u.driving, 0, true)
}

// uninstallProtocolInterface(Handle, *Protocol, *Interface)
func (f *Firmware) uninstallProtocolInterface(a args) error {
	i, err := f.toTake(a[0], a[1], a[2])
	if err != nil {
		return err
	}
	return f.handles.uninstall(a[0], i.protocol, i.address)
}

// toTake finds an interface that is to be taken away, when drivers have given it up.
func (f *Firmware) toTake(id, guidAt, address uint64) (*installed, error) {
	i, err := f.installedOn(id, guidAt)
	switch {
	case err != nil:
		return nil, err
	case i == nil || i.address != address:
		return nil, notFound
	case f.unfinished.driving == nil && !i.inUse():
		return i, nil
	}
	if err := f.free(id, i); err != nil {
		return nil, err
	}
	if i.inUse() {
		return nil, accessDenied
	}
	return i, nil
}

// maxPairs bounds the argument list of the two services below.
const maxPairs = 64

// pairs reads protocols and interfaces from a variable list of arguments that begins with the service's second one and
// ends with a null pointer.
func (f *Firmware) pairs(a args) ([]protocolInterface, error) {
	argument := func(i int) (uint64, error) {
		if i < registerArgs {
			return a[i], nil
		}
		return f.load64(f.cpu.GPR()[rsp] + 8 + 8*uint64(i))
	}
	var list []protocolInterface
	for i := 1; len(list) < maxPairs; i += 2 {
		at, err := argument(i)
		if err != nil {
			return nil, err
		}
		if at == 0 {
			return list, nil
		}
		protocol, err := f.loadGUID(at)
		if err != nil {
			return nil, err
		}
		address, err := argument(i + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, protocolInterface{protocol, address})
	}
	return nil, invalidParameter
}

// installMultipleProtocolInterfaces(*Handle, {*Protocol, *Interface}…, NULL) installs all or none.
func (f *Firmware) installMultipleProtocolInterfaces(a args) error {
	id, err := f.load64(a[0])
	if err != nil {
		return err
	}
	list, err := f.pairs(a)
	if err != nil {
		return err
	}
	h, ok := f.handles.find(id)
	if !ok && id != 0 {
		return invalidParameter
	}
	for i, p := range list {
		known := slices.ContainsFunc(list[:i], func(q protocolInterface) bool { return q.protocol == p.protocol })
		if h != nil && !known {
			_, known = h.find(p.protocol)
		}
		if known {
			return invalidParameter
		}
		if p.protocol == uefi.DevicePathProtocolGUID {
			if err := f.newPath(p.address); err != nil {
				return err
			}
		}
	}
	if f.handles.pieces+len(list) > maxInterfaces {
		return outOfResources
	}
	for _, p := range list {
		if id, err = f.install(id, p.protocol, p.address); err != nil {
			return err
		}
	}
	return f.store64(a[0], id)
}

// uninstallMultipleProtocolInterfaces(Handle, {*Protocol, *Interface}…, NULL) uninstalls all or none.
func (f *Firmware) uninstallMultipleProtocolInterfaces(a args) error {
	list, err := f.pairs(a)
	if err != nil {
		return err
	}
	h, ok := f.handles.find(a[0])
	if !ok {
		return invalidParameter
	}
	var all []*installed
	for i, p := range list {
		at := h.index(p)
		if at < 0 || slices.Contains(list[:i], p) {
			return invalidParameter
		}
		all = append(all, &h.interfaces[at])
	}
	if f.unfinished.driving != nil || slices.ContainsFunc(all, (*installed).inUse) {
		if err := f.free(a[0], all...); err != nil {
			return err
		}
		if slices.ContainsFunc(all, (*installed).inUse) {
			return invalidParameter
		}
	}
	for _, p := range list {
		if err := f.handles.uninstall(a[0], p.protocol, p.address); err != nil {
			return err
		}
	}
	return nil
}
