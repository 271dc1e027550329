package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A stub is code that is put after a block's, out of its way.
type stub struct {
	label arm64.Label
	emit  func()
}

// later returns a label of what emit will emit after the block's code.
func (g *Generator) later(emit func()) arm64.Label {
	l := g.Label()
	g.stubs = append(g.stubs, stub{l, emit})
	return l
}

// leave emits the way out.
func (g *Generator) leave(r hostcode.Reason, k int) {
	g.MovImm(tmpA, uint64(hostcode.NewExit(r, k, g.block.ID)))
	g.Ret()
}

// leaveAt returns the label of the way out in front of micro-operation k.
func (g *Generator) leaveAt(k int) arm64.Label {
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
	g.load(arm64.LDR, tmpA, g.layout.Left)
	g.Imm12(arm64.SUBSI, 8, tmpA, tmpA, uint64(g.block.Instructions))
	g.store(arm64.STR, tmpA, g.layout.Left, tmpB)
	g.Bcc(arm64.LT, g.later(func() { g.leave(hostcode.AtHead, 0) }))
}

// second leaves where the page after the block's is not in the frame that the block goes on in.
func (g *Generator) second() {
	out := g.later(func() { g.leave(hostcode.AtRIP, 0) })
	g.Bitmask(arm64.ORRI, 8, tmpA, rRIP, pageSize-1)
	g.Imm12(arm64.ADDI, 8, tmpA, tmpA, 1)
	g.fetchEntry()
	g.Shifted(arm64.SUBS, 8, arm64.ZR, tmpD, tmpA, 0)
	g.Bcc(arm64.NE, out)
	g.Memory(arm64.LDR, tmpC, tmpC, g.layout.FetchFrame)
	g.MovImm(tmpD, g.block.Second)
	g.Shifted(arm64.SUBS, 8, arm64.ZR, tmpC, tmpD, 0)
	g.Bcc(arm64.NE, out)
}

// fetchEntry puts the entry of the TLB for fetches that is for the address in tmpA into tmpC, and its tag into tmpD.
func (g *Generator) fetchEntry() {
	g.load(arm64.LDR, tmpC, g.layout.Fetch)
	g.bits(tmpD, tmpA, pageShift, int(g.layout.FetchBits))
	g.Shifted(arm64.ADD, 8, tmpC, tmpC, tmpD, hostcode.EntryShift)
	g.Memory(arm64.LDR, tmpD, tmpC, g.layout.FetchTag)
}

// giveBack returns to the allowance what the block does not use if it ends with u. It uses tmpC and tmpD.
func (g *Generator) giveBack(u *uop.Uop) {
	if n := g.block.Instructions - int(u.Ord) - 1; n != 0 {
		g.load(arm64.LDR, tmpC, g.layout.Left)
		g.Imm12(arm64.ADDI, 8, tmpC, tmpC, uint64(n))
		g.store(arm64.STR, tmpC, g.layout.Left, tmpD)
	}
}

// toLink emits the way by a link.
func (g *Generator) toLink(u *uop.Uop) {
	g.addConst(rRIP, rRIP, u.Imm, tmpA)
	g.giveBack(u)
	k := int(u.Aux)
	link := g.place.Links + uint64(k)*8
	g.Page(tmpA, int64(link>>pageShift)-int64((g.place.Code+uint64(len(g.Bytes)))>>pageShift))
	g.Memory(arm64.LDR, tmpA, tmpA, int32(link%pageSize))
	g.BR(tmpA)
	if g.links[k] < 0 {
		g.links[k] = g.later(func() {
			g.code.Links[k] = len(g.Bytes)
			g.leave(hostcode.AtLink, k)
		})
	}
}
