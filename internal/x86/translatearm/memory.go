package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Loads and stores. An address is looked up in the TLB; where its entry does not serve it, code leaves.

const (
	pageShift = 12
	pageSize  = 1 << pageShift
	lineBits  = 6 // of an address within a cache line
)

// address returns a register that holds the address of u's memory operand: tmpA, or the base's own. It uses tmpB, and leaves
// the processor's flags alone.
func (g *Generator) address(u *uop.Uop) arm64.Reg {
	at := g.get(u.Base, tmpA)
	if !isZero(u.Index) {
		g.Shifted(arm64.ADD, 8, tmpA, at, g.get(u.Index, tmpB), u.Scale&3)
		at = tmpA
	}
	if !isZero(u.Seg) {
		g.Shifted(arm64.ADD, 8, tmpA, at, g.get(u.Seg, tmpB), 0)
		at = tmpA
	}
	switch {
	case at == arm64.ZR:
		g.MovImm(tmpA, uint64(u.Disp))
		at = tmpA
	case u.Disp != 0:
		g.addConst(tmpA, at, u.Disp, tmpB)
		at = tmpA
	}
	return at
}

// reach finds where the host has the guest's address in at, for an access of n bytes whose tag is at offset tag of a TLB
// entry: the page is in tmpB then, the offset in it in tmpC. Where the entry does not serve the access, it goes to miss, with
// the exclusive or of address and tag in tmpC, and the entry in tmpB. One comparison finds both that the entry is the
// page's, without a mark, and that the access does not leave the page.
func (g *Generator) reach(at arm64.Reg, tag int32, n int, miss arm64.Label) {
	g.entry(at)
	g.Memory(arm64.LDR, tmpC, tmpB, tag)
	g.Shifted(arm64.EOR, 8, tmpC, tmpC, at, 0)
	g.compareConst(8, tmpC, uint64(pageSize-n))
	g.Bcc(arm64.HI, miss)
	g.Memory(arm64.LDR, tmpB, tmpB, g.layout.Page)
	g.flags = g.flags.lost()
}

// entry leaves in tmpB where the TLB's entry for the address in at is.
func (g *Generator) entry(at arm64.Reg) {
	g.bits(tmpB, at, pageShift, int(g.layout.DataBits))
	g.Shifted(arm64.ADD, 8, tmpB, rTLB, tmpB, hostcode.EntryShift)
}

// lost is what remains where the processor's flags have been changed.
func (f flags) lost() flags {
	if f == asLogic || f == afterLogic {
		return afterLogic
	}
	return inRegisters
}

// onStack is a micro-operation whose operand is at the stack pointer; below is one that is 8 bytes below it.
var (
	onStack = uop.Uop{Base: uop.RSP, Index: uop.Zero, Seg: uop.StackSeg}
	below   = uop.Uop{Base: uop.RSP, Index: uop.Zero, Seg: uop.StackSeg, Disp: -8}
)

const sp = arm64.Reg(uop.RSP)

// A loading is how a load is done: its instruction, how many bytes it reads, and whether its page has to be writable.
type loading struct {
	op    arm64.Op
	n     int
	claim bool
}

var loadings = map[uop.Op]loading{
	uop.Load8: {arm64.LDRBX, 1, false}, uop.Load16: {arm64.LDRHX, 2, false}, uop.Load32: {arm64.LDRWX, 4, false}, uop.Load64: {arm64.LDRX, 8, false},
	uop.LoadS8x32: {arm64.LDRSBWX, 1, false}, uop.LoadS8x64: {arm64.LDRSBX, 1, false},
	uop.LoadS16x32: {arm64.LDRSHWX, 2, false}, uop.LoadS16x64: {arm64.LDRSHX, 2, false}, uop.LoadS32x64: {arm64.LDRSWX, 4, false},
	uop.LoadW8: {arm64.LDRBX, 1, true}, uop.LoadW16: {arm64.LDRHX, 2, true}, uop.LoadW32: {arm64.LDRWX, 4, true}, uop.LoadW64: {arm64.LDRX, 8, true},
}

