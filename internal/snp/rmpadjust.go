package snp

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// rmpadjustInstruction is RMPADJUST: RAX is a virtual address, RCX the page's size, RDX what the page is to be. EAX
// becomes the result (APM vol. 3, RMPADJUST).
//
// A level sets the permissions of those that are less privileged, so that a success for VMPL1 shows that the guest is at
// VMPL0: Linux tests it so. It gives away what it has and no more. The VMSA flag is VMPL0's to change; elsewhere that bit
// of RDX does not count (EDK2,
// OvmfPkg/Library/AmdSvsmLib/AmdSvsmLib.c, BaseVmsaRmpAdjust).
func (p *Platform) rmpadjustInstruction(c *x86.CPU) x86.Action {
	gva, rdx := c.R[x86.RAX]&^(mem.PageSize-1), c.R[x86.RDX]
	gpa, ok := c.Probe(gva)
	if !ok {
		return x86.Raised
	}
	own, target := p.vcpuOf(c).vmpl, rdx&abi.AdjustVMPL
	size, ok := pageSize(c.R[x86.RCX], gva|gpa)
	switch {
	case !ok, rdx&^abi.AdjustAll != 0, target >= abi.VMPLs:
		return p.adjusted(c, abi.FailInput)
	case target <= uint64(own):
		return p.adjusted(c, abi.FailPermission)
	}
	s, r, err := p.entry(c, abi.RMPADJUST, gva, gpa, size)
	switch {
	case err != nil:
		c.Stop(err)
		return x86.Raised
	case s.owner() != validated: // before the sizes are compared (VeriSMo, arch/rmp/access_s.rs, rmpadjust)
		c.Raise(*p.notValidated(c, gva))
		return x86.Raised
	case r != abi.Success:
		return p.adjusted(c, r)
	}
	page := gpa &^ CBit
	first, end := page/mem.PageSize, (page+size.Bytes())/mem.PageSize
	to := permissions(rdx>>permissionsAt) & (permissionStates - 1)
	if own > 0 && to&^p.levels.at(own, first) != 0 {
		return p.adjusted(c, abi.FailPermission)
	}
	if p.levels.set(uint8(target), first, end, to) {
		// As with PVALIDATE, processors forget at once what hardware lets them use until they are told.
		p.cfg.Forget(physical.Private, page, page+size.Bytes())
	}
	if own == 0 {
		p.rmp.Update(first, end, func(s pageState) pageState {
			if rdx&abi.AdjustVMSA != 0 {
				return s | vmsa
			}
			return s &^ vmsa
		})
	}
	return p.adjusted(c, abi.Success)
}

// adjusted ends RMPADJUST. It is charged as PVALIDATE is, which does as much to an RMP entry.
func (p *Platform) adjusted(c *x86.CPU, r abi.Result) x86.Action {
	c.Charge(cost.PValidate4K, 1)
	p.call(c, record.RMP, abi.RMPADJUST, r.String())
	setResult(c, r, c.Flags()&x86.FlagCF != 0)
	return x86.Done
}
