package measure

import (
	"math"
	"slices"
)

// sampleOf sums up times, each of which has been reduced by what measuring takes.
func sampleOf(ns []float64) Sample {
	if len(ns) == 0 {
		return Sample{}
	}
	slices.Sort(ns)
	at := func(share float64) float64 {
		return math.Round(10*ns[int(share*float64(len(ns)-1))]) / 10
	}
	return Sample{Low: at(0.25), Median: at(0.5), High: at(0.75), Count: len(ns)}
}
