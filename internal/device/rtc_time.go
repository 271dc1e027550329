package device

import "time"

// secondBegan returns the virtual time at which the second at virtual time now began.
func (r *RTC) secondBegan(now int64) int64 {
	phase := (now - r.zeroNS) % secondNS
	if phase < 0 {
		phase += secondNS
	}
	return now - phase
}

// start lets the clock run from the time in its cells, which is that of the second that began at virtual time began.
// The cells stay as the guest wrote them until the next update, so that it may set them one by one.
func (r *RTC) start(began int64) {
	r.zeroNS, r.zeroSecond = began, r.cellTime()
	r.seen = r.zeroSecond
}

// update brings cells and flags up to virtual time now.
func (r *RTC) update(now int64) {
	if !r.running() {
		return
	}
	second := r.zeroSecond + (now-r.zeroNS)/secondNS
	if second <= r.seen {
		return
	}
	r.cells[rtcC] |= rtcCUpdateEnded
	if alarm, ok := r.nextAlarm(r.seen); ok && alarm <= second {
		r.cells[rtcC] |= rtcCAlarm
	}
	r.seen = second
	r.showTime()
	r.settle()
}

// NextEvent implements Timer: the next second that interrupts, because it ends an update or because it is the alarm's.
func (r *RTC) NextEvent() (ns int64, ok bool) {
	if !r.running() || r.asserted {
		return 0, false
	}
	if r.cells[rtcB]&rtcBUpdateEnded != 0 {
		return r.began(r.seen + 1), true
	}
	if r.cells[rtcB]&rtcCAlarm != 0 {
		if alarm, ok := r.nextAlarm(r.seen); ok {
			return r.began(alarm), true
		}
	}
	return 0, false
}

// Advance implements Timer.
func (r *RTC) Advance(now int64) { r.update(now) }

// began returns the virtual time at which a Unix second begins.
func (r *RTC) began(second int64) int64 { return r.zeroNS + (second-r.zeroSecond)*secondNS }

// nextAlarm returns the first second after a given one that matches the alarm cells, if any does: it is within a day.
func (r *RTC) nextAlarm(after int64) (second int64, ok bool) {
	const minute, hour, day = 60, 3600, 86400
	if !r.alarmComes() {
		return 0, false
	}
	for second = after + 1; second <= after+day; {
		t := (second%day + day) % day // before 1970 the remainder is negative
		h, m, s := t/hour, t%hour/minute, t%minute
		switch {
		case !r.alarmAt(rtcHoursAlarm, r.encodeHour(int(h))):
			second += hour - t%hour
		case !r.alarmAt(rtcMinutesAlarm, r.encode(int(m))):
			second += minute - s
		case !r.alarmAt(rtcSecondsAlarm, r.encode(int(s))):
			second++
		default:
			return second, true
		}
	}
	return 0, false
}

// alarmComes says whether each alarm cell matches some value of its field. Then the search for the next alarm is short:
// without this a guest could make every look for the next event go through a day, second by second.
func (r *RTC) alarmComes() bool {
	for _, field := range []struct {
		cell, values int
		encode       func(int) uint8
	}{{rtcHoursAlarm, 24, r.encodeHour}, {rtcMinutesAlarm, 60, r.encode}, {rtcSecondsAlarm, 60, r.encode}} {
		n := 0
		for n < field.values && !r.alarmAt(field.cell, field.encode(n)) {
			n++
		}
		if n == field.values {
			return false
		}
	}
	return true
}

func (r *RTC) alarmAt(cell int, value uint8) bool {
	return r.cells[cell] >= rtcAlarmDontCare || r.cells[cell] == value
}

// showTime writes second seen into the time cells.
func (r *RTC) showTime() {
	t := time.Unix(r.seen, 0).UTC()
	r.cells[rtcSeconds] = r.encode(t.Second())
	r.cells[rtcMinutes] = r.encode(t.Minute())
	r.cells[rtcHours] = r.encodeHour(t.Hour())
	r.cells[rtcDayOfWeek] = r.encode(int(t.Weekday()) + 1)
	r.cells[rtcDayOfMonth] = r.encode(t.Day())
	r.cells[rtcMonth] = r.encode(int(t.Month()))
	r.cells[rtcYear] = r.encode(t.Year() % 100)
	r.cells[RTCCentury] = r.encode(t.Year() / 100)
}

// cellTime returns the Unix second that the time cells show. A cell may hold any byte; what is too large for its field
// carries into the next one, as in 31 April.
func (r *RTC) cellTime() int64 {
	year := 100*r.decode(r.cells[RTCCentury]) + r.decode(r.cells[rtcYear])
	month, dayOfMonth := r.decode(r.cells[rtcMonth]), r.decode(r.cells[rtcDayOfMonth])
	hours, minutes, seconds := r.decodeHour(), r.decode(r.cells[rtcMinutes]), r.decode(r.cells[rtcSeconds])
	return time.Date(year, time.Month(month), dayOfMonth, hours, minutes, seconds, 0, time.UTC).Unix()
}

// encode returns a number below 100 as a cell holds it: binary or BCD.
func (r *RTC) encode(n int) uint8 {
	if r.cells[rtcB]&rtcBBinary != 0 {
		return uint8(n)
	}
	return uint8(n/10<<4 | n%10)
}

func (r *RTC) decode(cell uint8) int {
	if r.cells[rtcB]&rtcBBinary != 0 {
		return int(cell)
	}
	return int(cell>>4)*10 + int(cell&0x0F)
}

const rtcPM = 1 << 7 // of the hours cells, in 12-hour mode

func (r *RTC) encodeHour(hour int) uint8 {
	if r.cells[rtcB]&rtcB24Hours != 0 {
		return r.encode(hour)
	}
	cell := r.encode((hour+11)%12 + 1) // 12, 1, 2, … 11
	if hour >= 12 {
		cell |= rtcPM
	}
	return cell
}

func (r *RTC) decodeHour() int {
	cell := r.cells[rtcHours]
	if r.cells[rtcB]&rtcB24Hours != 0 {
		return r.decode(cell)
	}
	hour := r.decode(cell&^rtcPM) % 12
	if cell&rtcPM != 0 {
		hour += 12
	}
	return hour
}
