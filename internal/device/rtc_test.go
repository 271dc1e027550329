package device

import (
	"testing"
	"time"
)

// testClock is virtual time that a test moves.
type testClock struct{ ns int64 }

func (c *testClock) Now() int64                    { return c.ns }
func (c *testClock) advance(d time.Duration) int64 { c.ns += int64(d); return c.ns }

type watch struct {
	*RTC
	*testClock
	irq bool
}

func newWatch(t *testing.T, start string) *watch {
	t.Helper()
	at, err := time.Parse(time.RFC3339, start)
	if err != nil {
		t.Fatal(err)
	}
	w := &watch{testClock: &testClock{ns: 123456789}}
	if w.RTC, err = newRTC(w.testClock, func(asserted bool) { w.irq = asserted }, at.Unix()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watch) read(cell uint8) uint8 {
	w.Out(0, cell|rtcNMI)
	return w.In(1)
}

func (w *watch) write(cell, value uint8) {
	w.Out(0, cell)
	w.Out(1, value)
}

// number returns a time cell's number by register B, hours included.
func (w *watch) number(cell uint8) int {
	value, b := w.read(cell), w.read(rtcB)
	pm := 0
	if cell == rtcHours && b&rtcB24Hours == 0 {
		if value&0x80 != 0 {
			pm = 12
		}
		value &^= 0x80
	}
	n := int(value)
	if b&rtcBBinary == 0 {
		n = int(value>>4)*10 + int(value&15)
	}
	if cell == rtcHours && b&rtcB24Hours == 0 {
		n = n%12 + pm
	}
	return n
}

// get reads the time as Linux does (rtc-mc146818-lib.c, mc146818_get_time): not during an update, and again if the
// second changed meanwhile. It returns how often it had to wait.
func (w *watch) get(t *testing.T) (at time.Time, waits int) {
	t.Helper()
	for range 1000 {
		second := w.number(rtcSeconds)
		if w.read(rtcA)&rtcAUpdating != 0 {
			waits++
			w.advance(100 * time.Microsecond)
			continue
		}
		at = time.Date(w.number(RTCCentury)*100+w.number(rtcYear), time.Month(w.number(rtcMonth)), w.number(rtcDayOfMonth),
			w.number(rtcHours), w.number(rtcMinutes), second, 0, time.UTC)
		if w.read(rtcA)&rtcAUpdating == 0 && w.number(rtcSeconds) == second {
			return at, waits
		}
	}
	t.Fatal("the update never ends")
	return
}

func (w *watch) want(t *testing.T, what, want string) {
	t.Helper()
	if at, _ := w.get(t); at.Format(time.RFC3339) != want {
		t.Errorf("%s: %s, want %s", what, at.Format(time.RFC3339), want)
	}
}

// set sets the time as Linux does (mc146818_set_time): with updates off and the divider held.
func (w *watch) set(cells map[uint8]uint8) {
	control, frequency := w.read(rtcB), w.read(rtcA)
	w.write(rtcB, control|rtcBSet)
	w.write(rtcA, frequency|rtcADivider)
	for _, cell := range []uint8{rtcYear, rtcMonth, rtcDayOfMonth, rtcHours, rtcMinutes, rtcSeconds, RTCCentury} {
		w.write(cell, cells[cell])
	}
	w.write(rtcB, control)
	w.write(rtcA, frequency)
}

func TestRTCAtReset(t *testing.T) {
	w := newWatch(t, "2024-02-28T23:59:58Z")
	for cell, want := range map[uint8]uint8{
		rtcSeconds: 0x58, rtcMinutes: 0x59, rtcHours: 0x23, rtcDayOfWeek: 0x04, rtcDayOfMonth: 0x28, rtcMonth: 0x02,
		rtcYear: 0x24, RTCCentury: 0x20, rtcA: 0x26, rtcB: 0x02, rtcC: 0x00, rtcD: 0x80,
	} {
		if got := w.read(cell); got != want {
			t.Errorf("cell %#02x reads %#02x, want %#02x", cell, got, want)
		}
	}
	if got := w.In(0); got != 0xFF {
		t.Errorf("the index port reads %#02x: it is write-only", got)
	}
	if _, ok := w.NextEvent(); ok {
		t.Error("an event, though no interrupt is enabled")
	}
	for _, start := range []int64{-1, rtcStartMax + 1, -1 << 63, 1<<63 - 1} {
		if _, err := newRTC(&testClock{}, func(bool) {}, start); err == nil {
			t.Errorf("start at %d: no error", start)
		}
	}
}

// The time runs with virtual time, carries over a leap day, and is the same in all four forms.
func TestRTCRuns(t *testing.T) {
	w := newWatch(t, "2024-02-28T11:59:58Z")
	w.advance(12 * time.Hour)
	for _, mode := range []uint8{0, rtcB24Hours, rtcBBinary, rtcB24Hours | rtcBBinary} {
		w.write(rtcB, mode)
		w.want(t, "before midnight", "2024-02-28T23:59:58Z")
	}
	w.advance(2 * time.Second)
	for _, mode := range []uint8{0, rtcB24Hours, rtcBBinary, rtcB24Hours | rtcBBinary} {
		w.write(rtcB, mode)
		w.want(t, "leap day", "2024-02-29T00:00:00Z")
	}
	w.write(rtcB, 0)
	if got := w.read(rtcHours); got != 0x12 {
		t.Errorf("midnight reads %#02x in 12-hour mode, want 12 AM", got)
	}
	w.advance(12 * time.Hour)
	if got := w.read(rtcHours); got != 0x92 {
		t.Errorf("noon reads %#02x in 12-hour mode, want 12 PM", got)
	}
	w.write(rtcB, rtcB24Hours)
	w.advance(3 * 365 * 24 * time.Hour)
	w.want(t, "years later", "2027-02-28T12:00:00Z")
	w = newWatch(t, "1999-12-31T23:59:59Z")
	w.advance(time.Second)
	w.want(t, "century", "2000-01-01T00:00:00Z")
}

// UIP announces the update from 2228 microseconds before it; the time changes when it goes off, not before, and a
// reader who respects it gets a whole time.
func TestRTCUpdateInProgress(t *testing.T) {
	w := newWatch(t, "2025-12-31T23:59:59Z")
	began := w.ns
	for _, c := range []struct {
		at       time.Duration
		updating bool
		second   uint8
	}{
		{0, false, 0x59}, {997_771_999, false, 0x59}, {997_772_000, true, 0x59}, {999_999_999, true, 0x59},
		{time.Second, false, 0x00}, {1_997_771_999, false, 0x00}, {1_997_772_000, true, 0x00},
	} {
		w.ns = began + int64(c.at)
		if got := w.read(rtcA)&rtcAUpdating != 0; got != c.updating {
			t.Errorf("at %v: UIP %v", c.at, got)
		}
		if got := w.read(rtcSeconds); got != c.second {
			t.Errorf("at %v: second %#02x", c.at, got)
		}
	}
	w = newWatch(t, "2025-12-31T23:59:59Z")
	w.advance(998 * time.Millisecond)
	at, waits := w.get(t)
	if at.Format(time.RFC3339) != "2026-01-01T00:00:00Z" || waits != 20 {
		t.Errorf("read %v after %d waits of 100 microseconds, want the new year after 20", at, waits)
	}
	w.advance(999 * time.Millisecond)
	w.write(rtcB, rtcB24Hours|rtcBSet)
	if w.read(rtcA)&rtcAUpdating != 0 {
		t.Error("SET does not stop the update")
	}
}

func TestRTCSet(t *testing.T) {
	w := newWatch(t, "2024-01-01T00:00:00Z")
	w.advance(300 * time.Millisecond)
	w.set(map[uint8]uint8{rtcYear: 0x31, RTCCentury: 0x20, rtcMonth: 0x12, rtcDayOfMonth: 0x24, rtcHours: 0x18,
		rtcMinutes: 0x30, rtcSeconds: 0x07})
	w.want(t, "set", "2031-12-24T18:30:07Z")
	// The first update comes half a second after the divider is released.
	w.advance(500*time.Millisecond - 1)
	if got := w.read(rtcSeconds); got != 0x07 {
		t.Errorf("second %#02x before half a second is over", got)
	}
	w.advance(1)
	if got := w.read(rtcSeconds); got != 0x08 {
		t.Errorf("second %#02x after half a second", got)
	}

	// With SET alone the divider goes on: seconds keep their phase.
	w.advance(250 * time.Millisecond)
	w.write(rtcB, rtcB24Hours|rtcBSet)
	w.advance(10 * time.Second)
	w.want(t, "SET stops the clock", "2031-12-24T18:30:08Z")
	w.write(rtcMinutes, 0x45)
	w.write(rtcB, rtcB24Hours)
	w.want(t, "and lets it go on", "2031-12-24T18:45:08Z")
	w.advance(750 * time.Millisecond)
	w.want(t, "in phase", "2031-12-24T18:45:09Z")

	// A 12-hour clock in binary.
	w.write(rtcB, rtcBBinary|rtcBSet)
	w.set(map[uint8]uint8{rtcYear: 24, RTCCentury: 20, rtcMonth: 2, rtcDayOfMonth: 29, rtcHours: 12 | 0x80, rtcMinutes: 5,
		rtcSeconds: 6})
	w.write(rtcB, rtcBBinary)
	w.want(t, "12 PM", "2024-02-29T12:05:06Z")

	// Cells written one by one while the clock runs must not disturb each other: 31 February is not 3 March yet.
	w = newWatch(t, "2024-01-31T10:00:00Z")
	w.write(rtcMonth, 0x02)
	w.write(rtcDayOfMonth, 0x15)
	w.want(t, "cell by cell", "2024-02-15T10:00:00Z")
	w.advance(time.Second)
	w.want(t, "and on", "2024-02-15T10:00:01Z")
	w.write(rtcDayOfMonth, 0x31)
	w.advance(time.Second)
	w.want(t, "a day that does not exist carries", "2024-03-02T10:00:02Z")
}

func TestRTCMemory(t *testing.T) {
	w := newWatch(t, "2024-01-01T00:00:00Z")
	for cell := uint8(rtcFirstMemory); cell < rtcCells; cell++ {
		if cell != RTCCentury {
			w.write(cell, cell^0xA5)
		}
	}
	w.advance(time.Hour)
	for cell := uint8(rtcFirstMemory); cell < rtcCells; cell++ {
		if got := w.read(cell); cell != RTCCentury && got != cell^0xA5 {
			t.Errorf("cell %#02x reads %#02x", cell, got)
		}
	}
	w.write(rtcC, 0xFF)
	w.write(rtcD, 0)
	if c, d := w.read(rtcC), w.read(rtcD); c != rtcCUpdateEnded || d != rtcDValid {
		t.Errorf("registers C, D read %#02x, %#02x after writes", c, d)
	}
}

// nextEvent returns how long it takes to the clock's next event.
func (w *watch) nextEvent() (time.Duration, bool) {
	ns, ok := w.NextEvent()
	return time.Duration(ns - w.ns), ok
}

// The update-ended interrupt comes each second and stays until register C is read.
func TestRTCUpdateEnded(t *testing.T) {
	w := newWatch(t, "2024-01-01T00:00:00Z")
	w.advance(400 * time.Millisecond)
	w.write(rtcB, rtcB24Hours|rtcBUpdateEnded)
	for range 3 {
		wait, ok := w.nextEvent()
		if !ok || wait <= 0 || wait > time.Second {
			t.Fatalf("next event in %v, %v", wait, ok)
		}
		w.Advance(w.advance(wait - 1))
		if w.irq {
			t.Fatal("interrupt before the second is over")
		}
		w.Advance(w.advance(1))
		if !w.irq {
			t.Fatal("no interrupt after the second")
		}
		if _, ok := w.NextEvent(); ok {
			t.Error("an event while the interrupt is pending")
		}
		if got := w.read(rtcC); got != rtcCRequest|rtcCUpdateEnded {
			t.Errorf("register C reads %#02x", got)
		}
		if got := w.read(rtcC); w.irq || got != 0 {
			t.Errorf("register C reads %#02x again, interrupt %v", got, w.irq)
		}
	}
	w.write(rtcB, rtcB24Hours|rtcBUpdateEnded|rtcBSet)
	if got := w.read(rtcB); got != rtcB24Hours|rtcBSet {
		t.Errorf("register B reads %#02x: SET clears UIE", got)
	}
	if _, ok := w.NextEvent(); ok {
		t.Error("an event while the clock stands")
	}
	w.advance(time.Minute)
	if got := w.read(rtcC); got != 0 {
		t.Errorf("register C reads %#02x after a minute of SET", got)
	}
}

func TestRTCAlarm(t *testing.T) {
	for _, c := range []struct {
		name                 string
		b                    uint8
		hour, minute, second uint8
		wait                 time.Duration // from 22:58:57
		ok                   bool
	}{
		{"in a minute", rtcB24Hours, 0x23, 0x00, 0x05, 68 * time.Second, true},
		{"now means tomorrow", rtcB24Hours, 0x22, 0x58, 0x57, 24 * time.Hour, true},
		{"over midnight", rtcB24Hours, 0x03, 0x00, 0x00, 4*time.Hour + 63*time.Second, true},
		{"each second", rtcB24Hours, 0xC0, 0xFF, 0xC7, time.Second, true},
		{"each minute", rtcB24Hours, 0xC0, 0xC0, 0x56, 59 * time.Second, true},
		{"each hour", rtcB24Hours, 0xC0, 0x00, 0x00, 63 * time.Second, true},
		{"binary", rtcB24Hours | rtcBBinary, 23, 0, 10, 73 * time.Second, true},
		{"12 hours", 0, 0x91, 0x00, 0x00, 63 * time.Second, true}, // 11 PM: 0x11 in BCD, and the PM bit
		{"no such time", rtcB24Hours, 0x24, 0x00, 0x00, 0, false},
		{"no such second", rtcB24Hours, 0xC0, 0xC0, 0x60, 0, false},
		{"not BCD", rtcB24Hours, 0x0F, 0xC0, 0xC0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWatch(t, "2024-01-01T22:58:57Z")
			w.write(rtcB, c.b)
			w.write(rtcHoursAlarm, c.hour)
			w.write(rtcMinutesAlarm, c.minute)
			w.write(rtcSecondsAlarm, c.second)
			w.write(rtcB, c.b|rtcCAlarm)
			wait, ok := w.nextEvent()
			if ok != c.ok || ok && wait != c.wait {
				t.Fatalf("next event in %v, %v; want %v, %v", wait, ok, c.wait, c.ok)
			}
			if !ok {
				w.Advance(w.advance(48 * time.Hour))
				if w.irq {
					t.Error("interrupt without an alarm")
				}
				return
			}
			w.Advance(w.advance(wait - 1))
			if w.irq {
				t.Error("interrupt too early")
			}
			w.Advance(w.advance(1))
			if got := w.read(rtcC); got&(rtcCRequest|rtcCAlarm) != rtcCRequest|rtcCAlarm {
				t.Errorf("register C reads %#02x", got)
			}
		})
	}
}

// A guest may set a year before 1970: Linux never does, but time goes on there as everywhere.
func TestRTCBefore1970(t *testing.T) {
	w := newWatch(t, "2024-01-01T00:00:00Z")
	w.set(map[uint8]uint8{rtcYear: 0x01, RTCCentury: 0x16, rtcMonth: 0x12, rtcDayOfMonth: 0x31, rtcHours: 0x22,
		rtcMinutes: 0x58, rtcSeconds: 0x57})
	w.write(rtcHoursAlarm, 0x23)
	w.write(rtcB, rtcB24Hours|rtcCAlarm)
	wait, ok := w.nextEvent()
	if want := time.Minute + 2500*time.Millisecond; !ok || wait != want {
		t.Fatalf("next event in %v, %v; want %v", wait, ok, want)
	}
	w.Advance(w.advance(wait))
	if !w.irq {
		t.Error("no interrupt")
	}
	w.want(t, "alarm", "1601-12-31T23:00:00Z")
	w.advance(time.Hour)
	w.want(t, "a new year", "1602-01-01T00:00:00Z")
}
