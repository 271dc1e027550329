package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// The arithmetic flags are in two registers as the interpreter has them: a result, sign-extended, and the carries out of each
// position of its operands, moved to the top. ZF says that the result is 0, SF is its sign, PF its lowest byte's parity; CF
// is bit 63 of the carries, CF^OF bit 62, AF bit 3. Flags that no result has (both ZF and SF) are had by sfDelta, which
// inverts SF, and by the byte at pfDelta, which is xored to the lowest before its parity is taken.
//
// They are there always, but for those that nothing looks at ([Generator.dead]). The processor's own flags are beside
// them where an instruction has made them that has just been translated: a condition takes them if it can.
const (
	carryBit  = 63
	sfDelta   = 0
	afBit     = 3
	pfDelta   = 8
	topTwo    = 3 << 62 // CF and CF^OF
	carryMask = topTwo | 1<<afBit
)

// flags says what the processor's flags are.
type flags uint8

const (
	inRegisters flags = iota // nothing that counts
	afterAdd                 // the guest's: C is CF
	afterSub                 // the guest's: C is not CF
	afterCount               // the guest's, but for C: INC and DEC
	afterLogic               // nothing, but the guest's are a result's whose carries are all 0
	asLogic                  // and have been made of that: C and V are clear
)

// sum is an addition or a subtraction.
type sum struct{ sub, carry bool }

// add emits R = a ± b on n bytes, and its flags. The result goes to d, of which it changes what an instruction changes;
// where d is ZR it is not kept. It uses tmpC and tmpD. a and b may be any but these.
func (g *Generator) add(k, n int, s sum, d, a, b arm64.Reg) {
	if s.carry {
		g.carryIn(s.sub)
	}
	wide := max(n, 4)
	if g.dead(k) {
		r := d
		if n < 4 && d != arm64.ZR {
			r = tmpC
		}
		g.sumOf(s, wide, r, a, b)
		if n < 4 && d != arm64.ZR {
			g.insert(d, r, 0, 8*n)
		}
		g.flags = inRegisters
		return
	}
	g.sumOf(s, wide, rResult, a, b)
	g.carriesOf(s, wide, a, b)
	g.keepCarries(n, rCarries)
	g.keepResult(n, d)
	switch {
	case n < 4:
		g.flags = inRegisters
	case s.sub:
		g.flags = afterSub
	default:
		g.flags = afterAdd
	}
}

// sumOf emits the instruction.
func (g *Generator) sumOf(s sum, n int, d, a, b arm64.Reg) {
	switch s {
	case sum{}:
		g.Shifted(arm64.ADDS, n, d, a, b, 0)
	case sum{sub: true}:
		g.Shifted(arm64.SUBS, n, d, a, b, 0)
	case sum{carry: true}:
		g.Three(arm64.ADCS, n, d, a, b)
	default:
		g.Three(arm64.SBCS, n, d, a, b)
	}
}

// carriesOf puts into tmpC the carries out of each position: of an addition a&b | (a|b)&^result, of a subtraction
// ^a&b | (^a|b)&result. It leaves the processor's flags alone, and uses tmpD.
func (g *Generator) carriesOf(s sum, n int, a, b arm64.Reg) {
	if s.sub {
		g.Shifted(arm64.BIC, n, tmpD, b, a, 0)
		g.Shifted(arm64.ORN, n, tmpC, b, a, 0)
		g.Shifted(arm64.AND, n, tmpC, tmpC, rResult, 0)
	} else {
		g.Shifted(arm64.AND, n, tmpD, a, b, 0)
		g.Shifted(arm64.ORR, n, tmpC, a, b, 0)
		g.Shifted(arm64.BIC, n, tmpC, tmpC, rResult, 0)
	}
	g.Shifted(arm64.ORR, n, tmpC, tmpC, tmpD, 0)
}

// keepCarries puts the carries in tmpC, of n bytes, to their places in d.
func (g *Generator) keepCarries(n int, d arm64.Reg) {
	if n < 8 {
		g.Shifted(arm64.ORR, 8, tmpC, tmpC, tmpC, uint8(64-8*n))
	}
	g.Shifted(arm64.AND, 8, d, tmpC, rMask, 0)
}

