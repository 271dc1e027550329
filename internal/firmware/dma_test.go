package firmware

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/uefi"
)

// A dmaMachine is one whose memory is private. Converting a page loses what is in it.
type dmaMachine struct {
	*machine
	bridge    uint64
	converted []string
	shared    map[uint64]bool
}

func newDMAMachine(t testing.TB) *dmaMachine {
	m := &dmaMachine{shared: map[uint64]bool{}}
	m.machine = newMachine(t, func(c *Config) {
		c.Bus, c.ACPI.PCI = &wire{}, &acpi.PCI{ECAM: 0xE000_0000, ECAMSize: 1 << 20, Window: 0xC000_0000, WindowSize: 1 << 24}
		c.Convert = func(r accept.Range, shared bool) error {
			for page := r.Start; page < r.End; page += pageSize {
				if m.shared[page] == shared {
					return fmt.Errorf("%#x is converted to what it is", page)
				}
				m.shared[page] = shared
				m.poke(page, bytes.Repeat([]byte{0xAA}, pageSize))
			}
			m.converted = append(m.converted, fmt.Sprintf("%d pages %v", r.Len()/pageSize, shared))
			return nil
		}
	})
	m.bridge = m.located(uefi.PCIRootBridgeIOProtocolGUID)
	return m
}

func (m *dmaMachine) call(want uefi.Status, offset uint64, a ...uint64) {
	m.Helper()
	if s := m.must(m.word(m.bridge+offset), append([]uint64{m.bridge}, a...)...); s != want {
		m.Errorf("%d(%#x): %v, want %v", offset, a, s, want)
	}
}

// mapped maps n bytes and returns where the device finds them.
func (m *dmaMachine) mapped(operation, host, n uint64) (device, mapping uint64) {
	m.Helper()
	at := m.room(3)
	m.putWord(at, n)
	m.call(uefi.Success, uefi.PCIRootBridgeMap, operation, host, at, at+8, at+16)
	if m.word(at) != n {
		m.Errorf("%d bytes of %d are mapped", m.word(at), n)
	}
	return m.word(at + 8), m.word(at + 16)
}

// heard compares what has been converted since the last time.
func (m *dmaMachine) heard(want ...string) {
	m.Helper()
	if !slices.Equal(m.converted, want) {
		m.Errorf("converted: %q, want %q", m.converted, want)
	}
	m.converted = nil
}

// entry is what firmware's page tables map an address by.
func (m *dmaMachine) entry(gpa uint64) uint64 {
	table, err := m.smallPages(gpa &^ (accept.UnitSize - 1))
	if err != nil {
		m.Fatal(err)
	}
	return m.word(table + gpa%accept.UnitSize/pageSize*8)
}

// A device gets pages that are shared while they are mapped. What a driver has written is in them, and what the device has written
// is in the driver's memory afterwards, no more and no less.
func TestDMA(t *testing.T) {
	m := newDMAMachine(t)
	data := bytes.Repeat([]byte("to the device"), 500) // two pages
	host := m.alloc(data)
	device, mapping := m.mapped(uefi.PCIBusMasterRead, host, uint64(len(data)))
	m.heard("2 pages true")
	if device == host || device%pageSize != 0 || !bytes.Equal(m.bytes(device, len(data)), data) || !m.shared[device] || m.entry(device)&^pageMask != device {
		t.Errorf("the device finds something else at %#x", device)
	}
	m.poke(device, []byte("must not"))
	m.call(uefi.Success, uefi.PCIRootBridgeUnmap, mapping)
	m.heard("2 pages false")
	if !bytes.Equal(m.bytes(host, len(data)), data) {
		t.Error("the driver's memory has changed, which is read alone")
	}
	m.call(uefi.InvalidParameter, uefi.PCIRootBridgeUnmap, mapping)

	host = m.alloc(bytes.Repeat([]byte{7}, 100))
	device, mapping = m.mapped(uefi.PCIBusMasterWrite64, host+1, 10)
	if slices.Contains(m.bytes(device, 10), 7) {
		t.Error("the device sees what it is to write")
	}
	m.poke(device, []byte("from the device"))
	m.call(uefi.Success, uefi.PCIRootBridgeUnmap, mapping)
	if got := m.bytes(host, 13); string(got) != "\x07from the d\x07\x07" {
		t.Errorf("the driver finds %q", got)
	}
	m.heard("1 pages true", "1 pages false")

	at := m.room(3)
	for _, bad := range [][5]uint64{
		{6, host, at, at + 8, at + 16}, {0, 0, at, at + 8, at + 16}, {0, host, 0, at + 8, at + 16}, {0, host, at, 0, at + 16}, {0, host, at, at + 8, 0},
		{0, host, at, at + 8, at + 16}, // no bytes
	} {
		m.call(uefi.InvalidParameter, uefi.PCIRootBridgeMap, bad[:]...)
	}
	m.putWord(at, maxMapped+1)
	m.call(uefi.OutOfResources, uefi.PCIRootBridgeMap, 1, host, at, at+8, at+16)
	m.heard()
}

