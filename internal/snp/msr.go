package snp

import (
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// sevStatus is SEV_STATUS: SEV, SEV-ES and SEV-SNP are on, and nothing else that a guest would have to know.
const sevStatus = abi.StatusSEV | abi.StatusSEVES | abi.StatusSEVSNP

// EFER are the bits of EFER that the CPUID table announces beyond those every x86-64 processor has: AutoIBRS. They are
// for [x86.Config].
const EFER = 1 << 21

// native says whether a guest of KVM reaches a register without #VC: those that VMRUN and VMSAVE exchange (KVM,
// svm_recalc_msr_intercepts and sev_es_recalc_msr_intercepts, on a processor with V_SPEC_CTRL and V_TSC_AUX).
func native(index uint32, write bool) bool {
	switch index {
	case x86.MSRSTAR, x86.MSRLSTAR, x86.MSRCSTAR, x86.MSRFMASK, x86.MSRFSBase, x86.MSRGSBase, x86.MSRKernelGSBase,
		x86.MSRSysenterCS, x86.MSRSysenterESP, x86.MSRSysenterEIP, x86.MSRPAT, x86.MSREFER, x86.MSRSpecCtrl, x86.MSRTSCAux:
		return true
	case x86.MSRPredCmd:
		return write
	}
	return false
}

// rdmsr serves RDMSR.
func (p *Platform) rdmsr(c *x86.CPU) x86.Action {
	var value uint64
	switch index := uint32(c.R[x86.RCX]); {
	case index == abi.MSRGHCB:
		value = p.vcpuOf(c).ghcb
	case index == abi.MSRSEVStatus:
		value = sevStatus
	case native(index, false):
		return x86.Native
	default:
		return p.raiseVC(c, abi.ExitMSR)
	}
	c.R[x86.RAX], c.R[x86.RDX] = value&0xFFFF_FFFF, value>>32
	return x86.Done
}

// wrmsr serves WRMSR.
func (p *Platform) wrmsr(c *x86.CPU) x86.Action {
	switch index := uint32(c.R[x86.RCX]); {
	case index == abi.MSRGHCB:
		p.vcpuOf(c).ghcb = c.R[x86.RAX]&0xFFFF_FFFF | c.R[x86.RDX]<<32
		return x86.Done
	case index == abi.MSRSEVStatus:
		return raiseGP(c) // read-only
	case native(index, true):
		return x86.Native
	}
	return p.raiseVC(c, abi.ExitMSR)
}

// ReadMSR implements [x86.Platform]: RDMSR is intercepted, what is left is the processor's.
func (p *Platform) ReadMSR(*x86.CPU, uint32) (uint64, x86.Action) { return 0, x86.Native }

// WriteMSR implements [x86.Platform].
func (p *Platform) WriteMSR(*x86.CPU, uint32, uint64) x86.Action { return x86.Native }
