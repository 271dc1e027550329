package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// arithmetic emits additions, subtractions, logic, comparisons, and what depends on conditions.
func (g *Generator) arithmetic(k int, u *uop.Uop) (result, bool) {
	switch op := u.Op; op {
	case uop.Add32, uop.Add64, uop.Or32, uop.Or64, uop.Adc32, uop.Adc64, uop.Sbb32, uop.Sbb64, uop.And32, uop.And64, uop.Sub32, uop.Sub64, uop.Xor32, uop.Xor64:
		n := int(op - uop.Add32)
		return g.alu(k, n/2, 4<<(n&1), u), true
	case uop.Cmp8, uop.Cmp16, uop.Cmp32, uop.Cmp64:
		return g.alu(k, uop.ALUCMP, 1<<(op-uop.Cmp8), u), true
	case uop.Test8:
		return g.alu(k, uop.ALUTEST, 1, u), true
	case uop.Test32, uop.Test64:
		return g.alu(k, uop.ALUTEST, 4<<(op-uop.Test32), u), true
	case uop.ALU8, uop.ALU16:
		if u.Aux > uop.ALUTEST {
			return leaves, true
		}
		return g.alu(k, int(u.Aux), 1<<(op-uop.ALU8), u), true
	case uop.Inc32, uop.Inc64:
		g.count(k, 4<<(op-uop.Inc32), false, u)
	case uop.Dec32, uop.Dec64:
		g.count(k, 4<<(op-uop.Dec32), true, u)
	case uop.Neg32, uop.Neg64:
		g.negate(k, 4<<(op-uop.Neg32), u)
	case uop.Not32, uop.Not64:
		g.complement(4<<(op-uop.Not32), u)
	case uop.Unary8, uop.Unary16:
		n := 1 << (op - uop.Unary8)
		switch u.Aux {
		case uop.UnaryNOT:
			g.complement(n, u)
		case uop.UnaryNEG:
			g.negate(k, n, u)
		case uop.UnaryINC:
			g.count(k, n, false, u)
		case uop.UnaryDEC:
			g.count(k, n, true, u)
		default:
			return leaves, true
		}
	case uop.Adcx64, uop.Adox64:
		g.addWithFlag(op == uop.Adox64, u)
	case uop.Set:
		if u.Aux > 15 {
			return leaves, true
		}
		c := g.condition(uop.Condition(u.Aux))
		d, put := g.dst(u.Dst, tmpA, true)
		g.Select(arm64.CSINC, 8, tmpB, arm64.ZR, arm64.ZR, c^1)
		g.insert(d, tmpB, 0, 8)
		put()
	case uop.Cmov32, uop.Cmov64:
		if u.Aux > 15 {
			return leaves, true
		}
		c := g.condition(uop.Condition(u.Aux))
		s := g.get(u.Src, tmpB)
		d, put := g.dst(u.Dst, tmpA, true)
		g.Select(arm64.CSEL, 4<<(op-uop.Cmov32), d, s, d, c)
		put()
	default:
		return 0, false
	}
	return goesOn, true
}

// alu emits operation i of the arithmetic group on n bytes.
func (g *Generator) alu(k, i, n int, u *uop.Uop) result {
	b, ok := g.src(u, tmpB)
	if !ok {
		return leaves
	}
	a, put := g.dst(u.Dst, tmpA, true)
	switch i {
	case uop.ALUADD:
		g.add(k, n, sum{}, a, a, b)
	case uop.ALUADC:
		g.add(k, n, sum{carry: true}, a, a, b)
	case uop.ALUSUB:
		g.add(k, n, sum{sub: true}, a, a, b)
	case uop.ALUSBB:
		g.add(k, n, sum{sub: true, carry: true}, a, a, b)
	case uop.ALUCMP:
		g.add(k, n, sum{sub: true}, arm64.ZR, a, b)
		return goesOn
	case uop.ALUTEST:
		if !g.dead(k) {
			g.Shifted(arm64.AND, 8, rResult, a, b, 0)
			g.logic(n, rResult)
		}
		return goesOn
	default:
		op := map[int]arm64.Op{uop.ALUAND: arm64.AND, uop.ALUOR: arm64.ORR, uop.ALUXOR: arm64.EOR}[i]
		r := a
		if n < 4 {
			r = tmpC
		}
		g.Shifted(op, max(n, 4), r, a, b, 0)
		if n < 4 {
			g.insert(a, r, 0, 8*n)
		}
		if !g.dead(k) {
			g.logic(n, a)
		}
	}
	put()
	return goesOn
}

// negate subtracts from 0.
func (g *Generator) negate(k, n int, u *uop.Uop) {
	a, put := g.dst(u.Dst, tmpA, true)
	g.add(k, n, sum{sub: true}, a, arm64.ZR, a)
	put()
}

// complement turns all bits, and changes no flag.
func (g *Generator) complement(n int, u *uop.Uop) {
	a, put := g.dst(u.Dst, tmpA, true)
	g.Shifted(arm64.ORN, max(n, 4), tmpB, arm64.ZR, a, 0)
	g.write(n, a, tmpB)
	put()
}

// count emits INC and DEC, which leave CF alone.
func (g *Generator) count(k, n int, down bool, u *uop.Uop) {
	a, put := g.dst(u.Dst, tmpA, true)
	g.MovImm(tmpB, 1)
	if g.dead(k) {
		g.add(k, n, sum{sub: down}, a, a, tmpB)
		put()
		return
	}
	wide := max(n, 4)
	g.sumOf(sum{sub: down}, wide, rResult, a, tmpB)
	g.carriesOf(sum{sub: down}, wide, a, tmpB)
	g.keepCarries(n, tmpC)
	// Where CF is to become another, CF^OF is, too.
	g.Shifted(arm64.EOR, 8, tmpD, tmpC, rCarries, 0)
	g.asr(8, tmpD, tmpD, carryBit)
	g.Bitmask(arm64.ANDI, 8, tmpD, tmpD, topTwo)
	g.Shifted(arm64.EOR, 8, rCarries, tmpC, tmpD, 0)
	g.keepResult(n, a)
	put()
	if g.flags = afterCount; n < 4 {
		g.flags = inRegisters
	}
}

// addWithFlag is ADCX and ADOX: an addition with CF or OF, which changes that alone.
func (g *Generator) addWithFlag(overflow bool, u *uop.Uop) {
	s := g.get(u.Src, tmpB)
	d, put := g.dst(u.Dst, tmpA, true)
	from := rCarries
	if overflow {
		g.overflow(tmpC)
		from = tmpC
	}
	g.Shifted(arm64.ADDS, 8, arm64.ZR, from, from, 0) // bit 63 to C
	g.Three(arm64.ADCS, 8, d, d, s)
	put()
	g.Select(arm64.CSINC, 8, tmpC, arm64.ZR, arm64.ZR, arm64.LO)
	if overflow {
		g.setOverflow()
	} else {
		g.setCarry()
	}
}
