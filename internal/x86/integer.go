package x86

import (
	"hash/crc32"
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// integerHandlers are the general-purpose operations that are too rare, or too large, for the switch.
var integerHandlers = map[uop.Op]handler{
	uop.ALU8:        aluSmall[uint8],
	uop.ALU16:       aluSmall[uint16],
	uop.Unary8:      unarySmall[uint8],
	uop.Unary16:     unarySmall[uint16],
	uop.Shift8:      shiftSlot[uint8],
	uop.Shift16:     shiftSlot[uint16],
	uop.Shift32:     shiftSlot[uint32],
	uop.Shift64:     shiftSlot[uint64],
	uop.ShiftDouble: doShiftDouble,
	uop.Mul:         multiply16,
	uop.MulWide:     multiplyWide,
	uop.Div:         divide,
	uop.Xadd:        exchangeAdd,
	uop.Cmpxchg:     compareExchange,
	uop.Cmpxchg8b:   compareExchange8,
	uop.Cmpxchg16b:  compareExchange16,
	uop.Bswap:       byteSwap,
	uop.Movbe:       moveBigEndian,
	uop.Crc32:       checksum,
	uop.ADX32:       addCarryX,
	uop.Convert:     convert,
	uop.Cwd:         convertDouble,
	uop.Lahf:        loadFlags,
	uop.Sahf:        storeFlags,
	uop.FlagBit:     flagBit,
	uop.Cmov16:      moveConditional16,
}

// put writes v to slot as a register of type T is written: the upper bits stay, except that 32 bits clear them.
func put[T word](c *CPU, slot uint8, v T) {
	r := &c.R[slot%uop.Slots]
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

func aluSmall[T word](c *CPU, u *uop.Uop) bool {
	a, b := T(c.R[u.Dst%uop.Slots]), T(c.R[u.Src%uop.Slots]+uint64(u.Imm))
	f := &c.flags
	var r T
	switch u.Aux {
	case uop.ALUADD:
		r = addCarry(f, a, b, 0)
	case uop.ALUOR:
		r = logic(f, a|b)
	case uop.ALUADC:
		r = addCarry(f, a, b, T(f.carry()))
	case uop.ALUSBB:
		r = subBorrow(f, a, b, T(f.carry()))
	case uop.ALUAND:
		r = logic(f, a&b)
	case uop.ALUSUB:
		r = subBorrow(f, a, b, 0)
	case uop.ALUXOR:
		r = logic(f, a^b)
	case uop.ALUTEST:
		logic(f, a&b)
		return true
	}
	put(c, u.Dst, r)
	return true
}

func unarySmall[T word](c *CPU, u *uop.Uop) bool {
	a := T(c.R[u.Dst%uop.Slots])
	switch u.Aux {
	case uop.UnaryNOT:
		a = ^a
	case uop.UnaryNEG:
		a = subBorrow(&c.flags, 0, a, 0)
	case uop.UnaryINC:
		a = incDec(&c.flags, a, 1)
	case uop.UnaryDEC:
		a = incDec(&c.flags, a, ^T(0))
	}
	put(c, u.Dst, a)
	return true
}

func shiftSlot[T word](c *CPU, u *uop.Uop) bool {
	count := uint(c.R[u.Src%uop.Slots] + uint64(u.Imm))
	if widthOf[T]() == 64 {
		count &= 63
	} else {
		count &= 31
	}
	put(c, u.Dst, shift(&c.flags, uint8(u.Aux), T(c.R[u.Dst%uop.Slots]), count))
	return true
}

func doShiftDouble(c *CPU, u *uop.Uop) bool {
	n := u.Aux & 0xFF
	count := uint(u.Imm)
	if u.Aux>>9&1 == 0 {
		count = uint(c.R[uop.RCX])
	}
	if n == 8 {
		count &= 63
	} else {
		count &= 31
	}
	mask := ^uint64(0) >> (64 - 8*n)
	a := c.R[u.Dst%uop.Slots] & mask
	c.putSize(u.Dst, n, c.flags.shiftDouble(u.Aux>>8&1 != 0, uint(8*n), a, c.R[u.Src%uop.Slots]&mask, count))
	return true
}

func (c *CPU) setZF(z bool) {
	var v uint64
	if z {
		v = FlagZF
	}
	c.flags.update(FlagZF, v)
}

func byteSwap(c *CPU, u *uop.Uop) bool {
	switch u.Aux {
	case 8:
		c.R[u.Dst%uop.Slots] = bits.ReverseBytes64(c.R[u.Dst%uop.Slots])
	case 4:
		c.R[u.Dst%uop.Slots] = uint64(bits.ReverseBytes32(uint32(c.R[u.Dst%uop.Slots])))
	default:
		put(c, u.Dst, uint16(0)) // undefined; this is what silicon does
	}
	return true
}

func moveBigEndian(c *CPU, u *uop.Uop) bool {
	v := bits.ReverseBytes64(c.R[u.Src%uop.Slots])
	c.R[u.Dst%uop.Slots] = v >> (64 - 8*u.Aux)
	return true
}

func checksum(c *CPU, u *uop.Uop) bool {
	n := u.Aux & 0xFF
	v := c.R[u.Src%uop.Slots]
	var b [8]byte
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
	// The instruction leaves out the inversions before and after that Update makes.
	c.R[u.Dst%uop.Slots] = uint64(^crc32.Update(^uint32(c.R[u.Dst%uop.Slots]), castagnoli, b[:n]))
	return true
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// addCarryX is ADCX (Aux 0) and ADOX (1) of 32 bits.
func addCarryX(c *CPU, u *uop.Uop) bool {
	f := &c.flags
	in := uint32(f.carry())
	if u.Aux == 1 {
		in = uint32(bit(f.of()))
	}
	r, carry := bits.Add32(uint32(c.R[u.Dst%uop.Slots]), uint32(c.R[u.Src%uop.Slots]), in)
	if u.Aux == 1 {
		f.setCarryOverflow(f.cf(), carry != 0)
	} else {
		f.setCarry(carry != 0)
	}
	c.R[u.Dst%uop.Slots] = uint64(r)
	return true
}

func convert(c *CPU, u *uop.Uop) bool {
	switch u.Aux {
	case 2:
		put(c, uop.RAX, uint16(int8(c.R[uop.RAX])))
	case 4:
		c.R[uop.RAX] = uint64(uint32(int16(c.R[uop.RAX])))
	default:
		c.R[uop.RAX] = uint64(int32(c.R[uop.RAX]))
	}
	return true
}

func convertDouble(c *CPU, u *uop.Uop) bool {
	switch u.Aux {
	case 2:
		put(c, uop.RDX, uint16(int16(c.R[uop.RAX])>>15))
	case 4:
		c.R[uop.RDX] = uint64(uint32(int32(c.R[uop.RAX]) >> 31))
	default:
		c.R[uop.RDX] = uint64(int64(c.R[uop.RAX]) >> 63)
	}
	return true
}

func loadFlags(c *CPU, _ *uop.Uop) bool {
	v := c.flags.get()&(FlagSF|FlagZF|FlagAF|FlagPF|FlagCF) | flag1
	c.R[uop.RAX] = c.R[uop.RAX]&^0xFF00 | v<<8
	return true
}

func storeFlags(c *CPU, _ *uop.Uop) bool {
	const mask = FlagSF | FlagZF | FlagAF | FlagPF | FlagCF
	c.flags.update(mask, c.R[uop.RAX]>>8)
	return true
}

// flagBit is CMC, CLC, STC, CLD and STD, by their opcodes.
func flagBit(c *CPU, u *uop.Uop) bool {
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

func moveConditional16(c *CPU, u *uop.Uop) bool {
	if c.flags.holds(uop.Condition(u.Aux)) {
		put(c, u.Dst, uint16(c.R[u.Src%uop.Slots]))
	}
	return true
}
