package snp

import (
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// intercepted are the instructions that a guest of KVM leaves for (svm.c, init_vmcb; sev.c, sev_es_init_vmcb): I/O and
// CPUID in any SEV-SNP guest (APM 15.36.12), the others because KVM asks for them. RDTSC, RDTSCP, XSETBV and debug
// registers but DR7 are not among them; VMCALL, TDCALL and their kin do not exist.
var intercepted = x86.Instructions(
	x86.InsnIO, x86.InsnHLT, x86.InsnCPUID, x86.InsnRDMSR, x86.InsnWRMSR, x86.InsnINVD, x86.InsnWBINVD,
	x86.InsnMONITOR, x86.InsnMWAIT, x86.InsnVMMCALL, x86.InsnRDPMC, x86.InsnDR, x86.InsnPVALIDATE, x86.InsnRMPADJUST,
	x86.InsnVMGEXIT,
)

// Intercepts implements [x86.Platform].
func (p *Platform) Intercepts() x86.InstructionSet { return intercepted }

// Intercept implements [x86.Platform]. An exit is automatic, which the guest does not notice, or raises #VC (APM
// 15.35.4, table 15-33). Faults that depend on the privilege level come before the exit (APM 15.9, table 15-7).
func (p *Platform) Intercept(c *x86.CPU, in *x86.Instruction) x86.Action {
	switch in.Kind {
	case x86.InsnIO: // the processor has looked at IOPL
		return p.raiseVC(c, abi.ExitIOIO)
	case x86.InsnCPUID:
		return p.raiseVC(c, abi.ExitCPUID)
	case x86.InsnVMMCALL:
		return p.raiseVC(c, abi.ExitVMMCALL)
	case x86.InsnVMGEXIT: // at any privilege level: Linux wipes the GHCB's contents for that (__sev_put_ghcb)
		return p.vmgexit(c)
	case x86.InsnRDPMC:
		if c.CPL() != 0 && c.State().CR4&x86.CR4PCE == 0 {
			return raiseGP(c)
		}
		return p.raiseVC(c, abi.ExitRDPMC)
	}
	if c.CPL() != 0 {
		if in.Kind == x86.InsnMONITOR || in.Kind == x86.InsnMWAIT {
			return raiseUD(c)
		}
		return raiseGP(c)
	}
	switch in.Kind {
	case x86.InsnHLT:
		p.exit(c, abi.ExitHLT.String()) // automatic
		return x86.Native
	case x86.InsnRDMSR:
		return p.rdmsr(c)
	case x86.InsnWRMSR:
		return p.wrmsr(c)
	case x86.InsnPVALIDATE:
		return p.pvalidateInstruction(c)
	case x86.InsnRMPADJUST:
		return p.rmpadjustInstruction(c)
	case x86.InsnDR:
		return p.debugRegister(c, in)
	case x86.InsnINVD:
		return p.raiseVC(c, abi.ExitINVD)
	case x86.InsnWBINVD:
		return p.raiseVC(c, abi.ExitWBINVD)
	case x86.InsnMONITOR:
		return p.raiseVC(c, abi.ExitMONITOR)
	case x86.InsnMWAIT:
		return p.raiseVC(c, abi.ExitMWAIT)
	}
	return raiseUD(c)
}

// debugRegister serves MOV to and from debug registers: those of DR7 exit, since without DebugSwap (SEV_STATUS[7]) it
// is not the guest's. DR5 is DR7 unless CR4.DE is set.
func (p *Platform) debugRegister(c *x86.CPU, in *x86.Instruction) x86.Action {
	dr7 := in.Register == 7 || in.Register == 5 && c.State().CR4&x86.CR4DE == 0
	switch {
	case !dr7:
		return x86.Native
	case in.Write:
		return p.raiseVC(c, abi.ExitDR7Write)
	}
	return p.raiseVC(c, abi.ExitDR7Read)
}

// WriteCR implements [x86.Platform]: the host hears of new values by automatic exits after the instruction (APM
// 15.35.10), and cannot do anything about them.
func (p *Platform) WriteCR(c *x86.CPU, which int, value uint64) x86.Action {
	if !c.Takes(which, value) {
		return x86.Native
	}
	switch which {
	case 0:
		p.exit(c, abi.ExitCR0WriteTrap.String())
	case 4:
		p.exit(c, abi.ExitCR4WriteTrap.String())
	case x86.GuardEFER:
		p.exit(c, abi.ExitEFERWriteTrap.String())
	}
	return x86.Native
}
