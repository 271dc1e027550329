package snp

import "github.com/tacit-vm/tacit/internal/state"

// StateVersion changes with what [Platform.Carry] carries.
const StateVersion = 1

// Carry carries what hardware and hypervisor keep of the guest. A platform that reads has to be new, with the same Config.
func (p *Platform) Carry(s *state.Stream) {
	p.rmp.Carry(s, pageStates)
	for i := range p.vcpus {
		p.vcpus[i].carry(s)
	}
	state.Numbers(s, &p.jumpTable)
}

func (v *vcpu) carry(s *state.Stream) {
	state.Numbers(s, &v.ghcb, &v.registered, &v.dr7)
	state.Optional(s, &v.unvalidated, func(v *Violation) { v.Carry(s) })
}

// Carry carries a violation, which may be how a run has ended.
func (v *Violation) Carry(s *state.Stream) {
	state.Numbers(s, &v.CPU)
	state.Numbers(s, &v.GPA, &v.GVA, &v.RIP)
	s.Bool(&v.Shared)
	v.Access.Carry(s)
	for _, text := range []*string{&v.Instruction, &v.State, &v.Why} {
		state.String(s, text, maxText)
	}
}

const maxText = 4096

// Carry carries a termination, which may be how a run has ended.
func (t *Termination) Carry(s *state.Stream) {
	state.Numbers(s, &t.Set, &t.Reason)
	state.Numbers(s, &t.RIP)
	state.Optional(s, &t.After, func(v *Violation) { v.Carry(s) })
}
