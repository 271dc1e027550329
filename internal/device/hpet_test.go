package device

import (
	"slices"
	"testing"
	"time"
)

// timers is a board that has them.
type timers struct{ *rig }

func newTimers(t *testing.T) timers {
	t.Helper()
	return timers{newRig(t, func(c *Config) { c.HPET = true })}
}

func (h timers) get(offset uint64, size int) uint64        { return h.Read(HPETBase+offset, size) }
func (h timers) set(offset uint64, size int, value uint64) { h.Write(HPETBase+offset, size, value) }

func (h timers) timer(n, register int) uint64 {
	return hpetTimer0 + uint64(n)*hpetStride + uint64(register)
}

// pass lets time go on as the machine does, from event to event, and says when interrupts came.
func (h timers) pass(d time.Duration) (came []int64) {
	for end := h.ns + int64(d); ; {
		at, ok := h.NextEvent()
		if !ok || at > end {
			h.ns = end
			h.Board.Advance(end)
			return came
		}
		h.ns = max(at, h.ns)
		h.Board.Advance(h.ns)
		for range h.messages {
			came = append(came, h.ns)
		}
		h.messages = nil
	}
}

func TestHPETRegisters(t *testing.T) {
	h := newTimers(t)
	if id := h.get(hpetID, 8); id != 0x00989680_8086A201 || h.get(hpetID, 4) != 0x8086A201 || h.get(hpetID+4, 4) != 0x00989680 {
		t.Errorf("capabilities %#x", id)
	}
	for n := range HPETTimers {
		config, comparator := h.timer(n, hpetTimerConfig), h.timer(n, hpetTimerComparator)
		if got := h.get(config, 8); got != 0x00FF0000_00000030|uint64(16+n)<<9 || h.get(comparator, 8) != ^uint64(0) {
			t.Errorf("timer %d after reset: %#x, %#x", n, got, h.get(comparator, 8))
		}
		h.set(config, 8, ^uint64(0)) // route 31 is none
		if got := h.get(config, 4); got != 0x17E|uint64(16+n)<<9 {
			t.Errorf("timer %d takes %#x", n, got)
		}
		h.set(config, 4, 23<<9)
		if got := h.get(config, 4); got != 0x30|23<<9 {
			t.Errorf("timer %d routed to 23: %#x", n, got)
		}
		h.set(comparator+4, 4, 0x12345678)
		if got := h.get(comparator, 8); got != 0x12345678_FFFFFFFF || h.get(comparator+4, 4) != 0x12345678 {
			t.Errorf("timer %d compares %#x", n, got)
		}
	}
	for _, c := range []struct {
		offset uint64
		size   int
	}{{hpetID, 2}, {hpetID, 1}, {hpetCounter + 2, 4}, {hpetCounter + 4, 8}, {hpetTimer0 + HPETTimers*hpetStride, 8}, {hpetTimer0 + 0x10, 8}, {0x3F8, 8}, {0x18, 8}} {
		if h.set(c.offset, c.size, ^uint64(0)); h.get(c.offset, c.size) != 0 {
			t.Errorf("%d bytes at %#x read %#x", c.size, c.offset, h.get(c.offset, c.size))
		}
	}
}

// The counter counts while it is allowed to, in tens of nanoseconds, and can be set while it stands.
func TestHPETCounter(t *testing.T) {
	h := newTimers(t)
	h.pass(time.Second)
	if got := h.get(hpetCounter, 8); got != 0 {
		t.Errorf("it stands, and reads %d", got)
	}
	h.set(hpetCounter, 8, 1<<32-5)
	h.set(hpetConfig, 4, hpetEnable)
	h.pass(105 * time.Nanosecond)
	if got := h.get(hpetCounter, 8); got != 1<<32+5 || h.get(hpetCounter, 4) != 5 || h.get(hpetCounter+4, 4) != 1 {
		t.Errorf("it reads %#x", got)
	}
	h.set(hpetCounter, 8, 7)
	h.set(hpetConfig, 4, 0)
	h.pass(time.Second)
	if got := h.get(hpetCounter, 8); got != 1<<32+5 {
		t.Errorf("stopped, it reads %#x", got)
	}
}

// Timer 0 as Linux uses it for its tick (arch/x86/kernel/hpet.c): periodic, of 32 bits, in the 8254's place.
func TestHPETPeriodic(t *testing.T) {
	h := newTimers(t)
	route(h.IOAPIC, 2, 0x30)
	config, comparator := h.timer(0, hpetTimerConfig), h.timer(0, hpetTimerComparator)
	h.set(hpetConfig, 4, hpetEnable|hpetLegacy)
	h.pass(time.Microsecond)
	first := h.get(hpetCounter, 4) + 100_000
	h.set(config, 4, hpetInterrupts|hpetPeriodic|hpetSetValue|hpet32)
	h.set(comparator, 4, first)
	h.set(comparator, 4, 100_000)
	started := h.ns
	came := h.pass(3500 * time.Microsecond)
	if want := []int64{started + 1e6, started + 2e6, started + 3e6}; !slices.Equal(came, want) {
		t.Errorf("interrupts at %v, want %v", came, want)
	}
	if got := h.get(comparator, 4); got != first+300_000 {
		t.Errorf("it compares %d, want %d", got, first+300_000)
	}
	// Periods that nobody saw are one interrupt, and the beat stays.
	h.ns += 10_200_000
	h.Board.Advance(h.ns)
	h.want(t, "after ten periods", message{0, false, 0x30, 0, false})
	if at, ok := h.NextEvent(); !ok || at != started+14e6 {
		t.Errorf("the next at %d, want %d", at, started+14e6)
	}
	h.set(config, 4, hpetPeriodic|hpet32)
	if at, ok := h.NextEvent(); ok {
		t.Errorf("disabled, it has an event at %d", at)
	}
}

