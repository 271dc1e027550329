package tdx

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// A Violation ends a machine whose guest touched what is not its to touch. On hardware the host ends the VM, or it
// faults forever.
type Violation struct {
	CPU    int
	GPA    uint64 // of the page, without shared bit
	GVA    uint64 // that led there; 0 where no guest instruction did
	Access x86.AccessKind
	RIP    uint64
	State  string // of the page: "pending", "absent", "shared"; or "no memory"
	Why    string // what rule the access met
}

func (v *Violation) Error() string {
	s := fmt.Sprintf("TDX violation: %s of page %#x (%s)", v.Access, v.GPA, v.State)
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
	s := fmt.Sprintf("the host left an EPT violation at %s page %#x unresolved", e.Plane, e.GPA)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *HostError) Unwrap() error { return e.Err }

// A FatalError is what a guest says when it gives up (GHCI, TDG.VP.VMCALL<ReportFatalError>).
type FatalError struct {
	Code    uint32 // 0 is a panic
	Message string // printable ASCII
}

func (e *FatalError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("the guest reported fatal error %#x", e.Code)
	}
	return fmt.Sprintf("the guest reported fatal error %#x: %s", e.Code, e.Message)
}
