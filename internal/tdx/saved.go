package tdx

import "github.com/tacit-vm/tacit/internal/state"

// StateVersion changes with what [Module.Carry] carries.
const StateVersion = 2

// Carry carries what the module keeps of the TD. A module that reads has to be new, with the same Config.
func (m *Module) Carry(s *state.Stream) {
	m.pages.Carry(s, pageStates)
	for i := range m.vp {
		m.vp[i].carry(s)
	}
	for i := range m.rtmr {
		s.Raw(m.rtmr[i][:])
	}
	state.Numbers(s, &m.notify)
}

func (v *vp) carry(s *state.Stream) {
	state.Numbers(s, &v.ve.Reason)
	state.Numbers(s, &v.ve.Qualification, &v.ve.GLA, &v.ve.GPA, &v.debugctl, &v.dsArea)
	state.Numbers(s, &v.ve.InstructionLength, &v.ve.InstructionInfo)
	s.Bool(&v.ve.valid)
	state.Numbers(s, &v.cpuidSupervisorVE, &v.cpuidUserVE)
	state.Array(s, v.cpuidControl[:])
	state.Array(s, v.l2Ctls[:])
	state.Array(s, v.tscDeadline[:])
}
