package measure

import (
	"slices"
	"testing"
)

// Blocks of which half had been accepted are left out, many or few, and nothing else that is slow or fast.
func TestHalfBlocksAreLeftOut(t *testing.T) {
	for what, c := range map[string]struct{ ns, want []float64 }{
		"nothing":     {nil, nil},
		"all whole":   {[]float64{100, 104, 97, 101}, []float64{100, 104, 97, 101}},
		"a third":     {[]float64{100, 51, 104, 97, 49, 101}, []float64{100, 104, 97, 101}},
		"two thirds":  {[]float64{50, 51, 100, 49, 50, 101, 52, 48, 99}, []float64{100, 101, 99}},
		"interrupted": {[]float64{100, 104, 800, 97, 51, 101}, []float64{100, 104, 800, 97, 101}},
		"wide":        {[]float64{70, 100, 130, 85, 115}, []float64{70, 100, 130, 85, 115}},
	} {
		if got := wholes(c.ns); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}
