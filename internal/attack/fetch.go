package attack

import (
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// What a guest reads twice from memory that its host can write to, the host can change between the two reads.

// fetched is what the guest has read and written of its GHCB since the host has replied, a bit for each byte.
type fetched struct{ read, wrote [abi.GHCBSize / 64]uint64 }

// registered notes where the guest's GHCB is.
func registered(h *Host, _ *x86.CPU, request, response uint64) uint64 {
	if abi.Code(request&abi.CodeMask) == abi.CodeRegisterRequest {
		h.target = request & abi.GFNMask
	}
	return response
}

// replied begins to look anew.
func replied(h *Host, _ *x86.CPU, _ abi.ExitCode, _ *[abi.GHCBSize]byte) { h.fetched = fetched{} }

// Watched returns the guest-physical page of whose use the host wants to hear ([Host.Used]); wants is false where there is
// none, or not yet.
func (h *Host) Watched() (gpa uint64, wants bool) {
	return h.target, h.begun && h.tactic.used != nil && h.target != 0
}

// Used tells the host of a read or write by the guest in the page that it watches, after the instruction.
func (h *Host) Used(c *x86.CPU, gpa uint64, write bool) {
	if h.begun && h.tactic.used != nil {
		h.tactic.used(h, c, gpa, write)
	}
}

// fetches changes what the guest has read of its host's answer, once it has; and notes what it reads again. The bitmap of
// what is valid is left alone: of that a guest looks at one bit after another. What is before the first field means nothing.
func fetches(h *Host, c *x86.CPU, gpa uint64, write bool) {
	at := gpa - h.target
	if at < abi.GHCBCPL || at >= abi.GHCBSize || at >= abi.GHCBValidBitmap && at < abi.GHCBValidBitmap+abi.GHCBValidBitmapSize {
		return
	}
	f, word, bit := &h.fetched, at/64, uint64(1)<<(at%64)
	switch {
	case write: // of how much is not told: fields have eight bytes
		f.wrote[word] |= 0xFF << (at % 64 &^ 7)
	case f.wrote[word]&bit != 0: // its own
	case f.read[word]&bit != 0:
		h.deceived("the guest read its GHCB twice, at %#x by the instruction at %#x, and got something else", at, c.RIP())
	case h.from():
		f.read[word] |= bit
		var b [1]byte
		err := c.ReadPhysical(gpa, b[:])
		if b[0] = ^b[0]; err == nil {
			err = c.WritePhysical(gpa, b[:])
		}
		h.step(c, "changed what the guest had read of its GHCB", err)
	}
}
