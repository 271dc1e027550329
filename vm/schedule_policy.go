package vm

import (
	"math/rand/v2"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
)

// SchedulePolicies are what Config.Schedule can be: in what order processors that could run at the same time do so.
//
//   - round-robin: the one that is furthest behind in virtual time has its turn, for as long as it can.
//   - random: any that is not ahead has, for as long as the seed says.
//   - adversarial: as random, and more often than not a turn ends where a processor has just dealt with what stands around
//     it: the module, the host, another processor; and often where it has locked memory. There the guest's own order of
//     doing things is put to the test.
//
// Each order is one that hardware could have taken; the seed repeats it.
var SchedulePolicies = []string{roundRobin, random, adversarial}

const (
	roundRobin  = "round-robin"
	random      = "random"
	adversarial = "adversarial"
)

// A dice is what the seed decides by. Nil decides nothing.
type dice struct {
	*rand.PCG
	hints bool // a turn may end at a hint
}

func newDice(policy string, seed uint64) *dice {
	if policy == roundRobin {
		return nil
	}
	return &dice{rand.NewPCG(seed, 0), policy == adversarial}
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int64) int64 { return rand.New(d.PCG).Int64N(n) }

// choose changes a turn that is about to begin: that of the processor to, which can go on at first, until end. Others can
// have it that are not ahead by a lead.
func (m *Machine) choose(to int, first, end int64) (int, int64) {
	d := m.schedule.dice
	if d == nil || first == x86.Never || end == x86.Never {
		return to, end
	}
	var could []int
	for i, ready := range m.schedule.ready {
		if ready < first+lead {
			could = append(could, i)
		}
	}
	to = could[d.below(int64(len(could)))]
	return to, m.schedule.ready[to] + 1 + d.below(lead)
}

// Of four hints so many end a turn: of dealings with what stands around a processor, and of locked memory, which is far more
// frequent.
const (
	oftenOutside = 3
	oftenLocked  = 1
)

// hint hears that a processor has dealt with what stands around it.
func (m *Machine) hint(c *x86.CPU) { m.mayEnd(c, oftenOutside) }

// lockHint returns what hears that a processor has locked memory; nil where that ends no turn.
func (m *Machine) lockHint() func(*x86.CPU) {
	if d := m.schedule.dice; d == nil || !d.hints {
		return nil
	}
	return func(c *x86.CPU) { m.mayEnd(c, oftenLocked) }
}

// mayEnd ends the turn under way after the instruction under way, in so many of four cases, where turns end at hints.
func (m *Machine) mayEnd(c *x86.CPU, often int64) {
	if d := m.schedule.dice; d != nil && d.hints && c == m.cpu() && d.below(4) < often {
		m.schedule.end = min(m.schedule.end, c.Now())
		c.Shorten(m.schedule.end)
	}
}

func (d *dice) carry(s *state.Stream) {
	if d == nil {
		return
	}
	const most = 64
	b, _ := d.MarshalBinary() // it never fails
	if state.Bytes(s, &b, most); s.Reading() && s.Err() == nil {
		if err := d.UnmarshalBinary(b); err != nil {
			s.Fail("the schedule's seed: %w", err)
		}
	}
}
