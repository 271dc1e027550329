package snp

import (
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// A Host is the VMM as its guest meets it: policy, never rules. It is called on exits, with the processor that exited,
// and may answer anything; to memory it does what it likes through the Platform's calls (rmpupdate.go), in the course
// of an exit or at any other time between two instructions of the guest.
//
// A Host that cheats is another implementation, commonly one that wraps an honest one.
type Host interface {
	// Fault answers a nested page fault at the 4 KiB page gpa, without C-bit. In the private plane no page is assigned
	// to the guest; or one of 2 MiB is, and PVALIDATE or RMPADJUST need one of 4 KiB: then size is Size4K, else Size2M.
	// In the shared plane the host does not map the page. The guest goes on when Fault returns nil, and the host must
	// have done what lets it go on; an error ends the machine.
	Fault(c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error

	// ChangePageState answers a page state change request: pages [start, end) are to be private or shared from now on.
	// The guest asks in entries of size. It returns the address it has come to, end where it is done; it may stop early
	// to keep a request short, and the guest asks again. It returns false where it will not go on after that address.
	ChangePageState(c *x86.CPU, start, end uint64, size physical.PageSize, to physical.Plane) (next uint64, ok bool)

	// In and Out answer port I/O of 1, 2 or 4 bytes.
	In(c *x86.CPU, port uint16, size int) uint32
	Out(c *x86.CPU, port uint16, size int, value uint32)

	// Load and Store answer memory-mapped I/O of 1, 2, 4 or 8 bytes. The address has no C-bit.
	Load(c *x86.CPU, gpa uint64, size int) uint64
	Store(c *x86.CPU, gpa uint64, size int, value uint64)

	// ReadMSR and WriteMSR answer for the registers that the guest does not reach by itself; false is a register or
	// value that there is not.
	ReadMSR(c *x86.CPU, index uint32) (value uint64, ok bool)
	WriteMSR(c *x86.CPU, index uint32, value uint64) (ok bool)

	// CPUID returns EAX, EBX, ECX, EDX of a leaf.
	CPUID(c *x86.CPU, leaf, subleaf uint32) [4]uint32

	// Hypercall answers VMMCALL: its number and four arguments.
	Hypercall(c *x86.CPU, number uint64, args [4]uint64) uint64

	// GiveUp hears that the guest cannot go on, and why: a *[Termination].
	GiveUp(c *x86.CPU, why error)
}
