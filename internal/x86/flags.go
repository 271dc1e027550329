package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// lazyFlags holds the arithmetic flags in the form in which instructions leave them, so that setting them costs a few
// operations without a branch and reading one costs little more. The scheme follows from two observations: ZF, SF and
// PF are functions of the result, and CF, OF and AF are bits of the vector of carries out of each bit position.
//
// For every operand size the result is sign-extended and the carries are moved to the top, so readers need not know the
// size. Flag combinations that no result has (POPF, SAHF) are expressed through sfDelta and pfDelta.
type lazyFlags struct {
	res int64  // ZF: res == 0. SF: res < 0, inverted by sfDelta. PF: even parity of byte(res) ^ byte(aux>>pfDelta)
	aux uint64 // carries: bit 63 CF, bit 62 CF^OF, bit 3 AF; and sfDelta, pfDelta
}

const (
	auxCF   = 1 << 63
	auxPO   = 1 << 62 // carry into the sign bit: CF ^ OF
	auxAF   = 1 << 3
	sfDelta = 1 << 0
	pfDelta = 8 // position of a byte
)

func (f *lazyFlags) zf() bool { return f.res == 0 }
func (f *lazyFlags) sf() bool { return (f.res < 0) != (f.aux&sfDelta != 0) }
func (f *lazyFlags) cf() bool { return int64(f.aux) < 0 }
func (f *lazyFlags) of() bool { return int64(f.aux^f.aux<<1) < 0 }
func (f *lazyFlags) pf() bool { return bits.OnesCount8(uint8(f.res)^uint8(f.aux>>pfDelta))&1 == 0 }
func (f *lazyFlags) af() bool { return f.aux&auxAF != 0 }

// carry returns CF as 0 or 1.
func (f *lazyFlags) carry() uint64 { return f.aux >> 63 }

// get returns the six arithmetic flags at their places in RFLAGS.
func (f *lazyFlags) get() uint64 {
	var v uint64
	if f.cf() {
		v |= FlagCF
	}
	if f.pf() {
		v |= FlagPF
	}
	if f.af() {
		v |= FlagAF
	}
	if f.zf() {
		v |= FlagZF
	}
	if f.sf() {
		v |= FlagSF
	}
	if f.of() {
		v |= FlagOF
	}
	return v
}

// set takes all six arithmetic flags from v, in the places that they have in RFLAGS.
func (f *lazyFlags) set(v uint64) {
	f.res, f.aux = 1, 0
	if v&FlagZF != 0 {
		f.res = 0
	}
	if (v&FlagPF != 0) != (f.res == 0) {
		f.aux |= 1 << pfDelta // a result of 0 has even parity, one of 1 has not
	}
	if v&FlagSF != 0 {
		f.aux |= sfDelta
	}
	if v&FlagAF != 0 {
		f.aux |= auxAF
	}
	f.setCarryOverflow(v&FlagCF != 0, v&FlagOF != 0)
}

// setCarryOverflow changes CF and OF alone.
func (f *lazyFlags) setCarryOverflow(cf, of bool) {
	f.aux &^= auxCF | auxPO
	if cf {
		f.aux |= auxCF
	}
	if cf != of {
		f.aux |= auxPO
	}
}

// setCarry changes CF alone.
func (f *lazyFlags) setCarry(cf bool) { f.setCarryOverflow(cf, f.of()) }

// update changes the flags in mask, given in RFLAGS' places, to those of v.
func (f *lazyFlags) update(mask, v uint64) { f.set(f.get()&^mask | v&mask) }

// Flags returns RFLAGS.
func (c *CPU) Flags() uint64 { return c.rest | c.flags.get() | flag1 }

// SetFlags sets RFLAGS; bits that do not exist are dropped, and VM stays what it is: it is a mode of the processor.
func (c *CPU) SetFlags(v uint64) {
	c.flags.set(v)
	c.setRest(v&^FlagVM | c.rest&FlagVM)
}

// restoreFlags is SetFlags for a state as a whole, of which control registers are there. Virtual-8086 mode, which long mode and
// real mode do not have, is always at privilege 3.
func (c *CPU) restoreFlags(v uint64) {
	c.rest = v & FlagVM
	if c.realMode() || c.longMode() {
		c.rest = 0
	}
	if c.virtual8086() {
		c.cpl = 3
	}
	c.SetFlags(v)
}

// existingFlags are the flags that are not arithmetic, but for RF.
const existingFlags = FlagTF | FlagIF | FlagDF | iopl | FlagNT | FlagVM | FlagAC | FlagVIF | FlagVIP | FlagID

// setRest sets the flags that are not arithmetic. RF is not among them: it is clear after the next instruction,
// and CPU.resuming says where it is set. AC decides how SMAP sees an access, so the TLB in use follows it.
func (c *CPU) setRest(v uint64) {
	c.rest = v & existingFlags
	c.selectTLB()
}

