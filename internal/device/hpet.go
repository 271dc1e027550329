package device

// Registers of the high precision event timers, by offset in their window (IA-PC HPET specification 1.0a, 2.3.1). All have 64
// bits; there are HPETTimers of those from hpetTimer0 on, hpetStride apart.
const (
	hpetID      = 0x00
	hpetConfig  = 0x10
	hpetStatus  = 0x20
	hpetCounter = 0xF0
	hpetTimer0  = 0x100
	hpetStride  = 0x20

	hpetTimerConfig     = 0x00 // of a timer
	hpetTimerComparator = 0x08
)

const (
	hpetEnable = 1 << 0 // of the configuration: the counter runs
	hpetLegacy = 1 << 1 // timers 0 and 1 take the places of the 8254 and of the clock's interrupt

	hpetLevel      = 1 << 1 // of a timer's configuration
	hpetInterrupts = 1 << 2
	hpetPeriodic   = 1 << 3
	hpetCanRepeat  = 1 << 4
	hpetIs64       = 1 << 5
	hpetSetValue   = 1 << 6
	hpet32         = 1 << 8
	hpetRoute      = 0x1F << hpetRouteShift
	hpetWritable   = hpetLevel | hpetInterrupts | hpetPeriodic | hpetSetValue | hpet32 | hpetRoute

	hpetRouteShift  = 9
	hpetRoutesShift = 32 // the pins that a timer can be routed to, a bit each
)

// What QEMU's has (hw/timer/hpet.c): three timers, a counter of 64 bits that counts tens of nanoseconds, and no messages
// instead of interrupt lines.
const (
	HPETTimers = 3
	hpetTick   = 10 // nanoseconds

	// HPETBlockID is the low half of the first register, as the ACPI table has it, too: Intel's, revision 1, three timers, 64
	// bits, capable of the legacy routes.
	HPETBlockID = 0x8086<<16 | hpetLegacyRoute | hpetCounter64 | (HPETTimers-1)<<8 | 1

	hpetLegacyRoute = 1 << 15
	hpetCounter64   = 1 << 13

	femtoseconds = 1_000_000 // in a nanosecond
)

// Pins of interrupt controllers. The legacy route of timer 0 is the 8254's, which is the first 8259's line 0 and the I/O APIC's
// pin 2 (specification, 2.3.2.2).
const (
	hpetTimerLine = 0
	hpetTimerPin  = 2
	hpetFirstPin  = 16 // of those that timers can be routed to
	hpetPins      = 8
	hpetRoutes    = (1<<hpetPins - 1) << hpetFirstPin
	hpetOutputs   = 32
)

const (
	hpetHalf  = 1<<32 - 1
	hpetWhole = 1<<64 - 1
	hpetNever = 1 << 58 // ticks: later than time goes
)

// HPET is a block of high precision event timers: a counter, and comparators that interrupt when it reaches them.
//
// A comparator of 64 bits that lies behind the counter is reached when the counter has gone round, which is never; one of 32
// bits within 43 seconds. Matches of a timer whose interrupt is disabled are found when somebody looks.
type HPET struct {
	clock Clock
	lines [hpetOutputs]Line // by pin of the I/O APIC; hpetTimerLine is the 8254's. Nil where nothing can be routed

	config uint64
	status uint64 // a bit a timer
	base   uint64 // the counter, while it stands; while it runs, as it was at virtual time since
	since  int64
	timers [HPETTimers]hpetTimer

	clockIRQ bool   // what the CMOS clock asserts
	asserted uint32 // what lines were last told, a bit each
}

type hpetTimer struct {
	config     uint64 // its low half; the rest never changes
	comparator uint64
	period     uint64
	seen       uint64 // the first value of the counter that has not been compared
}

