package snp

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// This file is how the host reads and writes what the guest shows it: shared memory, and nothing else.

// reachable says whether n bytes at gpa are shared memory, and makes their contents real.
func (p *Platform) reachable(gpa, n uint64) bool {
	if n == 0 || gpa+n < gpa || !p.isRAM(gpa, n) {
		return false
	}
	for page := gpa &^ (mem.PageSize - 1); page < gpa+n; page += mem.PageSize {
		s := p.rmp.At(page / mem.PageSize)
		if s.owner() != shared {
			return false
		}
		p.touch(physical.Shared, page, s)
	}
	return true
}

func (p *Platform) readShared(gpa uint64, b []byte) error {
	if !p.reachable(gpa, uint64(len(b))) {
		return fmt.Errorf("%d bytes at %#x are not shared memory", len(b), gpa)
	}
	return p.mem.Read(physical.Shared, gpa, b)
}

// writeShared writes b, where there is shared memory.
func (p *Platform) writeShared(gpa uint64, b []byte) {
	if p.reachable(gpa, uint64(len(b))) {
		_ = p.mem.Write(physical.Shared, gpa, b) // within memory, as RAM is
	}
}

// scratchLimit bounds a scratch area outside the GHCB, as KVM does (GHCB_SCRATCH_AREA_LIMIT).
const scratchLimit = 16 * mem.PageSize

// buffer returns the first n bytes of the request's scratch area (KVM, setup_vmgexit_scratch): within the GHCB's shared
// buffer, or in shared memory elsewhere. What is written to it reaches the guest with [Platform.flush]. It returns nil
// where there is no such area.
func (p *Platform) buffer(q *request, n uint64) []byte {
	switch {
	case q.scratch == 0, n == 0, n > scratchLimit:
		return nil
	case q.scratch&^(abi.GHCBSize-1) == q.gpa:
		start := q.scratch - q.gpa
		if start < abi.GHCBSharedBuffer || start+n > abi.GHCBReserved {
			return nil
		}
		return q.page[start : start+n]
	}
	b := make([]byte, n)
	if p.readShared(q.scratch, b) != nil {
		return nil
	}
	return b
}

// flush writes a changed buffer back; in the GHCB it is there already.
func (p *Platform) flush(q *request, b []byte) {
	if q.scratch&^(abi.GHCBSize-1) != q.gpa {
		p.writeShared(q.scratch, b)
	}
}
