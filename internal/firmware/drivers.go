package firmware

import (
	"cmp"
	"slices"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/uefi"
)

// This file is ConnectController and DisconnectController (UEFI 2.10, section 7.3): drivers that programs have installed start and
// stop. Firmware has none of its own. A driver is asked by a call of its functions in the guest, so that what a service
// is to do next is data.

// A driving is how far a service has come that has drivers start or stop.
type driving struct {
	stops   []stop // what is left to stop, the next first
	stopped uint32 // how many have
	refused bool   // one has not

	controllers []uint64 // handles: those that drivers are to start on, and before them those that they have been looked for
	current     uint32   // of these
	bindings    []uint64 // the addresses of EFI_DRIVER_BINDING_PROTOCOLs that have not started on the current one
	next        uint32   // of these
	connected   bool     // one has started on the first controller

	asking question
	buffer uint64 // what is in the guest's memory for a driver to read; 0 for nothing
}

type question uint8

const (
	asksNothing question = iota
	asksSupported
	asksStart
	asksStop
)

// A stop is a driver that is to stop: the children first, and then the controller itself where that is wanted.
type stop struct {
	binding, controller uint64
	children            []uint64
	whole               bool
}

// maxBindings bounds how many drivers are asked of a controller.
const maxBindings = 256

// bindingMember reads a member of an EFI_DRIVER_BINDING_PROTOCOL.
func (f *Firmware) bindingMember(binding, offset uint64) (uint64, error) {
	return f.load64(binding + offset)
}

// bindings are the drivers in the order in which they are asked: those of handles that the caller names, then all others, of higher
// versions first.
func (f *Firmware) bindings(first []uint64) (addresses []uint64) {
	type driver struct {
		address uint64
		version uint32
		rank    int
	}
	var all []driver
	for _, id := range f.handles.with(uefi.DriverBindingProtocolGUID) {
		h, _ := f.handles.find(id)
		address, _ := h.find(uefi.DriverBindingProtocolGUID)
		version, err := f.bindingMember(address, uefi.DriverBindingVersion)
		if err != nil {
			continue // it cannot be asked
		}
		rank := slices.Index(first, id)
		if rank < 0 {
			rank = len(first)
		}
		all = append(all, driver{address, uint32(version), rank})
	}
	slices.SortStableFunc(all, func(a, b driver) int {
		if a.rank != b.rank || a.rank < len(first) {
			return cmp.Compare(a.rank, b.rank)
		}
		return cmp.Compare(b.version, a.version)
	})
	for _, d := range all[:min(len(all), maxBindings)] {
		addresses = append(addresses, d.address)
	}
	return addresses
}

// handleList reads a list of handles that ends with a null one.
func (f *Firmware) handleList(at uint64) (list []uint64, err error) {
	for ; at != 0; at += 8 {
		id, err := f.load64(at)
		if err != nil || id == 0 {
			return list, err
		}
		if list = append(list, id); len(list) > maxBindings {
			return nil, invalidParameter
		}
	}
	return list, nil
}

// connectController(ControllerHandle, *DriverImageHandle, *RemainingDevicePath, Recursive)
func (f *Firmware) connectController(a args) error {
	u := &f.unfinished
	if u.driving == nil {
		if _, ok := f.handles.find(a[0]); !ok {
			return invalidParameter
		}
		first, err := f.handleList(a[1])
		if err != nil {
			return err
		}
		u.driving = &driving{controllers: []uint64{a[0]}, bindings: f.bindings(first)}
	}
	d := u.driving
	if err := f.connect(d, a[2], byte(a[3]) != 0); err != nil {
		return err
	}
	if d.connected {
		return nil
	}
	if a[2] != 0 {
		var end [1]byte
		if err := f.read(a[2], end[:]); err != nil {
			return err
		}
		if end[0] == pathEnd { // no child was wanted
			return nil
		}
	}
	return notFound
}

// connect asks drivers until none of them wants a controller any more. The error is errAsked where one has been asked.
func (f *Firmware) connect(d *driving, remaining uint64, recursive bool) error {
	for int(d.current) < len(d.controllers) {
		controller := d.controllers[d.current]
		if d.current > 0 {
			remaining = 0
		}
		does := uefi.Status(f.unfinished.answer) == uefi.Success
		asked := d.asking
		d.asking = asksNothing
		switch {
		case asked == asksSupported && does:
			binding := d.bindings[d.next]
			d.bindings = slices.Delete(d.bindings, int(d.next), int(d.next)+1)
			if start, err := f.bindingMember(binding, uefi.DriverBindingStart); err == nil {
				d.asking = asksStart
				return f.ask(start, binding, controller, remaining)
			}
			continue
		case asked == asksSupported:
			d.next++
		case asked == asksStart:
			d.connected = d.connected || does && d.current == 0
			d.next = 0 // what it has made of the controller another may want
		}
		if _, ok := f.handles.find(controller); ok && int(d.next) < len(d.bindings) {
			binding := d.bindings[d.next]
			if supported, err := f.bindingMember(binding, uefi.DriverBindingSupported); err == nil {
				d.asking = asksSupported
				return f.ask(supported, binding, controller, remaining)
			}
			d.next++
			continue
		}
		f.nextController(d, recursive)
	}
	return nil
}

