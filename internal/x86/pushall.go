package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Instructions of 16- and 32-bit code on the stack, and those that 64-bit mode has dropped.

var legacyHandlers = map[uop.Op]handler{
	uop.PushValue: func(c *CPU, u *uop.Uop) bool { return c.pushStack(c.R[u.Src%uop.Slots]+uint64(u.Imm), uint64(u.Aux)) },
	uop.PushSegment: func(c *CPU, u *uop.Uop) bool {
		sp := c.R[uop.RSP] - uint64(u.Aux)
		if !c.storeStack(sp, 2, c.R[u.Src%uop.Slots]) {
			return false
		}
		c.setSP(sp)
		return true
	},
	uop.PopValue: func(c *CPU, u *uop.Uop) bool {
		v, ok := c.loadStack(c.R[uop.RSP], uint64(u.Aux))
		if !ok {
			return false
		}
		c.setSP(c.R[uop.RSP] + uint64(u.Aux))
		c.putSize(u.Dst, u.Aux, v)
		return true
	},
	uop.PopOffset: popOffset,
	uop.PushAll:   pushAll,
	uop.PopAll:    popAll,
	uop.Bound:     bound,
	uop.Arpl:      adjustRPL,
	uop.Decimal:   decimal,
	uop.Into: func(c *CPU, u *uop.Uop) bool {
		if !c.flags.of() {
			c.setNext(c.nextRIP())
			return true
		}
		c.Raise(Exception{Vector: uop.VectorOF, trap: true, soft: true, back: u.Len})
		return false
	},
	uop.FarImmediate: func(c *CPU, u *uop.Uop) bool {
		return c.jumpFar(uint16(u.Imm>>32), uint64(u.Imm)&low, uint64(u.Aux), u.Src != 0)
	},
}

func popOffset(c *CPU, u *uop.Uop) bool {
	n := uint64(u.Aux)
	v, ok := c.loadStack(c.R[uop.RSP], n)
	if !ok {
		return false
	}
	va, ok := c.linear(int(u.Src), c.R[uop.Tmp3], n, true)
	if !ok {
		return false
	}
	c.stackRef = false
	if n == 2 {
		ok = c.store16(va, uint16(v))
	} else {
		ok = c.store32(va, uint32(v))
	}
	if ok {
		c.setSP(c.R[uop.RSP] + n)
	}
	return ok
}

// pushAll is PUSHA. All eight have room, or none is stored.
func pushAll(c *CPU, u *uop.Uop) bool {
	n := uint64(u.Aux)
	sp, values := c.R[uop.RSP], c.R[:8]
	for i := range uint64(8) {
		va, ok := c.stackAddress(sp-(i+1)*n, n, true)
		if !ok || !c.natural(va, int(n)) || !c.claim(va, int(n)) {
			return false
		}
	}
	for i, v := range values {
		if !c.storeStack(sp-uint64(i+1)*n, n, v) {
			return false
		}
	}
	c.setSP(sp - 8*n)
	return true
}

// popAll is POPA, which drops the word of the stack pointer.
func popAll(c *CPU, u *uop.Uop) bool {
	n := uint64(u.Aux)
	sp := c.R[uop.RSP]
	var values [8]uint64
	for i := range uint64(8) {
		v, ok := c.loadStack(sp+i*n, n)
		if !ok {
			return false
		}
		values[7-i] = v
	}
	for i, v := range values {
		if i != uop.RSP {
			c.putSize(uint8(i), u.Aux, v)
		}
	}
	c.setSP(sp + 8*n)
	return true
}

// bound is BOUND: the lower and the upper limit stand in memory.
func bound(c *CPU, u *uop.Uop) bool {
	va := c.ea(u)
	var lower, upper, index int64
	if u.Aux == 2 {
		v, ok := c.load32(va)
		if !ok {
			return false
		}
		lower, upper, index = int64(int16(v)), int64(int16(v>>16)), int64(int16(c.R[u.Dst%uop.Slots]))
	} else {
		v, ok := c.load64(va)
		if !ok {
			return false
		}
		lower, upper, index = int64(int32(v)), int64(int32(v>>32)), int64(int32(c.R[u.Dst%uop.Slots]))
	}
	return index >= lower && index <= upper || c.raiseNoCode(uop.VectorBR)
}

// adjustRPL is ARPL.
func adjustRPL(c *CPU, u *uop.Uop) bool {
	dst, src := &c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]
	below := *dst&3 < src&3
	if below {
		*dst = *dst&^3 | src&3
	}
	c.setZF(below)
	return true
}

// decimal is arithmetic on packed and unpacked decimal numbers (SDM vol. 2, DAA, DAS, AAA, AAS, AAM, AAD), and SALC, which
// the manual does not have and processors do. Undefined flags follow the result.
func decimal(c *CPU, u *uop.Uop) bool {
	al, ah := uint8(c.R[uop.RAX]), uint8(c.R[uop.RAX]>>8)
	cf, af := c.flags.cf(), c.flags.af()
	switch u.Aux {
	case 0x27, 0x2F: // DAA, DAS
		old, oldCF, sign := al, cf, uint8(1)
		if u.Aux == 0x2F {
			sign = 0xFF
		}
		cf = false
		if al&15 > 9 || af {
			cf = oldCF || sign == 1 && al > 0xF9 || sign == 0xFF && al < 6
			al += 6 * sign
			af = true
		}
		if old > 0x99 || oldCF {
			al += 0x60 * sign
			cf = true
		}
	case 0x37, 0x3F: // AAA, AAS
		if adjust := al&15 > 9 || af; adjust {
			v := uint16(ah)<<8 | uint16(al)
			if u.Aux == 0x37 {
				v += 0x106
			} else {
				v -= 6
				v -= 0x100
			}
			al, ah, cf, af = uint8(v), uint8(v>>8), true, true
		} else {
			cf, af = false, false
		}
		al &= 15
	case 0xD4: // AAM
		if uint8(u.Imm) == 0 {
			return c.raiseNoCode(uop.VectorDE)
		}
		ah, al, cf, af = al/uint8(u.Imm), al%uint8(u.Imm), false, false
	case 0xD5: // AAD
		al, ah, cf, af = al+ah*uint8(u.Imm), 0, false, false
	default: // SALC
		al = 0
		if cf {
			al = 0xFF
		}
		put(c, uop.RAX, uint16(ah)<<8|uint16(al))
		return true
	}
	put(c, uop.RAX, uint16(ah)<<8|uint16(al))
	logic(&c.flags, al)
	v := c.flags.get() &^ (FlagCF | FlagAF)
	if cf {
		v |= FlagCF
	}
	if af {
		v |= FlagAF
	}
	c.flags.set(v)
	return true
}
