package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// An alu is an operation of the arithmetic group: its forms, and what it does with flags.
type alu struct {
	op, imm  amd64.Op
	junk     junk
	carry    bool // it reads CF
	discards bool // the result is not kept
}

// alus are in the order of the opcodes' bits 5:3, and TEST after them.
var alus = [...]alu{
	uop.ALUADD:  {op: amd64.ADD, imm: amd64.ADDimm},
	uop.ALUOR:   {op: amd64.OR, imm: amd64.ORimm, junk: junkAFOF},
	uop.ALUADC:  {op: amd64.ADC, imm: amd64.ADCimm, carry: true},
	uop.ALUSBB:  {op: amd64.SBB, imm: amd64.SBBimm, carry: true},
	uop.ALUAND:  {op: amd64.AND, imm: amd64.ANDimm, junk: junkAFOF},
	uop.ALUSUB:  {op: amd64.SUB, imm: amd64.SUBimm},
	uop.ALUXOR:  {op: amd64.XOR, imm: amd64.XORimm, junk: junkAFOF},
	uop.ALUCMP:  {op: amd64.CMP, imm: amd64.CMPimm, discards: true},
	uop.ALUTEST: {op: amd64.TEST, imm: amd64.TESTimm, junk: junkAFOF, discards: true},
}

// arithmetic emits additions, subtractions, logic, comparisons, and what depends on conditions.
func (g *Generator) arithmetic(_ int, u *uop.Uop) (result, bool) {
	switch op := u.Op; op {
	case uop.Add32, uop.Add64, uop.Or32, uop.Or64, uop.Adc32, uop.Adc64, uop.Sbb32, uop.Sbb64, uop.And32, uop.And64, uop.Sub32, uop.Sub64, uop.Xor32, uop.Xor64:
		n := int(op - uop.Add32)
		return g.alu(n/2, 4<<(n&1), u), true
	case uop.Cmp8, uop.Cmp16, uop.Cmp32, uop.Cmp64:
		return g.alu(uop.ALUCMP, 1<<(op-uop.Cmp8), u), true
	case uop.Test8:
		return g.alu(uop.ALUTEST, 1, u), true
	case uop.Test32, uop.Test64:
		return g.alu(uop.ALUTEST, 4<<(op-uop.Test32), u), true
	case uop.ALU8, uop.ALU16:
		if u.Aux > uop.ALUTEST {
			return leaves, true
		}
		return g.alu(int(u.Aux), 1<<(op-uop.ALU8), u), true
	case uop.Inc32, uop.Inc64:
		g.increment(amd64.INC, 4<<(op-uop.Inc32), u)
	case uop.Dec32, uop.Dec64:
		g.increment(amd64.DEC, 4<<(op-uop.Dec32), u)
	case uop.Neg32, uop.Neg64:
		g.unary(amd64.NEG, 4<<(op-uop.Neg32), u)
		g.made(junkNone)
	case uop.Not32, uop.Not64:
		g.unary(amd64.NOT, 4<<(op-uop.Not32), u)
	case uop.Unary8, uop.Unary16:
		n := 1 << (op - uop.Unary8)
		switch u.Aux {
		case uop.UnaryNOT:
			g.unary(amd64.NOT, n, u)
		case uop.UnaryNEG:
			g.unary(amd64.NEG, n, u)
			g.made(junkNone)
		case uop.UnaryINC:
			g.increment(amd64.INC, n, u)
		case uop.UnaryDEC:
			g.increment(amd64.DEC, n, u)
		default:
			return leaves, true
		}
	case uop.Adcx64, uop.Adox64:
		if !g.host.ADX {
			return leaves, true
		}
		g.need()
		d, put := g.dst(u.Dst, true)
		g.RegRM(amd64.ADCX+amd64.Op(op-uop.Adcx64), 8, d, g.slot(u.Src))
		put()
		g.made(junkNone)
	case uop.Set:
		if u.Aux > 15 {
			return leaves, true
		}
		c := g.condition(uop.Condition(u.Aux))
		g.Set(c, g.slot(u.Dst))
	case uop.Cmov32, uop.Cmov64:
		if u.Aux > 15 {
			return leaves, true
		}
		c := g.condition(uop.Condition(u.Aux))
		d, put := g.dst(u.Dst, true)
		g.Cmov(c, 4<<(op-uop.Cmov32), d, g.slot(u.Src))
		put()
	case uop.Cwd:
		if u.Aux != 4 && u.Aux != 8 {
			return leaves, true
		}
		g.spill()
		n, d := int(u.Aux), hostReg[uop.RDX]
		g.RegRM(amd64.MOV, n, d, g.slot(uop.RAX))
		g.Imm(amd64.SARimm, n, amd64.R(d), int32(8*n-1))
	default:
		return 0, false
	}
	return goesOn, true
}

// alu emits operation i of the group on n bytes.
func (g *Generator) alu(i, n int, u *uop.Uop) result {
	a := &alus[i]
	s, ok := g.src(u, n)
	if !ok {
		return leaves
	}
	if a.carry {
		g.needCarry()
	}
	o := g.slot(u.Dst)
	inPlace := o.IsMemory() && (n != 4 || a.discards) // a result of 4 bytes clears the upper ones
	switch {
	case inPlace && s.constant:
		g.immediate(a, n, o, s.imm)
	case inPlace && !a.discards && !s.IsMemory():
		g.RegRM(a.op+amd64.ADDto-amd64.ADD, n, s.Reg(), o)
	default:
		d, put := g.dst(u.Dst, true)
		if s.constant {
			g.immediate(a, n, amd64.R(d), s.imm)
		} else {
			g.RegRM(a.op, n, d, s.Operand)
		}
		if !a.discards {
			put()
		}
	}
	g.made(a.junk)
	return goesOn
}

func (g *Generator) immediate(a *alu, n int, o amd64.Operand, imm int32) {
	if a.imm == amd64.TESTimm {
		g.Imm(a.imm, n, o, imm)
		return
	}
	g.addImm(a.imm, n, o, imm)
}

func (g *Generator) unary(op amd64.Op, n int, u *uop.Uop) {
	d, put := g.dst(u.Dst, true)
	g.RM(op, n, amd64.R(d))
	put()
}

// increment emits INC and DEC, which leave CF alone.
func (g *Generator) increment(op amd64.Op, n int, u *uop.Uop) {
	g.needCarry()
	g.unary(op, n, u)
	g.made(junkNone)
}
