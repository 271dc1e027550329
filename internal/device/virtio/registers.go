package virtio

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/device/pci"
)

// Where the parts of a device's registers are in its BAR, a page each so that a guest can map them apart, and the
// capabilities that say so (4.1.4).
const (
	commonAt = 0x0000
	isrAt    = 0x1000
	deviceAt = 0x2000
	notifyAt = 0x3000
	partSize = 0x1000

	notifyMultiplier = 4

	capVendor    = 0x09
	typeCommon   = 1
	typeNotify   = 2
	typeISR      = 3
	typeDevice   = 4
	typePCI      = 5
	capBar       = 4 // offsets in a capability
	capOffset    = 8
	capLength    = 12
	capData      = 16 // of typePCI
	commonLength = 56
)

// addCapabilities says where the parts are.
func (d *Device) addCapabilities() {
	add := func(kind uint8, offset, length uint32, extra, writable []byte) uint32 {
		body := make([]byte, 14, 18) // without the two bytes that all capabilities begin with
		body[0], body[1] = byte(16+len(extra)), kind
		binary.LittleEndian.PutUint32(body[capOffset-2:], offset)
		binary.LittleEndian.PutUint32(body[capLength-2:], length)
		return d.function.AddCapability(capVendor, append(body, extra...), writable)
	}
	le := binary.LittleEndian
	add(typeCommon, commonAt, commonLength, nil, nil)
	add(typeNotify, notifyAt, uint32(len(d.queues)*notifyMultiplier), le.AppendUint32(nil, notifyMultiplier), nil)
	add(typeISR, isrAt, 1, nil, nil)
	if n := len(d.kind.config()); n > 0 {
		add(typeDevice, deviceAt, uint32(n), nil, nil)
	}
	writable := make([]byte, 18)
	for i := range writable {
		if i >= capOffset-2 || i == capBar-2 {
			writable[i] = 0xFF
		}
	}
	d.window = add(typePCI, 0, 0, make([]byte, 4), writable)
	d.function.OnConfig(d.window+capData, d.throughConfig)
}

// throughConfig makes the access to the registers that a driver makes by the window in configuration space (4.1.4.9).
func (d *Device) throughConfig(write bool, size int) {
	le, c := binary.LittleEndian, d.function.Config(d.window)
	offset, length := le.Uint32(c[capOffset:]), le.Uint32(c[capLength:])
	if c[capBar] != 0 || length != 1 && length != 2 && length != 4 || offset%length != 0 || size > int(length) {
		return
	}
	if write {
		d.function.Access().Write(uint64(offset), int(length), uint64(le.Uint32(c[capData:])&(1<<(8*length)-1)))
		return
	}
	le.PutUint32(c[capData:], uint32(d.function.Access().Read(uint64(offset), int(length))))
}

// registers are the device's parts in its BAR.
type registers struct{ *Device }

// Read implements [device.MemoryDevice].
func (r registers) Read(offset uint64, size int) uint64 {
	var b []byte
	switch at := offset % partSize; offset - at {
	case commonAt:
		b = r.common()
	case isrAt:
		if at != 0 {
			return 0
		}
		isr := r.isr
		r.isr = 0
		return uint64(isr)
	case deviceAt:
		b = r.kind.config()
	}
	var v [8]byte
	if at := offset % partSize; at < uint64(len(b)) {
		copy(v[:size], b[at:])
	}
	return binary.LittleEndian.Uint64(v[:])
}

// Write implements [device.MemoryDevice]. There is nothing to write in the configurations of devices here.
func (r registers) Write(offset uint64, size int, value uint64) {
	switch at := offset % partSize; offset - at {
	case commonAt:
		r.setCommon(at, size, value)
	case notifyAt:
		if n := at / notifyMultiplier; n < uint64(len(r.queues)) {
			r.kick(int(n))
		}
	}
}

// Offsets in the common configuration (4.1.4.3).
const (
	deviceFeatureSelect = 0
	deviceFeature       = 4
	driverFeatureSelect = 8
	driverFeature       = 12
	configMSIXVector    = 16
	numQueues           = 18
	deviceStatus        = 20
	queueSelect         = 22
	queueSize           = 24
	queueMSIXVector     = 26
	queueEnable         = 28
	queueNotifyOff      = 30
	queueDesc           = 32
	queueDriver         = 40
	queueDevice         = 48
)

