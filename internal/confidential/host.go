package confidential

import (
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// A Host is the VMM as a guest of any architecture meets it: policy, never rules. It is called on exits, with the
// processor that exited, and may answer anything; to memory it does what it likes through the architecture's calls, in
// the course of an exit or at any other time between two instructions of the guest. Addresses have neither shared bit nor
// C-bit.
//
// A Host that cheats is another implementation, commonly one that wraps an honest one.
type Host interface {
	// Fault answers an EPT violation or nested page fault at the 4 KiB page gpa. In the private plane there is no page,
	// or one that is larger than the guest can use: size is the size that helps it. In the shared plane the host does not
	// map the page. The guest goes on when Fault returns nil, and the host must have done what lets it go on; an error
	// ends the machine.
	Fault(c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error

	// In and Out answer port I/O of 1, 2 or 4 bytes.
	In(c *x86.CPU, port uint16, size int) uint32
	Out(c *x86.CPU, port uint16, size int, value uint32)

	// Load and Store answer memory-mapped I/O of 1, 2, 4 or 8 bytes.
	Load(c *x86.CPU, gpa uint64, size int) uint64
	Store(c *x86.CPU, gpa uint64, size int, value uint64)

	// ReadMSR and WriteMSR answer for the registers that the architecture leaves to the host; false is a register or value
	// that there is not.
	ReadMSR(c *x86.CPU, index uint32) (value uint64, ok bool)
	WriteMSR(c *x86.CPU, index uint32, value uint64) (ok bool)

	// CPUID returns EAX, EBX, ECX, EDX of a leaf.
	CPUID(c *x86.CPU, leaf, subleaf uint32) [4]uint32

	// Hypercall answers the hypervisor's own calls: the call's number and four arguments.
	Hypercall(c *x86.CPU, number uint64, args [4]uint64) uint64

	// GiveUp hears that the guest cannot go on, and why: a [Surrender].
	GiveUp(c *x86.CPU, why error)
}
