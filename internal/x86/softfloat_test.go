package x86

import (
	"math"
	"math/big"
	"math/rand"
	"testing"
)

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

var bothOps = []floatOp{floatAdd, floatSub, floatMul, floatDiv, floatSqrt}

// In round to nearest, results are the host's, from denormals to infinities.
func TestSoftFloatIsTheHosts(t *testing.T) {
	r := seeded(t)
	for range 300_000 {
		a, b := doubleDraw(r), doubleDraw(r)
		for _, op := range bothOps {
			e := floatEnv{masked: fpAll}
			got := pack64(e.arith(op, unpack64(math.Float64bits(a)), unpack64(math.Float64bits(b)), &double))
			if want := host(op, a, b); math.IsNaN(want) {
				if got != 0xFFF8000000000000 || e.flags != fpIE {
					t.Fatalf("operation %d of %v and %v: %#x, exceptions %#x, want the indefinite and IE", op, a, b, got, e.flags)
				}
			} else if got != math.Float64bits(want) {
				t.Fatalf("operation %d of %v and %v: %v, want %v", op, a, b, math.Float64frombits(got), want)
			}
			x, y := float32(a), float32(b)
			e = floatEnv{masked: fpAll}
			got32 := pack32(e.arith(op, unpack32(math.Float32bits(x)), unpack32(math.Float32bits(y)), &single))
			if want := host(op, x, y); want == want && got32 != math.Float32bits(want) {
				t.Fatalf("operation %d of %v and %v: %v, want %v", op, x, y, math.Float32frombits(got32), want)
			}
		}
		e := floatEnv{masked: fpAll}
		if got, want := e.narrow(math.Float64bits(a)), math.Float32bits(float32(a)); got != want {
			t.Fatalf("%v as single: %#x, want %#x", a, got, want)
		}
	}
}

// In every rounding mode and precision, results and the precision exception are those of math/big.
func TestSoftFloatRoundsAsBig(t *testing.T) {
	r := seeded(t)
	modes := map[rounding]big.RoundingMode{
		nearestEven: big.ToNearestEven, towardNegative: big.ToNegativeInf, towardPositive: big.ToPositiveInf, towardZero: big.ToZero,
	}
	draw := func() number {
		m := r.Uint64() | 1<<63
		switch r.Intn(4) {
		case 0:
			m &= ^uint64(0) << r.Intn(64)
		case 1: // quotients of such are nearly halfway
			m = []uint64{1 << 63, 1<<63 | 1, ^uint64(0), ^uint64(0) - 1}[r.Intn(4)]
		}
		return number{kind: finite, neg: r.Intn(2) == 0, exp: r.Intn(140) - 70, m: m}
	}
	for range 100_000 {
		a, b := draw(), draw()
		if r.Intn(4) == 0 {
			b.exp = a.exp
		}
		for rc, mode := range modes {
			for _, p := range []int{24, 53, 64} {
				format := floatFormat{p, extended.minExp, extended.maxExp}
				for _, op := range []floatOp{floatAdd, floatMul, floatDiv} {
					want := new(big.Float).SetPrec(uint(p)).SetMode(mode)
					switch op {
					case floatAdd:
						want.Add(a.float(), b.float())
					case floatMul:
						want.Mul(a.float(), b.float())
					case floatDiv:
						want.Quo(a.float(), b.float())
					}
					if want.Sign() == 0 {
						continue
					}
					e := floatEnv{rc: rc, masked: fpAll}
					got := e.arith(op, a, b, &format)
					inexact := want.Acc() != big.Exact
					up := inexact && (want.Acc() == big.Above) != want.Signbit()
					if got.float().Cmp(want) != 0 || (e.flags == fpPE) != inexact || e.up != up {
						t.Fatalf("operation %d of %v and %v to %d bits, %v: %v, exceptions %#x, up %v; want %v, %v",
							op, a.float(), b.float(), p, mode, got.float(), e.flags, e.up, want, want.Acc())
					}
				}
			}
		}
	}
}