// keepResult writes the lowest n bytes of the flags' result to d as a register is written, if d is one, and extends it.
func (g *Generator) keepResult(n int, d arm64.Reg) {
	g.write(n, d, rResult)
	if n < 8 {
		g.extended(rResult, rResult, n)
	}
}

// write changes the lowest n bytes of d, if it is not ZR: 4 clear the upper half, fewer leave what is above them.
func (g *Generator) write(n int, d, s arm64.Reg) {
	switch {
	case d == arm64.ZR:
	case n < 4:
		g.insert(d, s, 0, 8*n)
	default:
		g.mov(n, d, s)
	}
}

// carryIn makes C what an instruction with carry wants: CF, or for a subtraction its opposite.
func (g *Generator) carryIn(sub bool) {
	switch {
	case sub && g.flags == afterSub, !sub && (g.flags == afterAdd || g.flags == asLogic):
	case sub:
		g.Shifted(arm64.ORN, 8, tmpC, arm64.ZR, rCarries, 0)
		g.Shifted(arm64.ADDS, 8, arm64.ZR, tmpC, tmpC, 0)
	default:
		g.Shifted(arm64.ADDS, 8, arm64.ZR, rCarries, rCarries, 0)
	}
}

// logic says that the flags are those of n bytes in r, as logic leaves them.
func (g *Generator) logic(n int, r arm64.Reg) {
	g.extended(rResult, r, n)
	g.MovImm(rCarries, 0)
	g.flags = afterLogic
}

// setCarry makes CF bit 0 of tmpC, and changes no other flag: with CF, CF^OF changes as well. It uses tmpC.
func (g *Generator) setCarry() {
	g.lsl(8, tmpC, tmpC, carryBit)
	g.Shifted(arm64.EOR, 8, tmpC, tmpC, rCarries, 0)
	g.asr(8, tmpC, tmpC, 63) // ones if it is to change
	g.Bitmask(arm64.ANDI, 8, tmpC, tmpC, topTwo)
	g.Shifted(arm64.EOR, 8, rCarries, rCarries, tmpC, 0)
	g.flags = inRegisters
}

// setOverflow makes OF bit 0 of tmpC, and changes no other flag. It uses tmpC.
func (g *Generator) setOverflow() {
	g.lsl(8, tmpC, tmpC, 62)
	g.Shifted(arm64.EOR, 8, tmpC, tmpC, rCarries, 0)
	g.lsr(8, tmpD, rCarries, 63)
	g.Shifted(arm64.EOR, 8, tmpC, tmpC, tmpD, 62)
	g.lsr(8, tmpC, tmpC, 62) // bit 0: the new OF, CF^OF as it is and CF, xored: whether OF is to change
	g.Bitmask(arm64.ANDI, 8, tmpC, tmpC, 1)
	g.Shifted(arm64.EOR, 8, rCarries, rCarries, tmpC, 62)
	g.flags = inRegisters
}

// overflow puts OF into bit 63 of d.
func (g *Generator) overflow(d arm64.Reg) { g.Shifted(arm64.EOR, 8, d, rCarries, rCarries, 1) }

// parity puts the parity of the flags' result into bit 7 of tmpC: 0 where PF is set. It uses tmpD.
func (g *Generator) parity() {
	g.bits(tmpC, rCarries, pfDelta, 8)
	g.Shifted(arm64.EOR, 8, tmpC, tmpC, rResult, 0)
	for _, by := range []uint8{4, 2, 1} {
		g.Shifted(arm64.EOR, 8, tmpC, tmpC, tmpC, by)
	}
}

// setZero makes ZF what bit 0 of tmpB says, and changes no other flag. It uses tmpC and tmpD, and tmpB.
func (g *Generator) setZero() {
	g.parity()
	g.bits(tmpC, tmpC, 7, 1)
	g.Shifted(arm64.EOR, 8, tmpC, tmpC, tmpB, 0)
	g.Bitmask(arm64.EORI, 8, tmpC, tmpC, 1) // a result of 0 has even parity, one of 1 has not
	g.insert(rCarries, tmpC, pfDelta, 8)
	g.lsr(8, tmpC, rResult, 63)
	g.Shifted(arm64.EOR, 8, rCarries, rCarries, tmpC, sfDelta)
	g.Bitmask(arm64.EORI, 8, rResult, tmpB, 1)
	g.flags = inRegisters
}

