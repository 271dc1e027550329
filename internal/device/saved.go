package device

import "github.com/tacit-vm/tacit/internal/state"

// StateVersion changes with what [Board.Carry] carries.
const StateVersion = 3

// Carry carries the state of all devices. A board that reads has to be new, with the same Config.
func (b *Board) Carry(s *state.Stream) {
	b.COM1.carry(s)
	b.COM2.carry(s)
	b.RTC.carry(s)
	b.IOAPIC.carry(s)
	if b.PIC != nil {
		b.PIC.carry(s)
	}
	if b.fwCfg != nil {
		b.fwCfg.carry(s)
	}
	if b.hpet != nil {
		b.hpet.carry(s)
	}
	if b.power != nil {
		state.Array(s, b.power.control[:])
	}
	state.Numbers(s, &b.pit.nmiStatus.stored, &b.sleep.status, &b.reset.value)
}

func (r *ring) carry(s *state.Stream) {
	n := s.Len(r.length, len(r.bytes))
	for i := range n {
		b := uint8(0)
		if !s.Reading() {
			b = r.bytes[(r.oldest+i)%len(r.bytes)]
		}
		if state.Numbers(s, &b); s.Reading() {
			r.push(b)
		}
	}
}

func (u *UART) carry(s *state.Stream) {
	state.Numbers(s, &u.ier, &u.fcr, &u.lcr, &u.mcr, &u.scratch, &u.dll, &u.dlm, &u.modem, &u.delta)
	s.Bool(&u.overrun, &u.drained, &u.asserted)
	u.received.carry(s)
	u.input.carry(s)
}

func (r *RTC) carry(s *state.Stream) {
	state.Numbers(s, &r.index)
	state.Array(s, r.cells[:])
	state.Numbers(s, &r.zeroSecond, &r.zeroNS, &r.seen)
	s.Bool(&r.asserted)
	s.Check(r.index < rtcCells, "the clock has no such cell")
	const year = 366 * 86400
	for _, t := range []int64{r.zeroSecond, r.seen} { // as far as cells can say, and time can go on from there
		s.Check(t >= -2000*year && t <= rtcStartMax+2000*year, "the clock shows no time")
	}
	s.Check(r.zeroNS >= -secondNS && r.zeroNS <= 1<<62, "the clock began at no time")
}

func (a *IOAPIC) carry(s *state.Stream) {
	state.Numbers(s, &a.id, &a.asserted)
	state.Numbers(s, &a.index)
	state.Array(s, a.table[:])
}

func (p *PIC) carry(s *state.Stream) {
	s.Bool(&p.asserted)
	for i := range p.chips {
		c := &p.chips[i]
		state.Numbers(s, &c.irr, &c.isr, &c.imr, &c.lines, &c.level, &c.base, &c.lowest, &c.expect)
		s.Bool(&c.single, &c.fourth, &c.nested, &c.auto, &c.rotating, &c.specialMask, &c.poll, &c.readsService)
		s.Check(c.lowest < 8, "an 8259 in no state that there is")
	}
}

func (h *HPET) carry(s *state.Stream) {
	state.Numbers(s, &h.config, &h.status, &h.base)
	state.Numbers(s, &h.since)
	state.Numbers(s, &h.asserted)
	s.Bool(&h.clockIRQ)
	for i := range h.timers {
		t := &h.timers[i]
		state.Numbers(s, &t.config, &t.comparator, &t.period, &t.seen)
	}
	s.Check(h.since >= 0 && h.since <= 1<<62, "the timers' counter began at no time")
}
