package device

import "fmt"

// rtcStartMax is the last second that the clock's four digits of a year can hold: 9999-12-31T23:59:59Z.
const rtcStartMax = 253402300799

// RTCCentury is the cell that holds the century, in the form of the other time cells: the FADT's CENTURY.
const RTCCentury = 0x32

const (
	rtcPorts = 2 // index, data
	rtcCells = 128
	rtcNMI   = 1 << 7 // of the index port
)

// Cells of the MC146818A (Motorola MC146818A data sheet, Address Map, and Registers for the bits).
const (
	rtcSeconds       = 0x00
	rtcSecondsAlarm  = 0x01
	rtcMinutes       = 0x02
	rtcMinutesAlarm  = 0x03
	rtcHours         = 0x04
	rtcHoursAlarm    = 0x05
	rtcDayOfWeek     = 0x06 // 1 is Sunday
	rtcDayOfMonth    = 0x07
	rtcMonth         = 0x08
	rtcYear          = 0x09
	rtcA             = 0x0A
	rtcB             = 0x0B
	rtcC             = 0x0C
	rtcD             = 0x0D
	rtcFirstMemory   = 0x0E
	rtcAlarmDontCare = 0xC0 // an alarm cell with both bits set matches every time

	rtcADivider  = 7 << 4 // DV2:0
	rtcADivider2 = 2 << 4 // the one for a 32,768 Hz crystal, which is what PCs have
	rtcAUpdating = 1 << 7 // UIP

	rtcBSet         = 1 << 7 // SET: no updates, so that the time can be set
	rtcBUpdateEnded = 1 << 4 // UIE
	rtcBBinary      = 1 << 2 // DM
	rtcB24Hours     = 1 << 1

	rtcCAlarm       = 1 << 5 // AF; register B has its enable, AIE, at the same place
	rtcCUpdateEnded = 1 << 4 // UF
	rtcCEnableMask  = 7 << 4
	rtcCRequest     = 1 << 7 // IRQF

	rtcDValid = 1 << 7 // VRT: the battery is good
)

// An update cycle at 32,768 Hz takes 1984 microseconds, and UIP is set 244 before it (MC146818A, Update Cycle Times).
// The time changes at its end, when UIP goes off.
const rtcUpdateNS = (1984 + 244) * 1000

const secondNS = 1_000_000_000

// RTC is a PC's clock and CMOS memory: an MC146818A with 128 cells, and the century in one of them.
//
// The time is computed from virtual time when it is looked at. The alarm and the end of an update interrupt; the
// periodic interrupt and the square wave do not exist, their enables are stored and change nothing: Linux's periods are
// its own timers' work (drivers/rtc/interface.c). The daylight saving bit is stored and ignored. The day of the week
// follows the date.
//
// The PC's index port has the NMI mask in bit 7. This machine has no source of NMIs, so the bit is dropped.
type RTC struct {
	clock Clock
	irq   Line

	index uint8
	cells [rtcCells]uint8 // the time cells are valid up to second seen

	// While the clock runs, Unix second zeroSecond began at virtual time zeroNS. While it stands, only zeroNS counts,
	// for the phase of seconds to come.
	zeroSecond, zeroNS int64
	seen               int64 // the last second whose update is in cells and flags

	asserted bool // what irq was last told
}

// newRTC returns a clock that shows Unix time start, in seconds, now. Time before 1970 or after rtcStartMax is an
// error.
func newRTC(clock Clock, irq Line, start int64) (*RTC, error) {
	if start < 0 || start > rtcStartMax {
		return nil, fmt.Errorf("device: clock cannot start at second %d: not in years 1970 to 9999", start)
	}
	r := &RTC{clock: clock, irq: irq, zeroSecond: start, zeroNS: clock.Now(), seen: start}
	r.cells[rtcA] = rtcADivider2 | 6 // 1024 Hz, the BIOS's choice: Linux writes the same (drivers/rtc/rtc-cmos.c)
	r.cells[rtcB] = rtcB24Hours
	r.cells[rtcD] = rtcDValid
	r.showTime()
	return r, nil
}

// In implements PortDevice. The index port is write-only.
func (r *RTC) In(offset uint16) uint8 {
	if offset == 0 {
		return 0xFF
	}
	now := r.clock.Now()
	r.update(now)
	value := r.cells[r.index]
	switch r.index {
	case rtcA:
		if r.running() && now-r.secondBegan(now) >= secondNS-rtcUpdateNS {
			value |= rtcAUpdating
		}
	case rtcC:
		r.cells[rtcC] = 0
		r.settle()
	}
	return value
}

// Out implements PortDevice.
func (r *RTC) Out(offset uint16, value uint8) {
	if offset == 0 {
		r.index = value &^ rtcNMI
		return
	}
	now := r.clock.Now()
	r.update(now)
	switch r.index {
	case rtcA, rtcB:
		r.control(now, value)
	case rtcC, rtcD: // read-only
	case rtcSeconds, rtcMinutes, rtcHours, rtcDayOfWeek, rtcDayOfMonth, rtcMonth, rtcYear, RTCCentury:
		r.cells[r.index] = value
		if r.running() {
			r.start(r.secondBegan(now))
		}
	default:
		r.cells[r.index] = value
	}
	r.settle()
}

// control writes register A or B, which may stop the clock or let it run again.
func (r *RTC) control(now int64, value uint8) {
	ran, divided := r.running(), r.dividing()
	if r.index == rtcA {
		r.cells[rtcA] = value &^ rtcAUpdating
	} else {
		if value&rtcBSet != 0 {
			value &^= rtcBUpdateEnded // SET going high clears UIE (MC146818A, Register B)
		}
		r.cells[rtcB] = value
	}
	if !divided && r.dividing() {
		// The first update comes half a second after the divider is released (MC146818A, Register A, DV): setting the
		// clock exactly means releasing it on a half second.
		r.zeroNS = now - secondNS/2
	}
	switch {
	case !r.running():
	case ran:
		r.showTime() // the data mode may have changed
	default:
		r.start(r.secondBegan(now))
	}
}

// dividing tells whether the crystal's pulses become seconds. The divider settings for other crystals would make a PC's
// clock run hundreds of times too fast or stop it: they stop it here.
func (r *RTC) dividing() bool { return r.cells[rtcA]&rtcADivider == rtcADivider2 }

func (r *RTC) running() bool { return r.dividing() && r.cells[rtcB]&rtcBSet == 0 }

// settle tells the interrupt controller whether an enabled flag is set.
func (r *RTC) settle() {
	assert := r.cells[rtcC]&r.cells[rtcB]&rtcCEnableMask != 0
	r.cells[rtcC] &^= rtcCRequest
	if assert {
		r.cells[rtcC] |= rtcCRequest
	}
	if assert != r.asserted {
		r.asserted = assert
		r.irq(assert)
	}
}
