package firmware

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// A bench is a machine with drivers that write down what they are asked. Their functions are at made-up addresses.
type bench struct {
	*machine
	said  []string
	codes uint64
}

// A testDriver manages controllers that have a protocol, and opens that.
type testDriver struct {
	name     string
	protocol uint64 // the address of its GUID
	handle   uint64
	refuses  bool // to stop

	onStart func(controller uint64)
	onStop  func(controller uint64, children []uint64)
}

func (b *bench) function(f func(this, controller uint64) uint64) uint64 {
	b.codes += 0x100
	b.functions[codeAddress+b.codes] = f
	return codeAddress + b.codes
}

// add installs a driver's binding protocol.
func (b *bench) add(d *testDriver, version uint32) *testDriver {
	b.Helper()
	say := func(what string, controller uint64) {
		b.said = append(b.said, fmt.Sprintf("%s %s %d", d.name, what, controller-handleBase))
	}
	at := b.room(uefi.DriverBindingSize / 8)
	for offset, f := range map[uint64]func(this, controller uint64) uint64{
		uefi.DriverBindingSupported: func(_, controller uint64) uint64 {
			say("supports?", controller)
			return uint64(b.boots(uefi.BSOpenProtocol, controller, d.protocol, b.gpr[rsp]-0x40, d.handle, controller, uefi.OpenProtocolTestProtocol))
		},
		uefi.DriverBindingStart: func(_, controller uint64) uint64 {
			say("starts", controller)
			s := b.boots(uefi.BSOpenProtocol, controller, d.protocol, b.gpr[rsp]-0x40, d.handle, controller, uefi.OpenProtocolByDriver)
			if s == uefi.Success && d.onStart != nil {
				d.onStart(controller)
			}
			return uint64(s)
		},
		uefi.DriverBindingStop: func(_, controller uint64) uint64 {
			var children []uint64
			for i := range b.gpr[r8] {
				children = append(children, b.word(b.gpr[r9]+8*i))
			}
			say(fmt.Sprintf("stops %d of", len(children)), controller)
			if d.refuses {
				return uint64(uefi.DeviceError)
			}
			if d.onStop != nil {
				d.onStop(controller, children)
			}
			if len(children) > 0 {
				return 0
			}
			return uint64(b.boots(uefi.BSCloseProtocol, controller, d.protocol, d.handle, controller))
		},
	} {
		b.putWord(at+offset, b.function(f))
	}
	b.putWord(at+uefi.DriverBindingVersion, uint64(version))
	d.handle = b.install(uefi.DriverBindingProtocolGUID, at)
	return d
}

func (b *bench) install(protocol uefi.GUID, address uint64) uint64 {
	b.Helper()
	h := b.room(1)
	b.wants(uefi.Success, uefi.BSInstallProtocolInterface, h, b.guid(protocol), 0, address)
	return b.word(h)
}

// heard compares what drivers were asked since the last time.
func (b *bench) heard(want ...string) {
	b.Helper()
	if !slices.Equal(b.said, want) {
		b.Errorf("drivers were asked %q, want %q", b.said, want)
	}
	b.said = nil
}

// Drivers are asked in the specification's order, start on a controller and on its children, and stop, the children first.
func TestDrivers(t *testing.T) {
	b := &bench{machine: newMachine(t, nil)}
	pa, pb := b.guid(protocolA), b.guid(protocolB)
	controller := b.install(protocolA, 0x1111)
	n := controller - handleBase
	var child uint64
	bus := &testDriver{name: "bus", protocol: pa}
	bus.onStart = func(controller uint64) {
		child = b.install(protocolB, 0x2222)
		b.wants(uefi.Success, uefi.BSOpenProtocol, controller, pa, b.room(1), bus.handle, child, uefi.OpenProtocolByChildController)
	}
	bus.onStop = func(controller uint64, children []uint64) {
		for _, c := range children {
			b.wants(uefi.Success, uefi.BSCloseProtocol, controller, pa, bus.handle, c)
			b.wants(uefi.Success, uefi.BSUninstallProtocolInterface, c, pb, 0x2222)
		}
	}
	b.wants(uefi.NotFound, uefi.BSConnectController, controller, 0, 0, 0) // there are no drivers
	b.wants(uefi.InvalidParameter, uefi.BSConnectController, controller+100, 0, 0, 0)
	b.add(bus, 5)
	leaf := b.add(&testDriver{name: "leaf", protocol: pb}, 9)
	old := b.add(&testDriver{name: "old", protocol: b.guid(protocolC)}, 1)

	said := func(format string, id uint64) string { return fmt.Sprintf(format, id) }
	b.wants(uefi.Success, uefi.BSConnectController, controller, 0, 0, 0)
	b.heard(said("leaf supports? %d", n), said("bus supports? %d", n), said("bus starts %d", n), said("leaf supports? %d", n), said("old supports? %d", n))
	first := child - handleBase
	b.wants(uefi.NotFound, uefi.BSConnectController, controller, b.alloc(encode([]uint64{old.handle, 0})), 0, 1)
	b.heard(said("old supports? %d", n), said("leaf supports? %d", n), said("bus supports? %d", n), said("bus starts %d", n), // it has started
		said("old supports? %d", n), said("leaf supports? %d", n),
		said("leaf supports? %d", first), said("leaf starts %d", first), said("bus supports? %d", first), said("old supports? %d", first))
	b.wants(uefi.Success, uefi.BSConnectController, controller, 0, b.alloc([]byte{pathEnd, pathEndOfWhole, 4, 0}), 0) // no child is wanted
	b.said = nil

	b.wants(uefi.InvalidParameter, uefi.BSDisconnectController, controller, 1, 0)
	b.wants(uefi.NotFound, uefi.BSDisconnectController, controller, old.handle, 0)
	b.wants(uefi.NotFound, uefi.BSDisconnectController, controller, 0, old.handle) // no child
	b.heard()
	b.wants(uefi.Success, uefi.BSDisconnectController, controller, bus.handle, 0) // which takes the child from its driver
	b.heard(said("bus stops 1 of %d", n), said("leaf stops 0 of %d", first), said("bus stops 0 of %d", n))
	if left := b.openings(controller, pa); len(left) != 0 {
		t.Errorf("%+v are open", left)
	}
	b.wants(uefi.Success, uefi.BSDisconnectController, controller, 0, 0) // again
	b.heard()

	// A child alone, which is the only one.
	b.wants(uefi.Success, uefi.BSConnectController, controller, 0, 0, 0)
	b.said = nil
	b.wants(uefi.Success, uefi.BSDisconnectController, controller, 0, child)
	b.heard(said("bus stops 1 of %d", n), said("bus stops 0 of %d", n))
	if b.unfinished.driving != nil || leaf.refuses || len(b.frames) != 1 {
		t.Error("something is unfinished")
	}
}