// A root s is right where s² and (s+ulp)² enclose the operand, and its sticky bit is where s² is not the operand.
func TestSoftFloatRoot(t *testing.T) {
	r := seeded(t)
	for i := range 200_000 {
		a := number{kind: finite, exp: r.Intn(100) - 50, m: r.Uint64() | 1<<63}
		if i%2 == 0 {
			q := uint64(r.Uint32()) | 1<<31
			a.m, a.exp = q*q, 2*r.Intn(20)
			if a.m>>63 == 0 {
				a.m <<= 1
				a.exp--
			}
		}
		e := floatEnv{rc: towardZero, masked: fpAll}
		s := e.sqrt(a, &extended)
		square := new(big.Float).SetPrec(200).Mul(s.float(), s.float())
		next := s
		next.m++
		above := new(big.Float).SetPrec(200).Mul(next.float(), next.float())
		exact := square.Cmp(a.float()) == 0
		if square.Cmp(a.float()) > 0 || next.m != 0 && above.Cmp(a.float()) <= 0 || exact != (e.flags == 0) {
			t.Fatalf("root of %v: %v, exceptions %#x", a.float(), s.float(), e.flags)
		}
		// To nearest: up where the middle's square is below the operand.
		middle := new(big.Float).SetPrec(70).Add(s.float(), new(big.Float).SetMantExp(big.NewFloat(0.5), s.exp-63))
		want := s
		if new(big.Float).SetPrec(200).Mul(middle, middle).Cmp(a.float()) < 0 {
			if want.m++; want.m == 0 {
				want.m, want.exp = 1<<63, want.exp+1
			}
		}
		e = floatEnv{masked: fpAll}
		if got := e.sqrt(a, &extended); got != want {
			t.Fatalf("root of %v to nearest: %v, want %v", a.float(), got.float(), want.float())
		}
	}
}

// Where the host computes, result and exceptions are software's.
func TestHostArithmetic(t *testing.T) {
	r := seeded(t)
	for range 500_000 {
		a, b := math.Float64bits(doubleDraw(r)), math.Float64bits(doubleDraw(r))
		if r.Intn(2) == 0 {
			a, b = uint64(math.Float32bits(float32(doubleDraw(r)))), r.Uint64()>>r.Intn(64)
		}
		for op := floatAdd; op <= floatMax; op++ {
			by := func(host bool) (uint64, uint32, uint8, uint8) {
				e := floatEnv{masked: fpAll, host: host}
				f := floatEnv{masked: fpAll, host: host}
				x, y := e.arith64(op, a, b), f.arith32(op, uint32(a), uint32(b))
				return x, y, e.flags | fpPE, f.flags | fpPE
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
		e := floatEnv{masked: fpAll}
		if got := pack64(e.add(unpack64(c.a), unpack64(c.b), &double)); got != c.sse {
			t.Errorf("SSE: %#x + %#x: %#x, want %#x", c.a, c.b, got, c.sse)
		}
		e = floatEnv{masked: fpAll, x87: true}
		if got := pack64(e.add(unpack64(c.a), unpack64(c.b), &double)); got != c.x87 {
			t.Errorf("x87: %#x + %#x: %#x, want %#x", c.a, c.b, got, c.x87)
		}
	}
}

// Unmasked exceptions raise #XM and leave the destination alone. Those found before computing keep the later ones of
// other lanes back (all values: a Sapphire Rapids).
func TestUnmaskedSSE(t *testing.T) {
	divps, mulps := []byte{0x0F, 0x5E, 0xCA}, []byte{0x0F, 0x59, 0xCA}
	one := uint64(0x3F8000003F800000)
	for _, c := range []struct {
		name     string
		code     []byte
		unmasked uint32
		a, b     uint64 // the low lanes; the others are 1
		want     int
		flags    uint32
	}{
		{"1/0 and 1/3, ZE", divps, fpZE, one, 0x4040000000000000, vectorXM, fpZE},
		{"1/0 and 1/3, PE", divps, fpPE, one, 0x4040000000000000, vectorXM, fpZE | fpPE},
		{"1/0 and 1/3", divps, 0, one, 0x4040000000000000, noVector, fpZE | fpPE},
		{"1/0 and 1/denormal, ZE", divps, fpZE, one, 0x000116C200000000, vectorXM, fpZE | fpDE},
		{"tiny but exact, UE", mulps, fpUE, 0x3F80000000800000, 0x3F8000003F000000, vectorXM, fpUE},
		{"tiny but exact", mulps, 0, 0x3F80000000800000, 0x3F8000003F000000, noVector, 0},
		{"overflow and underflow, OE", mulps, fpOE, 0x0DA242607F61B1E6, 0x1E3CE5087F61B1E6, vectorXM, fpOE | fpUE | fpPE},
	} {
		m := newVectorMachine(t)
		m.X[1], m.X[2] = XMM{c.a, one}, XMM{c.b, one}
		m.mxcsr = mxcsrDefault &^ (c.unmasked << mxcsrMaskShift)
		got := m.do(c.code...)
		if got != c.want || m.mxcsr&fpAll != c.flags {
			t.Errorf("%s: vector %d, exceptions %#x; want %d, %#x", c.name, got, m.mxcsr&fpAll, c.want, c.flags)
		}
		if got == vectorXM && m.X[1] != (XMM{c.a, one}) {
			t.Errorf("%s: the destination changed", c.name)
		}
	}
	m := newVectorMachine(t)
	m.cr4 &^= CR4OSXMMEXCPT
	m.mxcsr = 0
	m.X[1], m.X[2] = XMM{one, one}, XMM{}
	if got := m.do(divps...); got != vectorUD {
		t.Errorf("without OSXMMEXCPT: vector %d, want #UD", got)
	}
}
