package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/uefi"
)

// This file keeps who has a protocol open: OpenProtocol, CloseProtocol and OpenProtocolInformation (UEFI 2.10, section 7.3).

// An opening is that of an interface by an agent, for a controller, in one way.
type opening struct {
	agent, controller uint64 // handles; 0 for none
	attributes        uint32
	count             uint32 // how often
}

const (
	maxOpenings = 4096 // in all

	ofDrivers  = uefi.OpenProtocolByDriver | uefi.OpenProtocolExclusive
	ofUsers    = ofDrivers | uefi.OpenProtocolByChildController
	ofChildren = uefi.OpenProtocolByChildController
)

// inUse says whether an interface is open in a way that keeps it from being taken away: the others are for looking at it.
func (i *installed) inUse() bool {
	return slices.ContainsFunc(i.opened, func(o opening) bool { return o.attributes&ofUsers != 0 })
}

// close forgets openings.
func (d *handleDatabase) close(i *installed, which func(opening) bool) (closed bool) {
	before := len(i.opened)
	i.opened = slices.DeleteFunc(i.opened, which)
	d.openings -= before - len(i.opened)
	return len(i.opened) < before
}

// closeAll forgets what an agent has open, which is gone.
func (d *handleDatabase) closeAll(agent uint64) {
	for h := range d.handles {
		for i := range d.handles[h].interfaces {
			d.close(&d.handles[h].interfaces[i], func(o opening) bool { return o.agent == agent })
		}
	}
}

// open enters an opening.
func (d *handleDatabase) open(i *installed, o opening) error {
	for at := range i.opened {
		if k := &i.opened[at]; k.agent == o.agent && k.controller == o.controller && k.attributes == o.attributes {
			k.count++
			return nil
		}
	}
	if d.openings >= maxOpenings {
		return outOfResources
	}
	o.count = 1
	i.opened = append(i.opened, o)
	d.openings++
	return nil
}

// openProtocol(Handle, *Protocol, **Interface, AgentHandle, ControllerHandle, Attributes)
//
// Where the agent is no handle the opening is not kept, as EDK2 has it.
func (f *Firmware) openProtocol(a args) error {
	o := opening{agent: a[3], controller: a[4], attributes: uint32(a[5])}
	_, agent := f.handles.find(o.agent)
	_, controller := f.handles.find(o.controller)
	looks := o.attributes == uefi.OpenProtocolTestProtocol // Interface is optional
	switch o.attributes {
	case uefi.OpenProtocolByHandleProtocol, uefi.OpenProtocolGetProtocol, uefi.OpenProtocolTestProtocol:
	case uefi.OpenProtocolByChildController:
		if !agent || !controller || a[0] == o.controller {
			return invalidParameter
		}
	case uefi.OpenProtocolByDriver, ofDrivers:
		if !agent || !controller {
			return invalidParameter
		}
	case uefi.OpenProtocolExclusive:
		if !agent {
			return invalidParameter
		}
	default:
		return invalidParameter
	}
	h, ok := f.handles.find(a[0])
	if !ok || a[2] == 0 && !looks {
		return invalidParameter
	}
	protocol, err := f.loadGUID(a[1])
	if err != nil {
		return err
	}
	i := h.of(protocol)
	f.asked(protocol, i != nil)
	if i == nil {
		if !looks {
			if err := f.store64(a[2], 0); err != nil {
				return err
			}
		}
		return unsupported
	}
	refused := i.refuses(o)
	if f.unfinished.driving != nil || refused == accessDenied && o.attributes&uefi.OpenProtocolExclusive != 0 && !i.exclusive() {
		if err := f.free(a[0], i); err != nil { // drivers make room
			return err
		}
		refused = i.refuses(o)
	}
	if refused != nil && refused != alreadyStarted {
		return refused
	}
	if !looks {
		if err := f.store64(a[2], i.address); err != nil {
			return err
		}
	}
	if refused != nil || !agent {
		return refused
	}
	return f.handles.open(i, o)
}

// refuses says why an interface cannot be opened: for a driver that is not alone.
func (i *installed) refuses(o opening) error {
	for _, k := range i.opened {
		switch {
		case o.attributes&ofDrivers == 0:
		case k.attributes&uefi.OpenProtocolByDriver != 0 && k.agent == o.agent && k.controller == o.controller && k.attributes == o.attributes:
			return alreadyStarted
		case k.attributes&uefi.OpenProtocolExclusive != 0, k.attributes&uefi.OpenProtocolByDriver != 0:
			return accessDenied
		}
	}
	return nil
}

// exclusive says whether somebody has the interface for himself.
func (i *installed) exclusive() bool {
	return slices.ContainsFunc(i.opened, func(o opening) bool { return o.attributes&uefi.OpenProtocolExclusive != 0 })
}

// closeProtocol(Handle, *Protocol, AgentHandle, ControllerHandle)
func (f *Firmware) closeProtocol(a args) error {
	agent, controller := a[2], a[3]
	if _, ok := f.handles.find(agent); !ok {
		return invalidParameter
	}
	if _, ok := f.handles.find(controller); !ok && controller != 0 {
		return invalidParameter
	}
	i, err := f.installedOn(a[0], a[1])
	if err != nil {
		return err
	}
	if i == nil || !f.handles.close(i, func(o opening) bool { return o.agent == agent && o.controller == controller }) {
		return notFound
	}
	return nil
}

// installedOn finds a protocol's interface on a handle; nil where the handle has none.
func (f *Firmware) installedOn(id, guidAt uint64) (*installed, error) {
	h, ok := f.handles.find(id)
	if !ok {
		return nil, invalidParameter
	}
	protocol, err := f.loadGUID(guidAt)
	if err != nil {
		return nil, err
	}
	return h.of(protocol), nil
}

// openProtocolInformation(Handle, *Protocol, **EntryBuffer, *EntryCount)
func (f *Firmware) openProtocolInformation(a args) error {
	if a[2] == 0 || a[3] == 0 {
		return invalidParameter
	}
	i, err := f.installedOn(a[0], a[1])
	if err != nil {
		return err
	}
	if i == nil {
		return notFound
	}
	b := make([]byte, len(i.opened)*uefi.OpenProtocolInformationSize)
	for n, o := range i.opened {
		e := b[n*uefi.OpenProtocolInformationSize:]
		put64(e[uefi.OpenProtocolInformationAgentHandle:], o.agent)
		put64(e[uefi.OpenProtocolInformationControllerHandle:], o.controller)
		put32(e[uefi.OpenProtocolInformationAttributes:], o.attributes)
		put32(e[uefi.OpenProtocolInformationOpenCount:], o.count)
	}
	buffer, err := f.putPool(uefi.BootServicesData, b)
	if err != nil {
		return err
	}
	if err := f.store64(a[2], buffer); err != nil {
		return err
	}
	return f.store64(a[3], uint64(len(i.opened)))
}