// nextController goes on with the next controller, to which children of this one are added.
func (f *Firmware) nextController(d *driving, recursive bool) {
	if h, ok := f.handles.find(d.controllers[d.current]); ok && recursive {
		for i := range h.interfaces {
			for _, o := range h.interfaces[i].opened {
				if o.attributes&ofChildren != 0 && len(d.controllers) < maxInterfaces && !slices.Contains(d.controllers, o.controller) {
					d.controllers = append(d.controllers, o.controller)
				}
			}
		}
	}
	d.current, d.next = d.current+1, 0
	if int(d.current) < len(d.controllers) {
		d.bindings = f.bindings(nil)
	}
}

// disconnectController(ControllerHandle, DriverImageHandle, ChildHandle)
func (f *Firmware) disconnectController(a args) error {
	u := &f.unfinished
	if u.driving == nil {
		for i, id := range a[:3] {
			if _, ok := f.handles.find(id); !ok && (i == 0 || id != 0) {
				return invalidParameter
			}
		}
		d := &driving{}
		for _, agent := range f.drivers(a[0]) {
			if a[1] == 0 || agent == a[1] {
				d.stops = append(d.stops, f.stopOf(a[0], agent, a[2])...)
			}
		}
		if len(d.stops) == 0 {
			if a[1] == 0 && a[2] == 0 {
				return nil // no driver manages it
			}
			return notFound
		}
		u.driving = d
	}
	if err := f.stop(u.driving); err != nil {
		return err
	}
	if u.driving.stopped == 0 {
		return notFound
	}
	return nil
}

// drivers are the agents of drivers that manage a controller.
func (f *Firmware) drivers(controller uint64) (agents []uint64) {
	h, _ := f.handles.find(controller)
	for i := range h.interfaces {
		for _, o := range h.interfaces[i].opened {
			if o.attributes&uefi.OpenProtocolByDriver != 0 && !slices.Contains(agents, o.agent) {
				agents = append(agents, o.agent)
			}
		}
	}
	return agents
}

// stopOf is how an agent's driver stops on a controller, or on one child of it alone; there is no way where the agent has no driver or
// the child is not its.
func (f *Firmware) stopOf(controller, agent, child uint64) []stop {
	by, ok := f.handles.find(agent)
	if !ok {
		return nil
	}
	binding, ok := by.find(uefi.DriverBindingProtocolGUID)
	if !ok {
		return nil
	}
	s := stop{binding: binding, controller: controller, whole: true}
	h, _ := f.handles.find(controller)
	for i := range h.interfaces {
		for _, o := range h.interfaces[i].opened {
			if o.attributes&ofChildren != 0 && o.agent == agent && !slices.Contains(s.children, o.controller) {
				s.children = append(s.children, o.controller)
			}
		}
	}
	if child != 0 {
		if !slices.Contains(s.children, child) {
			return nil
		}
		s.whole = len(s.children) == 1
		s.children = []uint64{child}
	}
	return []stop{s}
}

// stop stops drivers. The error is errAsked where one has been asked.
func (f *Firmware) stop(d *driving) error {
	for len(d.stops) > 0 {
		s := &d.stops[0]
		if d.asking == asksStop {
			d.asking = asksNothing
			if d.buffer != 0 {
				_ = f.returnPool(d.buffer) // where the driver has freed it, it is gone
				d.buffer = 0
			}
			stopped := uefi.Status(f.unfinished.answer) == uefi.Success
			if stopped && len(s.children) > 0 && s.whole {
				s.children = nil
			} else {
				if stopped {
					d.stopped++
				} else {
					d.refused = true
				}
				d.stops = d.stops[1:]
				continue
			}
		}
		function, err := f.bindingMember(s.binding, uefi.DriverBindingStop)
		if err != nil {
			d.refused, d.stops = true, d.stops[1:]
			continue
		}
		if len(s.children) > 0 {
			if d.buffer, err = f.putPool(uefi.BootServicesData, encode(s.children)); err != nil {
				return err
			}
		}
		d.asking = asksStop
		return f.ask(function, s.binding, s.controller, uint64(len(s.children)), d.buffer)
	}
	return nil
}

// free has the drivers that have an interface open give it up, as far as they do. The error is errAsked where one has been asked.
func (f *Firmware) free(controller uint64, interfaces ...*installed) error {
	u := &f.unfinished
	if u.driving == nil {
		d := &driving{}
		for _, i := range interfaces {
			for _, o := range i.opened {
				if o.attributes&uefi.OpenProtocolByDriver != 0 {
					d.stops = append(d.stops, f.stopOf(controller, o.agent, 0)...)
				}
			}
		}
		u.driving = d
	}
	return f.stop(u.driving)
}

func (d *driving) carry(s *state.Stream) {
	state.Slice(s, &d.stops, maxOpenings, func(t *stop) {
		state.Numbers(s, &t.binding, &t.controller)
		state.Slice(s, &t.children, maxOpenings, func(id *uint64) { state.Numbers(s, id) })
		s.Bool(&t.whole)
	})
	state.Numbers(s, &d.stopped, &d.current, &d.next)
	s.Bool(&d.refused, &d.connected)
	state.Slice(s, &d.controllers, maxInterfaces, func(id *uint64) { state.Numbers(s, id) })
	state.Slice(s, &d.bindings, maxBindings, func(at *uint64) { state.Numbers(s, at) })
	state.Numbers(s, &d.asking)
	state.Numbers(s, &d.buffer)
	s.Check(d.asking <= asksStop, "a driver that is asked for nothing that there is")
	s.Check(d.asking != asksSupported || int(d.next) < len(d.bindings), "a driver that is asked, and is not there")
}
