package tdx

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

const callPageAccept = "TDG.MEM.PAGE.ACCEPT"

// pageAccept is TDG.MEM.PAGE.ACCEPT: RCX is the page's address and, in its low three bits, its level (module,
// tdg_mem_page_accept.c).
//
// On hardware a 2 MiB page is accepted 4 KiB by 4 KiB, and an interrupt that becomes pending is taken between two of
// them. Here the page is accepted at once and the interrupt follows: the guest cannot tell but by the time.
func (m *Module) pageAccept(c *x86.CPU) x86.Action {
	began, rip := c.Now(), c.RIP()
	level, gpa := c.R[x86.RCX]&abi.PageInfoLevel, c.R[x86.RCX]&^abi.PageInfoLevel
	size := physical.PageSize(level)
	if level > uint64(physical.Size2M) || gpa >= m.sharedBit || gpa%size.Bytes() != 0 {
		return m.tdcallDone(c, abi.LeafMemPageAccept.String(), abi.OperandInvalid.With(abi.OperandRCX))
	}
	s, err := m.acceptPage(c, gpa, size)
	if err != nil {
		c.Stop(err)
		return x86.Raised
	}
	if s == abi.Success {
		m.recordAccept(c, record.Running, gpa, size, began, rip)
	}
	c.R[x86.RAX] = uint64(s)
	return x86.Done
}

// acceptPage accepts one page, after the host has added it where it had not. An error ends the machine.
func (m *Module) acceptPage(c *x86.CPU, gpa uint64, size physical.PageSize) (abi.Status, error) {
	s, err := m.asked(c, abi.LeafMemPageAccept, gpa, size, acceptable)
	switch {
	case err != nil:
		return 0, err
	case s == abi.Success:
		return s, m.setAccepted(c, gpa, size)
	}
	c.Charge(cost.ModuleCall, 1)
	m.call(c, record.TDCALL, abi.LeafMemPageAccept.String(), s.Name())
	return s, nil
}

// asked has a call about a private page wait until the secure EPT is such that it can be answered, which is what answers says: a
// status, or an EPT violation. That exits to the host; then the guest executes TDCALL again. An error ends the machine.
func (m *Module) asked(c *x86.CPU, leaf abi.Leaf, gpa uint64, size physical.PageSize, answers func(pageState, physical.PageSize) (s abi.Status, violation bool)) (abi.Status, error) {
	for range maxFaults {
		before := m.pages.At(gpa / mem.PageSize)
		if s, violation := answers(before, size); !violation {
			return s, nil
		}
		m.exit(c, exitEPTViolation)
		if !m.isRAM(gpa, mem.PageSize) {
			return 0, &confidential.Violation{Architecture: architecture, CPU: c.ID(), GPA: gpa, Access: x86.Write, RIP: c.RIP(), State: "no memory",
				Why: "TDG." + leaf.String() + " asks for memory that the machine does not have"}
		}
		if err := m.host.Fault(c, gpa, physical.Private, min(size, physical.Size2M)); err != nil {
			return 0, &confidential.HostError{Fault: eptFault, GPA: gpa, Plane: physical.Private, Err: err}
		}
		if m.pages.At(gpa/mem.PageSize) == before {
			break
		}
	}
	return 0, &confidential.HostError{Fault: eptFault, GPA: gpa, Plane: physical.Private}
}

// maxFaults bounds the violations of one call. An honest host needs one; with one that always finds something to
// change a guest would ask forever.
const maxFaults = 8

// acceptable says what TDG.MEM.PAGE.ACCEPT does to a page of the given size where the secure EPT is as s says
// (check_tdaccept_failure): a status, or an EPT violation. The level that the walk ended at is part of the status.
func acceptable(s pageState, size physical.PageSize) (status abi.Status, violation bool) {
	switch {
	case size == physical.Size2M && s&small != 0:
		return abi.PageSizeMismatch.With(uint64(physical.Size2M)), false // a table is there, whatever is in it
	case s.private() == accepted && s&small == 0:
		return abi.PageAlreadyAccepted.With(uint64(physical.Size2M)), false
	case s.private() == accepted:
		return abi.PageAlreadyAccepted.With(uint64(physical.Size4K)), false
	case s.private() == pending && (s&small != 0) == (size == physical.Size4K):
		return abi.Success, false
	}
	return 0, true // nothing there, or 2 MiB pending where 4 KiB are asked for
}

// setAccepted clears a pending page and gives it to the guest.
func (m *Module) setAccepted(c *x86.CPU, gpa uint64, size physical.PageSize) error {
	end := gpa + size.Bytes()
	if err := m.mem.Release(physical.Private, gpa, end); err != nil {
		return err
	}
	m.pages.Update(gpa/mem.PageSize, end/mem.PageSize, func(s pageState) pageState { return s.with(accepted) })
	event := cost.TDXAccept4K
	if size == physical.Size2M {
		event = cost.TDXAccept2M
	}
	c.Charge(event, 1)
	m.call(c, record.TDCALL, abi.LeafMemPageAccept.String(), abi.Success.Name())
	return nil
}

// recordAccept records a page that took from began until now.
func (m *Module) recordAccept(c *x86.CPU, by record.Agent, gpa uint64, size physical.PageSize, began int64, rip uint64) {
	m.log.Accept(record.Accepted{
		Stamp: m.cfg.Stamp(c), By: by, CPU: c.ID(), GPA: record.Address(gpa), Bytes: size.Bytes(), Size: size,
		NS: c.Now() - began, RIP: record.Address(rip),
	})
}

// AcceptRange accepts the pages of r, as firmware does that works for the guest: 2 MiB at a time where alignment
// allows, 4 KiB where the host has mapped 4 KiB. A page that is accepted already is an error, a *StatusError:
// firmware knows what it has accepted. Time is charged to c.
func (m *Module) AcceptRange(c *x86.CPU, r accept.Range) error {
	if (r.Start|r.End)%mem.PageSize != 0 || r.End > m.sharedBit {
		return &StatusError{callPageAccept, r.Start, abi.OperandInvalid.With(abi.OperandRCX)}
	}
	smallUntil := r.Start // below, the host has mapped 4 KiB pages
	for gpa := r.Start; gpa < r.End; {
		if c.Yielding() {
			return x86.ErrYield
		}
		size := physical.Size4K
		if gpa >= smallUntil && gpa%size2M == 0 && r.End-gpa >= size2M {
			size = physical.Size2M
		}
		began := c.Now()
		switch s, err := m.acceptPage(c, gpa, size); {
		case err != nil:
			return err
		case s.Code() == abi.PageSizeMismatch:
			smallUntil = gpa + size2M
			continue
		case s != abi.Success:
			return &StatusError{callPageAccept, gpa, s}
		}
		m.recordAccept(c, record.Firmware, gpa, size, began, 0)
		gpa += size.Bytes()
	}
	return nil
}
