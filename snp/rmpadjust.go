package snp

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/mem"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/x86"
)

const callRMPADJUST = "RMPADJUST"

// RDX of RMPADJUST.
const (
	adjustVMPL = 0xFF    // the VMPL whose permissions are set, in bits 7:0; those are in bits 15:8
	adjustVMSA = 1 << 16 // whether the page is a VMSA
	adjustAll  = 1<<17 - 1

	vmpls = 4 // virtual machine privilege levels
)

// rmpadjustInstruction is RMPADJUST: RAX is a virtual address, RCX the page's size, RDX what the page is to be. EAX
// becomes the result (APM vol. 3, RMPADJUST).
//
// The guest runs at VMPL0, which may do anything to the levels behind it, and so Linux finds out that it does. Nothing
// ever runs at those levels: their permissions are not kept. The VMSA flag is.
func (p *Platform) rmpadjustInstruction(c *x86.CPU) x86.Action {
	gva, rdx := c.R[x86.RAX]&^(mem.PageSize-1), c.R[x86.RDX]
	gpa, ok := c.Probe(gva)
	if !ok {
		return x86.Raised
	}
	size, ok := pageSize(c.R[x86.RCX], gva|gpa)
	switch {
	case !ok, rdx&^adjustAll != 0, rdx&adjustVMPL >= vmpls:
		return p.adjusted(c, FailInput)
	case rdx&adjustVMPL == 0:
		return p.adjusted(c, FailPermission) // no level sets its own permissions
	}
	s, r, err := p.entry(c, callRMPADJUST, gva, gpa, size)
	switch {
	case err != nil:
		c.Stop(err)
		return x86.Raised
	case r != Success:
		return p.adjusted(c, r)
	case s.owner() != validated:
		c.Raise(*p.notValidated(c, gva))
		return x86.Raised
	}
	first := gpa &^ CBit / mem.PageSize
	p.rmp.Update(first, first+size.Bytes()/mem.PageSize, func(s pageState) pageState {
		if rdx&adjustVMSA != 0 {
			return s | vmsa
		}
		return s &^ vmsa
	})
	return p.adjusted(c, Success)
}

// adjusted ends RMPADJUST. It is charged as PVALIDATE is, which does as much to an RMP entry.
func (p *Platform) adjusted(c *x86.CPU, r Result) x86.Action {
	p.charge(c, cost.PValidate4K, 1)
	p.call(c, record.RMP, callRMPADJUST, r.String())
	setResult(c, r, c.Flags()&x86.FlagCF != 0)
	return x86.Done
}