// counted makes the flags of a count of bits: ZF is bit 0 of tmpB, CF that of tmpC, the others are 0. It uses tmpC.
func (g *Generator) counted() {
	g.Bitmask(arm64.EORI, 8, rResult, tmpB, 1)
	g.Shifted(arm64.ORR, 8, tmpC, tmpC, tmpC, 1) // and so is CF^OF
	g.lsl(8, rCarries, tmpC, 62)
	g.Shifted(arm64.ORR, 8, rCarries, rCarries, tmpB, pfDelta)
	g.flags = inRegisters
}

// condition makes a condition of the guest's flags one of the processor's, and returns it. It uses tmpC and tmpD.
func (g *Generator) condition(c uop.Condition) arm64.Condition {
	if g.flags == afterLogic {
		g.Shifted(arm64.ANDS, 8, arm64.ZR, rResult, rResult, 0)
		g.flags = asLogic
	}
	not := arm64.Condition(c & 1)
	if direct, ok := g.direct(c >> 1); ok {
		return direct ^ not
	}
	// The condition becomes the sign of a register, or ZF and PF what they are.
	sign := tmpC
	g.flags = inRegisters
	switch c >> 1 {
	case uop.CondO >> 1:
		g.overflow(tmpC)
	case uop.CondB >> 1:
		sign = rCarries
	case uop.CondE >> 1:
		g.test(rResult)
		return arm64.EQ ^ not
	case uop.CondBE >> 1:
		g.test(rResult)
		g.Select(arm64.CSINV, 8, tmpC, rCarries, arm64.ZR, arm64.NE)
	case uop.CondS >> 1:
		g.Shifted(arm64.EOR, 8, tmpC, rResult, rCarries, 63-sfDelta)
	case uop.CondP >> 1:
		g.parity()
		g.Bitmask(arm64.ANDSI, 8, arm64.ZR, tmpC, 1<<7)
		return arm64.EQ ^ not
	default:
		g.overflow(tmpC)
		g.Shifted(arm64.EOR, 8, tmpC, tmpC, rResult, 0)
		g.Shifted(arm64.EOR, 8, tmpC, tmpC, rCarries, 63-sfDelta)
		if c>>1 != uop.CondL>>1 {
			g.test(rResult)
			g.Select(arm64.CSINV, 8, tmpC, tmpC, arm64.ZR, arm64.NE)
		}
	}
	g.test(sign)
	return arm64.MI ^ not
}

// test makes N and Z those of a register.
func (g *Generator) test(r arm64.Reg) { g.Shifted(arm64.ANDS, 8, arm64.ZR, r, r, 0) }

// direct returns the processor's condition that is the guest's, if there is one; c is without its lowest bit.
func (g *Generator) direct(c uop.Condition) (arm64.Condition, bool) {
	if g.flags == inRegisters {
		return 0, false
	}
	switch c {
	case uop.CondO >> 1:
		return arm64.VS, true
	case uop.CondB >> 1:
		if g.flags == afterSub {
			return arm64.LO, true
		}
		return arm64.HS, g.flags != afterCount
	case uop.CondE >> 1:
		return arm64.EQ, true
	case uop.CondBE >> 1:
		if g.flags == afterSub {
			return arm64.LS, true
		}
		return arm64.EQ, g.flags == asLogic
	case uop.CondS >> 1:
		return arm64.MI, true
	case uop.CondP >> 1:
		return 0, false
	case uop.CondL >> 1:
		return arm64.LT, true
	}
	return arm64.LE, true
}

// dead says that nothing looks at the flags that micro-operation k leaves: others are made before anything can read them
// or leave the code.
func (g *Generator) dead(k int) bool {
	for k++; k < len(g.block.Uops); k++ {
		switch u := &g.block.Uops[k]; {
		case hostcode.MakesFlags(u):
			return true
		case !hostcode.IgnoresFlags(u) && !movesVectors(u):
			return false
		}
	}
	return false
}
