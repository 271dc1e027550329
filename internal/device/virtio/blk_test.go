package virtio

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/device/pci"
)

// A memoryDisk fails where it is told to.
type memoryDisk struct {
	bytes []byte
	full  error // of writes
}

func (d *memoryDisk) Size() int64 { return int64(len(d.bytes)) }

func (d *memoryDisk) ReadAt(b []byte, at int64) (int, error) {
	if at+int64(len(b)) > d.Size() {
		return 0, io.ErrUnexpectedEOF
	}
	return copy(b, d.bytes[at:]), nil
}

func (d *memoryDisk) WriteAt(b []byte, at int64) (int, error) {
	if d.full != nil {
		return 0, d.full
	}
	return copy(d.bytes[at:], b), nil
}

func aDisk() *memoryDisk {
	d := &memoryDisk{bytes: make([]byte, 64*sectorSize+100)}
	for i := range d.bytes {
		d.bytes[i] = byte(i >> 9)
	}
	return d
}

func TestDisk(t *testing.T) {
	g, disk := newGuest(), aDisk()
	d := NewDisk(g.wiring(), disk, "disk0", false)
	v := start(t, g, d, 0)
	if n := v.registers.Read(0x2000, 8); n != 64 {
		t.Errorf("%d sectors, want 64", n)
	}
	if s := v.request(blkIn, 3, dataAt, 2*sectorSize); s != blkOK || !bytes.Equal(v.memory[dataAt:][:2*sectorSize], disk.bytes[3*sectorSize:][:2*sectorSize]) {
		t.Errorf("read: status %d", s)
	}
	if head, length := v.usedEntry(); v.used() != 1 || head != 0 || length != 2*sectorSize+1 {
		t.Errorf("used ring: %d entries, the last is %d with %d bytes", v.used(), head, length)
	}
	if len(v.vectors) != 1 || v.vectors[0] != testVector {
		t.Errorf("interrupts %#x, want one, %#x", v.vectors, testVector)
	}
	// 1,000 ns to the request's beginning, 10 for each KiB, and 1; and as long again until the ring is found empty.
	if want := int64(1000 + 10 + 1 + 1 + 1000); v.now < want-10 || v.now > want+10 {
		t.Errorf("the device is at rest at %d ns, want %d", v.now, want)
	}
	copy(v.memory[dataAt:], "written")
	if s := v.request(blkOut, 63, dataAt, sectorSize); s != blkOK || !bytes.HasPrefix(disk.bytes[63*sectorSize:], []byte("written")) {
		t.Errorf("write: status %d", s)
	}
	if s := v.request(blkFlush, 0, 0, 0); s != blkOK || d.Traffic().Flushes != 1 {
		t.Errorf("flush: status %d", s)
	}
	if s := v.request(blkGetID, 0, dataAt, 20); s != blkOK || string(v.memory[dataAt:][:6]) != "disk0\x00" {
		t.Errorf("id: status %d, %q", s, v.memory[dataAt:][:20])
	}
	if s := v.request(99, 0, dataAt, 20); s != blkUnsupported {
		t.Errorf("a request that there is not: status %d", s)
	}
	want := Traffic{Requests: 5, Read: 2 * sectorSize, Written: sectorSize, Flushes: 1}
	if got := d.Traffic(); got != want {
		t.Errorf("traffic %+v, want %+v", got, want)
	}
}

// What a disk cannot do is an I/O error, and the next request is served.
func TestDiskErrors(t *testing.T) {
	for what, test := range map[string]struct {
		full     error
		readOnly bool
		request  uint32
		sector   uint64
		gpa      uint64
		length   uint32
		says     string
		refused  uint64
	}{
		"after the end":       {request: blkIn, sector: 64, gpa: dataAt, length: sectorSize, says: "of a disk of 64 sectors"},
		"far after the end":   {request: blkOut, sector: 1 << 63, gpa: dataAt, length: sectorSize, says: "of a disk of 64 sectors"},
		"half a sector":       {request: blkIn, sector: 1, gpa: dataAt, length: 100, says: "100 bytes"},
		"read only":           {readOnly: true, request: blkOut, sector: 1, gpa: dataAt, length: sectorSize, says: "read only"},
		"full":                {full: errors.New("it is full"), request: blkOut, sector: 1, gpa: dataAt, length: sectorSize, says: "sector 1: it is full"},
		"private, to read":    {request: blkOut, sector: 1, gpa: private, length: sectorSize, says: errPrivate.Error(), refused: 1},
		"private, to write":   {request: blkIn, sector: 1, gpa: private - 100, length: sectorSize, says: errPrivate.Error(), refused: 1},
		"nowhere":             {request: blkIn, sector: 1, gpa: 1 << 52, length: sectorSize, says: errPrivate.Error(), refused: 1},
		"half of it, private": {request: blkIn, sector: 0, gpa: private - 3*sectorSize, length: 8 * sectorSize, says: errPrivate.Error(), refused: 1},
	} {
		g, disk := newGuest(), aDisk()
		disk.full = test.full
		d := NewDisk(g.wiring(), disk, "", test.readOnly)
		v := start(t, g, d, 0)
		before := bytes.Clone(disk.bytes)
		if s := v.request(test.request, test.sector, test.gpa, test.length); s != blkIOError {
			t.Errorf("%s: status %d, want an I/O error", what, s)
		}
		got := d.Traffic()
		if got.Errors != 1 || got.Refused != test.refused || !strings.Contains(got.FirstError, test.says) || !bytes.Equal(disk.bytes, before) {
			t.Errorf("%s: %+v, want an error that says %q; the disk is as before: %v", what, got, test.says, bytes.Equal(disk.bytes, before))
		}
		if s := v.request(blkIn, 0, dataAt, sectorSize); s != blkOK || v.used() != 2 {
			t.Errorf("%s: the request after it: status %d, %d of the used ring", what, s, v.used())
		}
	}
}

