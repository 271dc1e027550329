package cost

import "github.com/tacit-vm/tacit/internal/state"

// Carry carries a tally, for package vm.
func (t *Tally) Carry(s *state.Stream) {
	state.Array(s, t.counts[:])
	state.Numbers(s, &t.Waited)
	for l := range t.contended {
		state.Numbers(s, &t.contended[l].Count)
		state.Numbers(s, &t.contended[l].NS)
	}
}

// Carry carries who holds what, for package vm.
func (q *Queue) Carry(s *state.Stream) {
	for l := range q.busy {
		last := int64(-1)
		state.Slice(s, &q.busy[l], spans, func(b *span) {
			state.Numbers(s, &b.start, &b.end)
			s.Check(b.start > last && b.end > b.start, "a lock that two processors hold at once")
			last = b.end
		})
	}
}
