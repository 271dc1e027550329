package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// BMI1 and BMI2.

func bmi(c *CPU, u *uop.Uop) bool {
	w := uint(u.Scale) * 8
	if w == 32 {
		bmiOn(c, u, uint32(c.R[u.Src%uop.Slots]), uint32(c.R[u.Index%uop.Slots]))
	} else {
		bmiOn(c, u, c.R[u.Src%uop.Slots], c.R[u.Index%uop.Slots])
	}
	return true
}

// bmiOn computes on the ModRM operand a and the VEX.vvvv operand b.
func bmiOn[T uint32 | uint64](c *CPU, u *uop.Uop, a, b T) {
	w := widthOf[T]()
	count := uint(b) & (w - 1)
	var r T
	switch u.Aux {
	case uop.BMIANDN:
		r = logic(&c.flags, ^b&a)
	case uop.BMIBLSR:
		r = logic(&c.flags, a&(a-1))
		c.flags.setCarry(a == 0)
	case uop.BMIBLSMSK:
		r = logic(&c.flags, a^(a-1))
		c.flags.setCarry(a == 0)
	case uop.BMIBLSI:
		r = logic(&c.flags, a&-a)
		c.flags.setCarry(a != 0)
	case uop.BMIBZHI:
		n := uint(uint8(b))
		r = a
		if n < w {
			r = a & (1<<n - 1)
		}
		logic(&c.flags, r)
		c.flags.setCarry(n > w-1)
	case uop.BMIPEXT:
		r = extractBits(b, a)
	case uop.BMIPDEP:
		r = depositBits(b, a)
	case uop.BMIMULX: // of 32 bits
		p := uint64(uint32(c.R[uop.RDX])) * uint64(a)
		c.R[u.Index%uop.Slots] = uint64(uint32(p))
		r = T(p >> 32)
	case uop.BMIBEXTR:
		start, length := uint(uint8(b)), uint(uint8(b>>8))
		if start < w {
			r = a >> start
		}
		if length < w {
			r &= 1<<length - 1
		}
		logic(&c.flags, r)
	case uop.BMISHLX:
		r = a << count
	case uop.BMISARX:
		r = T(signed(a) >> count)
	case uop.BMISHRX:
		r = a >> count
	case uop.BMIRORX:
		n := uint(u.Imm) & (w - 1)
		r = a>>n | a<<(w-n)
	}
	c.R[u.Dst%uop.Slots] = uint64(r)
}

// extractBits gathers the bits of v that mask selects at the bottom; depositBits scatters them.
func extractBits[T word](v, mask T) (r T) {
	for k := T(1); mask != 0; k <<= 1 {
		if v&(mask&-mask) != 0 {
			r |= k
		}
		mask &= mask - 1
	}
	return r
}

func depositBits[T word](v, mask T) (r T) {
	for k := T(1); mask != 0; k <<= 1 {
		if v&k != 0 {
			r |= mask & -mask
		}
		mask &= mask - 1
	}
	return r
}
