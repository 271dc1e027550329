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
	if g.block.Crosses {
		g.second()
	}
	left := amd64.At(amd64.R15, g.layout.Left)
	g.Imm(amd64.SUBimm8, 8, left, int32(g.block.Instructions))
	g.Jcc(amd64.L, g.later(func() { g.leave(hostcode.AtHead, 0) }))
}

// second leaves where the page after the block's is not in the frame that the block goes on in.
func (g *Generator) second() {
	l := &g.layout
	out := g.later(func() { g.leave(hostcode.AtRIP, 0) })
	g.RegRM(amd64.MOV, 8, tmpA, g.slot(uop.BlkRIP))
	g.Imm(amd64.ORimm, 8, amd64.R(tmpA), pageSize-1)
	g.addImm(amd64.ADDimm, 8, amd64.R(tmpA), 1)
	g.fetchEntry(tmpB)
	g.RegRM(amd64.CMP, 8, tmpA, amd64.At(tmpB, l.FetchTag))
	g.Jcc(amd64.NE, out)
	g.MovImm(tmpA, g.block.Second)
	g.RegRM(amd64.CMP, 8, tmpA, amd64.At(tmpB, l.FetchFrame))
	g.Jcc(amd64.NE, out)
}

// fetchEntry puts the entry of the TLB for fetches that is for the address in tmpA into r.
func (g *Generator) fetchEntry(r amd64.Reg) {
	g.fetchPlace(r)
	g.RegRM(amd64.ADD, 8, r, amd64.At(rCPU, g.layout.Fetch))
}

// fetchPlace puts the entry's place in its array into r, in bytes.
func (g *Generator) fetchPlace(r amd64.Reg) {
	g.RegRM(amd64.MOV, 4, r, amd64.R(tmpA))
	g.Imm(amd64.SHRimm, 4, amd64.R(r), pageShift-entryShift)
	g.Imm(amd64.ANDimm, 4, amd64.R(r), (1<<g.layout.FetchBits-1)<<entryShift)
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
