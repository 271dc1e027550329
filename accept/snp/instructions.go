package snp

import "github.com/tacit-vm/tacit/snp/abi"

// Instructions are what a guest executes that Go has no word for. [Processor] executes them, tests do as it would.
type Instructions interface {
	// PVALIDATE validates the page at the virtual address va, or rescinds that. It returns EAX, and CF: the page has been
	// so before.
	PVALIDATE(va uint64, size abi.PageSize, validate bool) (r abi.Result, unchanged bool)

	// Evict reads from the first and the last cache line of the 4 KiB page at va, which makes the processor drop from its
	// caches what the host has there.
	Evict(va uint64)

	// GHCBMSR and SetGHCBMSR execute RDMSR and WRMSR of the GHCB MSR.
	GHCBMSR() uint64
	SetGHCBMSR(v uint64)

	VMGEXIT()
}

// Request asks the host by the GHCB MSR protocol and returns its response. The register is afterwards what it was before.
func Request(x Instructions, request uint64) (response uint64) {
	saved := x.GHCBMSR()
	x.SetGHCBMSR(request)
	x.VMGEXIT()
	response = x.GHCBMSR()
	x.SetGHCBMSR(saved)
	return response
}

// Terminate tells the host that the guest cannot go on, for a reason of a set ([abi.TerminateLinux] and the like). It does
// not return: a host that lets the guest go on is told again.
func Terminate(x Instructions, set, reason uint8) {
	for {
		x.SetGHCBMSR(abi.TerminateRequest(set, reason))
		x.VMGEXIT()
	}
}
