package host

import (
	"cmp"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

// StateVersion changes with what Carry carries, of each host.
const StateVersion = 3

// Carry carries what the host keeps of its guest.
func (h *Host) Carry(s *state.Stream) {
	const most = 1 << 16 // more registers than all processors have
	compare := func(a, b msrKey) int { return cmp.Or(cmp.Compare(a.cpu, b.cpu), cmp.Compare(a.index, b.index)) }
	state.Map(s, h.msrs, most, compare, func(k *msrKey, v *uint64) {
		state.Numbers(s, &k.cpu)
		state.Numbers(s, &k.index)
		state.Numbers(s, v)
	})
}

// Carry carries what the host keeps of its guest.
func (h *SNP) Carry(s *state.Stream) {
	h.Host.Carry(s)
	const most = 1 << 16 // processors
	state.Map(s, h.clock, most, cmp.Compare[int], func(cpu *int, at *uint64) {
		state.Numbers(s, cpu)
		state.Numbers(s, at)
	})
}

// Carry carries how far the attack is. What the honest host keeps is carried apart.
func (h *Cheat) Carry(s *state.Stream) {
	state.Numbers(s, &h.count, &h.target.Start, &h.target.End)
	state.Numbers(s, &h.size)
	s.Check(h.size <= physical.Size2M && h.target.Start <= h.target.End && h.target.Len() <= maxConvert, "an attack on no page")
	state.Bytes(s, &h.old, maxConvert)
	state.Bytes(s, &h.sealed, maxConvert)
	s.Check(h.sealed == nil || len(h.sealed) == len(h.old), "contents as the host reads them that are not the page's")
	s.Check(h.old == nil || uint64(len(h.old)) == h.target.Len(), "old contents that are not the page's")
	state.String(s, &h.was, maxText)
	s.Bool(&h.done)
	state.Slice(s, &h.steps, maxSteps, func(step *record.AttackStep) { step.Carry(s) })
}

const (
	maxSteps = 16
	maxText  = 4096
)
