package x86

import (
	"hash/crc32"
	"math/bits"
)

// integerHandlers are the general-purpose operations that are too rare, or too large, for the switch.
var integerHandlers = map[Op]handler{
	opALU8:        aluSmall[uint8],
	opALU16:       aluSmall[uint16],
	opUnary8:      unarySmall[uint8],
	opUnary16:     unarySmall[uint16],
	opShift8:      shiftSlot[uint8],
	opShift16:     shiftSlot[uint16],
	opShift32:     shiftSlot[uint32],
	opShift64:     shiftSlot[uint64],
	opShiftDouble: doShiftDouble,
	opMul:         multiply16,
	opMulWide:     multiplyWide,
	opDiv:         divide,
	opXadd:        exchangeAdd,
	opCmpxchg:     compareExchange,
	opCmpxchg8b:   compareExchange8,
	opCmpxchg16b:  compareExchange16,
	opBswap:       byteSwap,
	opMovbe:       moveBigEndian,
	opCrc32:       checksum,
	opADX32:       addCarryX,
	opConvert:     convert,
	opCwd:         convertDouble,
	opLahf:        loadFlags,
	opSahf:        storeFlags,
	opFlagBit:     flagBit,
	opCmov16:      moveConditional16,
}

// put writes v to slot as a register of type T is written: the upper bits stay, except that 32 bits clear them.
func put[T word](c *CPU, slot uint8, v T) {
	r := &c.R[slot%slots]
	switch widthOf[T]() {
	case 8:
		*r = *r&^0xFF | uint64(v)
	case 16:
		*r = *r&^0xFFFF | uint64(v)
	default:
		*r = uint64(v)
	}
}

// putSize is put for a size known at run time only.
func (c *CPU) putSize(slot uint8, n uint32, v uint64) {
	switch n {
	case 1:
		put(c, slot, uint8(v))
	case 2:
		put(c, slot, uint16(v))
	case 4:
		put(c, slot, uint32(v))
	default:
		put(c, slot, v)
	}
}

func aluSmall[T word](c *CPU, u *Uop) bool {
	a, b := T(c.R[u.Dst%slots]), T(c.R[u.Src%slots]+uint64(u.Imm))
	f := &c.flags
	var r T
	switch u.Aux {
	case aluADD:
		r = addCarry(f, a, b, 0)
	case aluOR:
		r = logic(f, a|b)
	case aluADC:
		r = addCarry(f, a, b, T(f.carry()))
	case aluSBB:
		r = subBorrow(f, a, b, T(f.carry()))
	case aluAND:
		r = logic(f, a&b)
	case aluSUB:
		r = subBorrow(f, a, b, 0)
	case aluXOR:
		r = logic(f, a^b)
	case aluTEST:
		logic(f, a&b)
		return true
	}
	put(c, u.Dst, r)
	return true
}

func unarySmall[T word](c *CPU, u *Uop) bool {
	a := T(c.R[u.Dst%slots])
	switch u.Aux {
	case unaryNOT:
		a = ^a
	case unaryNEG:
		a = subBorrow(&c.flags, 0, a, 0)
	case unaryINC:
		a = incDec(&c.flags, a, 1)
	case unaryDEC:
		a = incDec(&c.flags, a, ^T(0))
	}
	put(c, u.Dst, a)
	return true
}

func shiftSlot[T word](c *CPU, u *Uop) bool {
	count := uint(c.R[u.Src%slots] + uint64(u.Imm))
	if widthOf[T]() == 64 {
		count &= 63
	} else {
		count &= 31
	}
	put(c, u.Dst, shift(&c.flags, uint8(u.Aux), T(c.R[u.Dst%slots]), count))
	return true
}

