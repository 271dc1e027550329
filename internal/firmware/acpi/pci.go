package acpi

import "encoding/binary"

// A PCI is a host bridge with one bus, number 0 of segment 0, whose functions interrupt by messages alone: no interrupt line
// is routed.
type PCI struct {
	ECAM, ECAMSize     uint32 // guest-physical, where configuration space is, and bytes
	Window, WindowSize uint32 // memory that BARs may have
}

// mcfg says where configuration space is (PCI Firmware Specification 3.3, 4.1.2).
func (p *PCI) mcfg() []byte {
	const revision = 1
	b := make([]byte, 24)
	binary.LittleEndian.PutUint64(b[8:], uint64(p.ECAM)) // and segment 0, buses 0 to 0
	return table("MCFG", revision, b)
}

// devices are the host bridge, and what keeps the memory of configuration space from others: Linux believes an MCFG only
// where such a device has that memory (arch/x86/pci/mmconfig-shared.c, pci_mmcfg_check_reserved).
func (p *PCI) devices() []byte {
	const configPorts = 0xCF8
	return join(
		device("PCI0",
			name("_HID", eisaID("PNP0A08")),
			name("_CID", eisaID("PNP0A03")),
			name("_UID", integer(0)),
			name("_SEG", integer(0)),
			name("_BBN", integer(0)),
			name("_CRS", resources(buses(0, 1), ports(configPorts, 8), producedMemory(p.Window, p.WindowSize)))),
		device("ECAM",
			name("_HID", eisaID("PNP0C02")),
			name("_UID", integer(0)),
			name("_CRS", resources(fixedMemory(p.ECAM, p.ECAMSize)))))
}

// General flags of an address space descriptor: both ends are fixed, and the device passes on what lies there (ACPI 6.5,
// 6.4.3.5).
const produced = 1<<2 | 1<<3

// buses describes count bus numbers from first on (Word Address Space Descriptor, ACPI 6.5, 6.4.3.5.3).
func buses(first, count uint16) []byte {
	const tag, length, busNumber = 0x88, 13, 2
	le := binary.LittleEndian
	b := []byte{tag, length, 0, busNumber, produced, 0}
	for _, v := range []uint16{0, first, first + count - 1, 0, count} {
		b = le.AppendUint16(b, v)
	}
	return b
}

// producedMemory describes size bytes that are not cached (DWord Address Space Descriptor, ACPI 6.5, 6.4.3.5.2).
func producedMemory(base, size uint32) []byte {
	const tag, length, memory, readWrite = 0x87, 23, 0, 1
	le := binary.LittleEndian
	b := []byte{tag, length, 0, memory, produced, readWrite}
	for _, v := range []uint32{0, base, base + size - 1, 0, size} {
		b = le.AppendUint32(b, v)
	}
	return b
}

// fixedMemory describes memory that the device has itself (32-Bit Fixed Memory Range Descriptor, ACPI 6.5, 6.4.3.4).
func fixedMemory(base, size uint32) []byte {
	const tag, length, readWrite = 0x86, 9, 1
	le := binary.LittleEndian
	return le.AppendUint32(le.AppendUint32([]byte{tag, length, 0, readWrite}, base), size)
}
