package acpi

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/accept"
)

func machine() *Machine {
	return &Machine{
		CPUs: 3, FACS: 0x7FE1_0040, Mailbox: 0x7FE0_0000,
		IOAPICAddress: 0xFEC00000, IOAPICID: 7,
		UARTs:            []UART{{Port: 0x3F8, GSI: 4}, {Port: 0x2F8, GSI: 3}},
		RTC:              &RTC{Port: 0x70, GSI: 8, Century: 0x32},
		SleepControlPort: 0x600, SleepStatusPort: 0x601, SleepTypeS5: 5,
		ResetPort: 0xCF9, ResetValue: 6,
		FWCfgPort: 0x510,
		HPET:      &HPET{BlockID: 0x8086A201, Base: 0xFED0_0000, Size: 0x400, GSIs: []uint32{16, 17, 18}},
		PCI:       &PCI{ECAM: 0xE000_0000, ECAMSize: 1 << 20, Window: 0xC000_0000, WindowSize: 16 << 20},
	}
}

const base = 0x0FF5_0000

// find follows the pointers from the RSDP, as an operating system does, and returns the tables by signature.
func find(t *testing.T, all Tables) map[string][]byte {
	t.Helper()
	le := binary.LittleEndian
	block := all.Block
	root, old := block[all.RSDP-base:][:36], block[all.RSDP1-base:][:20]
	if string(old[:8]) != "RSD PTR " || checksum(old) != 0 || old[15] != 0 || le.Uint32(old[16:]) != le.Uint32(root[16:]) {
		t.Errorf("RSDP of ACPI 1.0: % x", old)
	}
	if string(root[:8]) != "RSD PTR " || checksum(root[:20]) != 0 || checksum(root) != 0 {
		t.Fatalf("RSDP: % x", root)
	}
	tables := map[string][]byte{}
	take := func(at uint64) []byte {
		b := block[at-base:]
		b = b[:le.Uint32(b[4:])]
		if checksum(b) != 0 {
			t.Errorf("%s: checksum", b[:4])
		}
		tables[string(b[:4])] = b
		return b
	}
	xsdt, rsdt := take(le.Uint64(root[24:])), take(uint64(le.Uint32(root[16:])))
	if len(rsdt)-headerSize != (len(xsdt)-headerSize)/2 {
		t.Errorf("RSDT has %d bytes, XSDT %d", len(rsdt), len(xsdt))
	}
	for i := range (len(rsdt) - headerSize) / 4 {
		if a, b := le.Uint64(xsdt[headerSize+8*i:]), le.Uint32(rsdt[headerSize+4*i:]); a != uint64(b) {
			t.Errorf("table %d: XSDT has %#x, RSDT %#x", i, a, b)
		}
	}
	for p := xsdt[headerSize:]; len(p) > 0; p = p[8:] {
		if b := take(le.Uint64(p)); string(b[:4]) == "FACP" {
			take(le.Uint64(b[fadtXDSDT:]))
			if le.Uint64(b[fadtXDSDT:]) != uint64(le.Uint32(b[fadtDSDT:])) {
				t.Error("DSDT and X_DSDT differ")
			}
			if at := le.Uint32(b[fadtFACS:]); at != machine().FACS {
				t.Errorf("FACS at %#x", at)
			}
		}
	}
	return tables
}

func build(t *testing.T, m *Machine) map[string][]byte {
	t.Helper()
	all, err := m.Tables(base)
	if err != nil {
		t.Fatal(err)
	}
	return find(t, all)
}

func TestTablesAreLinkedAndSummed(t *testing.T) {
	tables := build(t, machine())
	for _, want := range []string{"XSDT", "RSDT", "FACP", "APIC", "DSDT", "MCFG", "HPET"} {
		if tables[want] == nil {
			t.Errorf("no %s", want)
		}
	}
}

// iasl reads what FADT's address of a FACS leads to, too.
func TestFACS(t *testing.T) {
	if said := disassemble(t, "FACS", FACS()); !strings.Contains(said, "Length : 00000040") || !strings.Contains(said, "Version : 02") {
		t.Error(said)
	}
}