// A driver makes room for who wants an interface for himself, or wants to take it away; and where it does not, it stays.
func TestDriversMakeRoom(t *testing.T) {
	b := &bench{machine: newMachine(t, nil)}
	pa, at := b.guid(protocolA), b.room(1)
	controller := b.install(protocolA, 0x1111)
	n := controller - handleBase
	d := b.add(&testDriver{name: "driver", protocol: pa}, 1)
	user := b.install(protocolB, 0)
	stops := fmt.Sprintf("driver stops 0 of %d", n)
	connect := func() {
		b.Helper()
		b.wants(uefi.Success, uefi.BSConnectController, controller, 0, 0, 0)
		b.said = nil
	}

	connect()
	b.wants(uefi.Success, uefi.BSOpenProtocol, controller, pa, at, user, 0, uefi.OpenProtocolExclusive)
	b.heard(stops)
	b.wants(uefi.Success, uefi.BSCloseProtocol, controller, pa, user, 0)

	connect()
	b.wants(uefi.Success, uefi.BSReinstallProtocolInterface, controller, pa, 0x1111, 0x3333)
	b.heard(stops, fmt.Sprintf("driver supports? %d", n), fmt.Sprintf("driver starts %d", n))

	d.refuses = true
	b.wants(uefi.AccessDenied, uefi.BSOpenProtocol, controller, pa, at, user, 0, uefi.OpenProtocolExclusive)
	b.wants(uefi.AccessDenied, uefi.BSUninstallProtocolInterface, controller, pa, 0x3333)
	b.wants(uefi.InvalidParameter, uefi.BSUninstallMultipleProtocolInterfaces, controller, pa, 0x3333, 0)
	b.wants(uefi.AccessDenied, uefi.BSReinstallProtocolInterface, controller, pa, 0x3333, 1)
	b.wants(uefi.NotFound, uefi.BSDisconnectController, controller, 0, 0)
	b.heard(stops, stops, stops, stops, stops)

	d.refuses = false
	b.wants(uefi.Success, uefi.BSUninstallMultipleProtocolInterfaces, controller, pa, 0x3333, 0)
	b.heard(stops)
	b.wants(uefi.InvalidParameter, uefi.BSConnectController, controller, 0, 0, 0) // it is gone
}

// An image that stays is asked before it is unloaded.
func TestUnloadAsks(t *testing.T) {
	b := &bench{machine: newMachine(t, nil)}
	at, file := b.room(1), testImage(func(p *peImage) { p.subsystem = 11 }) // a driver for boot services
	b.wants(uefi.Success, uefi.BSLoadImage, 0, b.images[0].handle, 0, b.alloc(file), uint64(len(file)), at)
	image := b.word(at)
	loaded := b.Firmware.image(image).loaded
	b.functions[b.Firmware.image(image).entry] = func(uint64, uint64) uint64 {
		b.wants(uefi.Unsupported, uefi.BSUnloadImage, image) // it runs
		return 0
	}
	b.wants(uefi.Success, uefi.BSStartImage, image, 0, 0)
	b.wants(uefi.Unsupported, uefi.BSUnloadImage, image) // it has no function for that
	answer, asked := uint64(uefi.AccessDenied), 0
	b.putWord(loaded+uefi.LoadedImageUnload, b.function(func(handle, _ uint64) uint64 {
		if asked++; handle != image {
			t.Errorf("it is to unload %#x", handle)
		}
		return answer
	}))
	b.wants(uefi.AccessDenied, uefi.BSUnloadImage, image)
	if b.Firmware.image(image) == nil {
		t.Error("it has been unloaded against its will")
	}
	answer = 0
	b.wants(uefi.Success, uefi.BSUnloadImage, image)
	if asked != 2 || b.Firmware.image(image) != nil {
		t.Errorf("it has been asked %d times, and is there: %v", asked, b.Firmware.image(image) != nil)
	}
}