func doShiftDouble(c *CPU, u *Uop) bool {
	n := u.Aux & 0xFF
	count := uint(u.Imm)
	if u.Aux>>9&1 == 0 {
		count = uint(c.R[RCX])
	}
	if n == 8 {
		count &= 63
	} else {
		count &= 31
	}
	mask := ^uint64(0) >> (64 - 8*n)
	a := c.R[u.Dst%slots] & mask
	c.putSize(u.Dst, n, c.flags.shiftDouble(u.Aux>>8&1 != 0, uint(8*n), a, c.R[u.Src%slots]&mask, count))
	return true
}

func multiply16(c *CPU, u *Uop) bool {
	b := int64(int16(c.R[u.Dst%slots]))
	if u.Aux != 0 {
		b = u.Imm
	}
	r := int64(int16(c.R[u.Src%slots])) * int64(int16(b))
	c.flags.product(int64(int16(r)), r != int64(int16(r)))
	put(c, u.Dst, uint16(r))
	return true
}

// multiplyWide is MUL (Dst 0) and IMUL (Dst 1) with the accumulator.
func multiplyWide(c *CPU, u *Uop) bool {
	a, b, sign := c.R[RAX], c.R[u.Src%slots], u.Dst == 1
	switch u.Aux {
	case 1:
		r := uint16(uint8(a)) * uint16(uint8(b))
		wide := r>>8 != 0
		if sign {
			r = uint16(int16(int8(a)) * int16(int8(b)))
			wide = int16(r) != int16(int8(r))
		}
		c.flags.product(int64(int8(r)), wide)
		put(c, RAX, r)
	case 2:
		r := uint32(uint16(a)) * uint32(uint16(b))
		wide := r>>16 != 0
		if sign {
			r = uint32(int32(int16(a)) * int32(int16(b)))
			wide = int32(r) != int32(int16(r))
		}
		c.flags.product(int64(int16(r)), wide)
		put(c, RAX, uint16(r))
		put(c, RDX, uint16(r>>16))
	case 4:
		r := uint64(uint32(a)) * uint64(uint32(b))
		wide := r>>32 != 0
		if sign {
			r = uint64(int64(int32(a)) * int64(int32(b)))
			wide = int64(r) != int64(int32(r))
		}
		c.flags.product(int64(int32(r)), wide)
		c.R[RAX], c.R[RDX] = uint64(uint32(r)), r>>32
	default: // MUL of 64 bits is in the switch
		hi, lo := bits.Mul64(a, b)
		hi -= uint64(int64(a)>>63)&b + uint64(int64(b)>>63)&a
		c.flags.product(int64(lo), int64(hi) != int64(lo)>>63)
		c.R[RAX], c.R[RDX] = lo, hi
	}
	return true
}

// divide is DIV (Dst 0) and IDIV (Dst 1). Its flags are undefined; they stay.
func divide(c *CPU, u *Uop) bool {
	b, sign := c.R[u.Src%slots], u.Dst == 1
	switch u.Aux {
	case 1:
		a := uint64(uint16(c.R[RAX]))
		q, r, ok := quotient(sign, a, b, 8)
		if !ok {
			return c.raiseNoCode(vectorDE)
		}
		put(c, RAX, uint16(uint8(q))|uint16(uint8(r))<<8)
	case 2:
		a := uint64(uint16(c.R[RAX])) | uint64(uint16(c.R[RDX]))<<16
		q, r, ok := quotient(sign, a, b, 16)
		if !ok {
			return c.raiseNoCode(vectorDE)
		}
		put(c, RAX, uint16(q))
		put(c, RDX, uint16(r))
	case 4:
		a := uint64(uint32(c.R[RAX])) | c.R[RDX]<<32
		q, r, ok := quotient(sign, a, b, 32)
		if !ok {
			return c.raiseNoCode(vectorDE)
		}
		c.R[RAX], c.R[RDX] = uint64(uint32(q)), uint64(uint32(r))
	default:
		q, r, ok := quotient128(sign, c.R[RDX], c.R[RAX], b)
		if !ok {
			return c.raiseNoCode(vectorDE)
		}
		c.R[RAX], c.R[RDX] = q, r
	}
	return true
}

