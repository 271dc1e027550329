package softfloat

import (
	"math"
	"math/big"
	"math/rand"
	"testing"
)

func draws(t *testing.T) *rand.Rand {
	const seed = 1
	t.Logf("seed %d", seed)
	return rand.New(rand.NewSource(seed))
}

// A doubleDraw draws float64 of every kind: ordinary, near the ends of the range, denormal, special.
func doubleDraw(r *rand.Rand) float64 {
	switch r.Intn(6) {
	case 0:
		return []float64{0, math.Copysign(0, -1), 1, -1, math.Inf(1), math.Inf(-1), math.MaxFloat64,
			math.SmallestNonzeroFloat64, 0x1p-1022}[r.Intn(9)]
	case 1:
		return math.Float64frombits(r.Uint64()>>(12+r.Intn(52)) | uint64(r.Intn(2))<<63)
	case 2:
		return math.Ldexp(r.NormFloat64(), -1000-r.Intn(60))
	case 3:
		return math.Ldexp(r.NormFloat64(), 1000+r.Intn(24))
	case 4:
		return float64(r.Intn(1 << 20))
	}
	return r.NormFloat64()
}

var bothOps = []Op{OpAdd, OpSub, OpMul, OpDiv, OpSqrt}

// In round to nearest, results are the host's, from denormals to infinities.
func TestSoftFloatIsTheHosts(t *testing.T) {
	r := draws(t)
	for range 300_000 {
		a, b := doubleDraw(r), doubleDraw(r)
		for _, op := range bothOps {
			e := Env{Masked: AllExceptions}
			got := Pack64(e.arith(op, Unpack64(math.Float64bits(a)), Unpack64(math.Float64bits(b)), &Double))
			if want := host(op, a, b); math.IsNaN(want) {
				if got != 0xFFF8000000000000 || e.Flags != IE {
					t.Fatalf("operation %d of %v and %v: %#x, exceptions %#x, want the indefinite and IE", op, a, b, got, e.Flags)
				}
			} else if got != math.Float64bits(want) {
				t.Fatalf("operation %d of %v and %v: %v, want %v", op, a, b, math.Float64frombits(got), want)
			}
			x, y := float32(a), float32(b)
			e = Env{Masked: AllExceptions}
			got32 := Pack32(e.arith(op, Unpack32(math.Float32bits(x)), Unpack32(math.Float32bits(y)), &Single))
			if want := host(op, x, y); want == want && got32 != math.Float32bits(want) {
				t.Fatalf("operation %d of %v and %v: %v, want %v", op, x, y, math.Float32frombits(got32), want)
			}
		}
		e := Env{Masked: AllExceptions}
		if got, want := e.Narrow(math.Float64bits(a)), math.Float32bits(float32(a)); got != want {
			t.Fatalf("%v as single: %#x, want %#x", a, got, want)
		}
	}
}

// In every rounding mode and precision, results and the precision exception are those of math/big.
func TestSoftFloatRoundsAsBig(t *testing.T) {
	r := draws(t)
	modes := map[Rounding]big.RoundingMode{
		NearestEven: big.ToNearestEven, TowardNegative: big.ToNegativeInf, TowardPositive: big.ToPositiveInf, TowardZero: big.ToZero,
	}
	draw := func() Number {
		m := r.Uint64() | 1<<63
		switch r.Intn(4) {
		case 0:
			m &= ^uint64(0) << r.Intn(64)
		case 1: // quotients of such are nearly halfway
			m = []uint64{1 << 63, 1<<63 | 1, ^uint64(0), ^uint64(0) - 1}[r.Intn(4)]
		}
		return Number{Kind: Finite, Neg: r.Intn(2) == 0, Exp: r.Intn(140) - 70, M: m}
	}
	for range 100_000 {
		a, b := draw(), draw()
		if r.Intn(4) == 0 {
			b.Exp = a.Exp
		}
		for rc, mode := range modes {
			for _, p := range []int{24, 53, 64} {
				format := Format{p, Extended.MinExp, Extended.MaxExp}
				for _, op := range []Op{OpAdd, OpMul, OpDiv} {
					want := new(big.Float).SetPrec(uint(p)).SetMode(mode)
					switch op {
					case OpAdd:
						want.Add(a.Big(), b.Big())
					case OpMul:
						want.Mul(a.Big(), b.Big())
					case OpDiv:
						want.Quo(a.Big(), b.Big())
					}
					if want.Sign() == 0 {
						continue
					}
					e := Env{RC: rc, Masked: AllExceptions}
					got := e.arith(op, a, b, &format)
					inexact := want.Acc() != big.Exact
					up := inexact && (want.Acc() == big.Above) != want.Signbit()
					if got.Big().Cmp(want) != 0 || (e.Flags == PE) != inexact || e.Up != up {
						t.Fatalf("operation %d of %v and %v to %d bits, %v: %v, exceptions %#x, up %v; want %v, %v",
							op, a.Big(), b.Big(), p, mode, got.Big(), e.Flags, e.Up, want, want.Acc())
					}
				}
			}
		}
	}
}

