package record

import (
	"cmp"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/physical"
)

// StateVersion changes with what [Log.Carry] carries.
const StateVersion = 5

// Carry carries what the log has taken, with what it holds back for its sink. It is for package vm. A log that reads has
// to be new; its sink hears of nothing that was before.
func (l *Log) Carry(s *state.Stream) {
	t := &l.totals
	for i := range t.accepted {
		a := &t.accepted[i]
		for j := range a.sizes {
			a.sizes[j].carry(s)
		}
		a.untilInit.carry(s)
		a.afterInit.carry(s)
		state.Numbers(s, &a.ns)
	}
	for i := range t.added {
		t.added[i].carry(s)
	}
	for i := range t.converted {
		t.converted[i].carry(s)
	}
	state.Slice(s, &t.calls, maxCalls+int(interfaces), func(c *Calls) {
		state.Numbers(s, &c.Interface)
		s.Check(c.Interface < interfaces, "a call of no interface")
		state.String(s, &c.Name, maxStateText)
		state.String(s, &c.Status, maxStateText)
		state.Numbers(s, &c.Times)
	})
	if s.Reading() {
		clear(t.called)
		for i, c := range t.calls {
			t.called[call{c.Interface, c.Name, c.Status}] = i
		}
		s.Check(len(t.called) == len(t.calls), "a call that is counted twice")
	}
	for i := range t.marks {
		state.Optional(s, &t.marks[i], func(m *Marked) {
			m.Stamp.carry(s)
			state.Numbers(s, &m.Phase)
			state.Numbers(s, &m.Unaccepted)
			s.Check(m.Phase == Phase(i), "a phase that is another")
		})
	}
	l.callers.carry(s)
	l.detector.carry(s)
	l.acceptors.carry(s)
	l.added.carry(s)
	l.taken.carry(s)
	l.callers.carryStack(s, &l.taken.Stack)
	l.last.carry(s)
	state.Numbers(s, &l.operations)
}

// maxStateText bounds names in a log, in bytes.
const maxStateText = 64 << 10

func (c *Count) carry(s *state.Stream) { state.Numbers(s, &c.Bytes, &c.Operations) }

func (t *Stamp) carry(s *state.Stream) {
	state.Numbers(s, &t.VirtualNS)
	state.Numbers(s, &t.Instructions)
}

// Carry carries a stamp, for package vm.
func (t *Stamp) Carry(s *state.Stream) { t.carry(s) }

func (e *Added) carry(s *state.Stream) {
	e.Stamp.carry(s)
	e.Last.carry(s)
	state.Numbers(s, &e.GPA)
	state.Numbers(s, &e.Bytes)
	state.Numbers(s, &e.Size)
	s.Check(e.Size <= physical.Size1G, "a page of no size")
}

// carry carries all of e but its stack.
func (e *Accepted) carry(s *state.Stream) {
	e.Stamp.carry(s)
	e.Last.carry(s)
	state.Numbers(s, &e.By)
	cpu := uint32(e.CPU)
	state.Numbers(s, &cpu)
	e.CPU = int(cpu)
	state.Numbers(s, &e.GPA, &e.RIP)
	state.Numbers(s, &e.Bytes)
	state.Numbers(s, &e.Size)
	state.Numbers(s, &e.NS)
	s.Check(e.Size <= physical.Size1G && e.By < agents, "an acceptance of no page, or by no known agent")
}

func (c *callers) carry(s *state.Stream) {
	if c.known == nil {
		c.known = map[string]*caller{}
	}
	state.Map(s, c.known, maxStacks, cmp.Compare[string], func(key *string, k **caller) {
		state.String(s, key, maxStateText)
		if s.Reading() {
			*k = &caller{stack: new(Stack)}
		}
		state.Slice(s, (*[]string)((*k).stack), maxStateText, func(place *string) { state.String(s, place, maxStateText) })
		(*k).carry(s)
	})
	c.other.carry(s)
}

func (k *caller) carry(s *state.Stream) {
	for i := range k.count {
		k.count[i].carry(s)
	}
	state.Array(s, k.ns[:])
}

// carryStack carries which of the known stacks one is: nil, the other, or by its addresses.
func (c *callers) carryStack(s *state.Stream, stack **Stack) {
	const none, other, known = 0, 1, 2
	which, name := uint8(none), ""
	switch {
	case s.Reading() || *stack == nil:
	case *stack == c.other.stack:
		which = other
	default:
		for key, k := range c.known {
			if k.stack == *stack {
				which, name = known, key
			}
		}
	}
	state.Numbers(s, &which)
	state.String(s, &name, maxStateText)
	if !s.Reading() {
		return
	}
	switch *stack = nil; which {
	case other:
		*stack = c.other.stack
	case known:
		k := c.known[name]
		if k == nil {
			s.Fail("a stack that is not known")
			return
		}
		*stack = k.stack
	}
}

// Carry carries a step of an attack, for the hosts that keep them.
func (a *AttackStep) Carry(s *state.Stream) {
	const maxText = 4096
	a.Stamp.carry(s)
	state.Numbers(s, &a.GPA)
	state.Numbers(s, &a.Bytes)
	for _, text := range []*string{&a.What, &a.State, &a.Refused} {
		state.String(s, text, maxText)
	}
}