// A driver that breaks a rule of the rings has a device that does nothing more, says so, and can be reset.
func TestHostileDrivers(t *testing.T) {
	for what, test := range map[string]struct {
		wild func(v *driver)
		says string
	}{
		"a descriptor that leads to itself": {func(v *driver) { v.describe(descAt, 0, headerAt, 16, descNext, 0); v.offer(0) }, "in a circle"},
		"two that lead to each other": {func(v *driver) {
			v.describe(descAt, 0, headerAt, 16, descNext, 1)
			v.describe(descAt, 1, headerAt, 16, descNext, 0)
			v.offer(0)
		}, "in a circle"},
		"a head that there is not":       {func(v *driver) { v.offer(testSize) }, "descriptor 8 of 8"},
		"a next one that there is not":   {func(v *driver) { v.describe(descAt, 0, headerAt, 16, descNext, 0xFFFF); v.offer(0) }, "descriptor 65535 of 8"},
		"more requests than descriptors": {func(v *driver) { v.next = 100; v.offer(0) }, "101 requests in a queue of 8"},
		"4 GiB":                          {func(v *driver) { v.describe(descAt, 0, dataAt, 0xFFFF_FFFF, descWrite, 0); v.offer(0) }, "a request of more than 16777216 bytes"},
		"past the end of addresses":      {func(v *driver) { v.describe(descAt, 0, ^uint64(0)-10, 512, descWrite, 0); v.offer(0) }, "512 bytes at 0xfffffffffffffff5"},
		"to be read after to be written": {func(v *driver) {
			v.describe(descAt, 0, dataAt, 16, descWrite|descNext, 1)
			v.describe(descAt, 1, headerAt, 16, 0, 0)
			v.offer(0)
		}, "after memory to be written"},
		"an indirect table in an indirect table": {func(v *driver) {
			v.describe(descAt, 0, tableAt, 32, descIndirect, 0)
			v.describe(tableAt, 0, tableAt, 32, descIndirect, 0)
			v.offer(0)
		}, "an indirect table where none may be"},
		"an indirect table that leads to itself": {func(v *driver) {
			v.describe(descAt, 0, tableAt, 32, descIndirect, 0)
			v.describe(tableAt, 0, headerAt, 16, descNext, 1)
			v.describe(tableAt, 1, headerAt, 16, descNext, 0)
			v.offer(0)
		}, "in a circle"},
		"an indirect table of 4 GiB":     {func(v *driver) { v.describe(descAt, 0, tableAt, 0xFFFF_FFF0, descIndirect, 0); v.offer(0) }, "an indirect table of 4294967280 bytes"},
		"an indirect table of odd bytes": {func(v *driver) { v.describe(descAt, 0, tableAt, 17, descIndirect, 0); v.offer(0) }, "an indirect table of 17 bytes"},
		"a private indirect table":       {func(v *driver) { v.describe(descAt, 0, private, 32, descIndirect, 0); v.offer(0) }, errPrivate.Error()},
		"rings in private memory":        {func(v *driver) { v.private = driverAt; v.offer(0) }, "available ring: " + errPrivate.Error()},
	} {
		g := newGuest()
		d := NewDisk(g.wiring(), aDisk(), "", false)
		v := start(t, g, d, 0)
		test.wild(v)
		v.rest()
		got := d.Traffic()
		if s := v.registers.Read(deviceStatus, 1); s&statusNeedsReset == 0 || got.Refused != 1 || !strings.Contains(got.FirstRefusal, test.says) {
			t.Errorf("%s: status %#x, %+v, want one that says %q", what, s, got, test.says)
		}
		v.offer(0) // which it does not hear
		if _, ok := d.NextEvent(); ok {
			t.Errorf("%s: a device that is broken has something to do", what)
		}
		g.private = private
		clear(g.memory)
		v = start(t, g, d, 0)
		if s := v.request(blkIn, 0, dataAt, sectorSize); s != blkOK {
			t.Errorf("%s: after a reset: status %d", what, s)
		}
	}
}

