package device

// DebugExitPort is where QEMU has its device isa-debug-exit if nothing else is said (hw/misc/debugexit.c), and
// debugExitPorts how many ports that takes.
const (
	DebugExitPort  = 0x501
	debugExitPorts = 2
)

// A DebugExit lets a test program end the machine with a code: whatever it writes, in one, two or four bytes.
type DebugExit struct{ exit func(code uint32) }

// In implements PortDevice. As QEMU's, it reads as zero.
func (*DebugExit) In(uint16) uint8 { return 0 }

// InWide implements WidePortDevice.
func (*DebugExit) InWide(uint16, int) uint32 { return 0 }

// Out implements PortDevice.
func (d *DebugExit) Out(_ uint16, value uint8) { d.exit(uint32(value)) }

// OutWide implements WidePortDevice.
func (d *DebugExit) OutWide(_ uint16, _ int, value uint32) { d.exit(value) }
