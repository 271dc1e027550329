package snp

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A Host is the VMM as an SEV-SNP guest meets it. To memory it does what it likes through the Platform's calls
// (rmpupdate.go).
//
// Fault's size is Size4K where a page of 2 MiB is assigned, and PVALIDATE or RMPADJUST need one of 4 KiB; else Size2M. A
// [Termination] is what GiveUp hears, and Hypercall's are those of VMMCALL.
type Host interface {
	confidential.Host

	// ChangePageState answers a page state change request: pages [start, end) are to be private or shared from now on.
	// The guest asks in entries of size. It returns the address it has come to, end where it is done; it may stop early
	// to keep a request short, and the guest asks again. It returns false where it will not go on after that address.
	ChangePageState(c *x86.CPU, start, end uint64, size physical.PageSize, to physical.Plane) (next uint64, ok bool)
}

// A Replier is a [Host] that looks at what its answers leave in the guest's hands before they go there, and may leave
// something else: the GHCB is shared memory, and the GHCB MSR the host's to write on VMGEXIT. Protocols say what a host has to
// answer; nothing makes it.
type Replier interface {
	// ReplyGHCB has the GHCB as it goes back to the guest, which has asked for code with info1 in SW_EXITINFO1.
	ReplyGHCB(c *x86.CPU, code abi.ExitCode, info1 uint64, page *[abi.GHCBSize]byte)

	// ReplyMSR returns what the GHCB MSR is to be after a request in it.
	ReplyMSR(c *x86.CPU, request, response uint64) uint64
}

// A Starter is a [Host] that decides itself what becomes of a request to start a processor.
type Starter interface {
	// StartProcessor is asked by c for processor id to run from the VMSA at a guest-physical address. Start has a processor run
	// from a page, and fails where the hardware does not let it: nothing has changed then. An error of StartProcessor ends the
	// machine.
	StartProcessor(c *x86.CPU, id int, vmsa uint64, start func(id int, vmsa uint64) error) error
}
