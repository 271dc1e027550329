package softfloat

import "math"

// An Op is an operation on one or two lanes.
type Op uint8

// Operations.
const (
	OpAdd Op = iota
	OpSub
	OpMul
	OpDiv
	OpSqrt // of the second operand
	OpMin
	OpMax
)

// Arith32 and Arith64 are one lane of an operation, on encodings.
func (e *Env) Arith32(op Op, a, b uint32) uint32 {
	if e.Host {
		if r, ok := Host32(op, a, b); ok {
			return r
		}
	}
	if op >= OpMin {
		return uint32(e.extreme(op, Unpack32(a), Unpack32(b), uint64(a), uint64(b), 1<<31))
	}
	return Pack32(e.arith(op, Unpack32(a), Unpack32(b), &Single))
}

func (e *Env) Arith64(op Op, a, b uint64) uint64 {
	if e.Host {
		if r, ok := Host64(op, a, b); ok {
			return r
		}
	}
	if op >= OpMin {
		return e.extreme(op, Unpack64(a), Unpack64(b), a, b, 1<<63)
	}
	return Pack64(e.arith(op, Unpack64(a), Unpack64(b), &Double))
}

func (e *Env) arith(op Op, a, b Number, f *Format) Number {
	switch op {
	case OpAdd:
		return e.Add(a, b, f)
	case OpSub:
		return e.Sub(a, b, f)
	case OpMul:
		return e.Mul(a, b, f)
	case OpDiv:
		return e.Div(a, b, f)
	}
	return e.Sqrt(b, f)
}

// Normal32 and Normal64 say whether the exponent field is neither all zeros nor all ones.
func Normal32(v uint32) bool { return v>>23&0xFF-1 < 0xFE }
func Normal64(v uint64) bool { return v>>52&0x7FF-1 < 0x7FE }

// safe32 and safe64 are the same for results, without the smallest exponent: such a result may have been tiny before it
// was rounded.
func safe32(v uint32) bool { return v>>23&0xFF-2 < 0xFD }
func safe64(v uint64) bool { return v>>52&0x7FF-2 < 0x7FD }

// Host32 and Host64 let the host compute where neither operands nor result are zero, denormal, infinite or NaN; ok is
// false where they are.
func Host32(op Op, a, b uint32) (r uint32, ok bool) {
	if op == OpSqrt {
		a = b
	}
	if !Normal32(a) || !Normal32(b) {
		return 0, false
	}
	r = math.Float32bits(host(op, math.Float32frombits(a), math.Float32frombits(b)))
	return r, safe32(r)
}

func Host64(op Op, a, b uint64) (r uint64, ok bool) {
	if op == OpSqrt {
		a = b
	}
	if !Normal64(a) || !Normal64(b) {
		return 0, false
	}
	r = math.Float64bits(host(op, math.Float64frombits(a), math.Float64frombits(b)))
	return r, safe64(r)
}

// host computes on the host. The conversions keep compilers from fusing operations.
func host[T float32 | float64](op Op, a, b T) T {
	switch op {
	case OpAdd:
		return T(a + b)
	case OpSub:
		return T(a - b)
	case OpMul:
		return T(a * b)
	case OpDiv:
		return T(a / b)
	case OpSqrt:
		return T(math.Sqrt(float64(b))) // for float32 too: a square root rounded to 53 bits and then to 24 is correctly rounded
	case OpMin:
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
func (e *Env) extreme(op Op, a, b Number, x, y, sign uint64) uint64 {
	if a.Denormal && e.DAZ {
		x &= sign
	}
	if b.Denormal && e.DAZ {
		y &= sign
	}
	want := Less
	if op == OpMax {
		want = GreaterThan
	}
	if e.Compare(a, b, true) == want {
		return x
	}
	return y
}

// Widen and Narrow convert between float64 and float32.
func (e *Env) Widen(v uint32) uint64  { return Pack64(e.Convert(Unpack32(v), &Double)) }
func (e *Env) Narrow(v uint64) uint32 { return Pack32(e.Convert(Unpack64(v), &Single)) }

// Singles converts two 32-bit integers to float32, Integers32 two float32 to integers.
func (e *Env) Singles(q uint64) uint64 {
	return uint64(Pack32(e.FromInteger(int64(int32(q)), &Single))) | uint64(Pack32(e.FromInteger(int64(q)>>32, &Single)))<<32
}

func (e *Env) Integers32(q uint64) uint64 {
	return uint64(uint32(e.ToInteger(Unpack32(uint32(q)), 32))) | uint64(e.ToInteger(Unpack32(uint32(q>>32)), 32))<<32
}
