package x86

import (
	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Packed decimal integers: 18 digits, two a byte, and a sign (SDM vol. 1, 4.7).
var x87DecimalHandlers = map[uop.Op]handler{uop.FBLD: fbld, uop.FBSTP: fbstp}

const decimalLimit = 1e18 // 18 digits

func fbld(c *CPU, u *uop.Uop) bool {
	var b [10]byte
	if va := c.ea(u); !c.natural(va, 8) || !c.readBytes(va, b[:]) {
		return false
	}
	var v int64
	for i := 8; i >= 0; i-- {
		v = v*100 + int64(b[i]>>4)*10 + int64(b[i]&15)
	}
	r := softfloat.FromInt(v)
	r.Neg = b[9]>>7 != 0
	s := c.begin()
	c.pushRaw(u, &s, softfloat.Pack80(r))
	return true
}

func fbstp(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	b := [10]byte{7: 0xC0, 8: 0xFF, 9: 0xFF} // the indefinite
	if c.need(&s, 0) {
		a := c.value(0)
		v := uint64(s.ToInteger(a, 64))
		if a.Neg {
			v = -v
		}
		switch {
		case s.Flags&softfloat.IE != 0:
		case v >= decimalLimit:
			s.Flags, s.Up = softfloat.IE, false
		default:
			b = [10]byte{}
			for i := range 9 {
				b[i] = byte(v%10 + v/10%10<<4)
				v /= 100
			}
			if a.Neg {
				b[9] = 0x80
			}
		}
	}
	if s.Flags&^s.Masked&^softfloat.PE != 0 {
		c.commit(u, &s)
		return true
	}
	if va := c.ea(u); !c.natural(va, 8) || !c.writeBytes(va, b[:]) {
		return false
	}
	c.commit(u, &s)
	c.fpu.pop(1)
	return true
}
