package firmware

import (
	"encoding/binary"
	"time"
)

// EFI_TIME (UEFI 2.10, section 8.3).
const (
	timeYear       = 0  // UINT16, 1900 to 9999
	timeMonth      = 2  // 1 to 12
	timeDay        = 3  // 1 to 31
	timeHour       = 4  // 0 to 23
	timeMinute     = 5  // 0 to 59
	timeSecond     = 6  // 0 to 59
	timeNanosecond = 8  // UINT32
	timeZone       = 12 // INT16: minutes that UTC is ahead of local time, -1440 to 1440
	timeSize       = 16

	timeUnspecifiedZone = 0x07FF
)

// EFI_TIME_CAPABILITIES (UEFI 2.10, section 8.3).
const (
	capResolution = 0 // UINT32, counts a second
	capAccuracy   = 4 // UINT32, error in 1e-6 parts per million
	capSetsToZero = 8 // BOOLEAN
	capSize       = 12
)

// lastSecond is 9999-12-31T23:59:59Z, the last that an EFI_TIME can hold.
const lastSecond = 253402300799

// now is what the clock shows.
func (f *Firmware) now() time.Time {
	ns := f.cpu.Now()
	return time.Unix(f.cfg.RTCStart+f.clockOffset+ns/1e9, ns%1e9).UTC()
}

// getTime(*Time, *Capabilities). The time is UTC.
func (f *Firmware) getTime(a args) error {
	t := f.now()
	if t.Unix() > lastSecond {
		return deviceError
	}
	b := make([]byte, timeSize)
	binary.LittleEndian.PutUint16(b[timeYear:], uint16(t.Year()))
	b[timeMonth], b[timeDay] = byte(t.Month()), byte(t.Day())
	b[timeHour], b[timeMinute], b[timeSecond] = byte(t.Hour()), byte(t.Minute()), byte(t.Second())
	put32(b[timeNanosecond:], uint32(t.Nanosecond()))
	if err := f.write(a[0], b); err != nil {
		return err
	}
	if a[1] == 0 {
		return nil
	}
	c := make([]byte, capSize)
	put32(c[capResolution:], 1e9)
	return f.write(a[1], c)
}

// setTime(*Time)
func (f *Firmware) setTime(a args) error {
	b := make([]byte, timeSize)
	if err := f.read(a[0], b); err != nil {
		return err
	}
	year, month, day := int(binary.LittleEndian.Uint16(b[timeYear:])), time.Month(b[timeMonth]), int(b[timeDay])
	hour, minute, second := int(b[timeHour]), int(b[timeMinute]), int(b[timeSecond])
	zone := int16(binary.LittleEndian.Uint16(b[timeZone:]))
	if zone == timeUnspecifiedZone {
		zone = 0
	}
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	// Date makes the 31st of April the 1st of May: what it changes was no date.
	if year < 1970 || year > 9999 || t.Month() != month || t.Day() != day || hour > 23 || minute > 59 || second > 59 ||
		binary.LittleEndian.Uint32(b[timeNanosecond:]) >= 1e9 || zone < -1440 || zone > 1440 {
		return invalidParameter
	}
	f.clockOffset += t.Unix() + 60*int64(zone) - f.now().Unix()
	return nil
}

// stall(Microseconds)
func (f *Firmware) stall(a args) error {
	const longest = 1 << 40 // about twelve days; a longer one is the guest's way to say for ever
	f.cpu.Idle(min(a[0], longest) * 1000)
	return nil
}
