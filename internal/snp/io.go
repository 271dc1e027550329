package snp

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// portIO is IN, OUT, INS and OUTS. Of how the address is formed the host knows nothing to do with.
func portIO(p *Platform, c *x86.CPU, q *request) (reply, error) {
	port, size := uint16(q.info1>>abi.IOPort), 0
	switch q.info1 & (abi.IOSize8 | abi.IOSize16 | abi.IOSize32) {
	case abi.IOSize8:
		size = 1
	case abi.IOSize16:
		size = 2
	case abi.IOSize32:
		size = 4
	default:
		return malformed(abi.InvalidInput), nil
	}
	in := q.info1&abi.IOIn != 0
	switch {
	case q.info1&abi.IOString != 0:
		return p.stringIO(c, q, port, size, in), nil
	case in:
		keep := ^uint64(0) << (8 * size)
		if size == 4 {
			keep = 0
		}
		q.rax = q.rax&keep | uint64(p.host.In(c, port, size))&(1<<(8*size)-1)
	case !q.has(abi.GHCBRAX):
		return malformed(abi.MissingInput), nil
	default:
		p.host.Out(c, port, size, uint32(q.rax&(1<<(8*size)-1)))
	}
	return success(0), nil
}

// stringIO moves SW_EXITINFO2 elements between the port and the scratch area.
func (p *Platform) stringIO(c *x86.CPU, q *request, port uint16, size int, in bool) reply {
	if !q.has(abi.GHCBSWScratch) {
		return malformed(abi.MissingInput)
	}
	if q.info2 > scratchLimit { // in elements; what buffer thinks of the bytes comes on top
		return malformed(abi.InvalidScratchArea)
	}
	if q.info2 == 0 {
		return success(0)
	}
	b := p.buffer(q, q.info2*uint64(size))
	if b == nil {
		return malformed(abi.InvalidScratchArea)
	}
	for at := 0; at < len(b); at += size {
		if in {
			store(b[at:at+size], uint64(p.host.In(c, port, size)))
		} else {
			p.host.Out(c, port, size, uint32(load(b[at:at+size])))
		}
	}
	if in {
		p.flush(q, b)
	}
	return success(0)
}

// readMMIO and writeMMIO move SW_EXITINFO2 bytes between the device memory at SW_EXITINFO1 and the scratch area, in
// pieces that a bus takes.
func readMMIO(p *Platform, c *x86.CPU, q *request) (reply, error) {
	b := p.buffer(q, q.info2)
	if b == nil {
		return malformed(abi.InvalidScratchArea), nil
	}
	for at := 0; at < len(b); {
		n := piece(len(b) - at)
		store(b[at:at+n], p.host.Load(c, q.info1+uint64(at), n))
		at += n
	}
	p.flush(q, b)
	return success(0), nil
}

func writeMMIO(p *Platform, c *x86.CPU, q *request) (reply, error) {
	b := p.buffer(q, q.info2)
	if b == nil {
		return malformed(abi.InvalidScratchArea), nil
	}
	for at := 0; at < len(b); {
		n := piece(len(b) - at)
		p.host.Store(c, q.info1+uint64(at), n, load(b[at:at+n]))
		at += n
	}
	return success(0), nil
}

// piece is the size of the next access when n bytes are left.
func piece(n int) int {
	switch {
	case n >= 8:
		return 8
	case n >= 4:
		return 4
	case n >= 2:
		return 2
	}
	return 1
}

// load and store move 1, 2, 4 or 8 bytes.
func load(b []byte) uint64 {
	var v [8]byte
	copy(v[:], b)
	return binary.LittleEndian.Uint64(v[:])
}

func store(b []byte, value uint64) {
	var v [8]byte
	binary.LittleEndian.PutUint64(v[:], value)
	copy(b, v[:])
}
