package confidential

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// A Violation is an access to what is not the guest's to touch. It ends the machine where the guest cannot be asked: on
// hardware the VMM gives up, or the guest faults forever. Where the guest gets an exception for it, it is kept for the
// case that the guest dies of that.
type Violation struct {
	Architecture string // as its users write it: "TDX", "SEV-SNP"
	CPU          int
	GPA          uint64 // of the page, without shared bit or C-bit
	Plane        string // "private" or "shared", where the architecture lets the guest say which by the way; else ""
	GVA          uint64 // that led there; 0 where no guest instruction did
	Access       x86.AccessKind
	Instruction  string // "PVALIDATE" or "RMPADJUST", where it was no ordinary access; else ""
	RIP          uint64
	State        string // of the page, in the architecture's words: "pending", "assigned", "no memory"
	Why          string // what rule the access met
}

func (v *Violation) Error() string {
	what, page := v.Access.String(), "page"
	if v.Instruction != "" {
		what = v.Instruction
	}
	if v.Plane != "" {
		page = v.Plane + " page"
	}
	s := fmt.Sprintf("%s violation: %s of %s %#x (%s)", v.Architecture, what, page, v.GPA, v.State)
	if v.GVA != 0 {
		s += fmt.Sprintf(" through %#x", v.GVA)
	}
	return s + fmt.Sprintf(" by the instruction at %#x: %s", v.RIP, v.Why)
}

// A HostError ends a machine whose host did not do what the guest needs to go on; on hardware the guest would fault
// forever.
type HostError struct {
	Fault string // what the host was asked to resolve, with an article: "an EPT violation", "a nested page fault"
	GPA   uint64
	Plane physical.Plane
	Err   error // what the host said; nil where it claims to be done
}

func (e *HostError) Error() string {
	s := fmt.Sprintf("the host left %s at %s page %#x unresolved", e.Fault, e.Plane, e.GPA)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *HostError) Unwrap() error { return e.Err }

// A Surrender is how a guest says that it cannot go on.
type Surrender interface {
	error

	// Said is the guest's own words alone, without what had happened to it before.
	Said() string
}

// A DeviceError refuses a device's access to memory: a device reaches shared memory only, on every architecture.
type DeviceError struct {
	Architecture string
	GPA          uint64
	Write        bool
	State        string // of the page
}

func (e *DeviceError) Error() string {
	what := "reads"
	if e.Write {
		what = "writes"
	}
	return fmt.Sprintf("%s: a device %s page %#x (%s): devices reach shared memory only", e.Architecture, what, e.GPA, e.State)
}