// A common buffer is shared where it is, and keeps what is in it; what is left at the end of boot services is made private.
func TestCommonBuffer(t *testing.T) {
	m := newDMAMachine(t)
	at := m.room(3)
	m.call(uefi.InvalidParameter, uefi.PCIRootBridgeAllocateBuffer, 0, uint64(uefi.LoaderData), 3, at, 0)
	m.call(uefi.Unsupported, uefi.PCIRootBridgeAllocateBuffer, 0, uint64(uefi.BootServicesData), 3, at, 1)
	m.call(uefi.InvalidParameter, uefi.PCIRootBridgeAllocateBuffer, 0, uint64(uefi.BootServicesData), 3, 0, 0)
	m.call(uefi.Success, uefi.PCIRootBridgeAllocateBuffer, 0, uint64(uefi.BootServicesData), 3, at, uefi.PCIMemoryCached)
	buffer := m.word(at)
	if m.heard(); m.shared[buffer] {
		t.Error("a buffer is shared before it is mapped")
	}
	m.poke(buffer, []byte("the driver's"))
	device, mapping := m.mapped(uefi.PCIBusMasterCommonBuffer, buffer, 2*pageSize)
	if device != buffer || !m.shared[buffer+pageSize] || m.shared[buffer+2*pageSize] || string(m.bytes(buffer, 12)) != "the driver's" {
		t.Errorf("%#x is at %#x, and holds %q", buffer, device, m.bytes(buffer, 12))
	}
	other := m.alloc(make([]byte, 3*pageSize)) &^ pageMask
	m.putWord(at, pageSize)
	m.call(uefi.InvalidParameter, uefi.PCIRootBridgeMap, uefi.PCIBusMasterCommonBuffer, buffer+pageSize, at, at+8, at+16) // again
	m.call(uefi.InvalidParameter, uefi.PCIRootBridgeMap, uefi.PCIBusMasterCommonBuffer, other, at, at+8, at+16)           // no buffer
	m.call(uefi.InvalidParameter, uefi.PCIRootBridgeFreeBuffer, 3, buffer)
	m.poke(buffer, []byte("the device's"))
	m.call(uefi.Success, uefi.PCIRootBridgeUnmap, mapping)
	m.heard("2 pages true", "2 pages false")
	if string(m.bytes(buffer, 12)) != "the device's" {
		t.Errorf("the driver finds %q", m.bytes(buffer, 12))
	}
	m.call(uefi.InvalidParameter, uefi.PCIRootBridgeFreeBuffer, 2, buffer)
	m.call(uefi.Success, uefi.PCIRootBridgeFreeBuffer, 3, buffer)
	m.call(uefi.InvalidParameter, uefi.PCIRootBridgeFreeBuffer, 3, buffer)

	m.mapped(uefi.PCIBusMasterWrite, m.alloc([]byte{1}), 1)
	m.heard("1 pages true")
	_, key := m.memoryMap()
	m.wants(uefi.Success, uefi.BSExitBootServices, m.images[0].handle, key)
	m.heard("1 pages false")
}

// Mappings are bounded, and counted.
func TestMappingsAreBounded(t *testing.T) {
	m := newDMAMachine(t)
	at, host := m.room(3), m.alloc([]byte{1})
	before := m.size()
	for range maxMappings {
		m.mapped(uefi.PCIBusMasterWrite, host, 1)
	}
	m.putWord(at, 1)
	m.call(uefi.OutOfResources, uefi.PCIRootBridgeMap, uefi.PCIBusMasterWrite, host, at, at+8, at+16)
	if m.size() < before+maxMappings*32 {
		t.Error("they are not counted")
	}
}

// Where no memory is private a device finds the driver's own.
func TestPlainDMA(t *testing.T) {
	m := newDMAMachine(t)
	m.cfg.Convert = nil
	host := m.alloc([]byte{1, 2, 3})
	device, mapping := m.mapped(uefi.PCIBusMasterRead, host, 3)
	if device != host {
		t.Errorf("%#x is at %#x", host, device)
	}
	m.call(uefi.Success, uefi.PCIRootBridgeUnmap, mapping)
	m.call(uefi.InvalidParameter, uefi.PCIRootBridgeUnmap, 5)
}
