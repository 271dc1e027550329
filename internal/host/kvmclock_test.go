package host

import (
	"math"
	"math/big"
	"testing"
)

// What a guest makes of its TSC by the scale is the time to within the scale's 32 bits.
func TestClockScale(t *testing.T) {
	for _, hz := range []uint64{1, 32_768, 100_000_000, 999_999_999, 1_000_000_000, 1_000_000_001, 2_450_000_000, 10_000_000_000} {
		multiplier, shift := clockScale(hz)
		if multiplier < 1<<31 {
			t.Errorf("%d Hz: multiplier %#x loses bits", hz, multiplier)
		}
		ticks := new(big.Float).SetUint64(hz) // one second
		ns := new(big.Float).Mul(ticks, new(big.Float).SetFloat64(math.Ldexp(float64(multiplier), int(shift)-32)))
		got, _ := ns.Float64()
		if math.Abs(got-1e9) > 1 {
			t.Errorf("%d Hz: a second is %.3f ns", hz, got)
		}
	}
}
