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
	// The instruction leaves out the inversions before and after that Update makes.
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