// common is the common configuration as it reads.
func (d *Device) common() []byte {
	le, b := binary.LittleEndian, make([]byte, commonLength)
	le.PutUint32(b[deviceFeatureSelect:], d.deviceSelect)
	le.PutUint32(b[deviceFeature:], half(d.offered(), d.deviceSelect))
	le.PutUint32(b[driverFeatureSelect:], d.driverSelect)
	le.PutUint32(b[driverFeature:], half(d.accepted, d.driverSelect))
	le.PutUint16(b[configMSIXVector:], d.configVector)
	le.PutUint16(b[numQueues:], uint16(len(d.queues)))
	b[deviceStatus] = d.status
	le.PutUint16(b[queueSelect:], d.queueSelect)
	if q := d.selected(); q != nil {
		le.PutUint16(b[queueSize:], q.size)
		le.PutUint16(b[queueMSIXVector:], q.vector)
		if q.enabled {
			b[queueEnable] = 1
		}
		le.PutUint16(b[queueNotifyOff:], d.queueSelect)
		le.PutUint64(b[queueDesc:], q.desc)
		le.PutUint64(b[queueDriver:], q.driver)
		le.PutUint64(b[queueDevice:], q.device)
	}
	return b
}

// half is one of the two words of features that there are.
func half(features uint64, which uint32) uint32 {
	if which > 1 {
		return 0
	}
	return uint32(features >> (32 * which))
}

// selected is the queue that the driver speaks of; nil where there is none of that number.
func (d *Device) selected() *queue {
	if int(d.queueSelect) >= len(d.queues) {
		return nil
	}
	return &d.queues[d.queueSelect]
}

// setCommon takes a write of one whole field, or of a half of one of 8 bytes.
func (d *Device) setCommon(at uint64, size int, value uint64) {
	switch {
	case at == deviceFeatureSelect && size == 4:
		d.deviceSelect = uint32(value)
	case at == driverFeatureSelect && size == 4:
		d.driverSelect = uint32(value)
	case at == driverFeature && size == 4:
		if d.driverSelect <= 1 && d.status&statusFeaturesOK == 0 {
			shift := 32 * d.driverSelect
			d.accepted = d.accepted&^(0xFFFF_FFFF<<shift) | value<<shift
		}
	case at == configMSIXVector && size == 2:
		d.configVector = d.vector(value)
	case at == deviceStatus && size == 1:
		d.setStatus(uint8(value))
	case at == queueSelect && size == 2:
		d.queueSelect = uint16(value)
	case at >= queueSize:
		if q := d.selected(); q != nil {
			d.setQueue(q, at, size, value)
		}
	}
}

// vector is an interrupt that a driver chooses; one that there is not reads back as none (4.1.5.1.2).
func (d *Device) vector(value uint64) uint16 {
	if value >= uint64(d.function.Interrupts()) {
		return pci.NoVector
	}
	return uint16(value)
}

// setQueue takes a write of a queue's fields. A queue that is in use stays as it is (4.1.4.3.2).
func (d *Device) setQueue(q *queue, at uint64, size int, value uint64) {
	if at == queueMSIXVector && size == 2 {
		q.vector = d.vector(value)
	}
	if q.enabled {
		return
	}
	switch {
	case at == queueSize && size == 2:
		if value > 0 && value <= queueMax && value&(value-1) == 0 {
			q.size = uint16(value)
		}
	case at == queueEnable && size == 2:
		q.enabled = value == 1
	case at >= queueDesc && at < queueDesc+8:
		setAddress(&q.desc, at-queueDesc, size, value)
	case at >= queueDriver && at < queueDriver+8:
		setAddress(&q.driver, at-queueDriver, size, value)
	case at >= queueDevice && at < queueDevice+8:
		setAddress(&q.device, at-queueDevice, size, value)
	}
}

func setAddress(to *uint64, at uint64, size int, value uint64) {
	switch {
	case size == 8 && at == 0:
		*to = value
	case size == 4 && at == 0:
		*to = *to&^0xFFFF_FFFF | value
	case size == 4 && at == 4:
		*to = *to&0xFFFF_FFFF | value<<32
	}
}
