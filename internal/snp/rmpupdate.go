package snp

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// This file is the host's side of the RMP: what a VMM does to a guest's memory, with the rules that hold whatever it
// does. Addresses are without C-bit, multiples of the page size. The processor is the one whose exit the host is in; it
// stamps the record and pays for RMPUPDATE, the rest the host charges.

const (
	pagesIn2M = 512
	size2M    = pagesIn2M * mem.PageSize
)

// AddPage assigns a page to the guest: RMPUPDATE with Assigned. It is not validated, wholly RAM, and takes the place of
// none.
func (p *Platform) AddPage(c *x86.CPU, gpa uint64, size physical.PageSize) error {
	const call = "RMPUPDATE"
	if size > physical.Size2M || gpa%size.Bytes() != 0 || !p.isRAM(gpa, size.Bytes()) {
		return &ResultError{call, gpa, abi.FailInput}
	}
	first := gpa / mem.PageSize
	end := first + size.Bytes()/mem.PageSize
	if p.rmp.Any(first, end, func(s pageState) bool { return s.owner() != unmapped }) {
		return &ResultError{call, gpa, abi.FailOverlap}
	}
	state := assigned | fresh
	if size == physical.Size2M {
		state |= large
	}
	p.rmp.Update(first, end, func(pageState) pageState { return state })
	c.Charge(cost.RMPUpdate, 1)
	p.log.Add(record.Added{Stamp: p.cfg.Stamp(c), GPA: record.Address(gpa), Bytes: size.Bytes(), Size: size})
	return nil
}

// RemovePages takes the guest's pages in [start, end) away, contents and all: RMPUPDATE without Assigned. What is not
// the guest's stays as it is. A 2 MiB page that reaches over the range is split first. A VMSA that a processor runs from is in
// use, and nothing is taken away (APM 15.36.12).
func (p *Platform) RemovePages(c *x86.CPU, start, end uint64) error {
	const call = "RMPUPDATE"
	if err := p.checkRange(call, start, end); err != nil {
		return err
	}
	first, after := start/mem.PageSize, end/mem.PageSize
	if !p.rmp.Any(first, after, pageState.private) {
		return nil
	}
	for _, v := range p.vcpus {
		if v.vmsa > first && v.vmsa <= after { // it counts from 1
			return &ResultError{call, (v.vmsa - 1) * mem.PageSize, abi.FailInUse}
		}
	}
	for _, edge := range []uint64{start, end} {
		if edge%size2M != 0 && p.rmp.At(edge/mem.PageSize)&large != 0 {
			p.setSmall(edge)
		}
	}
	c.Charge(cost.RMPUpdate, p.entries(start, end))
	p.rmp.Update(first, after, func(s pageState) pageState {
		if s.private() {
			return s.gone()
		}
		return s
	})
	p.levels.clear(first, after)
	p.freeFrames(first, after)
	p.forget(start, end)
	return p.mem.Release(physical.Private, start, end)
}

// forget has processors forget [start, end), also what the guest has seen there without its key.
func (p *Platform) forget(start, end uint64) {
	p.cfg.Forget(physical.Private, start, end)
	p.cfg.Forget(physical.Shared, start, end)
}

// entries counts the RMP entries of the guest's in [start, end); no 2 MiB entry reaches over it.
func (p *Platform) entries(start, end uint64) uint64 {
	var n uint64
	for at := start; at < end; {
		next := min((at/size2M+1)*size2M, end)
		if p.rmp.At(at/mem.PageSize)&large != 0 {
			n++
			at = next
			continue
		}
		for ; at < next; at += mem.PageSize {
			if p.rmp.At(at / mem.PageSize).private() {
				n++
			}
		}
	}
	return n
}

// SplitPage makes 512 pages of the 2 MiB page at gpa: PSMASH. Whether they are validated, and contents, stay.
func (p *Platform) SplitPage(_ *x86.CPU, gpa uint64) error {
	if gpa%size2M != 0 || !p.isRAM(gpa, size2M) || p.rmp.At(gpa/mem.PageSize)&large == 0 {
		return &ResultError{"PSMASH", gpa, abi.FailInput}
	}
	p.setSmall(gpa)
	return nil
}

// setSmall gives the 2 MiB around gpa RMP entries of 4 KiB.
func (p *Platform) setSmall(gpa uint64) {
	first := gpa / size2M * pagesIn2M
	p.rmp.Update(first, first+pagesIn2M, func(s pageState) pageState { return s &^ large })
}

// Share maps [start, end) for the guest as shared memory. The guest's own pages there have to be taken away first:
// nested page tables lead to one page.
func (p *Platform) Share(c *x86.CPU, start, end uint64) error {
	const call = "mapping the shared page"
	if err := p.checkRange(call, start, end); err != nil {
		return err
	}
	first, after := start/mem.PageSize, end/mem.PageSize
	if p.rmp.Any(first, after, pageState.private) {
		return &ResultError{call, start, abi.FailInUse}
	}
	if !p.rmp.Any(first, after, func(s pageState) bool { return s.owner() == unmapped }) {
		return nil
	}
	p.rmp.Update(first, after, func(s pageState) pageState {
		if s.owner() == shared {
			return s
		}
		return shared | fresh
	})
	p.converted(c, start, end, physical.Shared)
	return nil
}

// Unshare ends the mapping of [start, end), and the contents with it.
func (p *Platform) Unshare(c *x86.CPU, start, end uint64) error {
	if err := p.checkRange("unmapping the shared page", start, end); err != nil {
		return err
	}
	first, after := start/mem.PageSize, end/mem.PageSize
	if !p.Shared(start, end) {
		return nil
	}
	p.rmp.Update(first, after, func(s pageState) pageState {
		if s.owner() == shared {
			return unmapped
		}
		return s
	})
	p.converted(c, start, end, physical.Private)
	p.cfg.Forget(physical.Shared, start, end)
	return p.mem.Release(physical.Shared, start, end)
}

func (p *Platform) converted(c *x86.CPU, start, end uint64, to physical.Plane) {
	p.log.Convert(record.Converted{Stamp: p.cfg.Stamp(c), GPA: record.Address(start), Bytes: end - start, To: to})
}

// Shared says whether any page in [start, end) is mapped as shared memory.
func (p *Platform) Shared(start, end uint64) bool {
	return p.rmp.Any(start/mem.PageSize, end/mem.PageSize, func(s pageState) bool { return s.owner() == shared })
}

func (p *Platform) checkRange(call string, start, end uint64) error {
	if start >= end || (start|end)%mem.PageSize != 0 || !p.isRAM(start, end-start) {
		return &ResultError{call, start, abi.FailInput}
	}
	return nil
}
