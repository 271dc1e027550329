package device

// Ports of the 8254 interval timer (Intel 8254 data sheet, read/write operations) and of the register that holds its
// channel 2 gate and output (ICH9 data sheet, processor interface registers, NMI_SC).
const (
	pitPorts       = 4    // counters 0 to 2, control word
	pitControlWord = 3    // write only
	nmiStatusPort  = 0x61 // the AT's system control port B
)

// Bits of NMI_SC. Bits 6 and 7 report a reason for an NMI and 4 toggles with a DRAM refresh that does not exist: zero.
const (
	nmiStatusStored = 0x0F   // channel 2 gate, speaker, and the two NMI enables
	nmiStatusOut2   = 1 << 5 // channel 2 output
)

// PIT is an interval timer that does not run: every count has already expired. A kernel has better clocks (CPUID leaf
// 0x15, kvmclock), but it looks at this one first, and nothing in its probes tells them that the timer is absent:
//
//   - Linux's quick_pit_calibrate (arch/x86/kernel/tsc.c), which runs before ACPI unless CPUID leaf 0x16 tells the
//     frequency, reads channel 2 in pairs, up to 50,000 of them, while the high byte is 0xFF. With all ones, as an
//     absent device reads, that is 100,000 port accesses; with a timer that runs it takes milliseconds. A count of 0
//     ends it after four reads: "Fast TSC calibration failed", and CPUID's value counts.
//   - pit_calibrate_tsc there, and GRUB's grub_pit_wait, spin until port 0x61 shows channel 2's output high, without
//     limit. It is high: mode 0 raises it when the count is over. Both take a wait of no length for a failure.
//   - the KASLR code's i8254() (arch/x86/lib/kaslr.c), used without RDRAND and RDTSC, spins while a counter's status
//     has the null count bit set: 0 says that the count is loaded.
//
// So counters read as 0, and the output as high. Channel 0 raises no interrupt: a kernel that finds hardware-reduced
// ACPI, or no 8259, does not ask for one.
type PIT struct {
	nmiStatus nmiStatus
}

// NMIStatus returns the device at nmiStatusPort.
func (p *PIT) NMIStatus() PortDevice { return &p.nmiStatus }

// In implements PortDevice.
func (p *PIT) In(offset uint16) uint8 {
	if offset == pitControlWord {
		return 0xFF
	}
	return 0
}

// Out implements PortDevice.
func (p *PIT) Out(uint16, uint8) {}

type nmiStatus struct{ stored uint8 }

func (n *nmiStatus) In(uint16) uint8 { return n.stored | nmiStatusOut2 }

func (n *nmiStatus) Out(_ uint16, value uint8) { n.stored = value & nmiStatusStored }
