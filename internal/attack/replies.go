package attack

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// What the host of an SEV-SNP guest leaves in the GHCB, and in its MSR, in place of an answer.

// another replies with an exception that is not the guest's to take: hosts may ask for #GP and #UD only (Linux,
// verify_exception_info).
func another(h *Host, c *x86.CPU, code abi.ExitCode, page *[abi.GHCBSize]byte) {
	if !h.matters || !h.once() {
		return
	}
	h.step(c, "replied to "+code.String()+" that the guest is to take #PF", nil)
	put(page, abi.GHCBSWExitInfo1, uint64(abi.IssueException))
	put(page, abi.GHCBSWExitInfo2, abi.EventInjectionValid|abi.EventInjectionException|vectorPF)
}

// invalid replies with nothing that is marked as valid.
func invalid(h *Host, c *x86.CPU, code abi.ExitCode, page *[abi.GHCBSize]byte) {
	if code == abi.EventPSC || !h.matters || !h.once() { // of a page state change nothing is to be valid
		return
	}
	h.step(c, "replied to "+code.String()+" with no field that is valid", nil)
	clear(page[abi.GHCBValidBitmap : abi.GHCBValidBitmap+abi.GHCBValidBitmapSize])
	for i := range 8 {
		page[abi.GHCBRAX+i] = Mark
	}
}

// malformed replies that the request was none.
func malformed(h *Host, c *x86.CPU, code abi.ExitCode, page *[abi.GHCBSize]byte) {
	if !h.matters || !h.once() {
		return
	}
	h.step(c, "replied to "+code.String()+" that it is malformed", nil)
	put(page, abi.GHCBSWExitInfo1, uint64(abi.MalformedInput))
	put(page, abi.GHCBSWExitInfo2, uint64(abi.InvalidInput))
}

// wrongCode replies in the GHCB MSR with the response to another request.
func wrongCode(h *Host, c *x86.CPU, request, response uint64) uint64 {
	if abi.Code(request&abi.CodeMask) == abi.CodeTerminate || !h.once() {
		return response
	}
	h.step(c, "replied to "+abi.Code(request&abi.CodeMask).String()+" with the response to another request", nil)
	return response&^abi.CodeMask | uint64(abi.CodePreferred)
}

// anotherPage replies that another GHCB has been registered than the guest asked for.
func anotherPage(h *Host, c *x86.CPU, request, response uint64) uint64 {
	if abi.Code(request&abi.CodeMask) != abi.CodeRegisterRequest || !h.once() {
		return response
	}
	h.step(c, "said that it had registered another GHCB than it was asked to", nil)
	return response ^ 1<<abi.FeaturesPosition
}

// sevInfo changes a field of what the host says in the GHCB MSR of the protocol and of SEV, each time it is asked.
func sevInfo(what string, change func(info uint64) uint64) func(h *Host, c *x86.CPU, request, response uint64) uint64 {
	return func(h *Host, c *x86.CPU, request, response uint64) uint64 {
		if abi.Code(request&abi.CodeMask) != abi.CodeSEVInfoRequest || !h.from() {
			return response
		}
		h.step(c, what, nil)
		return change(response)
	}
}

// anotherCBit says that the C-bit is one that addresses of memory have.
func anotherCBit(info uint64) uint64 {
	const bit = 30
	return info&^(0xFF<<abi.SEVInfoCBit) | bit<<abi.SEVInfoCBit
}

// anotherVersion says that the host knows versions of the protocol alone that there are not.
func anotherVersion(info uint64) uint64 {
	const version = 99
	return info&(1<<abi.SEVInfoMin-1) | version<<abi.SEVInfoMin | version<<abi.SEVInfoMax
}

// cursor changes the header of a page state change, each time it comes.
func cursor(what string, change func(current, last int) abi.PSCHeader) func(*Host, *x86.CPU, abi.ExitCode, *[abi.GHCBSize]byte) {
	return func(h *Host, c *x86.CPU, code abi.ExitCode, page *[abi.GHCBSize]byte) {
		if code != abi.EventPSC || len(h.broken) > 0 || !h.from() {
			return
		}
		if h.counter++; h.counter > patience {
			h.deceived("the guest made the same page state change %d times, and would have made it for ever", patience)
			return
		}
		b := page[abi.GHCBSharedBuffer:]
		header := abi.PSCHeader(binary.LittleEndian.Uint64(b))
		h.step(c, what, nil)
		binary.LittleEndian.PutUint64(b, uint64(change(header.Current(), header.Last())))
	}
}

func put(page *[abi.GHCBSize]byte, at int, v uint64) { binary.LittleEndian.PutUint64(page[at:], v) }
