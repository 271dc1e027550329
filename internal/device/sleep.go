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

// newSleepRegister returns the registers. They call powerOff when the guest enters S5.
func newSleepRegister(powerOff func()) *SleepRegister { return &SleepRegister{powerOff: powerOff} }

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
