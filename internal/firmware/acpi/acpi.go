// Package acpi writes the ACPI tables of a machine without legacy hardware: the hardware-reduced model, in which nothing has to
// be probed. The tables are a function of [Machine] and of the address that they go to.
package acpi

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// A Machine is what the tables tell the operating system.
type Machine struct {
	CPUs    int                  // 1 to maxCPUs
	APICID  func(cpu int) uint32 // their x2APIC IDs; nil counts them from 0
	FACS    uint32               // guest-physical address of what [FACS] returns, a multiple of 64; 0 where there is none
	Nodes   []Node               // NUMA nodes, each of which has as many CPUs, in order; none says nothing of nodes
	Mailbox uint64               // guest-physical address of the mailbox through which CPUs other than the first are started; 0 for none

	IOAPICAddress uint32 // guest-physical; its first pin is global system interrupt 0
	IOAPICID      uint8

	UARTs []UART
	RTC   *RTC // nil where there is no CMOS clock

	// Ports of system I/O, one byte each.
	SleepControlPort, SleepStatusPort uint16
	SleepTypeS5                       uint8 // SLP_TYP that turns the machine off, 0 to 7
	ResetPort                         uint16
	ResetValue                        uint8

	FWCfgPort uint16 // the first of QEMU's fw_cfg; 0 where there is none

	HPET *HPET // nil where there are no high precision event timers

	PCI *PCI // nil where there is no PCI bus

	Poke *Poke // nil where the tables are honest
}

// A UART is a 16550 with eight ports.
type UART struct {
	Port uint16
	GSI  uint32
}

// An RTC is a PC's clock: an index and a data port.
type RTC struct {
	Port    uint16
	GSI     uint32
	Century uint8 // CMOS cell of the century
}

// maxCPUs is how many processors the names in the DSDT allow for.
const maxCPUs = 0x1000

// Tables are the tables as one block.
type Tables struct {
	Block []byte

	// RSDP is the guest-physical address of the root pointer in it, and RSDP1 that of the one which ACPI 1.0 knows: it leads
	// to an RSDT, whose addresses have 32 bits.
	RSDP, RSDP1 uint64
}

// maxAddress is where the tables have to end, for the RSDT's sake.
const maxAddress = 1 << 32

// Tables returns the tables as they are to lie at the guest-physical address base, a multiple of 16 below 4 GiB.
func (m *Machine) Tables(base uint64) (t Tables, err error) {
	if m.CPUs < 1 || m.CPUs > maxCPUs {
		return t, fmt.Errorf("acpi: %d processors: 1 to %d can be described", m.CPUs, maxCPUs)
	}
	if n := len(m.Nodes); n > maxNodes || n > 0 && m.CPUs%n != 0 {
		return t, fmt.Errorf("acpi: %d processors on %d nodes cannot be described: want as many on each, and at most %d", m.CPUs, n, maxNodes)
	}
	if m.SleepTypeS5 > 7 || len(m.UARTs) > 9 {
		return t, fmt.Errorf("acpi: sleep type %d or %d UARTs cannot be described", m.SleepTypeS5, len(m.UARTs))
	}
	place := func(table []byte) uint64 {
		at := base + uint64(len(t.Block))
		t.Block = append(t.Block, table...)
		for len(t.Block)%16 != 0 {
			t.Block = append(t.Block, 0)
		}
		return at
	}
	dsdt := place(m.dsdt())
	fadt := place(m.fadt(dsdt))
	madt := place(m.madt())
	all := []uint64{fadt, madt}
	if m.PCI != nil {
		all = append(all, place(m.PCI.mcfg()))
	}
	if m.HPET != nil {
		all = append(all, place(m.HPET.table()))
	}
	if len(m.Nodes) > 0 {
		all = append(all, place(m.srat()), place(m.slit()))
	}
	if m.Poke != nil {
		all = append(all, place(m.Poke.ssdt()))
	}
	xsdt, rsdt := place(xsdt(all...)), place(rsdt(all...))
	t.RSDP, t.RSDP1 = place(rootPointer(xsdt, rsdt)), place(rootPointer1(rsdt))
	if base%16 != 0 || base+uint64(len(t.Block)) > maxAddress || m.FACS%facsSize != 0 {
		return Tables{}, fmt.Errorf("acpi: tables of %#x bytes cannot lie at %#x, or the FACS at %#x: want multiples of 16 and %d below 4 GiB", len(t.Block), base, m.FACS, facsSize)
	}
	return t, nil
}

// Who wrote the tables, in every header.
const (
	oemID           = "TACIT "
	oemTableID      = "TACIT-VM"
	oemRevision     = 1
	creatorID       = "TCIT"
	creatorRevision = 1
)

const headerSize = 36

