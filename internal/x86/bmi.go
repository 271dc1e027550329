package x86

// BMI1 and BMI2.

func bmi(c *CPU, u *Uop) bool {
	w := uint(u.Scale) * 8
	if w == 32 {
		bmiOn(c, u, uint32(c.R[u.Src%slots]), uint32(c.R[u.Index%slots]))
	} else {
		bmiOn(c, u, c.R[u.Src%slots], c.R[u.Index%slots])
	}
	return true
}

// bmiOn computes on the ModRM operand a and the VEX.vvvv operand b.
func bmiOn[T uint32 | uint64](c *CPU, u *Uop, a, b T) {
	w := widthOf[T]()
	count := uint(b) & (w - 1)
	var r T
	switch u.Aux {
	case bmiANDN:
		r = logic(&c.flags, ^b&a)
	case bmiBLSR:
		r = logic(&c.flags, a&(a-1))
		c.flags.setCarry(a == 0)
	case bmiBLSMSK:
		r = logic(&c.flags, a^(a-1))
		c.flags.setCarry(a == 0)
	case bmiBLSI:
		r = logic(&c.flags, a&-a)
		c.flags.setCarry(a != 0)
	case bmiBZHI:
		n := uint(uint8(b))
		r = a
		if n < w {
			r = a & (1<<n - 1)
		}
		logic(&c.flags, r)
		c.flags.setCarry(n > w-1)
	case bmiPEXT:
		r = extractBits(b, a)
	case bmiPDEP:
		r = depositBits(b, a)
	case bmiMULX: // of 32 bits
		p := uint64(uint32(c.R[RDX])) * uint64(a)
		c.R[u.Index%slots] = uint64(uint32(p))
		r = T(p >> 32)
	case bmiBEXTR:
		start, length := uint(uint8(b)), uint(uint8(b>>8))
		if start < w {
			r = a >> start
		}
		if length < w {
			r &= 1<<length - 1
		}
		logic(&c.flags, r)
	case bmiSHLX:
		r = a << count
	case bmiSARX:
		r = T(signed(a) >> count)
	case bmiSHRX:
		r = a >> count
	case bmiRORX:
		n := uint(u.Imm) & (w - 1)
		r = a>>n | a<<(w-n)
	}
	c.R[u.Dst%slots] = uint64(r)
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
