package virtio

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/device/pci"
)

// Memory is the guest's memory as devices reach it. An error says why an access is refused; part of it may have been made.
type Memory interface {
	Read(gpa uint64, b []byte) error
	Write(gpa uint64, b []byte) error
}

// Timing is how long a request takes, in virtual nanoseconds.
type Timing struct {
	Request int64 // whatever it is
	KiB     int64 // and for each 1024 bytes that it moves
}

// Wiring is what a device needs of the machine.
type Wiring struct {
	Memory Memory
	Clock  device.Clock
	APICs  device.LocalAPICs
	Timing Timing
	Liar   Liar // the host, where its devices may lie to their drivers; nil where they do not
}

// A Liar decides what a device leaves in a used ring. Rules of the rings are for both sides, and nothing makes a device keep
// them.
type Liar interface {
	// Used is told of a request that is done, before the driver can see that it is. It returns what is put into the ring in
	// place of that.
	Used(r Ring, u Used) Used

	// Speaks says whether there is something that a network brings, and Packet is that, header and all (5.1.6); of one that does
	// not fit into the driver's buffer the beginning is left.
	Speaks() bool
	Packet() []byte
}

// A Ring is a queue as its driver has set it up: guest-physical addresses of its three parts, and its size.
type Ring struct {
	Desc, Driver, Device uint64
	Size                 uint16
	Packets              bool // what a network brings comes through it
}

// Used is an entry of the used ring (2.7.8), with the index of the ring that shows it to the driver.
type Used struct {
	ID, Length uint32
	Index      uint16 // of the next entry, once this one is there
}

// Traffic is what has gone through a device.
type Traffic struct {
	Requests     uint64
	Read         uint64 // bytes from the device to the guest
	Written      uint64 // bytes from the guest to the device
	Flushes      uint64
	Errors       uint64 // requests that the device has answered with an error
	Refused      uint64 // accesses to memory that were refused, and rules of the rings that were broken
	FirstError   string // what the first of these errors was; empty where there was none
	FirstRefusal string
}

// A kind is what a device does with requests.
type kind interface {
	id() uint16 // of the device type (5)
	features() uint64
	config() []byte // the device-specific configuration
	queues() int
	// serve does a request. It is not called for queues that take is false for: what is in them stays there.
	takes(queue int) bool
	serve(d *Device, queue int, c *chain)
}

// Features (6).
const (
	featureIndirect       = 1 << 28
	featureVersion1       = 1 << 32
	featureAccessPlatform = 1 << 33

	required = featureVersion1 | featureAccessPlatform
)

// Device status (2.1).
const (
	statusDriverOK   = 4
	statusFeaturesOK = 8
	statusNeedsReset = 64
)

// ISR status (4.1.4.5).
const (
	isrQueue  = 1
	isrConfig = 2
)

// A Device is one of virtio, in a PCI slot.
type Device struct {
	wiring   Wiring
	kind     kind
	function *pci.Function
	window   uint32 // where the capability for access through configuration space is

	deviceSelect, driverSelect uint32
	accepted                   uint64 // features that the driver has taken
	status, isr                uint8
	configVector, queueSelect  uint16
	queues                     []queue
	traffic                    Traffic
}

// vendor is virtio's on PCI; a device's identifier follows from its type (4.1.2.1).
const (
	vendor     = 0x1AF4
	firstPCIID = 0x1040
)

func newDevice(w Wiring, k kind, class uint32) *Device {
	d := &Device{wiring: w, kind: k, configVector: pci.NoVector, queues: make([]queue, k.queues())}
	d.function = pci.NewFunction(pci.Identity{
		Vendor: vendor, Device: firstPCIID + k.id(), SubsystemVendor: vendor, SubsystemDevice: 0x40, Class: class, Revision: 1,
	}, registers{d}, len(d.queues)+1, w.APICs)
	d.addCapabilities()
	d.reset()
	return d
}

// Function is the device as the bus sees it.
func (d *Device) Function() *pci.Function { return d.function }

// Traffic returns what has gone through the device so far.
func (d *Device) Traffic() Traffic { return d.traffic }

// reset is what a driver has a device do by writing 0 to its status (2.4).
func (d *Device) reset() {
	d.accepted, d.status, d.isr, d.configVector = 0, 0, 0, pci.NoVector
	d.deviceSelect, d.driverSelect, d.queueSelect = 0, 0, 0
	for i := range d.queues {
		d.queues[i] = queue{size: queueMax, vector: pci.NoVector}
	}
}

func (d *Device) offered() uint64 { return d.kind.features() | required | featureIndirect }

// setStatus takes what the driver writes to the device status. Features that the device cannot work with are refused by
// leaving FEATURES_OK off (3.1.1).
func (d *Device) setStatus(v uint8) {
	if v == 0 {
		d.reset()
		return
	}
	if v&statusFeaturesOK != 0 && (d.accepted&^d.offered() != 0 || d.accepted&required != required) {
		v &^= statusFeaturesOK
	}
	d.status = v | d.status&statusNeedsReset
	for i := range d.queues {
		d.kick(i) // what a driver has put there before
	}
}

// live says whether the device does anything.
func (d *Device) live() bool {
	const on = statusDriverOK | statusFeaturesOK
	return d.status&(on|statusNeedsReset) == on
}

// broken stops the device for a reason that the driver has given.
func (d *Device) broken(why error) {
	d.refused(why)
	d.status |= statusNeedsReset
	for i := range d.queues {
		d.queues[i].stage = idle
	}
	if d.status&statusDriverOK != 0 {
		d.isr |= isrConfig
		d.function.Interrupt(d.configVector)
	}
}

func (d *Device) refused(why error) {
	if d.traffic.Refused++; d.traffic.FirstRefusal == "" {
		d.traffic.FirstRefusal = text(why)
	}
}

// failed counts a request that is answered with an error.
func (d *Device) failed(why error) {
	if d.traffic.Errors++; d.traffic.FirstError == "" {
		d.traffic.FirstError = text(why)
	}
}

// text is an error in at most as many bytes as a saved machine has for it.
func text(err error) string {
	s := err.Error()
	return s[:min(len(s), maxText)]
}

// load and store are the device's own accesses to memory.
func (d *Device) load(gpa uint64, b []byte) error {
	if !d.function.Master() {
		return errNoMaster
	}
	return d.wiring.Memory.Read(gpa, b)
}

func (d *Device) store(gpa uint64, b []byte) error {
	if !d.function.Master() {
		return errNoMaster
	}
	return d.wiring.Memory.Write(gpa, b)
}

var errNoMaster = fmt.Errorf("the driver has not made the device a bus master")
