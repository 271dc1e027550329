package snp

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// rmpadjustInstruction is RMPADJUST: RAX is a virtual address, RCX the page's size, RDX what the page is to be. EAX
// becomes the result (APM vol. 3, RMPADJUST).
//
// The guest runs at VMPL0, which may change the permissions of the less privileged levels; that is how Linux tests for VMPL0. Nothing
// ever runs at those levels: their permissions are not kept. The VMSA flag is.
func (p *Platform) rmpadjustInstruction(c *x86.CPU) x86.Action {
	gva, rdx := c.R[x86.RAX]&^(mem.PageSize-1), c.R[x86.RDX]
	gpa, ok := c.Probe(gva)
	if !ok {
		return x86.Raised
	}
	size, ok := pageSize(c.R[x86.RCX], gva|gpa)
	switch {
	case !ok, rdx&^abi.AdjustAll != 0, rdx&abi.AdjustVMPL >= abi.VMPLs:
		return p.adjusted(c, abi.FailInput)
	case rdx&abi.AdjustVMPL == 0:
		return p.adjusted(c, abi.FailPermission) // no level sets its own permissions
	}
	s, r, err := p.entry(c, abi.RMPADJUST, gva, gpa, size)
	switch {
	case err != nil:
		c.Stop(err)
		return x86.Raised
	case r != abi.Success:
		return p.adjusted(c, r)
	case s.owner() != validated:
		c.Raise(*p.notValidated(c, gva))
		return x86.Raised
	}
	first := gpa &^ CBit / mem.PageSize
	p.rmp.Update(first, first+size.Bytes()/mem.PageSize, func(s pageState) pageState {
		if rdx&abi.AdjustVMSA != 0 {
			return s | vmsa
		}
		return s &^ vmsa
	})
	return p.adjusted(c, abi.Success)
}

// adjusted ends RMPADJUST. It is charged as PVALIDATE is, which does as much to an RMP entry.
func (p *Platform) adjusted(c *x86.CPU, r abi.Result) x86.Action {
	c.Charge(cost.PValidate4K, 1)
	p.call(c, record.RMP, abi.RMPADJUST, r.String())
	setResult(c, r, c.Flags()&x86.FlagCF != 0)
	return x86.Done
}
