package snp

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/state"
)

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
	state.Optional(s, &v.unvalidated, func(v *confidential.Violation) { v.Carry(s) })
}