// A word is an operand of one of the four sizes.
type word interface {
	uint8 | uint16 | uint32 | uint64
}

func widthOf[T word]() uint {
	return uint(bits.Len64(uint64(^T(0))))
}

// signed returns v sign-extended to 64 bits.
func signed[T word](v T) int64 {
	s := 64 - widthOf[T]()
	return int64(uint64(v)<<s) >> s
}

// The functions below compute a result and the flags that go with it.

func (f *lazyFlags) logic64(r uint64) uint64 { f.res, f.aux = int64(r), 0; return r }
func (f *lazyFlags) logic32(r uint32) uint64 { f.res, f.aux = int64(int32(r)), 0; return uint64(r) }

func logic[T word](f *lazyFlags, r T) T {
	f.res, f.aux = signed(r), 0
	return r
}

const topCarries = auxCF | auxPO | auxAF

// carries64 and carries32 place a carry vector, in which bit i is the carry out of position i.
func carries64(v uint64) uint64 { return v & topCarries }
func carries32(v uint64) uint64 { return (v<<32 | v&auxAF) & topCarries }

func (f *lazyFlags) add64(a, b uint64) uint64 {
	r := a + b
	f.res, f.aux = int64(r), carries64(a&b|(a|b)&^r)
	return r
}

func (f *lazyFlags) add32(a, b uint64) uint64 {
	r := uint64(uint32(a) + uint32(b))
	f.res, f.aux = int64(int32(r)), carries32(a&b|(a|b)&^r)
	return r
}

func (f *lazyFlags) sub64(a, b uint64) uint64 {
	r := a - b
	f.res, f.aux = int64(r), carries64(^a&b|(^a|b)&r)
	return r
}

func (f *lazyFlags) sub32(a, b uint64) uint64 {
	r := uint64(uint32(a) - uint32(b))
	f.res, f.aux = int64(int32(r)), carries32(^a&b|(^a|b)&r)
	return r
}

func (f *lazyFlags) adc64(a, b uint64) uint64 {
	r := a + b + f.carry()
	f.res, f.aux = int64(r), carries64(a&b|(a|b)&^r)
	return r
}

func (f *lazyFlags) adc32(a, b uint64) uint64 {
	r := uint64(uint32(a) + uint32(b) + uint32(f.carry()))
	f.res, f.aux = int64(int32(r)), carries32(a&b|(a|b)&^r)
	return r
}

func (f *lazyFlags) sbb64(a, b uint64) uint64 {
	r := a - b - f.carry()
	f.res, f.aux = int64(r), carries64(^a&b|(^a|b)&r)
	return r
}

func (f *lazyFlags) sbb32(a, b uint64) uint64 {
	r := uint64(uint32(a) - uint32(b) - uint32(f.carry()))
	f.res, f.aux = int64(int32(r)), carries32(^a&b|(^a|b)&r)
	return r
}

// addCarry and subBorrow are ADC and SBB for any size; in is the carry in, 0 or 1.
func addCarry[T word](f *lazyFlags, a, b, in T) T {
	r := a + b + in
	v := uint64(a&b | (a|b)&^r)
	f.res, f.aux = signed(r), (v<<(64-widthOf[T]())|v&auxAF)&topCarries
	return r
}

func subBorrow[T word](f *lazyFlags, a, b, in T) T {
	r := a - b - in
	v := uint64(^a&b | (^a|b)&r)
	f.res, f.aux = signed(r), (v<<(64-widthOf[T]())|v&auxAF)&topCarries
	return r
}

// compare gives the flags of a - b for operands of n bytes.
func (f *lazyFlags) compare(n, a, b uint64) {
	switch n {
	case 1:
		subBorrow(f, uint8(a), uint8(b), 0)
	case 2:
		subBorrow(f, uint16(a), uint16(b), 0)
	case 4:
		f.sub32(a, b)
	default:
		f.sub64(a, b)
	}
}

// incDec gives the flags of INC (d = 1) and DEC (d = ^0), which leave CF alone.
func incDec[T word](f *lazyFlags, a, d T) T {
	cf := f.cf()
	var r T
	if d == 1 {
		r = addCarry(f, a, 1, 0)
	} else {
		r = subBorrow(f, a, 1, 0)
	}
	f.setCarryOverflow(cf, f.of())
	return r
}

// holds says whether the flags satisfy the condition.
func (f *lazyFlags) holds(cc uop.Condition) bool {
	var v bool
	switch cc >> 1 {
	case uop.CondO >> 1:
		v = f.of()
	case uop.CondB >> 1:
		v = f.cf()
	case uop.CondE >> 1:
		v = f.zf()
	case uop.CondBE >> 1:
		v = f.cf() || f.zf()
	case uop.CondS >> 1:
		v = f.sf()
	case uop.CondP >> 1:
		v = f.pf()
	case uop.CondL >> 1:
		v = f.sf() != f.of()
	default:
		v = f.zf() || f.sf() != f.of()
	}
	return v != (cc&1 != 0)
}
