package softfloat

import "math/big"

// BigBits is the precision of numbers that come from here: more than twice that of the formats.
const BigBits = 192

// Big returns the value of a finite number, at [BigBits] of precision.
func (n *Number) Big() *big.Float {
	f := new(big.Float).SetPrec(BigBits).SetUint64(n.M)
	f.SetMantExp(f, n.Exp-63)
	if n.Neg {
		f.Neg(f)
	}
	return f
}

// RoundBig rounds a result that is known not to be exact to extended precision.
func (e *Env) RoundBig(v *big.Float) Number {
	if v.Sign() == 0 {
		return Number{Neg: v.Signbit()}
	}
	mant := new(big.Float).SetPrec(BigBits)
	exp := v.MantExp(mant)
	mant.Abs(mant).SetMantExp(mant, 128)
	i, _ := mant.Int(nil)
	var low, high big.Int
	low.And(i, new(big.Int).SetUint64(^uint64(0)))
	high.Rsh(i, 64)
	return e.Round(v.Signbit(), exp-1, high.Uint64(), low.Uint64()|1, &Extended)
}
