package snp

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/pagestate"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/snp/abi"
)

// StateVersion changes with what [Platform.Carry] carries.
const StateVersion = 4

// Carry carries what hardware and hypervisor keep of the guest. A platform that reads has to be new, with the same Config.
func (p *Platform) Carry(s *state.Stream) {
	p.rmp.Carry(s, pageStates)
	for _, l := range p.levels {
		l.Carry(s, permissionStates)
	}
	state.Slice(s, &p.frames, maxFrames, func(f *hostFrame) { f.carry(s) })
	for i := range p.vcpus {
		p.vcpus[i].carry(s)
	}
	state.Numbers(s, &p.jumpTable)
	for i := range p.messages {
		state.Numbers(s, &p.messages[i].number)
		s.Raw(p.messages[i].sum[:])
		s.Bool(&p.messages[i].some)
	}
}

func (f *hostFrame) carry(s *state.Stream) {
	s.Bool(&f.used)
	state.Numbers(s, &f.at, &f.gpa)
	state.Numbers(s, &f.entry)
	state.Array(s, f.levels[:])
	state.Bytes(s, &f.content, mem.PageSize)
	kept := 0
	if f.used && f.at == 0 {
		kept = mem.PageSize
	}
	s.Check(len(f.content) == kept && f.at <= pagestate.Pages, "a frame without its contents")
	s.Check(f.entry&^vmsa != shared && f.entry&^(vmsa|ownerMask) == 0, "a frame that no RMP entry is of")
	s.Check(max(f.levels[0], f.levels[1], f.levels[2]) < permissionStates, "a frame with permissions that there are not")
}

func (v *vcpu) carry(s *state.Stream) {
	state.Numbers(s, &v.ghcb, &v.registered, &v.dr7, &v.vmsa)
	state.Numbers(s, &v.vmpl)
	s.Check(v.vmpl < abi.VMPLs, "a processor at a privilege level that there is not")
	state.Optional(s, &v.unvalidated, func(v *confidential.Violation) { v.Carry(s) })
}
