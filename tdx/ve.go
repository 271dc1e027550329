package tdx

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/x86"
)

// Basic exit reasons (SDM vol. 3, appendix C).
const (
	reasonCPUID        = 10
	reasonHLT          = 12
	reasonINVD         = 13
	reasonVMCALL       = 18
	reasonCR           = 28
	reasonIO           = 30
	reasonRDMSR        = 31
	reasonWRMSR        = 32
	reasonMWAIT        = 36
	reasonMONITOR      = 39
	reasonEPTViolation = 48
	reasonWBINVD       = 54
	reasonPCONFIG      = 65
)

// Names of all those reasons as the SDM has them, for the record.
var reasonNames = map[uint32]string{
	reasonCPUID:        "CPUID",
	reasonHLT:          "HLT",
	reasonINVD:         "INVD",
	reasonVMCALL:       "VMCALL",
	reasonCR:           "CR_ACCESS",
	reasonIO:           "IO_INSTRUCTION",
	reasonRDMSR:        "MSR_READ",
	reasonWRMSR:        "MSR_WRITE",
	reasonMWAIT:        "MWAIT",
	reasonMONITOR:      "MONITOR",
	reasonEPTViolation: exitEPTViolation,
	reasonWBINVD:       "WBINVD",
	reasonPCONFIG:      "PCONFIG",
}

// Names of TD exits in the record.
const (
	exitEPTViolation = "EPT_VIOLATION"
	exitTDVMCALL     = "TDVMCALL"
)

// A veInfo is what TDG.VP.VEINFO.GET tells of the last #VE (ABI, VE_INFO).
type veInfo struct {
	valid         bool
	reason        uint32
	qualification uint64
	gla, gpa      uint64
	length        uint32 // of the instruction
	info          uint32
}

// inject makes an exception of ve: #VE, or #DF where the guest has not yet read what the last one was about (module,
// tdx_inject_ve).
//
// The processor itself raises #VE for EPT violations, and where the information is still valid it exits to the module
// instead (SDM vol. 3, 26.5.7.1). From there the exit goes to the host, which has nothing to resolve for an MMIO
// address: the guest faults forever. That ends as #DF here, too.
func (m *Module) inject(c *x86.CPU, ve veInfo) *x86.Exception {
	m.charge(c, cost.VE)
	v := m.vpOf(c)
	if v.ve.valid {
		return &x86.Exception{Vector: x86.VectorDF, HasCode: true}
	}
	m.call(c, record.VE, reasonNames[ve.reason], "")
	ve.valid = true
	v.ve = ve
	return &x86.Exception{Vector: x86.VectorVE}
}

// raiseVE raises #VE for an instruction.
func (m *Module) raiseVE(c *x86.CPU, reason uint32, qualification uint64, length int) x86.Action {
	c.Raise(*m.inject(c, veInfo{reason: reason, qualification: qualification, length: uint32(length)}))
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