// table puts the header in front of body (DESCRIPTION_HEADER, ACPI 6.5, 5.2.6).
func table(signature string, revision uint8, body []byte) []byte {
	b := make([]byte, 0, headerSize+len(body))
	b = append(b, signature...)
	b = binary.LittleEndian.AppendUint32(b, uint32(headerSize+len(body)))
	b = append(b, revision, 0)
	b = append(b, oemID+oemTableID...)
	b = binary.LittleEndian.AppendUint32(b, oemRevision)
	b = append(b, creatorID...)
	b = binary.LittleEndian.AppendUint32(b, creatorRevision)
	b = append(b, body...)
	b[9] = checksum(b)
	return b
}

// checksum is the byte that makes the sum of b zero, if b has a zero in its place.
func checksum(b []byte) (sum byte) {
	for _, v := range b {
		sum -= v
	}
	return sum
}

// rootPointer returns the RSDP (ACPI 6.5, 5.2.5.3).
func rootPointer(xsdt, rsdt uint64) []byte {
	const size, revision = 36, 2
	b := make([]byte, size)
	copy(b, "RSD PTR ")
	copy(b[9:], oemID)
	b[15] = revision
	binary.LittleEndian.PutUint32(b[16:], uint32(rsdt))
	binary.LittleEndian.PutUint32(b[20:], size)
	binary.LittleEndian.PutUint64(b[24:], xsdt)
	b[8] = checksum(b[:20])
	b[32] = checksum(b)
	return b
}

// rootPointer1 returns the RSDP of ACPI 1.0, which is the first part of the other.
func rootPointer1(rsdt uint64) []byte {
	b := rootPointer(0, rsdt)[:20]
	b[15], b[8] = 0, 0 // revision
	b[8] = checksum(b)
	return b
}

func rsdt(tables ...uint64) []byte {
	var body []byte
	for _, t := range tables {
		body = binary.LittleEndian.AppendUint32(body, uint32(t))
	}
	return table("RSDT", 1, body)
}

const facsSize = 64

// FACS returns the FACS (ACPI 6.5, 5.2.10), which is to lie in memory of type EfiACPIMemoryNVS, and in which nothing is ever asked for: the machine does not sleep, and no firmware
// shares a lock with the system.
func FACS() []byte {
	const version = 2
	b := make([]byte, facsSize)
	copy(b, "FACS")
	binary.LittleEndian.PutUint32(b[4:], facsSize)
	b[32] = version
	return b
}

func xsdt(tables ...uint64) []byte {
	var body []byte
	for _, t := range tables {
		body = binary.LittleEndian.AppendUint64(body, t)
	}
	return table("XSDT", 1, body)
}

// FADT fields (ACPI 6.5, table 5.9), by offset in the table, and its flags.
const (
	fadtSize     = 276
	fadtRevision = 6
	fadtMinor    = 5

	fadtFACS           = 36
	fadtDSDT           = 40
	fadtProfile        = 45
	fadtLevel2Latency  = 96
	fadtLevel3Latency  = 98
	fadtCentury        = 108
	fadtBootFlags      = 109
	fadtFlags          = 112
	fadtResetRegister  = 116
	fadtResetValue     = 128
	fadtMinorVersion   = 131
	fadtXDSDT          = 140
	fadtSleepControl   = 244
	fadtSleepStatus    = 256
	profileServer      = 4
	noC2, noC3         = 101, 1001 // latencies above 100 and 1000 µs: no such states
	bootNoVGA          = 1 << 2
	bootNoRTC          = 1 << 5
	flagWBINVD         = 1 << 0 // required on x86
	flagProcessorC1    = 1 << 2
	flagNoPowerButton  = 1 << 4 // as fixed hardware
	flagNoSleepButton  = 1 << 5
	flagNoRTCWake      = 1 << 6
	flagResetRegister  = 1 << 10
	flagHeadless       = 1 << 12
	flagHardwareReduce = 1 << 20
)

// fadt describes a hardware-reduced machine: no PM timer, no SCI, no 8042, and so nothing that a kernel waits for in
// vain.
func (m *Machine) fadt(dsdt uint64) []byte {
	b := make([]byte, fadtSize)
	le := binary.LittleEndian
	le.PutUint32(b[fadtFACS:], m.FACS) // and none of 64 bits, as the specification wants it of one below 4 GiB
	le.PutUint32(b[fadtDSDT:], uint32(dsdt))
	b[fadtProfile] = profileServer
	le.PutUint16(b[fadtLevel2Latency:], noC2)
	le.PutUint16(b[fadtLevel3Latency:], noC3)
	boot := uint16(bootNoVGA)
	if m.RTC != nil {
		b[fadtCentury] = m.RTC.Century
	} else {
		boot |= bootNoRTC
	}
	le.PutUint16(b[fadtBootFlags:], boot)
	le.PutUint32(b[fadtFlags:], flagWBINVD|flagProcessorC1|flagNoPowerButton|flagNoSleepButton|flagNoRTCWake|
		flagResetRegister|flagHeadless|flagHardwareReduce)
	putPort(b[fadtResetRegister:], m.ResetPort)
	b[fadtResetValue] = m.ResetValue
	b[fadtMinorVersion] = fadtMinor
	le.PutUint64(b[fadtXDSDT:], dsdt)
	putPort(b[fadtSleepControl:], m.SleepControlPort)
	putPort(b[fadtSleepStatus:], m.SleepStatusPort)
	return table("FACP", fadtRevision, b[headerSize:])
}

