package vm

import (
	"fmt"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// Processors take turns, in an order that depends on nothing but what they do. Each has its own time, and they are to be
// simultaneous: it is always the turn of the one that is furthest behind, for as long as it does not get further ahead of
// the next than a lead. One that waits for an interrupt has its turn when that comes, and none before.
//
// A turn ends where it ends because of what the guest does, and not because somebody wanted to look at the machine
// meanwhile: it goes on after that.
//
// What one does, others see at their next turn: up to a lead later, in virtual time, or earlier. Neither order can be
// told by the guest from that of simultaneous processors, for what it can read is the contents of memory, which change in
// the order of turns, and clocks, which do not go back from one turn to the next.

// lead is how far a processor may get ahead of another, in virtual nanoseconds: less than the exit of a confidential guest
// takes, or an interrupt from one processor to another.
const lead = 10_000

// A schedule is whose turn it is.
type schedule struct {
	at      int         // the processor that runs, or ran last
	online  []bool      // those that have been started
	awaits  []bool      // those that wait for a start-up interrupt
	waiting int         // how many have not been
	end     int64       // of the turn, in virtual nanoseconds
	poll    int64       // when the mailbox is looked at next
	latest  int64       // the latest instant that has been reached on any
	ready   []int64     // when each can go on, as of when it ran last or something came for it; x86.Never where it has not been started
	after   int64       // the earliest of these, but for the one at
	others  uint64      // instructions that all but the one at have completed
	lastTSC uint64      // x86.Config.LastTSC
	queue   *cost.Queue // where they wait for each other's locks; nil where there is one processor
	dice    *dice       // nil where the order follows from virtual time alone
}

func newSchedule(cfg *Config) schedule {
	s := schedule{online: make([]bool, cfg.CPUs), awaits: make([]bool, cfg.CPUs), ready: make([]int64, cfg.CPUs), after: x86.Never, waiting: cfg.CPUs - 1, dice: newDice(cfg.Schedule, cfg.ScheduleSeed)}
	s.online[0] = true
	if cfg.CPUs > 1 {
		s.queue = cost.NewQueue(cfg.Cost)
	}
	for i := range s.ready {
		s.ready[i] = x86.Never
	}
	return s
}

// cpu returns the processor that runs, or ran last.
func (m *Machine) cpu() *x86.CPU { return m.cpus[m.schedule.at] }

// Now is the machine's virtual time in nanoseconds: it never goes back.
func (m *Machine) Now() int64 {
	if len(m.cpus) == 0 {
		return 0
	}
	return max(m.schedule.latest, m.cpu().Now())
}

// instructions is how many have completed, on all processors.
func (m *Machine) instructions() uint64 { return m.schedule.others + m.cpu().Instructions() }

// tally is what the time of all processors went to.
func (m *Machine) tally() cost.Tally {
	t := m.cpus[0].Tally()
	for _, c := range m.cpus[1:] {
		t.Sum(c.Tally())
	}
	return t
}

// turn gives a processor its turn.
func (m *Machine) turn(to int) {
	s := &m.schedule
	if to == s.at {
		return
	}
	s.latest = max(s.latest, m.cpu().Now())
	if s.awaits[s.at] { // it has sent itself an INIT
		m.cpu().INIT()
	}
	s.others += m.cpu().Instructions() - m.cpus[to].Instructions()
	s.at = to
	m.expect()
}

// next says whose turn it is, and until when the processor can run: at the latest until the virtual time ns, and not
// beyond a device's event.
func (m *Machine) next(ns int64) (c *x86.CPU, until int64) {
	s, c, event := &m.schedule, m.cpu(), int64(x86.Never)
	if at, ok := m.board.NextEvent(); ok {
		event = at
	}
	if len(m.cpus) == 1 {
		return c, min(event, ns)
	}
	if now := c.Now(); c.Waits() || now >= s.end || now >= event {
		m.begin()
	}
	return m.cpu(), min(s.end, event, ns)
}

// begin begins the turn of the processor that is furthest behind.
func (m *Machine) begin() {
	s := &m.schedule
	s.ready[s.at] = m.readyAt(s.at)
	first, after, to := int64(x86.Never), int64(x86.Never), s.at // when that can go on, and the next
	for i, ready := range s.ready {
		switch {
		case ready < first:
			first, after, to = ready, first, i
		case ready < after:
			after = ready
		}
	}
	end := int64(x86.Never)
	if after < x86.Never-lead {
		end = after + lead
	}
	to, s.end = m.choose(to, first, end)
	m.turn(to)
	if s.after = first; s.ready[to] == first {
		s.after = after
	}
	if m.cfg.Platform == TDX && s.waiting > 0 && first < s.poll {
		s.end = min(s.end, s.poll)
	}
}

// readyAt returns when a processor goes on.
func (m *Machine) readyAt(id int) int64 {
	if !m.schedule.online[id] {
		return x86.Never
	}
	return m.cpus[id].Ready()
}

// refresh looks when each goes on.
func (m *Machine) refresh() {
	s := &m.schedule
	s.after = x86.Never
	for i := range m.cpus {
		if s.ready[i] = m.readyAt(i); i != s.at {
			s.after = min(s.after, s.ready[i])
		}
	}
}

// ready is when the first processor goes on.
func (m *Machine) ready() int64 { return min(m.readyAt(m.schedule.at), m.schedule.after) }

// behind is the time up to which all has happened.
func (m *Machine) behind() int64 {
	if len(m.cpus) == 1 {
		return m.cpus[0].Now()
	}
	return min(m.ready(), m.Now())
}

// alert is told that something has come for a processor, from another one or from a device: if it waited, it has until
// now, and the one whose turn it is must not get far ahead of it.
func (m *Machine) alert(id int) {
	c, running := m.cpus[id], m.cpu()
	if c == running {
		return
	}
	now := running.Now()
	if c.Waits() && c.Ready() != x86.Never && c.Now() < now {
		c.Skip(now)
	}
	m.comes(id, now)
}

// comes notes that a processor may go on earlier than was known, and has the turn under way end soon after now.
func (m *Machine) comes(id int, now int64) {
	s := &m.schedule
	s.ready[id] = m.readyAt(id)
	s.after = min(s.after, s.ready[id])
	s.end = min(s.end, now+lead)
	m.cpu().Shorten(s.end)
}

// send takes an interrupt from one processor to others (SDM vol. 3, 11.6.1). What it sends itself it has taken, but for what
// leads to another state, or to one of several.
func (m *Machine) send(from *x86.CPU, ipi x86.IPI) {
	const fixed, lowestPriority, nmi, init, startUp = 0, 1, 4, 5, 6
	isFor := func(c *x86.CPU) bool {
		if ipi.Shortcut != 0 { // a shorthand takes in the sender for fixed ones alone
			return c != from
		}
		return c.APIC.Accepts(ipi.Dest, ipi.Logical)
	}
	if ipi.Mode == lowestPriority {
		m.deliverToOne(isFor, ipi.Vector, false)
		m.hint(from)
		return
	}
	for id, c := range m.cpus {
		if !isFor(c) {
			continue
		}
		switch itself := c == from; {
		case ipi.Mode == init:
			if m.cfg.Platform == None { // KVM lets none through to a confidential guest
				m.reset(id)
			}
		case itself:
		case ipi.Mode == fixed:
			c.APIC.Deliver(ipi.Vector, false)
			m.alert(id)
		case ipi.Mode == nmi:
			c.NMI()
			m.alert(id)
		case ipi.Mode == startUp && m.schedule.awaits[id]:
			c.StartUp(ipi.Vector)
			m.join(id)
		}
	}
	m.hint(from)
}

// deliverToOne delivers an interrupt to the one of those that it is for whose priority is lowest, and of several to the first.
func (m *Machine) deliverToOne(isFor func(*x86.CPU) bool, vector uint8, level bool) {
	to, lowest := -1, uint8(0)
	for id, c := range m.cpus {
		if class, enabled := c.APIC.Priority(); enabled && isFor(c) && (to < 0 || class < lowest) {
			to, lowest = id, class
		}
	}
	if to >= 0 {
		m.cpus[to].APIC.Deliver(vector, level)
		m.alert(to)
	}
}

// reset is what INIT does to a processor: one that has been started waits for a start-up interrupt, and the first one, which
// firmware would have begin again, takes the machine along. The one whose turn it is has an instruction to complete: see turn.
func (m *Machine) reset(id int) {
	if id == 0 {
		m.end(errReset)
		return
	}
	m.leave(id)
	m.schedule.awaits[id] = true
	if id != m.schedule.at {
		m.cpus[id].INIT()
	}
}

// join has a processor take turns from now on.
func (m *Machine) join(id int) {
	s, c := &m.schedule, m.cpus[id]
	s.awaits[id] = false
	if !s.online[id] {
		s.online[id] = true
		s.waiting--
	}
	c.Skip(m.Now())
	if id != s.at {
		m.comes(id, m.cpu().Now())
	}
}

// leave has a processor take turns no more. One that does it to itself does so at the end of the instruction.
func (m *Machine) leave(id int) {
	s := &m.schedule
	if s.online[id] {
		s.online[id] = false
		s.waiting++
	}
	if c := m.cpus[id]; id == s.at {
		s.end = c.Now()
		c.Shorten(s.end)
	}
	m.refresh()
}

// processors are the machine's, as an SEV-SNP guest starts and stops them.
type processors struct{ m *Machine }

// Start implements [snp.Processors].
func (p processors) Start(id int, enter func(c *x86.CPU) error) error {
	if err := enter(p.m.cpus[id]); err != nil {
		return err
	}
	p.m.join(id)
	return nil
}

// Stop implements [snp.Processors].
func (p processors) Stop(id int) { p.m.leave(id) }

// mailboxPoll is how often the mailbox is looked at while processors wait there, in virtual nanoseconds.
const mailboxPoll = 50_000

// wake starts the processor that the operating system asks for, if it asks for one that waits.
func (m *Machine) wake() error {
	s := &m.schedule
	if s.waiting == 0 || m.behind() < s.poll {
		return nil
	}
	s.poll = m.behind() + mailboxPoll
	if !m.exited {
		return nil
	}
	id, asked, err := m.boot.Mailbox(m.cpu())
	if err != nil {
		return fmt.Errorf("the mailbox of processors that wait: %w", err)
	}
	if !asked || id >= uint32(len(m.cpus)) || s.online[id] {
		return nil
	}
	c := m.cpus[id]
	if h := m.platform.cheat; h != nil && !h.Runs(m.cpu()) {
		return nil
	}
	if err := m.boot.Wake(c); err != nil {
		return fmt.Errorf("the mailbox of processors that wait: %w", err)
	}
	m.join(int(id))
	return nil
}

func (s *schedule) carry(st *state.Stream) {
	at := uint32(s.at)
	state.Numbers(st, &at)
	state.Numbers(st, &s.end, &s.poll, &s.latest)
	state.Numbers(st, &s.others, &s.lastTSC)
	st.Bool(s.flags()...)
	s.dice.carry(st)
	if s.queue != nil {
		s.queue.Carry(st)
	}
	if st.Reading() {
		s.waiting = 0
		for _, on := range s.online {
			if !on {
				s.waiting++
			}
		}
		st.Check(int(at) < len(s.online) && s.latest >= 0, "a turn of no processor")
		if st.Err() == nil {
			s.at = int(at)
		}
	}
}

func (s *schedule) flags() []*bool {
	var all []*bool
	for i := range s.online {
		all = append(all, &s.online[i], &s.awaits[i])
	}
	return all
}

func (m *Machine) stamp() record.Stamp {
	return record.Stamp{VirtualNS: m.Now(), Instructions: m.instructions()}
}
