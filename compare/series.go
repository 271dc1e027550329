package compare

import "slices"

// What the series that brought unaccepted memory to Linux says of how much faster a guest boots: Kirill A. Shutemov,
// "[PATCHv7 00/14] mm, x86/cc: Implement support for unaccepted memory", June 2022. It is a TDX guest's.
var series = []struct {
	memory uint64
	times  float64
}{{4 << 30, 2.5}, {64 << 30, 4}}

// Series is how many times faster a guest of so much memory boots to its shell, as the series says; 0 where it says
// nothing.
func Series(platform string, memory uint64) float64 {
	const tdx = "tdx" // as records have it
	if platform != tdx {
		return 0
	}
	for _, s := range series {
		if s.memory == memory {
			return s.times
		}
	}
	return 0
}

// SeriesOpen are the conditions of the series' figures that it does not state, and without which they cannot be
// obtained again.
func SeriesOpen() []string { return slices.Clone(seriesOpen) }

var seriesOpen = []string{
	"how many processors the guest had, and so how much was accepted at the same time: here it is one",
	"of which size the host's pages were: those of 4 KiB cost some ten times as much to add and to accept, for the same memory, as those of 2 MiB",
	"who accepted everything where nothing was lazy, firmware or the kernel",
	"from when to when \"boot to shell\" is: here it is from the start of firmware to the first instruction of init, without anything that an init starts",
	"which processor it was, and so what an acceptance and an exit took: here they cost what a model says, most of it estimates",
}
