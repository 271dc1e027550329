package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// A processor that waits for another one by looking at memory again and again does the same in each round, until its turn
// ends: no other one runs meanwhile. So once a round has been seen to change nothing, the rounds that follow until then
// need not be executed, only counted. What can be such a round: code that only reads memory, computes and branches, and
// that comes back to where they began with the same registers and flags. A device that was read, an exception or an
// instruction whose result depends on time makes it none.

// maxRound is how many branches a round may have.
const maxRound = 16

// A round is what is compared: what the next one could depend on beside memory.
type round struct {
	r          [R15 + 1]uint64
	rip, flags uint64
	extra      uint64 // time that is not the instructions'
	uses       uint64 // of devices
}

func (c *CPU) round() round {
	return round{[R15 + 1]uint64(c.R[:R15+1]), c.R[uop.BlkRIP], c.flags.get(), c.extra, c.busUses}
}

// Looking for a round is dear: it ends blocks where no other execution does. So at a processor that computes one looks less
// and less often: after so many looks in vain, at each second turn, each fourth, and each 64th at last. That changes what is
// executed and what is only counted, and nothing else.
const maxVain = 6

// looks says whether a round is to be looked for now.
func (c *CPU) looks() bool {
	if c.unlooked > 0 {
		c.unlooked--
		return false
	}
	return true
}

// spin lets the processor execute a round, if one begins here, and after that as many as end before limit. The rest is as
// ever. It may end in an exception or at what ends Run.
func (c *CPU) spin(limit uint64) {
	before, began := c.round(), c.icount
	for i := range maxRound {
		if c.icount >= limit {
			return
		}
		b := c.lookup()
		if b == nil {
			return
		}
		n := b.quietStart()
		if n == 0 || c.icount+n > limit {
			return
		}
		c.limit.Store(c.icount + n)
		if c.engine.run(c) != stopLimit || c.finish != finishNot {
			return
		}
		if c.R[uop.BlkRIP] != before.rip || c.round() != before {
			if i&(i+1) == 0 { // a round may begin here: a turn begins anywhere in one, and the first is different from the next
				before, began = c.round(), c.icount
			}
			continue
		}
		length := c.icount - began
		c.vain = 0
		rounds := (limit - c.icount) / length
		c.icount += rounds * length
		c.spun += rounds * length
		return
	}
	c.vain = min(c.vain+1, maxVain)
	c.unlooked = 1<<c.vain - 1
}

// quietStart returns how many instructions of b, from its first one up to a branch, do nothing but read memory, compute and
// branch; none where another one comes before a branch.
func (b *block) quietStart() uint64 {
	if b.quiet == 0 {
		b.quiet = -1
		for i := range b.uops {
			u := &b.uops[i]
			if !pureOp(u.Op) {
				break
			}
			if u.Op == uop.End || u.Op >= uop.Jmp && u.Op <= uop.Jg {
				b.quiet = int8(u.Ord) + 1
				break
			}
		}
	}
	return uint64(max(b.quiet, 0))
}

// pureOp says whether a micro-operation has no effect but on registers and flags. PAUSE is none at all.
func pureOp(op uop.Op) bool {
	switch {
	case op == uop.End, op == uop.Jmp:
		return true
	case op >= uop.Jo && op <= uop.LoadS32x64: // conditional branches, moves, loads
		return true
	}
	return op >= uop.Add32 && op <= uop.Cmov64
}
