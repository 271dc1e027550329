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
		if g.host.BMI2 {
			lo, putLo := g.dstIn(uint8(u.Aux), tmpA)
			hi, putHi := g.dstIn(u.Dst, tmpB)
			g.VEX(amd64.MULX, 8, hi, lo, g.slot(u.Src), 0)
			putLo()
			putHi()
			break
		}
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
	case uop.Div:
		return g.divide(k, u), true
	default:
		return 0, false
	}
	return goesOn, true
}

// divide is DIV of 4 and 8 bytes; and IDIV where the dividend is no longer than the divisor and this is neither 0 nor -1,
// so that nothing overflows. Everything else may raise #DE. The flags are undefined, and stay.
func (g *Generator) divide(k int, u *uop.Uop) result {
	if u.Aux != 4 && u.Aux != 8 {
		return leaves
	}
	n, sign, out, by := int(u.Aux), u.Dst == 1, g.leaveAt(k), g.slot(u.Src)
	g.spill()
	if sign {
		g.RegRM(amd64.MOV, n, tmpA, g.slot(uop.RAX))
		g.Imm(amd64.SARimm, n, amd64.R(tmpA), int32(8*n-1))
		g.RegRM(amd64.CMP, n, tmpA, amd64.R(amd64.RDX))
		g.Jcc(amd64.NE, out)
		g.RegRM(amd64.MOV, n, tmpA, by)
		g.addImm(amd64.ADDimm, n, amd64.R(tmpA), 1)
		g.addImm(amd64.CMPimm, n, amd64.R(tmpA), 1)
		g.Jcc(amd64.BE, out)
	} else {
		g.RegRM(amd64.CMP, n, amd64.RDX, by) // the quotient fits if this is less; nothing is less than 0
		g.Jcc(amd64.AE, out)
	}
	g.RegRM(amd64.MOVto, 4, rAX, amd64.At(rCPU, g.layout.Flags))
	g.RegRM(amd64.MOV, n, rAX, g.slot(uop.RAX))
	op := amd64.DIV
	if sign {
		op = amd64.IDIV
	}
	g.RM(op, n, by)
	g.RegRM(amd64.MOV, n, hostReg[uop.RAX], amd64.R(rAX))
	g.RegRM(amd64.MOV, 4, rAX, amd64.At(rCPU, g.layout.Flags))
	return goesOn
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
	g.outcome(n, lo, axCF|axOF)
}

// outcome makes the flags of a result of n bytes, as logic does, and sets those of mask where the low byte of tmpA is 1.
func (g *Generator) outcome(n int, r amd64.Reg, mask int32) {
	g.RegRM(amd64.MOVZX8, 4, tmpA, amd64.R(tmpA))
	g.RegRM(amd64.TEST, n, r, amd64.R(r))
	g.Lahf()
	g.Imm(amd64.ANDimm, 4, amd64.R(rAX), axPF|axZF|axSF)
	g.RegRMImm(amd64.IMULimm, 4, tmpA, amd64.R(tmpA), mask)
	g.RegRM(amd64.OR, 4, rAX, amd64.R(tmpA))
	g.inAX()
}
