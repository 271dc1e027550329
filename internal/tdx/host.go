package tdx

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// A Host is the VMM as a TD meets it. It is called on TD exits; to memory it does what it likes through the Module's calls
// (seamcall.go).
//
// Fault's size is what TDG.MEM.PAGE.ACCEPT asks for (KVM learns it from the extended exit qualification), else Size2M; the
// page may be there and pending, and too large. The MSRs are those that the module does not virtualise, a [FatalError] is
// what GiveUp hears, and Hypercall's are the calls with another R10 than 0.
type Host interface {
	confidential.Host

	// Convert answers MapGPA: pages [start, end), multiples of 4 KiB without shared bit, are to be private or shared
	// from now on. It returns the address it has come to, end where it is done; it may stop early to keep a call
	// short. It returns false where it will not go on after that address.
	Convert(c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok bool)

	// Halt makes the processor wait for an interrupt. Where blocked is set, the guest says that it has interrupts
	// disabled.
	Halt(c *x86.CPU, blocked bool)
}

// A Listener is a [Host] that looks at what a guest's calls leave in registers that it does not need: those that RCX selects are
// the host's to read, whatever the call is about.
type Listener interface {
	// Heard is told of each call of a sub-function, and of those registers of it, by their numbers; they are 0 where the guest
	// has left nothing.
	Heard(c *x86.CPU, call abi.VMCall, spare *[16]uint64)
}

// An Attester is a [Host] that answers TDG.VP.VMCALL<GetQuote>. Others have none, as KVM where user space has none.
type Attester interface {
	// GetQuote is asked for a quote by the buffer in the size bytes of shared memory from gpa on. What it does not take it
	// refuses by its status.
	GetQuote(c *x86.CPU, gpa, size uint64) abi.VMCallStatus
}
