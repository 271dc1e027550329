package x86

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Loads and stores.
var x87TransferHandlers = map[uop.Op]handler{
	uop.FLD:      fld,
	uop.FLDst:    fldst,
	uop.FLD80:    fld80,
	uop.FLDConst: fldConst,
	uop.FST:      fst,
	uop.FSTst:    fstst,
	uop.FST80:    fst80,
	uop.FIST:     fist,
	uop.FISTT:    fist,
}

// memoryNumber unpacks a memory operand that has been loaded.
func memoryNumber(v uint64, format uint8) softfloat.Number {
	switch format {
	case uop.X87Single:
		return softfloat.Unpack32(uint32(v))
	case uop.X87Double:
		return softfloat.Unpack64(v)
	case uop.X87Int16:
		return softfloat.FromInt(int64(int16(v)))
	case uop.X87Int32:
		return softfloat.FromInt(int64(int32(v)))
	}
	return softfloat.FromInt(int64(v))
}

// fld pushes a memory operand. It can always be held exactly, but a signaling NaN is invalid and a denormal raises.
func fld(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	r := softfloat.Indefinite
	if c.room(&s) {
		r = s.Convert(memoryNumber(c.R[uop.Tmp0], u.Src), &softfloat.Extended)
	}
	if c.commit(u, &s) || s.Flags&^s.Masked&softfloat.IE == 0 { // an unmasked denormal operand is loaded nevertheless
		c.fpu.push(softfloat.Pack80(r))
	}
	return true
}

// pushRaw pushes a value that is not looked at.
func (c *CPU) pushRaw(u *uop.Uop, s *x87Step, v softfloat.Float80) {
	if !c.room(s) {
		v = indefinite80
	}
	if c.commit(u, s) {
		c.fpu.push(v)
	}
}

func fldst(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	v := indefinite80
	if c.need(&s, u.Src) && c.room(&s) {
		v = *c.fpu.st(u.Src)
	}
	if c.commit(u, &s) {
		c.fpu.push(v)
	}
	return true
}

func fld80(c *CPU, u *uop.Uop) bool {
	var b [10]byte
	if va := c.ea(u); !c.natural(va, 8) || !c.readBytes(va, b[:]) {
		return false
	}
	s := c.begin()
	c.pushRaw(u, &s, softfloat.Float80{M: binary.LittleEndian.Uint64(b[:]), SE: binary.LittleEndian.Uint16(b[8:])})
	return true
}

// x87Constants are 1, log2(10), log2(e), π, log10(2), ln(2) and 0 (SDM vol. 2, FLD1): the significand to 64 bits, the
// next bits, and the exponent. They are rounded as RC says.
var x87Constants = [...]struct {
	m, more uint64
	exp     int
}{
	{1 << 63, 0, 0},
	{0xD49A784BCD1B8AFE, 0x492BF6FF4DAFDB4C, 1},
	{0xB8AA3B295C17F0BB, 0xBE87FED0691D3E89, 0},
	{0xC90FDAA22168C234, 0xC4C6628B80DC1CD1, 1},
	{0x9A209A84FBCFF798, 0x8F8959AC0B7C9178, -2},
	{0xB17217F7D1CF79AB, 0xC9E3B39803F2F6AF, -1},
	{},
}

func fldConst(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	k := &x87Constants[u.Src]
	var r softfloat.Number
	if k.m != 0 {
		r = s.Round(false, k.exp, k.m, k.more, &softfloat.Extended)
	}
	s.Flags, s.Up = 0, false // being inexact is not raised
	c.pushRaw(u, &s, softfloat.Pack80(r))
	return true
}

// Stores compute first, store then, since that may fault, and change the x87 state last. An unmasked exception other
// than precision keeps them from storing.

// fst stores ST(0) as a float32 or float64, as Dst says.
func fst(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	r, format := softfloat.Indefinite, &softfloat.Single
	if u.Dst == uop.X87Double {
		format = &softfloat.Double
	}
	if c.need(&s, 0) {
		if a := c.value(0); a.Kind == softfloat.Finite {
			r = s.Round(a.Neg, a.Exp, a.M, 0, format) // a denormal operand does not raise
		} else {
			r = s.Convert(a, format)
		}
	}
	if s.Flags&^s.Masked&^softfloat.PE != 0 {
		s.Flags, s.Up = s.Flags&^softfloat.PE, false // nothing has been rounded
		c.commit(u, &s)
		return true
	}
	var ok bool
	if u.Dst == uop.X87Double {
		ok = c.store64(c.ea(u), softfloat.Pack64(r))
	} else {
		ok = c.store32(c.ea(u), softfloat.Pack32(r))
	}
	if ok {
		c.commit(u, &s)
		c.fpu.pop(u.Imm)
	}
	return ok
}

// fstst stores to ST(Dst). The alias of FSTP that Scale marks stores nothing where ST(0) is empty, and raises nothing.
func fstst(c *CPU, u *uop.Uop) bool {
	if u.Scale != 0 && !c.fpu.filled(0) {
		c.fpu.fip = c.ip()
		c.fpu.sw &^= x87C1
		c.fpu.pop(u.Imm)
		return true
	}
	s := c.begin()
	v := *c.fpu.st(0)
	if !c.need(&s, 0) {
		v = indefinite80
	}
	if c.commit(u, &s) {
		c.fpu.set(u.Dst, v)
		c.fpu.pop(u.Imm)
	}
	return true
}

func fst80(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	v := *c.fpu.st(0)
	if !c.need(&s, 0) {
		v = indefinite80
	}
	if s.Flags&^s.Masked != 0 {
		c.commit(u, &s)
		return true
	}
	var b [10]byte
	binary.LittleEndian.PutUint64(b[:], v.M)
	binary.LittleEndian.PutUint16(b[8:], v.SE)
	if va := c.ea(u); !c.natural(va, 8) || !c.writeBytes(va, b[:]) {
		return false
	}
	c.commit(u, &s)
	c.fpu.pop(u.Imm)
	return true
}

// fist stores ST(0) as an integer of Dst's format; FISTTP truncates.
func fist(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	if u.Op == uop.FISTT {
		s.RC = softfloat.TowardZero
	}
	bits := 16 << (u.Dst - uop.X87Int16)
	v := int64(-1) << (bits - 1)
	if c.need(&s, 0) {
		v = s.ToInteger(c.value(0), bits)
	}
	if s.Flags&^s.Masked&^softfloat.PE != 0 {
		c.commit(u, &s)
		return true
	}
	var ok bool
	switch va := c.ea(u); u.Dst {
	case uop.X87Int16:
		ok = c.store16(va, uint16(v))
	case uop.X87Int32:
		ok = c.store32(va, uint32(v))
	default:
		ok = c.store64(va, uint64(v))
	}
	if ok {
		c.commit(u, &s)
		c.fpu.pop(u.Imm)
	}
	return ok
}
