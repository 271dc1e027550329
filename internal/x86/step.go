package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// What an engine needs outside its fast path.

// slow records which instruction u belongs to. It comes before everything that may need to know: a fault, an event that
// costs time, a call of the platform.
func (c *CPU) slow(u *uop.Uop) {
	c.at = u.At()
	c.stackRef = u.Seg == uop.StackSeg
}

// slowStack is slow for an access through the stack pointer.
func (c *CPU) slowStack(u *uop.Uop) {
	c.at = u.At()
	c.stackRef = true
}

// nextRIP returns the address after the instruction under way.
func (c *CPU) nextRIP() uint64 { return c.RIP() + uint64(c.at>>8&0xFF) }

// setNext says where an instruction served by a function of the table goes; opGoto after it goes there.
func (c *CPU) setNext(rip uint64) { c.target = rip }

// push stores v below the stack pointer.
func (c *CPU) push(u *uop.Uop, v uint64) bool {
	sp := c.R[uop.RSP] - 8
	if p := c.writable(sp, 7); p != nil {
		*(*uint64)(p) = v
	} else {
		c.slowStack(u)
		if !c.slowStore(sp, 8, v) {
			return false
		}
	}
	c.R[uop.RSP] = sp
	return true
}

// loadStack and storeStack access size bytes (2, 4, 8) at sp in the stack segment.
func (c *CPU) loadStack(sp, size uint64) (uint64, bool) {
	va, ok := c.stackAddress(sp, size, false)
	if !ok {
		return 0, false
	}
	switch size {
	case 2:
		v, ok := c.load16(va)
		return uint64(v), ok
	case 4:
		v, ok := c.load32(va)
		return uint64(v), ok
	}
	return c.load64(va)
}

func (c *CPU) storeStack(sp, size, v uint64) bool {
	va, ok := c.stackAddress(sp, size, true)
	if !ok {
		return false
	}
	switch size {
	case 2:
		return c.store16(va, uint16(v))
	case 4:
		return c.store32(va, uint32(v))
	}
	return c.store64(va, v)
}

// abandon leaves the block at the instruction of u, which did not complete; or after it, where what it raised is a
// trap.
func (c *CPU) abandon(u *uop.Uop) {
	c.icount += uint64(u.Ord)
	c.R[uop.BlkRIP] += uint64(u.Off)
	if c.raised && c.pending.trap {
		c.icount++
		c.R[uop.BlkRIP] += uint64(u.Len)
	}
	c.at = 0
}

// callNowhere is a call to an address that is not canonical: the push comes first, and RSP stays.
func (c *CPU) callNowhere(u *uop.Uop) {
	c.slowStack(u)
	if c.storeStack(c.R[uop.RSP]-8, 8, c.nextRIP()) {
		c.raise(uop.VectorGP, 0)
	}
}

// misdirected takes a branch back that has led out of the canonical addresses: it is the branch that faults (SDM vol.
// 2, JMP). What CALL has stored stays below the stack pointer.
func (c *CPU) misdirected(u *uop.Uop) {
	c.icount -= uint64(u.Ord) + 1
	c.R[uop.BlkRIP] -= uint64(u.Imm)
	if u.Op == uop.Call {
		c.R[uop.RSP] += 8
	}
	c.slow(u)
	c.raise(uop.VectorGP, 0)
	c.abandon(u)
}

// scratchUops is room for the longest instruction and the exit after it.
const scratchUops = 16

// restOf copies what remains of u's instruction after u, with an exit at its end, and returns the copy.
func (c *CPU) restOf(u *uop.Uop) *uop.Uop {
	c.finish = finishNot
	n := 0
	for v := u.Next(); v.Ord == u.Ord && n < scratchUops-1; v = v.Next() {
		c.scratch[n] = *v
		n++
		if v.Op == uop.End || v.Op == uop.Goto {
			break // the block ends here anyway, and after it is nothing
		}
		if v.Op >= uop.Jmp && v.Op <= uop.Ret {
			break
		}
	}
	c.scratch[n] = uop.Uop{Op: uop.End, Ord: u.Ord, Aux: uop.NoLink, Imm: int64(u.Off) + int64(u.Len)}
	return &c.scratch[0]
}

// cut returns what can be run of b, which does not end before the limit: a block of as many of its instructions as are
// left, or nil where none are. It holds until the next one is made. A stretch of whole blocks may have all of b.
func (c *CPU) cut(b *block) *block {
	c.at = 0
	limit := c.limit.Load()
	switch {
	case c.icount >= limit:
		return nil
	case c.wholly(b, limit):
		return b
	}
	c.watch.blocks = false
	left := uint8(limit - c.icount) // b has more
	uops := c.beginning[:0]
	u := &b.uops[0]
	for ; u.Ord < left; u = u.Next() {
		uops = append(uops, *u)
	}
	c.beginning = uops
	var size int64
	switch n := len(uops); {
	case n > 0 && uops[n-1].Ord == left-1:
		size = int64(uops[n-1].Off) + int64(uops[n-1].Len)
	case u.Ord == left && u.Op != uop.End:
		size = int64(u.Off)
	default: // between two NOPs: no micro-operation says where they are
		return c.decodeCut(int(left))
	}
	c.beginning = append(uops, uop.Uop{Op: uop.End, Ord: left - 1, Aux: uop.NoLink, Imm: size})
	c.part = block{uops: c.beginning, n: uint64(left), link: b.link, valid: true, frame: b.frame, offset: b.offset, mode: b.mode}
	return &c.part
}

// decodeCut decodes so many instructions at RIP.
func (c *CPU) decodeCut(instructions int) *block {
	e := c.fetchPage(c.R[uop.BlkRIP])
	if e == nil {
		return nil
	}
	b := c.decode(e, instructions)
	if b != nil && c.icount+b.n > c.limit.Load() {
		return nil // the fetch of an instruction's second page has moved the deadline
	}
	return b
}

// follow finds the block that b's exit leads to, and links the two.
func (c *CPU) follow(b *block, link uint32) *block {
	c.at = 0
	to := c.lookup()
	if to != nil && !to.cross && b.valid && to.frame == b.frame {
		b.link[link] = to
	}
	return to
}
