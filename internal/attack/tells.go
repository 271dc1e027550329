package attack

import (
	"bytes"
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
	tdxabi "github.com/tacit-vm/tacit/tdx/abi"
)

// What a guest tells its host without need.

// listens looks into the registers of a TD's calls that these do not need.
func listens(h *Host, c *x86.CPU, call tdxabi.VMCall, spare *[16]uint64) {
	if !h.from() {
		return
	}
	h.step(c, "looked into registers that the guest's calls do not need", nil)
	for i, v := range spare {
		if v != 0 {
			h.deceived("the guest told its host what was in %s, which %v does not need", x86.RegisterName(i), call)
		}
	}
}

// asksAgain fails a message to the secure processor as if there were no room for certificates, and looks whether another message
// comes under its number: of the two the host has the difference.
func asksAgain(h *Host, c *x86.CPU, at uint64, page *[abi.GHCBSize]byte) {
	m := make([]byte, mem.PageSize)
	if c.ReadPhysical(at, m) != nil {
		return
	}
	number := binary.LittleEndian.Uint64(m[abi.MessageNumber:])
	m = m[:min(abi.MessageHeader+int(binary.LittleEndian.Uint16(m[abi.MessagePayloadSize:])), len(m))]
	switch {
	case h.old != nil:
		if number == h.last && !bytes.Equal(m, h.old) {
			h.deceived("the guest sent the secure processor two messages under number %d: its host has the difference of both", number)
		}
	case h.once():
		h.old, h.last = m, number
		h.step(c, "failed a message to the secure processor, for want of room for certificates", nil)
		put(page, abi.GHCBSWExitInfo1, uint64(abi.NoAction))
		put(page, abi.GHCBSWExitInfo2, abi.InvalidLength)
		put(page, abi.GHCBRBX, 1) // page
	}
}