// memory emits what loads and stores.
func (g *Generator) memory(k int, u *uop.Uop) (result, bool) {
	if l, ok := loadings[u.Op]; ok {
		tag := g.layout.Read
		if l.claim {
			tag = g.layout.Write
		}
		g.reach(g.address(u), tag, l.n, g.leaveAt(k))
		d, put := g.dst(u.Dst, tmpA, false)
		g.Indexed(l.op, d, tmpB, tmpC)
		put()
		return goesOn, true
	}
	switch u.Op {
	case uop.LockedAt: // the interpreter looks at what is in two cache lines, and at what is shared
		if u.Aux > 1<<lineBits {
			return leaves, true
		}
		at := g.address(u)
		g.bits(tmpC, at, 0, lineBits)
		g.compareConst(8, tmpC, uint64(1<<lineBits-u.Aux))
		g.Bcc(arm64.HI, g.leaveAt(k))
		g.reach(at, g.layout.Write, int(u.Aux), g.leaveAt(k))
		g.entry(at)
		g.Memory(arm64.LDR, tmpB, tmpB, g.layout.Where)
		g.bits(tmpB, tmpB, 0, 1)
		g.CBNZ(4, tmpB, g.leaveAt(k))
	case uop.ClflushLine: // no more than a read of a byte
		g.reach(g.address(u), g.layout.Read, 1, g.leaveAt(k))
	case uop.Store8, uop.Store16, uop.Store32, uop.Store64:
		return g.storeTo(k, u, u, 1<<(u.Op-uop.Store8)), true
	case uop.Push:
		if r := g.storeTo(k, u, &below, 8); r != goesOn {
			return r, true
		}
		g.Imm12(arm64.SUBI, 8, sp, sp, 8)
	case uop.Pop:
		g.reach(g.address(&onStack), g.layout.Read, 8, g.leaveAt(k))
		g.Indexed(arm64.LDRX, tmpA, tmpB, tmpC)
		g.Imm12(arm64.ADDI, 8, sp, sp, 8) // before the value, which may go there
		g.set(u.Dst, tmpA)
	default:
		return 0, false
	}
	return goesOn, true
}

var storing = map[int]arm64.Op{1: arm64.STRBX, 2: arm64.STRHX, 4: arm64.STRWX, 8: arm64.STRX}

// storeTo emits a store of n bytes of R[Src]+Imm to at's operand. Zeros that go where nothing but zeros is are not stored
// if the page is not backed: it stays so.
func (g *Generator) storeTo(k int, u, at *uop.Uop, n int) result {
	if !isZero(u.Src) && u.Imm != 0 {
		return leaves
	}
	miss, done := g.leaveAt(k), g.Label()
	if !isZero(u.Src) || u.Imm == 0 {
		miss = g.later(func() { g.storeNothing(u, n, done, g.leaveAt(k)) })
	}
	g.reach(g.address(at), g.layout.Write, n, miss)
	v, _ := g.src(u, tmpD)
	g.Indexed(storing[n], v, tmpB, tmpC)
	g.Bind(done)
	return goesOn
}

// storeNothing goes to done where the page is not backed, and zeros are stored to zeros; else out.
func (g *Generator) storeNothing(u *uop.Uop, n int, done, out arm64.Label) {
	g.Bitmask(arm64.EORI, 8, tmpC, tmpC, 1<<g.layout.Unbacked)
	g.compareConst(8, tmpC, uint64(pageSize-n))
	g.Bcc(arm64.HI, out)
	g.Memory(arm64.LDR, tmpB, tmpB, g.layout.Page)
	if v := g.get(u.Src, tmpD); v != arm64.ZR {
		g.bits(tmpD, v, 0, 8*n)
		g.CBNZ(8, tmpD, out)
	}
	load := [...]arm64.Op{1: arm64.LDRBX, 2: arm64.LDRHX, 4: arm64.LDRWX, 8: arm64.LDRX}[n]
	g.Indexed(load, tmpD, tmpB, tmpC)
	g.CBNZ(8, tmpD, out)
	g.B(done)
}
