package virtio

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/device/pci"
)

// A guest is what a device knows of one: memory, of which a part is private, a clock, and what interrupts came.
type guest struct {
	memory  []byte
	private uint64 // pages from here on are refused to devices
	now     int64
	vectors []uint8
}

var errPrivate = errors.New("a device reaches a private page")

func (g *guest) Now() int64 { return g.now }

func (g *guest) Deliver(_ uint32, _ bool, vector uint8, _ uint8, _ bool) {
	g.vectors = append(g.vectors, vector)
}

func (g *guest) at(gpa uint64, n int) ([]byte, error) {
	if gpa+uint64(n) < gpa || gpa+uint64(n) > g.private {
		return nil, errPrivate
	}
	return g.memory[gpa:][:n], nil
}

func (g *guest) Read(gpa uint64, b []byte) error {
	m, err := g.at(gpa, len(b))
	copy(b, m)
	return err
}

func (g *guest) Write(gpa uint64, b []byte) error {
	m, err := g.at(gpa, len(b))
	copy(m, b)
	return err
}

// Where the driver has its things.
const (
	descAt   = 0x1000
	driverAt = 0x2000
	usedAt   = 0x3000
	tableAt  = 0x4000
	headerAt = 0x5000
	statusAt = 0x5800
	dataAt   = 0x10000
	private  = 0x80000
	memory   = 0x100000

	testSize   = 8 // of the queue
	testVector = 0x41
)

// A driver drives one queue of a device.
type driver struct {
	t *testing.T
	*guest
	device    *Device
	registers registers
	queue     uint16
	next      uint16
}

func newGuest() *guest { return &guest{memory: make([]byte, memory), private: private} }

func (g *guest) wiring() Wiring {
	return Wiring{Memory: g, Clock: g, APICs: g, Timing: Timing{Request: 1000, KiB: 10}}
}

// start is what a driver does from reset to DRIVER_OK (3.1.1), with interrupts by MSI-X.
func start(t *testing.T, g *guest, d *Device, queue uint16) *driver {
	t.Helper()
	v := &driver{t: t, guest: g, device: d, registers: registers{d}, queue: queue}
	v.set(deviceStatus, 1, 0)
	v.set(deviceStatus, 1, 3)
	for i := range uint64(2) {
		v.set(deviceFeatureSelect, 4, i)
		offered := v.registers.Read(deviceFeature, 4)
		v.set(driverFeatureSelect, 4, i)
		v.set(driverFeature, 4, offered)
	}
	v.set(deviceStatus, 1, 3|statusFeaturesOK)
	if v.registers.Read(deviceStatus, 1)&statusFeaturesOK == 0 {
		t.Fatal("the device refuses the features that it offers")
	}
	v.set(queueSelect, 2, uint64(queue))
	v.set(queueSize, 2, testSize)
	v.set(queueMSIXVector, 2, 1)
	v.set(queueDesc, 8, descAt)
	v.set(queueDriver, 4, driverAt)
	v.set(queueDriver+4, 4, 0)
	v.set(queueDevice, 8, usedAt)
	v.set(queueEnable, 2, 1)
	v.set(deviceStatus, 1, 3|statusFeaturesOK|statusDriverOK)
	enable(d.function)
	return v
}

// enable makes the function a bus master and has its interrupts come, each with its own vector.
func enable(f *pci.Function) {
	f.Config(4)[0] |= 4
	f.Config(msixOf(f) + 2)[1] |= 0x80
	for i := range f.Interrupts() {
		at := uint64(0x7000 + 16*i)
		f.Access().Write(at, 4, 0xFEE0_0000)
		f.Access().Write(at+8, 4, uint64(testVector+i-1))
		f.Access().Write(at+12, 4, 0)
	}
}

// msixOf is where the MSI-X capability is.
func msixOf(f *pci.Function) uint32 {
	for at := uint32(f.Config(0x34)[0]); at != 0; at = uint32(f.Config(at)[1]) {
		if f.Config(at)[0] == 0x11 {
			return at
		}
	}
	return 0
}

func (v *driver) set(at uint64, size int, value uint64) { v.registers.Write(at, size, value) }

// describe writes a descriptor.
func (v *driver) describe(table uint64, i int, gpa uint64, length uint32, flags, next uint16) {
	le, b := binary.LittleEndian, v.memory[table+uint64(i)*descSize:]
	le.PutUint64(b, gpa)
	le.PutUint32(b[8:], length)
	le.PutUint16(b[12:], flags)
	le.PutUint16(b[14:], next)
}

// offer puts a request into the ring and tells the device.
func (v *driver) offer(head uint16) {
	le := binary.LittleEndian
	le.PutUint16(v.memory[driverAt+4+2*uint64(v.next%testSize):], head)
	v.next++
	le.PutUint16(v.memory[driverAt+2:], v.next)
	v.set(notifyAt+notifyMultiplier*uint64(v.queue), 2, uint64(v.queue))
}

// rest lets time pass until the device has nothing to do. It ends.
func (v *driver) rest() {
	v.t.Helper()
	for range 10_000 {
		at, ok := v.device.NextEvent()
		if !ok {
			return
		}
		if at < v.now {
			v.t.Fatalf("at %d the device has something to do at %d", v.now, at)
		}
		v.now = at
		v.device.Advance(at)
	}
	v.t.Fatal("the device does not come to rest")
}

func (v *driver) used() uint16 { return binary.LittleEndian.Uint16(v.memory[usedAt+2:]) }

// usedEntry is the head and the length in the used ring's last entry.
func (v *driver) usedEntry() (head, length uint32) {
	b := v.memory[usedAt+4+8*uint64((v.used()-1)%testSize):]
	return binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
}

// request asks a disk for something: data of length bytes at a guest-physical address.
func (v *driver) request(what uint32, sector uint64, gpa uint64, length uint32) (status byte) {
	v.t.Helper()
	le := binary.LittleEndian
	le.PutUint32(v.memory[headerAt:], what)
	le.PutUint64(v.memory[headerAt+8:], sector)
	v.memory[statusAt] = 0xEE
	v.describe(descAt, 0, headerAt, 16, descNext, 1)
	flags := uint16(descNext)
	if what != blkOut {
		flags |= descWrite
	}
	if length == 0 {
		v.describe(descAt, 0, headerAt, 16, descNext, 2)
	}
	v.describe(descAt, 1, gpa, length, flags, 2)
	v.describe(descAt, 2, statusAt, 1, descWrite, 0)
	v.offer(0)
	v.rest()
	return v.memory[statusAt]
}