// putPort writes a generic address of one byte of system I/O (ACPI 6.5, 5.2.3.2).
func putPort(b []byte, port uint16) {
	const systemIO, width, byteAccess = 1, 8, 1
	b[0], b[1], b[2], b[3] = systemIO, width, 0, byteAccess
	binary.LittleEndian.PutUint64(b[4:], uint64(port))
}

// Interrupt controller structures of the MADT (ACPI 6.5, table 5.21).
const (
	madtIOAPIC    = 1
	madtAPICNMI   = 4
	madtX2APIC    = 9
	madtX2APICNMI = 0xA
	madtMailbox   = 0x10 // multiprocessor wakeup

	localAPICAddress = 0xFEE00000
	enabled          = 1

	nmiInput    = 1 // LINT1
	conforming  = 0 // polarity and trigger mode are the bus's: flags of an interrupt
	everyUID    = 0xFF
	everyX2APIC = 0xFFFF_FFFF
)

// madt lists the local APICs, as x2APICs, and the I/O APIC. PCAT_COMPAT is clear: there is no
// 8259 that would have to be masked first. A pair that has not been programmed is quiet. Each processor's LINT1 is for NMIs, as
// on every PC: said in both forms, since software that knows no x2APICs looks for the other.
func (m *Machine) madt() []byte {
	const revision, flags = 6, 0
	le := binary.LittleEndian
	b := le.AppendUint32(nil, localAPICAddress)
	b = le.AppendUint32(b, flags)
	for cpu := range m.CPUs {
		b = append(b, madtX2APIC, 16, 0, 0)
		b = le.AppendUint32(b, m.apicID(cpu))
		b = le.AppendUint32(b, enabled)
		b = le.AppendUint32(b, uint32(cpu)) // the processor's _UID
	}
	b = append(b, madtIOAPIC, 12, m.IOAPICID, 0)
	b = le.AppendUint32(b, m.IOAPICAddress)
	b = le.AppendUint32(b, 0) // its first global system interrupt
	b = append(b, madtX2APICNMI, 12, conforming, 0)
	b = le.AppendUint32(b, everyX2APIC)
	b = append(b, nmiInput, 0, 0, 0)
	if m.Mailbox != 0 {
		b = append(b, madtMailbox, 16, 0, 0, 0, 0, 0, 0)
		b = le.AppendUint64(b, m.Mailbox)
	}
	b = append(b, madtAPICNMI, 6, everyUID, conforming, 0, nmiInput) // the last: it is no multiple of 4 bytes
	return table("APIC", revision, b)
}

func (m *Machine) apicID(cpu int) uint32 {
	if m.APICID == nil {
		return uint32(cpu)
	}
	return m.APICID(cpu)
}

// dsdt names the devices: processors, UARTs, the clock, and how the machine is turned off.
func (m *Machine) dsdt() []byte {
	var devices bytes.Buffer
	for id := range m.CPUs {
		devices.Write(device(fmt.Sprintf("C%03X", id),
			name("_HID", text("ACPI0007")),
			name("_UID", integer(uint32(id)))))
	}
	for i, u := range m.UARTs {
		devices.Write(device(fmt.Sprintf("COM%d", i+1),
			name("_HID", eisaID("PNP0501")),
			name("_UID", integer(uint32(i+1))),
			name("_CRS", resources(ports(u.Port, 8), interrupt(u.GSI)))))
	}
	if m.RTC != nil {
		devices.Write(device("RTC0",
			name("_HID", eisaID("PNP0B00")),
			name("_CRS", resources(ports(m.RTC.Port, 2), interrupt(m.RTC.GSI)))))
	}
	if m.FWCfgPort != 0 {
		devices.Write(device("FWCF",
			name("_HID", text("QEMU0002")),
			name("_CRS", resources(ports(m.FWCfgPort, 12)))))
	}
	if m.HPET != nil {
		devices.Write(m.HPET.device())
	}
	if m.PCI != nil {
		devices.Write(m.PCI.devices())
	}
	off := integer(uint32(m.SleepTypeS5))
	return table("DSDT", 2, join(
		name("_S5_", pack(off, integer(0), integer(0), integer(0))),
		scope("_SB_", devices.Bytes())))
}
