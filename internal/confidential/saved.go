package confidential

import "github.com/tacit-vm/tacit/internal/state"

// Carry carries a violation: it may be how a run has ended, or what it may end of.
func (v *Violation) Carry(s *state.Stream) {
	const maxText = 4096
	for _, text := range []*string{&v.Architecture, &v.Plane, &v.Instruction, &v.State, &v.Why} {
		state.String(s, text, maxText)
	}
	state.Numbers(s, &v.CPU)
	state.Numbers(s, &v.GPA, &v.GVA, &v.RIP)
	v.Access.Carry(s)
}
