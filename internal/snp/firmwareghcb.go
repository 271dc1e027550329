package snp

import (
	"github.com/tacit-vm/tacit/accept"
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
	if err := p.share(c, accept.Range{Start: gpa, End: gpa + mem.PageSize}); err != nil {
		return err
	}
	v := p.vcpuOf(c)
	v.registered, v.ghcb = gpa, gpa
	return nil
}

// ConvertRange makes [r.Start, r.End), which firmware has accepted, shared or private as OVMF does for devices
// (OvmfPkg/IoMmuDxe). The contents are lost. A host that does not do it is a *ResultError. Time is charged to c.
func (p *Platform) ConvertRange(c *x86.CPU, r accept.Range, to physical.Plane) error {
	if to == physical.Shared {
		return p.share(c, r)
	}
	return p.AcceptRange(c, r)
}

// share takes the validation of pages back, and has the host make them shared.
func (p *Platform) share(c *x86.CPU, pages accept.Range) error {
	for gpa := pages.Start; gpa < pages.End; gpa += mem.PageSize {
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
	}
	return nil
}
