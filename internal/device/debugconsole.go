package device

// debugConsolePort is where EDK2 writes what it logs, and what is read there (QEMU, hw/char/debugcon.c; EDK2,
// OvmfPkg/Library/PlatformDebugLibIoPort).
const (
	debugConsolePort  = 0x402
	debugConsoleReads = 0xE9
)

// A debugConsole takes what firmware in the guest logs.
type debugConsole struct{ put func(byte) }

// In implements PortDevice.
func (debugConsole) In(uint16) uint8 { return debugConsoleReads }

// Out implements PortDevice.
func (d debugConsole) Out(_ uint16, value uint8) { d.put(value) }