// quotient divides a dividend of 2w bits by a divisor of w bits; ok is false where the quotient does not fit, or the divisor is 0.
func quotient(sign bool, a, b uint64, w uint) (q, r uint64, ok bool) {
	s := 64 - w
	if !sign {
		if b = b << s >> s; b == 0 {
			return 0, 0, false
		}
		q, r = a/b, a%b
		return q, r, q>>w == 0
	}
	d := int64(b<<s) >> s
	n := int64(a<<(64-2*w)) >> (64 - 2*w)
	if d == 0 || w == 32 && d == -1 && n == -1<<63 {
		return 0, 0, false
	}
	sq := n / d
	return uint64(sq), uint64(n % d), sq == sq<<s>>s
}

func quotient128(sign bool, hi, lo, b uint64) (q, r uint64, ok bool) {
	if b == 0 {
		return 0, 0, false
	}
	if !sign {
		if hi >= b {
			return 0, 0, false
		}
		q, r = bits.Div64(hi, lo, b)
		return q, r, true
	}
	negative, negativeB := int64(hi) < 0, int64(b) < 0
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	if negativeB {
		b = -b
	}
	if hi >= b {
		return 0, 0, false
	}
	q, r = bits.Div64(hi, lo, b)
	if negative {
		r = -r
	}
	if negative != negativeB {
		return -q, r, q <= 1<<63
	}
	return q, r, q < 1<<63
}

// exchangeAdd leaves the sum of Tmp0 and R[Src] in Tmp1.
func exchangeAdd(c *CPU, u *Uop) bool {
	a, b := c.R[Tmp0], c.R[u.Src%slots]
	switch u.Aux {
	case 1:
		c.R[Tmp1] = uint64(addCarry(&c.flags, uint8(a), uint8(b), 0))
	case 2:
		c.R[Tmp1] = uint64(addCarry(&c.flags, uint16(a), uint16(b), 0))
	case 4:
		c.R[Tmp1] = c.flags.add32(a, b)
	default:
		c.R[Tmp1] = c.flags.add64(a, b)
	}
	return true
}

// compareExchange compares the accumulator with Tmp0. Dst says where the destination is: 0 memory, which is stored to from Tmp1 either way; 1 register Base; 2 its high byte.
func compareExchange(c *CPU, u *Uop) bool {
	b := c.R[Tmp0]
	if c.flags.compare(uint64(u.Aux), c.R[RAX], b); !c.flags.zf() {
		c.R[Tmp1] = b
		c.putSize(RAX, u.Aux, b)
		return true
	}
	v := c.R[u.Src%slots]
	c.R[Tmp1] = v
	switch u.Dst {
	case 1:
		c.putSize(u.Base, u.Aux, v)
	case 2:
		r := &c.R[u.Base%slots]
		*r = *r&^0xFF00 | v&0xFF<<8
	}
	return true
}

func compareExchange8(c *CPU, u *Uop) bool {
	va := c.ea(u)
	if !c.natural(va, 8) || !c.claim(va, 8) {
		return false
	}
	old, ok := c.load64(va)
	if !ok {
		return false
	}
	equal := old == uint64(uint32(c.R[RAX]))|c.R[RDX]<<32
	if equal {
		ok = c.store64(va, uint64(uint32(c.R[RBX]))|c.R[RCX]<<32)
	} else {
		ok = c.store64(va, old)
		c.R[RAX], c.R[RDX] = uint64(uint32(old)), old>>32
	}
	c.setZF(equal)
	return ok
}

func compareExchange16(c *CPU, u *Uop) bool {
	va := c.ea(u)
	if va&15 != 0 {
		return c.raise(vectorGP, 0)
	}
	if !c.claim(va, 16) {
		return false
	}
	lo, ok := c.load64(va)
	if !ok {
		return false
	}
	hi, ok := c.load64(va + 8)
	if !ok {
		return false
	}
	equal := lo == c.R[RAX] && hi == c.R[RDX]
	if equal {
		ok = c.store64(va, c.R[RBX]) && c.store64(va+8, c.R[RCX])
	} else {
		ok = c.store64(va, lo) && c.store64(va+8, hi)
		c.R[RAX], c.R[RDX] = lo, hi
	}
	c.setZF(equal)
	return ok
}

