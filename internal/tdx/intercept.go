package tdx

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// intercepted are the instructions that exit to the module (module, tdx_td_dispatcher.c). RDTSC, XSETBV and MOV to
// debug registers do not, or to no effect.
var intercepted = x86.Instructions(
	x86.InsnIO, x86.InsnHLT, x86.InsnCPUID, x86.InsnRDMSR, x86.InsnWRMSR, x86.InsnINVD, x86.InsnWBINVD, x86.InsnMONITOR, x86.InsnMWAIT,
	x86.InsnVMCALL, x86.InsnTDCALL, x86.InsnSEAMCALL, x86.InsnRDPMC, x86.InsnPCONFIG,
)

// Intercepts implements [x86.Platform].
func (m *Module) Intercepts() x86.InstructionSet { return intercepted }

// Intercept implements [x86.Platform].
//
// Faults that depend on the privilege level come before the exit (SDM vol. 3, 26.1.1), that of TDCALL and SEAMCALL
// too (Linux commit 9d7dfb95da2c: "the CPL check is performed prior to the VMX non-root check", tested on two
// processors).
func (m *Module) Intercept(c *x86.CPU, in *x86.Instruction) x86.Action {
	switch in.Kind {
	case x86.InsnCPUID:
		return m.cpuidExit(c, in)
	case x86.InsnVMCALL:
		return m.raiseVE(c, abi.ReasonVMCALL, 0, in.Length)
	case x86.InsnIO: // the processor has looked at IOPL and the I/O permission bitmap
		return m.raiseVE(c, abi.ReasonIO, ioQualification(in), in.Length)
	case x86.InsnMONITOR, x86.InsnMWAIT:
		if c.CPL() != 0 {
			return m.raiseUD(c)
		}
		if in.Kind == x86.InsnMONITOR {
			return m.raiseVE(c, abi.ReasonMONITOR, 0, in.Length)
		}
		return m.raiseVE(c, abi.ReasonMWAIT, 0, in.Length)
	}
	if c.CPL() != 0 {
		return m.raiseGP(c)
	}
	switch in.Kind {
	case x86.InsnTDCALL:
		return m.tdcall(c)
	case x86.InsnRDMSR:
		return m.rdmsr(c, in)
	case x86.InsnWRMSR:
		return m.wrmsr(c, in)
	case x86.InsnHLT:
		return m.raiseVE(c, abi.ReasonHLT, 0, in.Length)
	case x86.InsnINVD:
		return m.raiseVE(c, abi.ReasonINVD, 0, in.Length)
	case x86.InsnWBINVD:
		return m.raiseVE(c, abi.ReasonWBINVD, 0, in.Length)
	case x86.InsnPCONFIG:
		return m.raiseVE(c, abi.ReasonPCONFIG, 0, in.Length)
	case x86.InsnRDPMC:
		return m.raiseGP(c) // no PERFMON attribute (module, td_rdpmc_exit)
	}
	return m.raiseUD(c) // SEAMCALL and VMX instructions
}

// ioQualification makes the exit qualification of an I/O instruction.
func ioQualification(in *x86.Instruction) uint64 {
	q := uint64(in.Size-1) | uint64(in.Port)<<abi.IOPort
	for _, bit := range []struct {
		set   bool
		value uint64
	}{{in.In, abi.IOIn}, {in.String, abi.IOString}, {in.Rep, abi.IORep}, {in.Imm, abi.IOImm}} {
		if bit.set {
			q |= bit.value
		}
	}
	return q
}

// cpuidExit raises #VE or leaves the leaf to [Module.CPUID] (module, td_cpuid.c).
func (m *Module) cpuidExit(c *x86.CPU, in *x86.Instruction) x86.Action {
	leaf, subleaf := clampLeaf(uint32(c.R[x86.RAX])), uint32(c.R[x86.RCX])
	if !virtualLeaf(leaf, subleaf) || m.vpOf(c).wantsVE(leaf, subleaf, c.CPL()) {
		return m.raiseVE(c, abi.ReasonCPUID, 0, in.Length)
	}
	c.Charge(cost.ModuleCall, 1)
	return x86.Native
}
