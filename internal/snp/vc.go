package snp

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// vc makes an exception of an exit: #VC with the exit's code (APM 15.35.5).
func (p *Platform) vc(c *x86.CPU, code abi.ExitCode) *x86.Exception {
	c.Charge(cost.VC, 1)
	p.call(c, record.VC, code.String(), "")
	return &x86.Exception{Vector: x86.VectorVC, Code: uint32(code), HasCode: true}
}

// raiseVC raises #VC for an instruction.
func (p *Platform) raiseVC(c *x86.CPU, code abi.ExitCode) x86.Action {
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
