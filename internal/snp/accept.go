package snp

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// AcceptRange accepts the pages of r, as firmware does that works for the guest: it has the host make them private,
// then validates them, 2 MiB at a time where alignment allows, 4 KiB where the host has assigned 4 KiB. A page that is
// validated already is an error, a *ResultError: firmware knows what it has accepted. Time is charged to c.
func (p *Platform) AcceptRange(c *x86.CPU, r accept.Range) error {
	if (r.Start|r.End)%mem.PageSize != 0 || r.Start > r.End || r.End > CBit {
		return &ResultError{abi.PVALIDATE, r.Start, abi.FailInput}
	}
	for r.Start < r.End {
		if c.Yielding() {
			return x86.ErrYield
		}
		size := physical.Size4K
		part := accept.Range{Start: r.Start, End: min(r.End, (r.Start/size2M+1)*size2M)}
		if whole := r.AlignIn(size2M); whole.Start == r.Start && !whole.Empty() {
			size, part = physical.Size2M, whole
		}
		part.End = min(part.End, part.Start+abi.PSCMaxEntries*size.Bytes())
		if err := p.makePrivate(c, part, size); err != nil {
			return err
		}
		if err := p.validate(c, part, size); err != nil {
			return err
		}
		r.Start = part.End
	}
	return nil
}

// makePrivate is a page state change request of one stretch of entries, asked again until it is done.
func (p *Platform) makePrivate(c *x86.CPU, r accept.Range, size physical.PageSize) error {
	for at := r.Start; at < r.End; {
		p.exit(c, abi.ExitVMGEXIT.String())
		next, ok := p.host.ChangePageState(c, at, r.End, size, physical.Private)
		status := success(0).status()
		if !ok || next <= at || next > r.End || next%mem.PageSize != 0 {
			status = abi.PSCGeneric.String()
		}
		p.call(c, record.GHCB, abi.EventPSC.String(), status)
		if status != success(0).status() {
			return &ResultError{abi.EventPSC.String(), at, abi.FailInput}
		}
		at = next
	}
	return nil
}

// validate executes PVALIDATE for each page of r.
func (p *Platform) validate(c *x86.CPU, r accept.Range, size physical.PageSize) error {
	for at := r.Start; at < r.End; at += size.Bytes() {
		began := c.Now()
		result, changed, err := p.pvalidate(c, 0, at|CBit, size, true)
		switch {
		case err != nil:
			return err
		case result == abi.FailSizeMismatch && size == physical.Size2M:
			if err := p.validate(c, accept.Range{Start: at, End: at + size2M}, physical.Size4K); err != nil {
				return err
			}
			continue
		case result != abi.Success:
			return &ResultError{abi.PVALIDATE, at, result}
		case !changed:
			return &ResultError{abi.PVALIDATE + " of a page that is validated", at, result}
		}
		p.accepted(c, record.Firmware, at, size, began, 0)
	}
	return nil
}
