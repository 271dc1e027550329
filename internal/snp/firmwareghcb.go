package snp

import (
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// RegisterGHCB makes the page at gpa, which firmware has accepted, the GHCB of processor c as OVMF leaves one to the images that
// it starts (OvmfPkg/PlatformPei/AmdSev.c): shared, registered with the host, and named by the GHCB MSR. Its contents are
// for firmware to clear. A host that does not make the page shared is a *ResultError. Time is charged to c.
func (p *Platform) RegisterGHCB(c *x86.CPU, gpa uint64) error {
	r, changed, err := p.pvalidate(c, 0, gpa|CBit, physical.Size4K, false)
	if err != nil {
		return err
	}
	if r != abi.Success || !changed {
		return &ResultError{callRescind, gpa, r}
	}
	p.exit(c, abi.ExitVMGEXIT.String())
	next, ok := p.host.ChangePageState(c, gpa, gpa+mem.PageSize, physical.Size4K, physical.Shared)
	if !ok || next != gpa+mem.PageSize || !p.reachable(gpa, mem.PageSize) {
		return &ResultError{abi.EventPSC.String(), gpa, abi.FailInput}
	}
	p.call(c, record.GHCB, abi.EventPSC.String(), success(0).status())
	v := p.vcpuOf(c)
	v.registered, v.ghcb = gpa, gpa
	return nil
}
