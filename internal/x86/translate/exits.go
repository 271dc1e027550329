package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// An Exit is what R14 holds where code has left.
type Exit uint32

// A Reason is why code has left.
type Reason uint8

// Reasons.
const (
	AtHead Reason = iota // at the head of the block: the allowance is used up
	AtUop                // in front of micro-operation Uop of the block
	AtLink               // after the block, by link Uop, which leads nowhere yet
	AtRIP                // after some block, at RIP, where there is no code yet
)

const (
	idBits  = 20
	uopBits = 10

	// MaxBlocks and MaxUops bound what an Exit can name.
	MaxBlocks = 1 << idBits
	MaxUops   = 1 << uopBits
)

func exit(r Reason, k int, id uint32) Exit {
	return Exit(r)<<(idBits+uopBits) | Exit(k)<<idBits | Exit(id)
}

// Reason, Uop and Block take an Exit apart.
func (e Exit) Reason() Reason { return Reason(e >> (idBits + uopBits)) }

// Uop returns the number of a micro-operation, or of a link.
func (e Exit) Uop() int { return int(e >> idBits % MaxUops) }

// Block returns the number that the block was given.
func (e Exit) Block() uint32 { return uint32(e % MaxBlocks) }

// A stub is code that is put after a block's, out of its way.
type stub struct {
	label amd64.Label
	emit  func()
}

// later returns a label of what emit will emit after the block's code.
func (g *Generator) later(emit func()) amd64.Label {
	l := g.Label()
	g.stubs = append(g.stubs, stub{l, emit})
	return l
}

// leave emits the way out.
func (g *Generator) leave(r Reason, k int) {
	g.MovImm(amd64.R14, uint64(exit(r, k, g.block.ID)))
	g.Ret()
}

// leaveAt returns the label of the way out in front of micro-operation k, with the flags in AX.
func (g *Generator) leaveAt(k int) amd64.Label {
	if g.leaves[k] < 0 {
		g.leaves[k] = g.later(func() { g.leave(AtUop, k) })
	}
	return g.leaves[k]
}

// head emits what comes first in a block.
func (g *Generator) head() {
	left := amd64.At(amd64.R15, g.layout.Left)
	g.Imm(amd64.SUBimm8, 8, left, int32(g.block.Instructions))
	g.Jcc(amd64.L, g.later(func() { g.leave(AtHead, 0) }))
}

// giveBack returns to the allowance what the block does not use if it ends with u.
func (g *Generator) giveBack(u *uop.Uop) {
	if n := g.block.Instructions - int(u.Ord) - 1; n != 0 {
		g.Imm(amd64.ADDimm8, 8, amd64.At(amd64.R15, g.layout.Left), int32(n))
	}
}

// toLink emits the way by a link, where the flags are in AX.
func (g *Generator) toLink(u *uop.Uop) {
	g.moveRIP(u.Imm)
	g.giveBack(u)
	k := int(u.Aux)
	g.RM(amd64.JMPto, 8, amd64.Relative(g.place.Links+uint64(k)*8))
	if g.links[k] < 0 {
		g.links[k] = g.later(func() {
			g.code.Links[k] = len(g.Bytes)
			g.leave(AtLink, k)
		})
	}
}

func (g *Generator) moveRIP(d int64) {
	if d != 0 {
		g.addImm(amd64.ADDimm, 8, g.slot(uop.BlkRIP), int32(d)) // d is within a page, or a few
	}
}