// newHPET returns timers after reset, each routed as the ACPI tables say, which is firmware's part. They have no lines yet.
func newHPET(clock Clock) *HPET {
	h := &HPET{clock: clock}
	for i := range h.timers {
		h.timers[i] = hpetTimer{config: uint64(HPETPin(i)) << hpetRouteShift, comparator: hpetWhole}
	}
	return h
}

// HPETPin is the pin that timer n is routed to at first.
func HPETPin(n int) int { return hpetFirstPin + n }

// clockLine takes the interrupt of the CMOS clock, which goes through here: in legacy mode timer 1 has its place.
func (h *HPET) clockLine(asserted bool) {
	h.clockIRQ = asserted
	h.settle()
}

func (h *HPET) running() bool { return h.config&hpetEnable != 0 }

func (h *HPET) legacy() bool { return h.config&hpetLegacy != 0 }

// counter is the main counter at virtual time now.
func (h *HPET) counter(now int64) uint64 {
	if !h.running() {
		return h.base
	}
	return h.base + uint64((now-h.since)/hpetTick)
}

// width is a mask of the bits that a timer compares.
func (t *hpetTimer) width() uint64 {
	if t.config&hpet32 != 0 {
		return hpetHalf
	}
	return hpetWhole
}

// wait is how many values of the counter pass before the next one that matches.
func (t *hpetTimer) wait() uint64 { return (t.comparator - t.seen) & t.width() }

// pin is where a timer interrupts.
func (h *HPET) pin(n int) int {
	switch {
	case h.legacy() && n == 0:
		return hpetTimerLine
	case h.legacy() && n == 1:
		return RTCIRQ
	}
	return int(h.timers[n].config & hpetRoute >> hpetRouteShift)
}

// update brings the timers up to virtual time now.
func (h *HPET) update(now int64) {
	if !h.running() {
		return
	}
	counter := h.counter(now)
	for n := range h.timers {
		t := &h.timers[n]
		wait, passed := t.wait(), counter-t.seen
		if int64(passed) < 0 || wait > passed { // all that has passed has been compared
			continue
		}
		if t.config&hpetPeriodic != 0 && t.period != 0 {
			t.comparator = (t.comparator + (1+(passed-wait)/t.period)*t.period) & t.width()
		}
		t.seen = counter + 1
		switch {
		case t.config&hpetLevel != 0:
			h.status |= 1 << n
		case t.config&hpetInterrupts != 0:
			h.pulse(h.pin(n))
		}
	}
	h.settle()
}

// NextEvent implements Timer: the next match that interrupts.
func (h *HPET) NextEvent() (ns int64, ok bool) {
	if !h.running() {
		return 0, false
	}
	for n := range h.timers {
		t := &h.timers[n]
		if t.config&hpetInterrupts == 0 || t.config&hpetLevel != 0 && h.status>>n&1 != 0 || t.wait() > hpetNever {
			continue
		}
		if at := h.since + int64(t.seen+t.wait()-h.base)*hpetTick; !ok || at < ns {
			ns, ok = at, true
		}
	}
	return ns, ok
}

// Advance implements Timer.
func (h *HPET) Advance(now int64) { h.update(now) }

// pulse is an edge on a line, if that is not asserted already.
func (h *HPET) pulse(pin int) {
	if line := h.lines[pin]; line != nil && h.asserted>>pin&1 == 0 {
		line(true)
		line(false)
	}
}

// settle tells the interrupt controllers which lines are asserted.
func (h *HPET) settle() {
	var assert uint32
	for n := range h.timers {
		const both = hpetInterrupts | hpetLevel
		if h.running() && h.status>>n&1 != 0 && h.timers[n].config&both == both {
			assert |= 1 << h.pin(n)
		}
	}
	if h.clockIRQ && !h.legacy() {
		assert |= 1 << RTCIRQ
	}
	for pin, line := range h.lines {
		if (assert^h.asserted)>>pin&1 != 0 && line != nil {
			line(assert>>pin&1 != 0)
		}
	}
	h.asserted = assert
}
