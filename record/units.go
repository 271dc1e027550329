package record

import (
	"fmt"
	"strconv"
	"strings"
)

// FormatBytes writes an amount of memory exactly, in the largest binary unit in which it is whole or a half: "4 GiB",
// "1.5 GiB", "2,910 MiB", "12 KiB", "7 B".
func FormatBytes(n uint64) string {
	for _, unit := range []struct {
		name  string
		shift uint
	}{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		whole, rest := n>>unit.shift, n&(1<<unit.shift-1)
		switch {
		case whole == 0:
		case rest == 0:
			return FormatCount(whole) + " " + unit.name
		case rest == 1<<(unit.shift-1):
			return FormatCount(whole) + ".5 " + unit.name
		}
	}
	return FormatCount(n) + " B"
}

// FormatNS writes a time in the unit that leaves one to three digits before the point:
// "4.213 s", "53.100 ms", "8.000 µs", "250 ns".
func FormatNS(ns int64) string {
	switch n := float64(ns); {
	case ns >= 1e9:
		return fmt.Sprintf("%.3f s", n/1e9)
	case ns >= 1e6:
		return fmt.Sprintf("%.3f ms", n/1e6)
	case ns >= 1e3:
		return fmt.Sprintf("%.3f µs", n/1e3)
	}
	return fmt.Sprintf("%d ns", ns)
}

// FormatCount writes a number with its thousands apart: "2,814,333,112".
func FormatCount(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