// One shot: at once where it is due now, after the counter's low half has gone round where it is past; never with 64 bits.
func TestHPETOneShot(t *testing.T) {
	h := newTimers(t)
	route(h.IOAPIC, 18, 0x31)
	config, comparator := h.timer(2, hpetTimerConfig), h.timer(2, hpetTimerComparator)
	h.set(hpetConfig, 4, hpetEnable)
	h.pass(10 * time.Microsecond)
	h.set(config, 4, hpetInterrupts|18<<9)
	h.set(comparator, 8, 1000)
	h.want(t, "due now", message{0, false, 0x31, 0, false})
	h.set(comparator, 8, 999)
	if at, ok := h.NextEvent(); ok {
		t.Errorf("behind the counter, with 64 bits, it is due at %d", at)
	}
	h.set(config, 4, hpetInterrupts|hpet32|18<<9)
	h.set(comparator, 4, 999)
	if came := h.pass(50 * time.Second); !slices.Equal(came, []int64{(1<<32 + 999) * 10}) {
		t.Errorf("behind the counter, with 32 bits, it came at %v", came)
	}
}

// A level stays asserted until its status is cleared, and goes while its timer, or all, are disabled.
func TestHPETLevel(t *testing.T) {
	h := newTimers(t)
	route(h.IOAPIC, 17, 0x32|redirLevel)
	config, comparator := h.timer(1, hpetTimerConfig), h.timer(1, hpetTimerComparator)
	level := message{0, false, 0x32, 0, true}
	h.set(hpetConfig, 4, hpetEnable)
	h.set(config, 4, hpetLevel|hpetInterrupts|17<<9)
	h.set(comparator, 8, 100)
	h.ns = 1000
	h.Board.Advance(h.ns)
	h.want(t, "at the match", level)
	if got := h.get(hpetStatus, 8); got != 2 {
		t.Errorf("status %#x", got)
	}
	h.Board.EOI(0x32)
	h.want(t, "after an EOI alone", level)
	h.set(config, 4, hpetLevel|17<<9)
	h.Board.EOI(0x32)
	h.want(t, "disabled")
	h.set(config, 4, hpetLevel|hpetInterrupts|17<<9)
	h.want(t, "enabled again", level)
	h.set(hpetStatus, 4, 1)
	h.Board.EOI(0x32)
	h.want(t, "another timer's status", level)
	h.set(hpetStatus, 4, 2)
	h.Board.EOI(0x32)
	h.want(t, "its status cleared")
}

// In legacy mode the clock's interrupt is timer 1's, and comes through again after that.
func TestHPETTakesTheClocksPlace(t *testing.T) {
	h := newTimers(t)
	route(h.IOAPIC, RTCIRQ, 0x33|redirLevel)
	ended := message{0, false, 0x33, 0, true}
	h.Out(RTCPort, 1, rtcB)
	h.Out(RTCPort+1, 1, rtcB24Hours|rtcBUpdateEnded)
	h.set(hpetConfig, 4, hpetLegacy)
	h.ns += 2e9
	h.Board.Advance(h.ns)
	h.want(t, "in legacy mode")
	h.set(hpetConfig, 4, 0)
	h.want(t, "out of it", ended)
	h.Out(RTCPort, 1, rtcC)
	h.In(RTCPort+1, 1)
	h.Board.EOI(0x33)
	h.want(t, "dealt with")
	h.set(hpetConfig, 4, hpetEnable|hpetLegacy)
	h.set(h.timer(1, hpetTimerConfig), 4, hpetInterrupts|hpetLevel)
	h.set(h.timer(1, hpetTimerComparator), 8, 50)
	h.ns += 500
	h.Board.Advance(h.ns)
	h.want(t, "timer 1", ended)
}

// Where there are 8259s, they have the 8254's line, too.
func TestHPETInterruptsAn8259(t *testing.T) {
	asserted := 0
	h := timers{newRig(t, func(c *Config) {
		c.HPET, c.INTR = true, func(on bool) {
			if on {
				asserted++
			}
		}
	})}
	for _, b := range []uint8{0x11, 0x20, 0x04, 0x01, 0xFE} { // ICW1 to 4, and all masked but line 0
		port := uint16(0x21)
		if b == 0x11 {
			port = 0x20
		}
		h.Out(port, 1, uint32(b))
	}
	h.set(hpetConfig, 4, hpetEnable|hpetLegacy)
	h.set(h.timer(0, hpetTimerConfig), 4, hpetInterrupts)
	h.set(h.timer(0, hpetTimerComparator), 8, 10)
	h.pass(time.Microsecond)
	if asserted != 1 || h.PIC.Acknowledge() != 0x20 {
		t.Errorf("INTR went up %d times", asserted)
	}
}

// Nothing that a guest writes brings an event that does not pass.
func TestHPETWildGuest(t *testing.T) {
	for seed := range uint64(20) {
		script := wild(seed)
		first := driveBoard(t, newTimers(t).rig, script)
		if second := driveBoard(t, newTimers(t).rig, script); first != second {
			t.Errorf("seed %d: two runs differ", seed)
		}
	}
}
