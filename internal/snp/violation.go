package snp

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A GHCBError ends a machine whose guest calls its host in a way that no host can answer; KVM returns an error to the
// VMM in user space, which gives up.
type GHCBError struct {
	GPA uint64 // of the GHCB
	RIP uint64
	Why string
}

func (e *GHCBError) Error() string {
	return fmt.Sprintf("VMGEXIT at %#x with the GHCB at %#x: %s", e.RIP, e.GPA, e.Why)
}

// A Termination is what a guest says when it gives up (GHCB, "Termination Request"). Linux does so for all that it
// cannot handle.
type Termination struct {
	Set, Reason uint8
	RIP         uint64
	After       *confidential.Violation // a page that it met without having validated it, where it had done so and still has not
}

func (e *Termination) Error() string {
	if e.After != nil {
		return e.Said() + ", after: " + e.After.Error()
	}
	return e.Said()
}

// Said implements [confidential.Surrender].
func (e *Termination) Said() string {
	s := fmt.Sprintf("the guest asked to be terminated at %#x, reason %d:%d", e.RIP, e.Set, e.Reason)
	if why := abi.TerminationReason(e.Set, e.Reason); why != "" {
		s += " (" + why + ")"
	}
	return s
}

func (e *Termination) Unwrap() error {
	if e.After == nil {
		return nil
	}
	return e.After
}

// Unvalidated returns the last access of a processor that met a page which the guest had not validated, and still has
// not; nil where there is none, or where the guest's handler of #VC has come back. A guest that has no answer to #VC with
// PAGE_NOT_VALIDATED dies of it, in whatever way: this tells why.
func (p *Platform) Unvalidated(c *x86.CPU) *confidential.Violation {
	v := p.vcpuOf(c).unvalidated
	if v == nil || c.Returned() || p.rmp.At(v.GPA/mem.PageSize).owner() == validated {
		return nil
	}
	return v
}