// Linux skips the PIT, the PIC and the 8042 only for these bits (arch/x86/kernel/apic/apic.c, acpi/boot.c).
func TestHardwareReduced(t *testing.T) {
	tables := build(t, machine())
	fadt, madt := tables["FACP"], tables["APIC"]
	le := binary.LittleEndian
	if fadt[8] < 5 || le.Uint32(fadt[112:])&(1<<20) == 0 {
		t.Error("FADT is not hardware-reduced")
	}
	if le.Uint16(fadt[109:])&(1<<1) != 0 {
		t.Error("FADT announces an 8042")
	}
	if le.Uint32(madt[40:])&1 != 0 {
		t.Error("MADT announces 8259s")
	}
}

func TestLimits(t *testing.T) {
	for _, change := range []func(*Machine){
		func(m *Machine) { m.CPUs = 0 },
		func(m *Machine) { m.CPUs = maxCPUs + 1 },
		func(m *Machine) { m.SleepTypeS5 = 8 },
		func(m *Machine) { m.UARTs = make([]UART, 10) },
		func(m *Machine) { m.FACS = 0x1020 },
		func(m *Machine) { m.Nodes = make([]Node, 2) }, // of 3 processors
		func(m *Machine) { m.CPUs, m.Nodes = 257, make([]Node, 257) },
	} {
		m := machine()
		change(m)
		if _, err := m.Tables(base); err == nil {
			t.Errorf("no error for %+v", m)
		}
	}
	for _, base := range []uint64{base + 8, 1<<32 - 64, 1 << 32} {
		if _, err := machine().Tables(base); err == nil {
			t.Errorf("no error for tables at %#x", base)
		}
	}
	m := machine()
	m.CPUs = maxCPUs
	build(t, m)
}

// ACPICA's own disassembler reads the tables and finds in them what was meant. It is from the package acpica-tools.
func TestIASLReadsThem(t *testing.T) {
	if _, err := exec.LookPath("iasl"); err != nil {
		t.Fatal("no iasl: run scripts/install-tools, or install ACPICA's tools (Debian: acpica-tools)")
	}
	for _, cpus := range []int{1, 3, 300} { // 300: a DSDT whose lengths take three bytes
		m := machine()
		m.CPUs = cpus
		if cpus == 3 { // on nodes, with gaps between the IDs
			m.APICID = func(cpu int) uint32 { return uint32(cpu) * 4 }
			m.Nodes = []Node{
				{Memory: []accept.Range{{Start: 0, End: 0x8000_0000}, {Start: 1 << 32, End: 5 << 30}}},
				{Memory: []accept.Range{{Start: 5 << 30, End: 6 << 30}}}, {},
			}
		}
		for signature, b := range build(t, m) {
			disassembly := disassemble(t, signature, b)
			for _, want := range wanted[signature] {
				if !strings.Contains(disassembly, squeeze(want)) {
					t.Errorf("%d CPUs: %s lacks %q:\n%s", cpus, signature, want, disassembly)
				}
			}
		}
	}
}

