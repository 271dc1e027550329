package device

// SleepTypeS5 is the SLP_TYP value that turns the machine off: the first element of the \_S5 package in the DSDT. The
// number is the machine's choice.
const SleepTypeS5 = 5

// Fields of the sleep control and sleep status registers of hardware-reduced ACPI (ACPI 6.4,
// chapter 4, Sleep Control and Status Registers).
const (
	sleepControl = 0
	sleepStatus  = 1

	sleepTypeShift = 2 // SLP_TYPx, 3 bits
	sleepEnable    = 1 << 5
	wakeStatus     = 1 << 7 // WAK_STS
)

// SleepRegister is the pair of sleep registers that a hardware-reduced FADT points to, one byte each.
type SleepRegister struct {
	powerOff func()
	status   uint8
}

// NewSleepRegister returns the registers. They call powerOff when the guest enters S5.
func NewSleepRegister(powerOff func()) *SleepRegister { return &SleepRegister{powerOff: powerOff} }

// In implements PortDevice. The control register's fields are write-only.
func (s *SleepRegister) In(offset uint16) uint8 {
	if offset == sleepStatus {
		return s.status
	}
	return 0
}

// Out implements PortDevice. The machine announces no sleep state but S5, so any other it wakes from at once: a guest
// waits for WAK_STS without limit (Linux: drivers/acpi/acpica/hwesleep.c, acpi_hw_extended_sleep).
func (s *SleepRegister) Out(offset uint16, value uint8) {
	switch {
	case offset == sleepStatus:
		s.status &^= value & wakeStatus // write 1 to clear
	case value&sleepEnable == 0:
	case value>>sleepTypeShift&7 == SleepTypeS5:
		s.powerOff()
	default:
		s.status |= wakeStatus
	}
}

// ResetValue is what a guest writes to the reset register to reset the machine: the FADT's RESET_VALUE.
const ResetValue = resetSystem | resetCPU

// Bits of the reset control register (ICH9 data sheet, processor interface registers, RST_CNT).
const (
	resetSystem = 1 << 1 // SYS_RST: all of the machine, not the processor alone
	resetCPU    = 1 << 2 // RST_CPU: do it
	resetFull   = 1 << 3 // FULL_RST: with a power cycle
)

// ResetRegister is the reset control register of a PC chipset. This machine knows one kind of reset only.
type ResetRegister struct {
	reset func()
	value uint8
}

// NewResetRegister returns the register. It calls reset when RST_CPU goes from 0 to 1.
func NewResetRegister(reset func()) *ResetRegister { return &ResetRegister{reset: reset} }

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
