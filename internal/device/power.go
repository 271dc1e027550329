package device

import "math/bits"

// Ports of a PC's power management, from where EDK2 has the chipset put them on: OvmfPkg/Include/OvmfPlatforms.h,
// ICH9_PMBASE_VALUE. Of the fixed hardware registers there (ACPI 6.5, 4.8.3) firmware uses the control register, to turn the
// machine off, and the timer. The status and enable registers in front of them are not there: their ports are those of the
// sleep registers.
const (
	powerControlPort = 0x604
	powerPorts       = 8

	powerTimer = 4 // from powerControlPort on

	powerSleepTypeS5 = 0      // QEMU's SLP_TYP for S5 (hw/acpi/core.c, acpi_pm1_cnt_write)
	powerSleepEnable = 1 << 5 // of the control register's upper byte
	powerTimerHz     = 3_579_545
	powerTimerBits   = 24
)

// Power is the control register and the timer of a PC's power management. A sleep state other than S5 is not entered.
type Power struct {
	clock    Clock
	powerOff func()
	control  [2]uint8
}

var _ WidePortDevice = (*Power)(nil)

// In implements PortDevice. SLP_EN reads as zero.
func (p *Power) In(offset uint16) uint8 {
	switch {
	case offset < 2:
		return p.control[offset]
	case offset < powerTimer:
		return 0
	}
	return uint8(p.timer() >> (8 * (offset - powerTimer)))
}

// InWide implements WidePortDevice: the timer is read as a whole, and often.
func (p *Power) InWide(offset uint16, size int) uint32 {
	if offset == powerTimer && size == 4 {
		return p.timer()
	}
	var value uint32
	for i := range uint16(size) {
		if offset+i < powerPorts {
			value |= uint32(p.In(offset+i)) << (8 * i)
		}
	}
	return value
}

func (p *Power) timer() uint32 {
	hi, lo := bits.Mul64(uint64(p.clock.Now()), powerTimerHz)
	ticks, _ := bits.Div64(hi, lo, secondNS)
	return uint32(ticks & (1<<powerTimerBits - 1))
}

// Out implements PortDevice.
func (p *Power) Out(offset uint16, value uint8) {
	if offset > 1 {
		return
	}
	p.control[offset] = value
	if offset == 1 {
		p.control[1] &^= powerSleepEnable
		if value&powerSleepEnable != 0 && value>>2&7 == powerSleepTypeS5 {
			p.powerOff()
		}
	}
}

// OutWide implements WidePortDevice.
func (p *Power) OutWide(offset uint16, size int, value uint32) {
	for i := range uint16(size) {
		p.Out(offset+i, uint8(value>>(8*i)))
	}
}
