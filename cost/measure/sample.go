package measure

import (
	"math"
	"slices"
)

// wholes leaves out the times of blocks of which half had been accepted before, with a block beside them: Linux accepts 2
// MiB more than it needs, against loads that reach over the end (drivers/firmware/efi/unaccepted_memory.c), and counts by
// blocks. What such a block takes is half of what most of the slower half take, give or take a tenth of that.
func wholes(ns []float64) (whole []float64) {
	sorted := slices.Sorted(slices.Values(ns))
	if len(sorted) == 0 {
		return nil
	}
	usual := sorted[len(sorted)*3/4]
	for _, t := range ns {
		if t < 0.4*usual || t > 0.6*usual {
			whole = append(whole, t)
		}
	}
	return whole
}

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
