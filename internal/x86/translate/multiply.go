package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Multiplications. CF and OF say whether the upper half is needed; SF, ZF and PF are the lower half's, AF is 0, where the
// host leaves these undefined.

func (g *Generator) multiply(k int, u *uop.Uop) (result, bool) {
	switch op := u.Op; op {
	case uop.Imul32, uop.Imul64:
		n := 4 << (op - uop.Imul32)
		s, ok := g.src(u, n)
		if !ok {
			return leaves, true
		}
		d, put := g.dst(u.Dst, true)
		if s.constant {
			g.RegRMImm(amd64.IMULimm, n, d, amd64.R(d), s.imm)
		} else {
			g.RegRM(amd64.IMUL, n, d, s.Operand)
		}
		put()
		g.product(k, n, d)
	case uop.Mul64:
		// AX is not free while there are flags in it; all of them are made anew.
		g.RegRM(amd64.MOV, 8, rAX, g.slot(uop.RAX))
		g.RM(amd64.MUL, 8, g.slot(u.Src))
		g.RegRM(amd64.MOV, 8, hostReg[uop.RAX], amd64.R(rAX))
		g.product(k, 8, hostReg[uop.RAX])
	case uop.MulWide:
		if u.Aux != 4 && u.Aux != 8 {
			return leaves, true
		}
		n, m := int(u.Aux), amd64.MUL
		if u.Dst == 1 {
			m = amd64.IMULwide
		}
		g.RegRM(amd64.MOV, 8, rAX, g.slot(uop.RAX))
		g.RM(m, n, g.slot(u.Src))
		g.RegRM(amd64.MOV, n, hostReg[uop.RAX], amd64.R(rAX))
		g.product(k, n, hostReg[uop.RAX])
	case uop.Mulx64:
		// Without flags, and without the guest's RAX and RDX but as operand.
		g.spill()
		g.RegRM(amd64.MOVto, 4, rAX, amd64.At(rCPU, g.layout.Flags))
		s := g.slot(u.Src)
		g.RegRM(amd64.MOV, 8, tmpA, amd64.R(amd64.RDX))
		g.RegRM(amd64.MOV, 8, rAX, amd64.R(amd64.RDX))
		g.RM(amd64.MUL, 8, s)
		g.RegRM(amd64.MOV, 8, tmpB, amd64.R(amd64.RDX))
		g.RegRM(amd64.MOV, 8, amd64.RDX, amd64.R(tmpA))
		g.setSlot(uint8(u.Aux), rAX)
		g.setSlot(u.Dst, tmpB)
		g.RegRM(amd64.MOV, 4, rAX, amd64.At(rCPU, g.layout.Flags))
	default:
		return 0, false
	}
	return goesOn, true
}

// setSlot sets a slot to a register's value.
func (g *Generator) setSlot(s uint8, r amd64.Reg) {
	if o := g.slot(s); o.IsMemory() {
		g.RegRM(amd64.MOVto, 8, r, o)
	} else {
		g.RegRM(amd64.MOV, 8, o.Reg(), amd64.R(r))
	}
}

// product makes the flags of a product of n bytes whose lower half is in lo, after the host's instruction.
func (g *Generator) product(k, n int, lo amd64.Reg) {
	if g.dead(k) {
		g.inAX() // as good as any
		return
	}
	g.Set(amd64.O, amd64.R(tmpA))
	g.RegRM(amd64.MOVZX8, 4, tmpA, amd64.R(tmpA))
	g.RegRM(amd64.TEST, n, lo, amd64.R(lo))
	g.Lahf()
	g.Imm(amd64.ANDimm, 4, amd64.R(rAX), axPF|axZF|axSF)
	g.RegRMImm(amd64.IMULimm, 4, tmpA, amd64.R(tmpA), axCF|axOF)
	g.RegRM(amd64.OR, 4, rAX, amd64.R(tmpA))
	g.inAX()
}
