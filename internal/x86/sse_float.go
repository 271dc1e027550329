package x86

import "math"

// MXCSR (SDM vol. 1, 10.2.3). Exception flags are in bits 5:0 and their masks in bits 12:7, both in the order of fpIE
// and so on.
const (
	mxcsrDAZ   = 1 << 6
	mxcsrMasks = fpAll << mxcsrMaskShift
	mxcsrRC    = 3 << mxcsrRCShift
	mxcsrFTZ   = 1 << 15

	mxcsrMaskShift = 7
	mxcsrRCShift   = 13
	mxcsrDefault   = mxcsrMasks // RNE, all exceptions masked, none raised
	mxcsrExist     = 0xFFFF     // the others are reserved: MXCSR_MASK of FXSAVE
)

// sseEnv is the environment that MXCSR asks for.
func (c *CPU) sseEnv() floatEnv {
	m := c.mxcsr
	return floatEnv{
		rc:     rounding(m >> mxcsrRCShift & 3),
		daz:    m&mxcsrDAZ != 0,
		ftz:    m&mxcsrFTZ != 0,
		masked: uint8(m >> mxcsrMaskShift & fpAll),
		host:   c.hostFloat(),
	}
}

// settle records the exceptions that e collected. Where one is not masked, it raises #XM and returns false: the
// destination must not change. Exceptions that are detected before computing keep those that come after it, of all
// lanes, from being looked for.
func (c *CPU) settle(e *floatEnv) bool {
	if e.flags == 0 {
		return true
	}
	if before := e.flags & fpBefore; before&^e.masked != 0 {
		e.flags = before
	}
	c.mxcsr |= uint32(e.flags)
	if e.flags&^e.masked == 0 {
		return true
	}
	if c.cr4&CR4OSXMMEXCPT == 0 {
		c.raiseNoCode(vectorUD)
	} else {
		c.raiseNoCode(vectorXM)
	}
	return false
}

// A floatOp is an operation on one or two lanes.
type floatOp uint8

const (
	floatAdd floatOp = iota
	floatSub
	floatMul
	floatDiv
	floatSqrt // of the second operand
	floatMin
	floatMax
)

// arith32 and arith64 are one lane of an operation.
func (e *floatEnv) arith32(op floatOp, a, b uint32) uint32 {
	if e.host {
		if r, ok := host32(op, a, b); ok {
			return r
		}
	}
	if op >= floatMin {
		return uint32(e.extreme(op, unpack32(a), unpack32(b), uint64(a), uint64(b), 1<<31))
	}
	return pack32(e.arith(op, unpack32(a), unpack32(b), &single))
}

func (e *floatEnv) arith64(op floatOp, a, b uint64) uint64 {
	if e.host {
		if r, ok := host64(op, a, b); ok {
			return r
		}
	}
	if op >= floatMin {
		return e.extreme(op, unpack64(a), unpack64(b), a, b, 1<<63)
	}
	return pack64(e.arith(op, unpack64(a), unpack64(b), &double))
}

func (e *floatEnv) arith(op floatOp, a, b number, f *floatFormat) number {
	switch op {
	case floatAdd:
		return e.add(a, b, f)
	case floatSub:
		return e.sub(a, b, f)
	case floatMul:
		return e.mul(a, b, f)
	case floatDiv:
		return e.div(a, b, f)
	}
	return e.sqrt(b, f)
}

// normal32 and normal64 say whether the exponent field is neither all zeros nor all ones.
func normal32(v uint32) bool { return v>>23&0xFF-1 < 0xFE }
func normal64(v uint64) bool { return v>>52&0x7FF-1 < 0x7FE }

// safe32 and safe64 are the same for results, without the smallest exponent: such a result may have been tiny before it
// was rounded.
func safe32(v uint32) bool { return v>>23&0xFF-2 < 0xFD }
func safe64(v uint64) bool { return v>>52&0x7FF-2 < 0x7FD }

// host32 and host64 let the host compute where neither operands nor result are zero, denormal, infinite or NaN; ok is
// false where they are.
func host32(op floatOp, a, b uint32) (r uint32, ok bool) {
	if op == floatSqrt {
		a = b
	}
	if !normal32(a) || !normal32(b) {
		return 0, false
	}
	r = math.Float32bits(host(op, math.Float32frombits(a), math.Float32frombits(b)))
	return r, safe32(r)
}

func host64(op floatOp, a, b uint64) (r uint64, ok bool) {
	if op == floatSqrt {
		a = b
	}
	if !normal64(a) || !normal64(b) {
		return 0, false
	}
	r = math.Float64bits(host(op, math.Float64frombits(a), math.Float64frombits(b)))
	return r, safe64(r)
}

// host computes on the host. The conversions keep compilers from fusing operations.
func host[T float32 | float64](op floatOp, a, b T) T {
	switch op {
	case floatAdd:
		return T(a + b)
	case floatSub:
		return T(a - b)
	case floatMul:
		return T(a * b)
	case floatDiv:
		return T(a / b)
	case floatSqrt:
		return T(math.Sqrt(float64(b))) // for float32 too: a square root rounded to 53 bits and then to 24 is correctly rounded
	case floatMin:
		if a < b {
			return a
		}
		return b
	}
	if a > b {
		return a
	}
	return b
}

// extreme is MIN and MAX: the first operand where it is strictly smaller or greater, else the second, also for NaNs and
// zeros of either sign. x and y are the operands' encodings; sign is their sign bit.
func (e *floatEnv) extreme(op floatOp, a, b number, x, y, sign uint64) uint64 {
	if a.denormal && e.daz {
		x &= sign
	}
	if b.denormal && e.daz {
		y &= sign
	}
	want := less
	if op == floatMax {
		want = greaterThan
	}
	if e.compare(a, b, true) == want {
		return x
	}
	return y
}
