package page

import (
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// A line of the console, or a gap where lines were left out.
type line struct {
	NS       int64
	At, Text string
	Gap      bool
}

// Bounds of the console on the page: the first lines and the last ones have half of it each.
const (
	maxLines   = 4000
	linesRoom  = 160_000 // bytes of markup
	lineLength = 400     // characters
)

// console returns the lines that the page shows.
func console(t *timeline.Timeline) []line {
	var first, last []line
	left := t.Lines
	take := func(from func() timeline.Line, to *[]line) {
		for room := budget(linesRoom / 2); len(left) > 0 && len(*to) < maxLines/2; {
			l := from()
			shown := line{NS: l.NS, At: nanoseconds(l.NS), Text: clean(l.Text, lineLength)}
			if !room.markup(shown.Text, 80) {
				return
			}
			*to = append(*to, shown)
			if to == &first {
				left = left[1:]
			} else {
				left = left[:len(left)-1]
			}
		}
	}
	take(func() timeline.Line { return left[0] }, &first)
	take(func() timeline.Line { return left[len(left)-1] }, &last)
	if n := uint64(len(left)) + t.DroppedLines; n > 0 {
		first = append(first, line{Gap: true, Text: "… " + record.FormatCount(n) + " lines are left out …"})
	}
	for i := len(last) - 1; i >= 0; i-- {
		first = append(first, last[i])
	}
	return first
}