var wanted = map[string][]string{
	"FACP": {
		"Hardware Reduced (V5) : 1",
		"Reset Register Supported (V2) : 1",
		"8042 Present on ports 60/64 (V2) : 0",
		"CMOS RTC Not Present (V5) : 0",
		"Control Method Power Button (V1) : 1",
		"Address : 0000000000000600",
		"Address : 0000000000000CF9",
		"Value to cause reset : 06",
	},
	"APIC": {
		"PC-AT Compatibility : 0",
		"Subtable Type : 09 [Processor Local x2APIC]",
		"Processor x2Apic ID : 00000000",
		"Subtable Type : 01 [I/O APIC]",
		"I/O Apic ID : 07",
		"Subtable Type : 04 [Local APIC NMI]", "Processor ID : FF", "Interrupt Input LINT : 01",
		"Subtable Type : 0A [Local x2APIC NMI]", "Processor UID : FFFFFFFF",
		"Address : FEC00000",
	},
	"MCFG": {"Base Address : 00000000E0000000", "Segment Group Number : 0000", "Start Bus Number : 00", "End Bus Number : 00"},
	"SRAT": {
		"Subtable Type : 02 [Processor Local x2APIC Affinity]", "Proximity Domain : 00000002", "Apic ID : 00000008", "Flags (decoded below) : 00000001 Enabled : 1",
		"Subtable Type : 01 [Memory Affinity]", "Base Address : 0000000140000000", "Address Length : 0000000040000000",
	},
	"HPET": {"Hardware Block ID : 8086A201", "Space ID : 00 [SystemMemory]", "Address : 00000000FED00000", "Sequence Number : 00", "4K Page Protect : 0"},
	"SLIT": {"Localities : 0000000000000003", "Locality 0 : 0A 14 14", "Locality 2 : 14 14 0A"},
	"DSDT": {
		`Device (PCI0) { Name (_HID, EisaId ("PNP0A08") /* PCI Express Bus */) // _HID: Hardware ID Name (_CID, EisaId ("PNP0A03") /* PCI Bus */)`,
		`WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0x0000, // Granularity 0x0000, // Range Minimum 0x0000, // Range Maximum 0x0000, // Translation Offset 0x0001, // Length`,
		`IO (Decode16, 0x0CF8, // Range Minimum 0x0CF8, // Range Maximum 0x01, // Alignment 0x08, // Length )`,
		`DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite, 0x00000000, // Granularity 0xC0000000, // Range Minimum 0xC0FFFFFF, // Range Maximum 0x00000000, // Translation Offset 0x01000000, // Length`,
		`Device (ECAM) { Name (_HID, EisaId ("PNP0C02") /* PNP Motherboard Resources */) // _HID: Hardware ID Name (_UID, Zero) // _UID: Unique ID Name (_CRS, ResourceTemplate () // _CRS: Current Resource Settings { Memory32Fixed (ReadWrite, 0xE0000000, // Address Base 0x00100000, // Address Length`,
		`Name (_S5, Package (0x04) // _S5_: S5 System State { 0x05, Zero, Zero, Zero })`,
		`Device (C000) { Name (_HID, "ACPI0007" /* Processor Device */) // _HID: Hardware ID Name (_UID, Zero)`,
		`Device (COM1) { Name (_HID, EisaId ("PNP0501") /* 16550A-compatible COM Serial Port */) // _HID: Hardware ID Name (_UID, One)`,
		`IO (Decode16, 0x03F8, // Range Minimum 0x03F8, // Range Maximum 0x01, // Alignment 0x08, // Length )`,
		`Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive, ,, ) { 0x00000004, }`,
		`Device (RTC0) { Name (_HID, EisaId ("PNP0B00") /* AT Real-Time Clock */)`,
		`0x02F8, // Range Minimum`,
		`Device (FWCF) { Name (_HID, "QEMU0002") // _HID: Hardware ID Name (_CRS, ResourceTemplate () // _CRS: Current Resource Settings { IO (Decode16, 0x0510, // Range Minimum 0x0510, // Range Maximum 0x01, // Alignment 0x0C, // Length )`,
		`Device (HPET) { Name (_HID, EisaId ("PNP0103") /* HPET System Timer */)`,
		`Memory32Fixed (ReadWrite, 0xFED00000, // Address Base 0x00000400, // Address Length`,
		`Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive, ,, ) { 0x00000010, 0x00000011, 0x00000012, }`,
	},
}

func disassemble(t *testing.T, signature string, b []byte) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, strings.ToLower(signature)+".aml")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	iasl := exec.Command("iasl", "-p", filepath.Join(dir, "out"), "-d", file)
	said, err := iasl.CombinedOutput()
	if err != nil || strings.Contains(string(said), "rror") || strings.Contains(string(said), "arning") {
		t.Fatalf("iasl -d %s: %v\n%s", signature, err, said)
	}
	text, err := os.ReadFile(filepath.Join(dir, "out.dsl"))
	if err != nil {
		t.Fatal(err)
	}
	if signature == "DSDT" { // what was disassembled must compile to the same bytes
		said, err := exec.Command("iasl", "-p", filepath.Join(dir, "again"), filepath.Join(dir, "out.dsl")).CombinedOutput()
		if err != nil {
			t.Fatalf("iasl: %v\n%s", err, said)
		}
		again, err := os.ReadFile(filepath.Join(dir, "again.aml"))
		if err != nil {
			t.Fatal(err)
		}
		if string(again[headerSize:]) != string(b[headerSize:]) {
			t.Errorf("iasl compiles the disassembled DSDT to %d other bytes, not these %d:\n%.2000s", len(again), len(b), text)
		}
	}
	return squeeze(string(text))
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
