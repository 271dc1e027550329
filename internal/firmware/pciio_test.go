package firmware

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/uefi"
)

// A wire writes down what is asked of devices, and answers with what is counted up.
type wire struct {
	said []string
	next uint64
}

func (w *wire) In(port uint16, size int) uint32 {
	w.say("in %#x/%d", port, size)
	return uint32(w.count())
}

func (w *wire) Out(port uint16, size int, value uint32) { w.say("out %#x/%d %#x", port, size, value) }

func (w *wire) Read(gpa uint64, size int) uint64 {
	w.say("read %#x/%d", gpa, size)
	return w.count()
}

func (w *wire) Write(gpa uint64, size int, value uint64) { w.say("write %#x/%d %#x", gpa, size, value) }

func (w *wire) say(format string, a ...any) { w.said = append(w.said, fmt.Sprintf(format, a...)) }
func (w *wire) count() uint64               { w.next += 0x0101_0101; return w.next }

// located is the interface of a protocol that there is once.
func (m *machine) located(id uefi.GUID) uint64 {
	m.Helper()
	at := m.room(1)
	m.wants(uefi.Success, uefi.BSLocateProtocol, m.guid(id), 0, at)
	return m.word(at)
}

// Accesses are those that the widths of the specification say (EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL_WIDTH): elements go up, or the
// address stays, or the buffer.
func TestDevicesByFirmware(t *testing.T) {
	w := &wire{}
	m := newMachine(t, func(c *Config) {
		c.Bus, c.ACPI.PCI = w, &acpi.PCI{ECAM: 0xE000_0000, ECAMSize: 1 << 20, Window: 0xC000_0000, WindowSize: 1 << 24}
	})
	w.next = 0 // firmware has looked for devices
	cpu, bridge := m.located(uefi.CPUIO2ProtocolGUID), m.located(uefi.PCIRootBridgeIOProtocolGUID)
	const u8, u16, u32, u64, fifo8, fill16 = 0, 1, 2, 3, 4, 9
	buffer := m.alloc([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	for _, c := range []struct {
		function              uint64
		width, address, count uint64
		want                  uefi.Status
		said                  []string
		holds                 []byte
	}{
		{cpu + uefi.CPUIO2IOWrite, u16, 0x70, 2, uefi.Success, []string{"out 0x70/2 0x201", "out 0x72/2 0x403"}, nil},
		{cpu + uefi.CPUIO2IOWrite, fifo8, 0x3F8, 3, uefi.Success, []string{"out 0x3f8/1 0x1", "out 0x3f8/1 0x2", "out 0x3f8/1 0x3"}, nil},
		{cpu + uefi.CPUIO2MemWrite, fill16, 0xFEC0_0000, 2, uefi.Success, []string{"write 0xfec00000/2 0x201", "write 0xfec00002/2 0x201"}, nil},
		{cpu + uefi.CPUIO2IORead, u64, 0x70, 1, uefi.InvalidParameter, nil, nil},
		{cpu + uefi.CPUIO2IORead, u32, 0xFFFE, 1, uefi.Unsupported, nil, nil},
		{cpu + uefi.CPUIO2MemRead, u64, ^uint64(0) - 3, 1, uefi.Unsupported, nil, nil},
		{cpu + uefi.CPUIO2MemRead, 12, 0xFEC0_0000, 1, uefi.InvalidParameter, nil, nil},
		{cpu + uefi.CPUIO2IORead, u8, 0x61, 2, uefi.Success, []string{"in 0x61/1", "in 0x62/1"}, []byte{1, 2, 3}},
		{bridge + uefi.PCIRootBridgePCIRead, u32, 2<<16 | 0x10, 2, uefi.Success, []string{"read 0xe0010010/4", "read 0xe0010014/4"}, []byte{3, 3, 3, 3, 4, 4, 4, 4}},
		{bridge + uefi.PCIRootBridgePCIWrite, u16, 0x104<<32 | 1<<16 | 3<<8, 1, uefi.Success, []string{"write 0xe000b104/2 0x303"}, nil},
		{bridge + uefi.PCIRootBridgePCIRead, u32, 1 << 24, 1, uefi.InvalidParameter, nil, nil},
		{bridge + uefi.PCIRootBridgePCIRead, u32, 0xFE, 1, uefi.InvalidParameter, nil, nil},
		{bridge + uefi.PCIRootBridgeMemRead, u8, buffer + 7, 1, uefi.Success, nil, []byte{4, 3, 3, 3, 4, 4, 4, 4}}, // memory
	} {
		w.said = nil
		if s := m.must(m.word(c.function), cpu, c.width, c.address, c.count, buffer); s != c.want {
			t.Errorf("%+v: %v", c, s)
		}
		if fmt.Sprint(w.said) != fmt.Sprint(c.said) {
			t.Errorf("%+v: %v", c, w.said)
		}
		if b := m.bytes(buffer, len(c.holds)); !bytes.Equal(b, c.holds) {
			t.Errorf("%+v: the buffer holds % x", c, b)
		}
	}
	at := m.room(1)
	if s := m.must(m.word(bridge+uefi.PCIRootBridgeConfiguration), bridge, at); s != uefi.Success {
		t.Fatal(s)
	}
	b := m.bytes(m.word(at), 3*46+2)
	if b[0] != 0x8A || b[3] != 2 || b[46+3] != 1 || b[92+3] != 0 || get64(b[92+14:]) != 0xC000_0000 || get64(b[92+22:]) != 0xC0FF_FFFF || b[138] != 0x79 {
		t.Errorf("the bridge's resources are % x", b)
	}
}
