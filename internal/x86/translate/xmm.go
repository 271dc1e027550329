package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// XMM slots are in memory. Within a block the host's registers have copies of those that have been used: each result goes to
// memory as well, so that code can leave anywhere, and what uses it next finds it in a register. Where code can be entered
// in the middle of a block, copies are made anew (see [Generator.resumeAfter]).

// xmm0 is free; registers from firstXMM on have copies, but for those whose numbers are those of tmpB and what follows: an
// assembler that is asked what has been named looks at numbers.
const (
	xmm0     amd64.Reg = 0
	firstXMM amd64.Reg = 1
	xmmRegs            = tmpB

	noXMM amd64.Reg = 0xFE
)

// copies says which slot each of the host's XMM registers has a copy of.
type copies struct {
	slot [xmmRegs]uint8
	has  [xmmRegs]bool
	next amd64.Reg // that is taken for another slot
}

// find returns the register with a copy of a slot.
func (c *copies) find(slot uint8) (amd64.Reg, bool) {
	for r := firstXMM; r < xmmRegs; r++ {
		if c.has[r] && c.slot[r] == slot&uop.XMMMask {
			return r, true
		}
	}
	return noXMM, false
}

// xmm is where a slot's quadword q is.
func (g *Generator) xmm(s uint8, q int32) amd64.Operand {
	return amd64.At(rCPU, g.layout.X+int32(s&uop.XMMMask)*16+q*8)
}

// getXMM returns a register that has a slot's value. It is not taken from keep.
func (g *Generator) getXMM(slot uint8, keep amd64.Reg) amd64.Reg {
	if r, ok := g.copies.find(slot); ok {
		return r
	}
	r := g.newXMM(slot, keep)
	g.RegRM(amd64.MOVDQU, 8, r, g.xmm(slot, 0))
	return r
}

// newXMM returns the register in which a slot's new value is to be made, other than keep.
func (g *Generator) newXMM(slot uint8, keep amd64.Reg) amd64.Reg {
	c := &g.copies
	if r, ok := c.find(slot); ok {
		if r != keep {
			return r
		}
		c.has[r] = false
	}
	for c.next < firstXMM || c.next == keep {
		c.next = (c.next + 1) % xmmRegs
	}
	r := c.next
	c.next = (r + 1) % xmmRegs
	c.slot[r], c.has[r] = slot&uop.XMMMask, true
	return r
}

// putXMM puts a slot's value, which micro-operation k has made in r, into memory, too: but not an operand that the next one
// uses up, without leaving.
func (g *Generator) putXMM(k int, slot uint8, r amd64.Reg) {
	if next := k + 1; slot == uop.XMMTmp && next < len(g.block.Uops) {
		if _, ok := g.xmmOp(&g.block.Uops[next]); ok && g.lastOfInstruction(next) {
			return
		}
	}
	g.RegRM(amd64.MOVDQUto, 8, r, g.xmm(slot, 0))
}

// lastOfInstruction says whether micro-operation k is its instruction's last.
func (g *Generator) lastOfInstruction(k int) bool {
	u := g.block.Uops
	return k+1 == len(u) || u[k+1].Ord != u[k].Ord || u[k+1].Op == uop.End
}

// dropXMM says that a slot's value in memory is another.
func (g *Generator) dropXMM(slot uint8) {
	if r, ok := g.copies.find(slot); ok {
		g.copies.has[r] = false
	}
}

// copyAgain makes the copies that c has.
func (g *Generator) copyAgain(c *copies) {
	for r := firstXMM; r < xmmRegs; r++ {
		if c.has[r] {
			g.RegRM(amd64.MOVDQU, 8, r, g.xmm(c.slot[r], 0))
		}
	}
}
