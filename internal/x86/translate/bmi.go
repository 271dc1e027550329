package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// BMI1 and BMI2, on hosts that have both.

// What an operation does with flags, if it has any: SF, ZF and PF are the result's, OF and AF are 0.
type bmiFlags uint8

const (
	bmiNone  bmiFlags = iota
	bmiLogic          // CF is 0
	bmiCarry          // CF is as the host has it
)

type bmiForm struct {
	op    amd64.VEXOp
	flags bmiFlags
}

var bmiForms = map[uint32]bmiForm{
	uop.BMIANDN: {amd64.ANDN, bmiLogic}, uop.BMIBEXTR: {amd64.BEXTR, bmiLogic},
	uop.BMIBLSR: {amd64.BLSR, bmiCarry}, uop.BMIBLSMSK: {amd64.BLSMSK, bmiCarry}, uop.BMIBLSI: {amd64.BLSI, bmiCarry}, uop.BMIBZHI: {amd64.BZHI, bmiCarry},
	uop.BMIPEXT: {amd64.PEXT, bmiNone}, uop.BMIPDEP: {amd64.PDEP, bmiNone},
	uop.BMISHLX: {amd64.SHLX, bmiNone}, uop.BMISARX: {amd64.SARX, bmiNone}, uop.BMISHRX: {amd64.SHRX, bmiNone}, uop.BMIRORX: {amd64.RORX, bmiNone},
}

func (g *Generator) bmi(k int, u *uop.Uop) result {
	f, ok := bmiForms[u.Aux]
	n := int(u.Scale)
	if !ok || !g.host.BMI1 || !g.host.BMI2 || n != 4 && n != 8 {
		return leaves
	}
	var other amd64.Reg
	switch u.Aux {
	case uop.BMIRORX:
	case uop.BMIBLSR, uop.BMIBLSMSK, uop.BMIBLSI: // the destination stands where others have an operand
		other, _ = g.dst(u.Dst, false)
	default:
		other = g.get(u.Index, tmpA)
	}
	d, put := g.dst(u.Dst, false)
	g.VEX(f.op, n, d, other, g.slot(u.Src), uint8(u.Imm))
	put()
	switch {
	case f.flags == bmiNone:
	case g.dead(k):
		g.inAX() // as good as any
	case f.flags == bmiLogic:
		g.RegRM(amd64.TEST, n, d, amd64.R(d))
		g.made(junkAFOF)
	default:
		g.Set(amd64.B, amd64.R(tmpA))
		g.outcome(n, d, axCF)
	}
	return goesOn
}
