package x86

import (
	"math/big"

	"github.com/tacit-vm/tacit/internal/softfloat"
)

// Elementary functions by their power series, to more than twice the precision that x87 shows. They are slow, a few
// microseconds, and rare. The results, rounded once, are correctly rounded but for cases too close to the middle to
// meet; silicon's may differ in the last place (SDM vol. 1, 8.3.10: below 1 ulp), which is a known departure.

// seriesBits is the precision of intermediate results.
const seriesBits = softfloat.BigBits

func newFloat() *big.Float              { return new(big.Float).SetPrec(seriesBits) }
func intFloat(v int64) *big.Float       { return newFloat().SetInt64(v) }
func bigMul(a, b *big.Float) *big.Float { return newFloat().Mul(a, b) }
func bigQuo(a, b *big.Float) *big.Float { return newFloat().Quo(a, b) }
func bigAdd(a, b *big.Float) *big.Float { return newFloat().Add(a, b) }
func bigSub(a, b *big.Float) *big.Float { return newFloat().Sub(a, b) }

var (
	bigOne    = intFloat(1)
	bigLn2    = parseFloat("0.693147180559945309417232121458176568075500134360255254120680009493393621969694715605863326996418687")
	bigPi     = parseFloat("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
	siliconPi = parseFloat("0x3.243F6A8885A308D3") // π as silicon reduces arguments by it: 66 bits (SDM vol. 1, 8.3.8)
)

func parseFloat(s string) *big.Float {
	f, _, err := big.ParseFloat(s, 0, seriesBits, big.ToNearestEven)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return f
}

// series sums first × (1 + r1 + r1·r2 + …), the ratio of term k, from 1 on, to the one before it being x × ratio(k),
// until terms do not matter.
func series(first, x *big.Float, ratio func(k int64) (num, den int64)) *big.Float {
	total, term := newFloat().Set(first), newFloat().Set(first)
	for k := int64(1); term.Sign() != 0 && term.MantExp(nil) > total.MantExp(nil)-seriesBits; k++ {
		num, den := ratio(k)
		term.Mul(term, x)
		term.Quo(term.Mul(term, intFloat(num)), intFloat(den))
		total.Add(total, term)
	}
	return total
}

// expm1 is e^t - 1 for |t| < 1: t + t²/2! + t³/3! …
func expm1(t *big.Float) *big.Float {
	return series(t, t, func(k int64) (int64, int64) { return 1, k + 1 })
}

// logRatio is ln((1+z)/(1-z)) = 2(z + z³/3 + z⁵/5 …).
func logRatio(z *big.Float) *big.Float {
	return bigMul(intFloat(2), series(z, bigMul(z, z), func(k int64) (int64, int64) { return 2*k - 1, 2*k + 1 }))
}

// sine and cosine are for |t| < 1.
func sine(t *big.Float) *big.Float {
	return series(t, bigMul(t, t), func(k int64) (int64, int64) { return -1, 2 * k * (2*k + 1) })
}

func cosine(t *big.Float) *big.Float {
	return series(bigOne, bigMul(t, t), func(k int64) (int64, int64) { return -1, 2 * k * (2*k - 1) })
}

// arctan is for t >= 0. Above √2-1, where the series is slow, it turns by π/4; above √2+1 by π/2.
func arctan(t *big.Float) *big.Float {
	limit := parseFloat("0.41421356")
	if t.Cmp(limit) > 0 {
		if t.Cmp(bigAdd(limit, intFloat(2))) > 0 {
			return bigSub(bigQuo(bigPi, intFloat(2)), arctan(bigQuo(bigOne, t)))
		}
		return bigAdd(bigQuo(bigPi, intFloat(4)), arctanSmall(bigQuo(bigSub(t, bigOne), bigAdd(t, bigOne))))
	}
	return arctanSmall(t)
}

func arctanSmall(t *big.Float) *big.Float {
	return series(t, bigMul(t, t), func(k int64) (int64, int64) { return -(2*k - 1), 2*k + 1 })
}

// log2 is logarithm2(m × 2^exp) where m, in [1, 2), is not 1 or exp is not 0. The integer part is chosen so that the
// rest does not cancel it.
func logarithm2(m *big.Float, exp int) *big.Float {
	if bigMul(m, m).Cmp(intFloat(2)) > 0 {
		m, exp = bigQuo(m, intFloat(2)), exp+1
	}
	ln := logRatio(bigQuo(bigSub(m, bigOne), bigAdd(m, bigOne)))
	return bigAdd(bigQuo(ln, bigLn2), intFloat(int64(exp)))
}
