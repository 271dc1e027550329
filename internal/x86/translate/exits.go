package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

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
func (g *Generator) leave(r hostcode.Reason, k int) {
	g.MovImm(amd64.R14, uint64(hostcode.NewExit(r, k, g.block.ID)))
	g.Ret()
}

// leaveAt returns the label of the way out in front of micro-operation k, with the flags in AX.
func (g *Generator) leaveAt(k int) amd64.Label {
	if g.leaves[k] < 0 {
		g.leaves[k] = g.later(func() { g.leave(hostcode.AtUop, k) })
	}
	return g.leaves[k]
}

// head emits what comes first in a block.
func (g *Generator) head() {
	left := amd64.At(amd64.R15, g.layout.Left)
	g.Imm(amd64.SUBimm8, 8, left, int32(g.block.Instructions))
	g.Jcc(amd64.L, g.later(func() { g.leave(hostcode.AtHead, 0) }))
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
			g.leave(hostcode.AtLink, k)
		})
	}
}

func (g *Generator) moveRIP(d int64) {
	if d != 0 {
		g.addImm(amd64.ADDimm, 8, g.slot(uop.BlkRIP), int32(d)) // d is within a page, or a few
	}
}
