package cost

import "github.com/tacit-vm/tacit/internal/state"

// Carry carries a tally, for package vm.
func (t *Tally) Carry(s *state.Stream) {
	state.Array(s, t.counts[:])
	state.Numbers(s, &t.Waited)
}
