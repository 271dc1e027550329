package softfloat

// Convert rounds a number to another format. Signaling NaNs become quiet.
func (e *Env) Convert(a Number, f *Format) Number {
	a = e.operand(a)
	if r, ok := e.Special(a, a); !ok {
		return r
	}
	e.Denormals(a, a)
	if a.Kind != Finite {
		return a
	}
	return e.Round(a.Neg, a.Exp, a.M, 0, f)
}

// FromInteger rounds an integer to a format.
func (e *Env) FromInteger(v int64, f *Format) Number {
	n := FromInt(v)
	if n.Kind == Zero {
		return n
	}
	return e.Round(n.Neg, n.Exp, n.M, 0, f)
}

// integral rounds a finite number to an integer; inexact is not raised but returned. The result is a number of the same
// precision, and keeps its sign where it is zero.
func (e *Env) integral(a Number) (r Number, inexact bool) {
	if a.Exp >= 63 {
		return a, false
	}
	cut := 63 - a.Exp // number of bits after the point
	hi, lo := shiftRightSticky(a.M, 0, cut)
	if e.increments(a.Neg, hi&1 != 0, lo) {
		e.Up = true
		hi++ // cannot overflow: cut is at least 1
	}
	return normalized(a.Neg, 63, hi), lo != 0
}

// RoundIntegral rounds to an integral value in the operand's own format.
func (e *Env) RoundIntegral(a Number) Number {
	a = e.operand(a)
	if r, ok := e.Special(a, a); !ok {
		return r
	}
	if a.Kind != Finite {
		return a
	}
	r, inexact := e.integral(a)
	if inexact {
		e.Flags |= PE
	}
	return r
}

// ToInteger converts to a signed integer of n bits. What does not fit gives the most negative one, and the
// invalid-operation exception (SDM vol. 1, 4.8.3.7, 8.5.1.2, 11.5.2.1).
func (e *Env) ToInteger(a Number, n int) int64 {
	least := int64(-1) << (n - 1)
	a = e.operand(a)
	if a.Kind == Zero {
		return 0
	}
	if a.Kind != Finite {
		e.Flags |= IE
		return least
	}
	r, inexact := e.integral(a)
	if r.Exp >= n-1 && r != (Number{Kind: Finite, Neg: true, Exp: n - 1, M: 1 << 63}) {
		e.Flags |= IE
		e.Up = false
		return least
	}
	if inexact {
		e.Flags |= PE
	}
	if r.Kind == Zero {
		return 0
	}
	v := int64(r.M >> (63 - r.Exp))
	if r.Neg {
		v = -v
	}
	return v
}

// An Ordering is the result of a comparison.
type Ordering uint8

// Results of a comparison.
const (
	Less Ordering = iota
	Equal
	GreaterThan
	Unordered
)

// Compare orders two numbers. Signaling NaNs raise the invalid-operation exception, quiet ones too where signal is set.
func (e *Env) Compare(a, b Number, signal bool) Ordering {
	a, b = e.operand(a), e.operand(b)
	if a.Kind == Unsupported || b.Kind == Unsupported {
		e.Flags |= IE
		return Unordered
	}
	if a.IsNaN() || b.IsNaN() {
		if signal || a.Kind == SignalingNaN || b.Kind == SignalingNaN {
			e.Flags |= IE
		}
		return Unordered
	}
	e.Denormals(a, b)
	if a.Kind == Zero && b.Kind == Zero {
		return Equal
	}
	x, y := a.rank(), b.rank()
	switch {
	case x < y:
		return Less
	case x > y:
		return GreaterThan
	case a.M == b.M:
		return Equal
	case a.M < b.M != a.Neg:
		return Less
	}
	return GreaterThan
}

// rank orders numbers that are not NaNs by sign and exponent.
func (n *Number) rank() int {
	const beyond = 1 << 20 // all exponents are smaller
	var r int
	switch n.Kind {
	case Infinite:
		r = 2 * beyond
	case Finite:
		r = beyond + n.Exp
	}
	if n.Neg {
		return -r
	}
	return r
}
