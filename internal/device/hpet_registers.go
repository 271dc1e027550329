package device

// Read implements MemoryDevice: registers are read as a whole or by halves, and are 0 otherwise.
func (h *HPET) Read(offset uint64, size int) uint64 {
	shift, ok := hpetPart(offset, size)
	if !ok {
		return 0
	}
	now := h.clock.Now()
	h.update(now)
	return h.register(offset&^7, now) >> shift
}

func (h *HPET) register(offset uint64, now int64) uint64 {
	switch offset {
	case hpetID:
		return hpetTick*femtoseconds<<32 | HPETBlockID
	case hpetConfig:
		return h.config
	case hpetStatus:
		return h.status
	case hpetCounter:
		return h.counter(now)
	}
	t, register := h.timer(offset)
	switch {
	case t == nil:
	case register == hpetTimerConfig:
		return hpetRoutes<<hpetRoutesShift | hpetIs64 | hpetCanRepeat | t.config
	case register == hpetTimerComparator:
		return t.comparator
	}
	return 0
}

// timer finds the timer that a register belongs to.
func (h *HPET) timer(offset uint64) (t *hpetTimer, register uint64) {
	n := (offset - hpetTimer0) / hpetStride
	if offset < hpetTimer0 || n >= HPETTimers {
		return nil, 0
	}
	return &h.timers[n], offset % hpetStride
}

// Write implements MemoryDevice: registers are written as a whole or by halves, and any other write is lost.
func (h *HPET) Write(offset uint64, size int, value uint64) {
	shift, ok := hpetPart(offset, size)
	if !ok {
		return
	}
	now := h.clock.Now()
	h.update(now)
	written := allOnes(size) << shift
	value = value << shift & written
	switch offset &^ 7 {
	case hpetConfig:
		h.configure(h.config&^written|value, now)
	case hpetStatus:
		h.status &^= value
	case hpetCounter:
		if !h.running() { // what is written while it runs counts for nothing, as in QEMU
			h.base = h.base&^written | value
		}
	default:
		t, register := h.timer(offset &^ 7)
		switch {
		case t == nil:
		case register == hpetTimerConfig:
			t.configure(t.config&^written | value)
		case register == hpetTimerComparator:
			t.compare(value, written)
			t.seen = h.counter(now)
		}
	}
	h.update(now)
	h.settle()
}

// hpetPart says how far an access is shifted within its register, and whether it is one that there is.
func hpetPart(offset uint64, size int) (shift uint64, ok bool) {
	return offset % 8 * 8, size == 8 && offset%8 == 0 || size == 4 && offset%4 == 0
}

// configure stops the counter or lets it run, and changes the routes. Interrupts that are asserted go with the counter; their
// status stays.
func (h *HPET) configure(config uint64, now int64) {
	ran := h.running()
	if ran && config&hpetEnable == 0 {
		h.base = h.counter(now)
	}
	h.config = config & (hpetEnable | hpetLegacy)
	if !ran && h.running() {
		h.since = now
		for n := range h.timers {
			h.timers[n].seen = h.base
		}
	}
}

// configure changes a timer's mode. A route that there is not leaves the one before, by which software finds out (specification,
// 2.3.8).
func (t *hpetTimer) configure(config uint64) {
	if pin := config & hpetRoute >> hpetRouteShift; hpetRoutes>>pin&1 == 0 {
		config = config&^hpetRoute | t.config&hpetRoute
	}
	t.config = config & hpetWritable
	t.comparator &= t.width()
	t.period &= t.width()
}

// compare takes what is written to a comparator. In periodic mode it is the period, and the first match with it where
// software has asked for that.
func (t *hpetTimer) compare(value, written uint64) {
	periodic := t.config&hpetPeriodic != 0
	if !periodic || t.config&hpetSetValue != 0 {
		t.comparator = (t.comparator&^written | value) & t.width()
	}
	if periodic {
		t.period = (t.period&^written | value) & t.width()
	}
	t.config &^= hpetSetValue
}
