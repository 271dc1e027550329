//go:build linux && amd64

package kernel

import "github.com/tacit-vm/tacit/uefi"

// now is the time since the start in nanoseconds, by the time stamp counter.
func (k *kernel) now() uint64 {
	ticks := rdtsc() - k.tscStart
	return ticks/k.tscHz*1e9 + ticks%k.tscHz*1e9/k.tscHz
}

// calibrate finds out how fast the time stamp counter is: from CPUID (leaf 0x15, which a TD always has), else by having
// firmware wait a while.
func (k *kernel) calibrate() {
	k.tscStart = rdtsc()
	if most, _, _, _ := cpuid(0, 0); most >= 0x15 {
		if denominator, numerator, crystal, _ := cpuid(0x15, 0); denominator != 0 && numerator != 0 && crystal != 0 {
			k.tscHz = max(uint64(crystal)*uint64(numerator)/uint64(denominator), 1e6)
			return
		}
	}
	const wait = 10_000 // microseconds
	k.stall(wait)
	k.tscHz = max((rdtsc()-k.tscStart)*(1e6/wait), 1e6)
}

// readClock asks firmware for the time of day (UEFI 2.10, section 8.3, GetTime). A clock that cannot be read, or says what
// cannot be, leaves the time at 1970.
func (k *kernel) readClock() {
	// EFI_TIME: year, month, day, hour, minute, second, a byte, and what is finer than a second.
	var t struct {
		year                             uint16
		month, day, hour, minute, second uint8
		_                                uint8
		nanosecond                       uint32
		zone                             int16 // minutes to add for UTC, or 0x7FF
		_                                uint16
	}
	runtime := *at(k.systemTable + uefi.SystemTableRuntimeServices)
	args := [6]uint64{address(&t)}
	status := uefi.Status(callFirmware(*at(runtime + uint64(uefi.RTGetTime)), &args))
	if status != uefi.Success || t.year < 1970 || t.year > 2500 || t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31 ||
		t.hour > 23 || t.minute > 59 || t.second > 59 {
		return
	}
	days := uint64(0)
	for y := uint16(1970); y < t.year; y++ {
		days += 365 + leap(y)
	}
	for m := uint8(1); m < t.month; m++ {
		days += uint64(daysOf[m])
		if m == 2 {
			days += leap(t.year)
		}
	}
	days += uint64(t.day) - 1
	seconds := ((days*24+uint64(t.hour))*60+uint64(t.minute))*60 + uint64(t.second)
	if local := int64(t.zone) * 60; t.zone >= -1440 && t.zone <= 1440 && int64(seconds)+local >= 0 {
		seconds += uint64(local)
	}
	k.epoch = seconds*1e9 + uint64(min(t.nanosecond, 1e9-1)) - k.now()
}

var daysOf = [13]uint8{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// leap returns how many days longer than 365 a year is.
func leap(year uint16) uint64 {
	if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 1
	}
	return 0
}

// random returns a random number: the processor's where it has them, else one that a bystander could guess. That is not good enough
// for a guest that has secrets: a host would be a bystander, and hardware that always fails is a fault (CVE-2024-35875).
func (k *kernel) random() uint64 {
	if k.hasRDRAND {
		for range 16 {
			if v, ok := rdrand(); ok {
				return v
			}
		}
	}
	if k.kind == onTDX || k.kind == onSNP {
		k.fatal(errNoRandom)
	}
	k.seed += rdtsc() | 1
	z := k.seed * 0x9E37_79B9_7F4A_7C15
	z = (z ^ z>>30) * 0xBF58_476D_1CE4_E5B9
	return z ^ z>>27
}
