package tdx

import (
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// A Host is the VMM as its guest meets it: policy, never rules. It is called on TD exits, with the processor that
// exited, and may answer anything; to memory it does what it likes through the Module's calls (seamcall.go), in the
// course of a TD exit or at any other time between two instructions of the guest.
//
// A Host that cheats is another implementation, commonly one that wraps an honest one.
type Host interface {
	// Fault answers a TD exit for an EPT violation at the 4 KiB page gpa, without shared bit. In the private plane
	// there is no page, or a pending one that is larger than the guest can use: size is what TDG.MEM.PAGE.ACCEPT asks
	// for (KVM learns it from the extended exit qualification), else Size2M. In the shared plane the host does not
	// map the page. The guest goes on when Fault returns nil, and the host must have done what lets it go on; an
	// error ends the machine.
	Fault(c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error

	// Convert answers MapGPA: pages [start, end), multiples of 4 KiB without shared bit, are to be private or shared
	// from now on. It returns the address it has come to, end where it is done; it may stop early to keep a call
	// short. It returns false where it will not go on after that address.
	Convert(c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok bool)

	// In and Out answer port I/O of 1, 2 or 4 bytes.
	In(c *x86.CPU, port uint16, size int) uint32
	Out(c *x86.CPU, port uint16, size int, value uint32)

	// Load and Store answer memory-mapped I/O of 1, 2, 4 or 8 bytes. The address has no shared bit.
	Load(c *x86.CPU, gpa uint64, size int) uint64
	Store(c *x86.CPU, gpa uint64, size int, value uint64)

	// ReadMSR and WriteMSR answer for the registers that the module does not virtualise; false is a register or value
	// that there is not.
	ReadMSR(c *x86.CPU, index uint32) (value uint64, ok bool)
	WriteMSR(c *x86.CPU, index uint32, value uint64) (ok bool)

	// CPUID returns EAX, EBX, ECX, EDX of a leaf.
	CPUID(c *x86.CPU, leaf, subleaf uint32) [4]uint32

	// Halt makes the processor wait for an interrupt. Where blocked is set, the guest says that it has interrupts
	// disabled.
	Halt(c *x86.CPU, blocked bool)

	// Hypercall answers the hypervisor's own calls, those with another R10 than 0: its number and four arguments.
	Hypercall(c *x86.CPU, number uint64, args [4]uint64) uint64

	// GiveUp hears that the guest cannot go on, and why: a *[FatalError].
	GiveUp(c *x86.CPU, why error)
}