func (c *CPU) setZF(z bool) {
	var v uint64
	if z {
		v = FlagZF
	}
	c.flags.update(FlagZF, v)
}

func byteSwap(c *CPU, u *Uop) bool {
	switch u.Aux {
	case 8:
		c.R[u.Dst%slots] = bits.ReverseBytes64(c.R[u.Dst%slots])
	case 4:
		c.R[u.Dst%slots] = uint64(bits.ReverseBytes32(uint32(c.R[u.Dst%slots])))
	default:
		put(c, u.Dst, uint16(0)) // undefined; this is what silicon does
	}
	return true
}

func moveBigEndian(c *CPU, u *Uop) bool {
	v := bits.ReverseBytes64(c.R[u.Src%slots])
	c.R[u.Dst%slots] = v >> (64 - 8*u.Aux)
	return true
}

func checksum(c *CPU, u *Uop) bool {
	n := u.Aux & 0xFF
	v := c.R[u.Src%slots]
	var b [8]byte
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
	// The instruction leaves out the inversions before and behind that Update makes.
	c.R[u.Dst%slots] = uint64(^crc32.Update(^uint32(c.R[u.Dst%slots]), castagnoli, b[:n]))
	return true
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// addCarryX is ADCX (Aux 0) and ADOX (1) of 32 bits.
func addCarryX(c *CPU, u *Uop) bool {
	f := &c.flags
	in := uint32(f.carry())
	if u.Aux == 1 {
		in = uint32(bit(f.of()))
	}
	r, carry := bits.Add32(uint32(c.R[u.Dst%slots]), uint32(c.R[u.Src%slots]), in)
	if u.Aux == 1 {
		f.setCarryOverflow(f.cf(), carry != 0)
	} else {
		f.setCarry(carry != 0)
	}
	c.R[u.Dst%slots] = uint64(r)
	return true
}

func convert(c *CPU, u *Uop) bool {
	switch u.Aux {
	case 2:
		put(c, RAX, uint16(int8(c.R[RAX])))
	case 4:
		c.R[RAX] = uint64(uint32(int16(c.R[RAX])))
	default:
		c.R[RAX] = uint64(int32(c.R[RAX]))
	}
	return true
}

func convertDouble(c *CPU, u *Uop) bool {
	switch u.Aux {
	case 2:
		put(c, RDX, uint16(int16(c.R[RAX])>>15))
	case 4:
		c.R[RDX] = uint64(uint32(int32(c.R[RAX]) >> 31))
	default:
		c.R[RDX] = uint64(int64(c.R[RAX]) >> 63)
	}
	return true
}

func loadFlags(c *CPU, _ *Uop) bool {
	v := c.flags.get()&(FlagSF|FlagZF|FlagAF|FlagPF|FlagCF) | flag1
	c.R[RAX] = c.R[RAX]&^0xFF00 | v<<8
	return true
}

func storeFlags(c *CPU, _ *Uop) bool {
	const mask = FlagSF | FlagZF | FlagAF | FlagPF | FlagCF
	c.flags.update(mask, c.R[RAX]>>8)
	return true
}

// flagBit is CMC, CLC, STC, CLD and STD, by their opcodes.
func flagBit(c *CPU, u *Uop) bool {
	switch u.Aux {
	case 0xF5:
		c.flags.setCarry(!c.flags.cf())
	case 0xF8:
		c.flags.setCarry(false)
	case 0xF9:
		c.flags.setCarry(true)
	case 0xFC:
		c.rest &^= FlagDF
	case 0xFD:
		c.rest |= FlagDF
	}
	return true
}

func moveConditional16(c *CPU, u *Uop) bool {
	if c.flags.holds(condition(u.Aux)) {
		put(c, u.Dst, uint16(c.R[u.Src%slots]))
	}
	return true
}