// Without VIRTIO_F_ACCESS_PLATFORM a driver would hand over addresses that are not the platform's: it is refused.
func TestFeaturesAreRequired(t *testing.T) {
	g := newGuest()
	d := NewDisk(g.wiring(), aDisk(), "", false)
	for word1, want := range map[uint64]bool{3: true, 1: false, 2: false, 0: false, 7: false} {
		r := registers{d}
		r.Write(deviceStatus, 1, 0)
		r.Write(driverFeatureSelect, 4, 1)
		r.Write(driverFeature, 4, word1)
		r.Write(deviceStatus, 1, 3|statusFeaturesOK)
		if got := r.Read(deviceStatus, 1)&statusFeaturesOK != 0; got != want {
			t.Errorf("features %#x<<32: accepted %v, want %v", word1, got, want)
		}
	}
}

// A device that may not be master reaches no memory and interrupts no one.
func TestNoMaster(t *testing.T) {
	g := newGuest()
	d := NewDisk(g.wiring(), aDisk(), "", false)
	v := start(t, g, d, 0)
	d.function.Config(4)[0] &^= 4
	v.offer(0)
	v.rest()
	if got := d.Traffic(); got.Refused != 1 || !strings.Contains(got.FirstRefusal, "bus master") || len(g.vectors) != 0 {
		t.Errorf("%+v, interrupts %v", got, g.vectors)
	}
}

// The network card keeps what it is given to receive into, and swallows what it is given to send. The source of randomness
// gives what follows from its seed.
func TestNetAndRNG(t *testing.T) {
	g := newGuest()
	d := NewNet(g.wiring(), [6]byte{2, 1, 2, 3, 4, 5})
	v := start(t, g, d, netTransmit)
	v.describe(descAt, 0, dataAt, 100, 0, 0)
	v.offer(0)
	v.rest()
	if v.used() != 1 || d.Traffic().Written != 100 || v.registers.Read(0x2000, 4) != 0x03020102 {
		t.Errorf("sent: %d, %+v", v.used(), d.Traffic())
	}
	v.describe(descAt, 0, private-10, 100, 0, 0)
	v.offer(0)
	v.rest()
	if got := d.Traffic(); v.used() != 2 || got.Written != 100 || got.Refused != 1 || !strings.Contains(got.FirstRefusal, "a packet: "+errPrivate.Error()) {
		t.Errorf("a packet in private memory: %d, %+v", v.used(), got)
	}
	v = start(t, newGuest(), NewNet(g.wiring(), [6]byte{}), 0)
	v.offer(0)
	if _, ok := v.device.NextEvent(); ok {
		t.Error("a card that hears nothing has something to do")
	}
	random := func(seed uint64) string {
		g := newGuest()
		v := start(t, g, NewRNG(g.wiring(), seed), 0)
		v.describe(descAt, 0, dataAt, 32, descWrite, 0)
		v.offer(0)
		v.rest()
		return string(g.memory[dataAt:][:32])
	}
	if a, b, c := random(1), random(1), random(2); a != b || a == c || a == string(make([]byte, 32)) {
		t.Errorf("seed 1 gives %x and %x, seed 2 %x", a, b, c)
	}
}

// A driver that has no BAR mapped reaches the registers through configuration space (4.1.4.9).
func TestThroughConfiguration(t *testing.T) {
	g := newGuest()
	d := NewDisk(g.wiring(), aDisk(), "", false)
	c := d.function.Config(d.window)
	c[capOffset], c[capOffset+1], c[capLength] = 0, 0x20, 4 // the capacity
	d.throughConfig(false, 4)
	if c[capData] != 64 {
		t.Errorf("a capacity of %d sectors, want 64", c[capData])
	}
	c[capOffset], c[capOffset+1], c[capLength], c[capData] = deviceStatus, 0, 1, 1
	d.throughConfig(true, 1)
	if d.status != 1 {
		t.Errorf("device status %d, want 1", d.status)
	}
	for i := range capData {
		c[i+1] = 0xFF // anything at all
	}
	d.throughConfig(true, 4)
	d.throughConfig(false, 4)
	if d.function.Interrupts() != 2 || d.configVector != pci.NoVector {
		t.Error("a window to nowhere leads somewhere")
	}
}
