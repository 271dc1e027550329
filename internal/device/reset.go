package device

// ResetValue is what a guest writes to the reset register to reset the machine: the FADT's RESET_VALUE.
const ResetValue = resetSystem | resetCPU

// Bits of the reset control register (ICH9 data sheet, processor interface registers, RST_CNT).
const (
	resetSystem = 1 << 1 // SYS_RST: all of the machine, not the processor alone
	resetCPU    = 1 << 2 // RST_CPU: do it
	resetFull   = 1 << 3 // FULL_RST: with a power cycle
)

// A pulseRegister is what there is of a keyboard controller: a command that pulses the processor's reset line (IBM PC AT technical
// reference, 8042, commands 0xF0 to 0xFF: the low bits that are 0 choose lines, and bit 0 is reset). What is read says that
// there is no controller.
type pulseRegister struct{ reset func() }

// In implements PortDevice.
func (*pulseRegister) In(uint16) uint8 { return 0xFF }

// Out implements PortDevice.
func (p *pulseRegister) Out(_ uint16, value uint8) {
	const pulse, resetLine = 0xF0, 1
	if value&pulse == pulse && value&resetLine == 0 {
		p.reset()
	}
}

// ResetRegister is the reset control register of a PC chipset. This machine knows one kind of reset only.
type ResetRegister struct {
	reset func()
	value uint8
}

// newResetRegister returns the register. It calls reset when RST_CPU goes from 0 to 1.
func newResetRegister(reset func()) *ResetRegister { return &ResetRegister{reset: reset} }

// In implements PortDevice.
func (r *ResetRegister) In(uint16) uint8 { return r.value }

// Out implements PortDevice.
func (r *ResetRegister) Out(_ uint16, value uint8) {
	rising := value &^ r.value & resetCPU
	r.value = value & (resetSystem | resetCPU | resetFull)
	if rising != 0 {
		r.reset()
	}
}
