package tdx

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// Names of TD exits in the record.
const (
	exitEPTViolation = "EPT_VIOLATION"
	exitTDVMCALL     = "TDVMCALL"
	exitCrossTD      = "CROSS_TD_TRAP"
)

// A veInfo is what TDG.VP.VEINFO.GET tells of the last #VE, until it has.
type veInfo struct {
	abi.VEInfo
	valid bool
}

// inject makes an exception of ve: #VE, or #DF where the guest has not yet read what the last one was about (module,
// tdx_inject_ve).
//
// The processor itself raises #VE for EPT violations, and where the information is still valid it exits to the module
// instead (SDM vol. 3, 26.5.7.1). From there the exit goes to the host, which has nothing to resolve for an MMIO
// address: the guest faults forever. That ends as #DF here, too.
func (m *Module) inject(c *x86.CPU, ve abi.VEInfo) *x86.Exception {
	c.Charge(cost.VE, 1)
	v := m.vpOf(c)
	if v.ve.valid {
		return &x86.Exception{Vector: x86.VectorDF, HasCode: true}
	}
	m.call(c, record.VE, ve.Reason.String(), "")
	v.ve = veInfo{ve, true}
	c.HoldNMI(true) // the module injects none meanwhile (td_other_exits.c, on the NMI window)
	return &x86.Exception{Vector: x86.VectorVE}
}

// raiseVE raises #VE for an instruction.
func (m *Module) raiseVE(c *x86.CPU, reason abi.ExitReason, qualification uint64, length int) x86.Action {
	c.Raise(*m.inject(c, abi.VEInfo{Reason: reason, Qualification: qualification, InstructionLength: uint32(length)}))
	return x86.Raised
}

func (m *Module) raiseGP(c *x86.CPU) x86.Action {
	c.Raise(x86.Exception{Vector: x86.VectorGP, HasCode: true})
	return x86.Raised
}

func (m *Module) raiseUD(c *x86.CPU) x86.Action {
	c.Raise(x86.Exception{Vector: x86.VectorUD})
	return x86.Raised
}
