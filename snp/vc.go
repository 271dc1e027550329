package snp

import (
	"fmt"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/x86"
)

// Exit codes (APM appendix C): the error code of #VC, and SW_EXITCODE in the GHCB.
const (
	exitDR7Read          = 0x27
	exitDR7Write         = 0x37
	exitRDTSC            = 0x6E
	exitRDPMC            = 0x6F
	exitCPUID            = 0x72
	exitINVD             = 0x76
	exitHLT              = 0x78
	exitIOIO             = 0x7B
	exitMSR              = 0x7C
	exitVMMCALL          = 0x81
	exitRDTSCP           = 0x87
	exitWBINVD           = 0x89
	exitMONITOR          = 0x8A
	exitMWAIT            = 0x8B
	exitEFERWriteTrap    = 0x8F
	exitCR0WriteTrap     = 0x90
	exitCR4WriteTrap     = 0x94
	exitNPF              = 0x400
	exitVMGEXIT          = 0x403
	exitPageNotValidated = 0x404
)

// Their names there, without VMEXIT_.
var exitNames = map[uint64]string{
	exitDR7Read:          "DR7_READ",
	exitDR7Write:         "DR7_WRITE",
	exitRDTSC:            "RDTSC",
	exitRDPMC:            "RDPMC",
	exitCPUID:            "CPUID",
	exitINVD:             "INVD",
	exitHLT:              "HLT",
	exitIOIO:             "IOIO",
	exitMSR:              "MSR",
	exitVMMCALL:          "VMMCALL",
	exitRDTSCP:           "RDTSCP",
	exitWBINVD:           "WBINVD",
	exitMONITOR:          "MONITOR",
	exitMWAIT:            "MWAIT",
	exitEFERWriteTrap:    "EFER_WRITE_TRAP",
	exitCR0WriteTrap:     "CR0_WRITE_TRAP",
	exitCR4WriteTrap:     "CR4_WRITE_TRAP",
	exitNPF:              "NPF",
	exitVMGEXIT:          "VMGEXIT",
	exitPageNotValidated: "PAGE_NOT_VALIDATED",
}

func exitName(code uint64) string {
	if n := exitNames[code]; n != "" {
		return n
	}
	return fmt.Sprintf("%#x", code)
}

// vc makes an exception of an exit: #VC with the exit's code (APM 15.35.5).
func (p *Platform) vc(c *x86.CPU, code uint32) *x86.Exception {
	p.charge(c, cost.VC, 1)
	p.call(c, record.VC, exitName(uint64(code)), "")
	return &x86.Exception{Vector: x86.VectorVC, Code: code, HasCode: true}
}

// raiseVC raises #VC for an instruction.
func (p *Platform) raiseVC(c *x86.CPU, code uint32) x86.Action {
	c.Raise(*p.vc(c, code))
	return x86.Raised
}

func raiseGP(c *x86.CPU) x86.Action {
	c.Raise(x86.Exception{Vector: x86.VectorGP, HasCode: true})
	return x86.Raised
}

func raiseUD(c *x86.CPU) x86.Action {
	c.Raise(x86.Exception{Vector: x86.VectorUD})
	return x86.Raised
}
