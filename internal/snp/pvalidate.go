package snp

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

const callRescind = "PVALIDATE, rescind"

// pvalidateInstruction is PVALIDATE: RAX is a virtual address, ECX[0] the page's size (0 is 4 KiB, 1 is 2 MiB), EDX[0]
// 1 to validate and 0 to take that back. The other bits of ECX and EDX do not count: Linux passes C bools in them, and
// compilers leave the rest as it was. EAX becomes the result, and CF says that the page has been as asked before
// (APM vol. 3, PVALIDATE). It is VMPL0's (Linux fcd042e86422, "x86/sev: Perform PVALIDATE using the SVSM when not at VMPL0").
func (p *Platform) pvalidateInstruction(c *x86.CPU) x86.Action {
	began, rip := c.Now(), c.RIP()
	gva, validate := c.R[x86.RAX]&^(mem.PageSize-1), c.R[x86.RDX]&1 != 0
	gpa, ok := c.Probe(gva)
	if !ok {
		return x86.Raised
	}
	fail := func(r abi.Result) x86.Action {
		p.call(c, record.RMP, abi.PVALIDATE, r.String())
		setResult(c, r, false)
		return x86.Done
	}
	size, ok := pageSize(c.R[x86.RCX], gva|gpa)
	switch {
	case !ok:
		return fail(abi.FailInput)
	case p.vcpuOf(c).vmpl != 0:
		return fail(abi.FailPermission)
	}
	result, changed, err := p.pvalidate(c, gva, gpa, size, validate)
	if err != nil {
		c.Stop(err)
		return x86.Raised
	}
	if changed && validate {
		p.accepted(c, record.Running, gpa&^CBit, size, began, rip)
	}
	if result == abi.Success && !validate {
		p.log.GiveBack(record.Address(gpa&^CBit), size.Bytes())
	}
	setResult(c, result, result == abi.Success && !changed)
	return x86.Done
}

// pageSize reads the page size of PVALIDATE and RMPADJUST, for which the page has to be aligned in both address spaces.
func pageSize(rcx, addresses uint64) (size physical.PageSize, aligned bool) {
	size = physical.PageSize(rcx & 1)
	return size, addresses&(size.Bytes()-1) == 0
}

// setResult sets EAX, and the flags by it. CF tells more of PVALIDATE.
func setResult(c *x86.CPU, r abi.Result, cf bool) {
	c.R[x86.RAX] = uint64(r)
	flags := c.Flags() &^ (x86.FlagCF | x86.FlagPF | x86.FlagAF | x86.FlagZF | x86.FlagSF | x86.FlagOF)
	if cf {
		flags |= x86.FlagCF
	}
	switch r {
	case abi.Success:
		flags |= x86.FlagZF | x86.FlagPF
	case abi.FailInUse, abi.FailSizeMismatch:
		flags |= x86.FlagPF
	}
	c.SetFlags(flags)
}

// pvalidate makes a page validated or not. changed is false where it has been so before. An error ends the machine.
//
// Taking validation back does not make processors forget the page on hardware. Here it does, so that no access goes
// unchecked; a guest that relies on either is wrong.
func (p *Platform) pvalidate(
	c *x86.CPU, gva, gpa uint64, size physical.PageSize, validate bool,
) (r abi.Result, changed bool, err error) {
	s, r, err := p.entry(c, abi.PVALIDATE, gva, gpa, size)
	if err != nil {
		return r, false, err
	}
	event, name, to := cost.PValidate4K, callRescind, assigned
	if size == physical.Size2M && r == abi.Success {
		event = cost.PValidate2M
	}
	if validate {
		name, to = abi.PVALIDATE, validated
	}
	c.Charge(event, 1)
	status := r.String()
	changed = r == abi.Success && s.owner() != to
	if r == abi.Success && !changed {
		status += ", CF"
	}
	p.call(c, record.RMP, name, status)
	if !changed {
		return r, false, nil
	}
	page := gpa &^ CBit
	p.rmp.Update(page/mem.PageSize, (page+size.Bytes())/mem.PageSize, func(s pageState) pageState { return s.with(to) })
	if !validate {
		p.cfg.Forget(physical.Private, page, page+size.Bytes())
	}
	return r, true, nil
}

// entry finds the RMP entry that PVALIDATE or RMPADJUST works on, with the nested page faults that they meet on the
// way: no page, or one of 2 MiB where 4 KiB are asked for (APM 15.36.11, table 15-40), or an entry that a processor has in use.
func (p *Platform) entry(c *x86.CPU, name string, gva, gpa uint64, size physical.PageSize) (pageState, abi.Result, error) {
	page, plane := gpa&^CBit, physical.Private
	if gpa&CBit == 0 {
		plane = physical.Shared
	}
	violation := func(why string) error {
		return &confidential.Violation{
			Architecture: architecture, CPU: c.ID(), GPA: page, Plane: plane.String(), GVA: gva, Instruction: name, RIP: c.RIP(),
			State: p.State(page), Why: why,
		}
	}
	if !p.isRAM(page, mem.PageSize) {
		return 0, 0, violation("there is no memory that could be assigned to the guest")
	}
	for range maxFaults {
		var err error
		s := p.rmp.At(page / mem.PageSize)
		why, busy := p.inUse(page, s)
		switch {
		case busy:
			return s, 0, violation(why)
		case !s.private() && gpa&CBit == 0:
			// KVM answers such a fault with shared memory, and the guest faults again.
			return s, 0, violation("without C-bit in its mapping the host takes it for shared memory")
		case !s.private():
			err = p.fault(c, page, physical.Private, physical.Size2M, pageState.private)
		case size == physical.Size4K && s&large != 0:
			err = p.fault(c, page, physical.Private, physical.Size4K, func(s pageState) bool { return s&large == 0 })
		case size == physical.Size2M && s&large == 0:
			return s, abi.FailSizeMismatch, nil
		default:
			return s, abi.Success, nil
		}
		if err != nil {
			return 0, 0, err
		}
	}
	return 0, 0, &confidential.HostError{Fault: nestedFault, GPA: page, Plane: physical.Private}
}

// maxFaults bounds the faults of one instruction. An honest host needs two; with one that always finds something to
// undo a guest would fault forever.
const maxFaults = 8

// accepted records a page whose validation took from began until now.
func (p *Platform) accepted(c *x86.CPU, by record.Agent, gpa uint64, size physical.PageSize, began int64, rip uint64) {
	p.log.Accept(record.Accepted{
		Stamp: p.cfg.Stamp(c), By: by, CPU: c.ID(), GPA: record.Address(gpa), Bytes: size.Bytes(), Size: size,
		NS: c.Now() - began, RIP: record.Address(rip),
	})
}
