package snp

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/snp/abi"
)

// StateVersion changes with what [Platform.Carry] carries.
const StateVersion = 2

// Carry carries what hardware and hypervisor keep of the guest. A platform that reads has to be new, with the same Config.
func (p *Platform) Carry(s *state.Stream) {
	p.rmp.Carry(s, pageStates)
	for _, l := range p.levels {
		l.Carry(s, permissionStates)
	}
	for i := range p.vcpus {
		p.vcpus[i].carry(s)
	}
	state.Numbers(s, &p.jumpTable)
}

func (v *vcpu) carry(s *state.Stream) {
	state.Numbers(s, &v.ghcb, &v.registered, &v.dr7)
	state.Numbers(s, &v.vmpl)
	s.Check(v.vmpl < abi.VMPLs, "a processor at a privilege level that there is not")
	state.Optional(s, &v.unvalidated, func(v *confidential.Violation) { v.Carry(s) })
}