// A root s is right where s² and (s+ulp)² enclose the operand, and its sticky bit is where s² is not the operand.
func TestSoftFloatRoot(t *testing.T) {
	r := draws(t)
	for i := range 200_000 {
		a := Number{Kind: Finite, Exp: r.Intn(100) - 50, M: r.Uint64() | 1<<63}
		if i%2 == 0 {
			q := uint64(r.Uint32()) | 1<<31
			a.M, a.Exp = q*q, 2*r.Intn(20)
			if a.M>>63 == 0 {
				a.M <<= 1
				a.Exp--
			}
		}
		e := Env{RC: TowardZero, Masked: AllExceptions}
		s := e.Sqrt(a, &Extended)
		square := new(big.Float).SetPrec(200).Mul(s.Big(), s.Big())
		next := s
		next.M++
		above := new(big.Float).SetPrec(200).Mul(next.Big(), next.Big())
		exact := square.Cmp(a.Big()) == 0
		if square.Cmp(a.Big()) > 0 || next.M != 0 && above.Cmp(a.Big()) <= 0 || exact != (e.Flags == 0) {
			t.Fatalf("root of %v: %v, exceptions %#x", a.Big(), s.Big(), e.Flags)
		}
		// To nearest: up where the middle's square is below the operand.
		middle := new(big.Float).SetPrec(70).Add(s.Big(), new(big.Float).SetMantExp(big.NewFloat(0.5), s.Exp-63))
		want := s
		if new(big.Float).SetPrec(200).Mul(middle, middle).Cmp(a.Big()) < 0 {
			if want.M++; want.M == 0 {
				want.M, want.Exp = 1<<63, want.Exp+1
			}
		}
		e = Env{Masked: AllExceptions}
		if got := e.Sqrt(a, &Extended); got != want {
			t.Fatalf("root of %v to nearest: %v, want %v", a.Big(), got.Big(), want.Big())
		}
	}
}

// Where the host computes, result and exceptions are software's.
func TestHostArithmetic(t *testing.T) {
	r := draws(t)
	for range 500_000 {
		a, b := math.Float64bits(doubleDraw(r)), math.Float64bits(doubleDraw(r))
		if r.Intn(2) == 0 {
			a, b = uint64(math.Float32bits(float32(doubleDraw(r)))), r.Uint64()>>r.Intn(64)
		}
		for op := OpAdd; op <= OpMax; op++ {
			by := func(host bool) (uint64, uint32, uint8, uint8) {
				e := Env{Masked: AllExceptions, Host: host}
				f := Env{Masked: AllExceptions, Host: host}
				x, y := e.Arith64(op, a, b), f.Arith32(op, uint32(a), uint32(b))
				return x, y, e.Flags | PE, f.Flags | PE
			}
			x, y, xf, yf := by(true)
			if wx, wy, wxf, wyf := by(false); x != wx || y != wy || xf != wxf || yf != wyf {
				t.Fatalf("operation %d of %#x and %#x: %#x (%#x), %#x (%#x), want %#x (%#x), %#x (%#x)",
					op, a, b, x, xf, y, yf, wx, wxf, wy, wyf)
			}
		}
	}
}

// Which NaN an operation returns: of SSE the first operand, of x87 the one with the larger significand, always quiet
// (SDM vol. 1, table 4-7).
func TestNaNs(t *testing.T) {
	const q1, q2, s1, s2 = 0x7FF8000000000001, 0xFFF8000000000002, 0x7FF0000000000003, 0x7FF0000000000004
	const quiet = 1 << 51
	for _, c := range []struct{ a, b, sse, x87 uint64 }{
		{q1, q2, q1, q2},
		{q2, q1, q2, q2},
		{s1, q1, s1 | quiet, q1},
		{q1, s1, q1, q1},
		{s1, s2, s1 | quiet, s2 | quiet},
		{s2, 0, s2 | quiet, s2 | quiet},
		{0, q2, q2, q2},
		{q1, q1 | 1<<63, q1, q1},
		{q1 | 1<<63, q1, q1 | 1<<63, q1},
	} {
		e := Env{Masked: AllExceptions}
		if got := Pack64(e.Add(Unpack64(c.a), Unpack64(c.b), &Double)); got != c.sse {
			t.Errorf("SSE: %#x + %#x: %#x, want %#x", c.a, c.b, got, c.sse)
		}
		e = Env{Masked: AllExceptions, X87: true}
		if got := Pack64(e.Add(Unpack64(c.a), Unpack64(c.b), &Double)); got != c.x87 {
			t.Errorf("x87: %#x + %#x: %#x, want %#x", c.a, c.b, got, c.x87)
		}
	}
}
