package snp

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A Violation is an access to what is not the guest's to touch. It ends the machine where the guest cannot be asked: on
// hardware the VMM gives up. Where the guest gets #VC, it is kept for the case that the guest dies of it
// ([Platform.Unvalidated]).
type Violation struct {
	CPU         int
	GPA         uint64 // of the page, without C-bit
	Shared      bool   // the access was without C-bit
	GVA         uint64 // that led there; 0 where no guest instruction did
	Access      x86.AccessKind
	Instruction string // "PVALIDATE" or "RMPADJUST", where it was no ordinary access; else ""
	RIP         uint64
	State       string // of the page, as [Platform.State] names it
	Why         string // what rule the access met
}

func (v *Violation) Error() string {
	plane := "private"
	if v.Shared {
		plane = "shared"
	}
	what := v.Access.String()
	if v.Instruction != "" {
		what = v.Instruction
	}
	s := fmt.Sprintf("SEV-SNP violation: %s of %s page %#x (%s)", what, plane, v.GPA, v.State)
	if v.GVA != 0 {
		s += fmt.Sprintf(" through %#x", v.GVA)
	}
	return s + fmt.Sprintf(" by the instruction at %#x: %s", v.RIP, v.Why)
}

// A HostError ends a machine whose host did not do what the guest needs to go on; on hardware the guest would fault
// forever.
type HostError struct {
	GPA   uint64
	Plane physical.Plane
	Err   error // what the host said; nil where it claims to be done
}

func (e *HostError) Error() string {
	s := fmt.Sprintf("the host left a nested page fault at %s page %#x unresolved", e.Plane, e.GPA)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *HostError) Unwrap() error { return e.Err }

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
	After       *Violation // a page that it met without having validated it, where it had done so and still has not
}

func (e *Termination) Error() string {
	s := fmt.Sprintf("the guest asked to be terminated at %#x, reason %d:%d", e.RIP, e.Set, e.Reason)
	if why := abi.TerminationReason(e.Set, e.Reason); why != "" {
		s += " (" + why + ")"
	}
	if e.After != nil {
		s += ", after: " + e.After.Error()
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
func (p *Platform) Unvalidated(c *x86.CPU) *Violation {
	v := p.vcpuOf(c).unvalidated
	if v == nil || c.Returned() || p.rmp.At(v.GPA/mem.PageSize).owner() == validated {
		return nil
	}
	return v
}
