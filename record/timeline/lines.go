package timeline

import "unicode/utf8"

// lines are the first and the last of what was said.
type lines struct {
	first []Line
	last  []Line // a ring, once it is full
	after uint64 // how many came after the first
}

const (
	maxLines = 2048 // a boot of Linux has some three hundred
	maxText  = 256  // bytes of a line that are kept
)

func (l *lines) add(line Line) {
	if len(line.Text) > maxText {
		n := maxText
		for !utf8.RuneStart(line.Text[n]) {
			n--
		}
		line.Text = line.Text[:n] + "…"
	}
	switch {
	case len(l.first) < maxLines/2:
		l.first = append(l.first, line)
		return
	case len(l.last) < maxLines/2:
		l.last = append(l.last, line)
	default:
		l.last[l.after%(maxLines/2)] = line
	}
	l.after++
}

// all returns what is kept, in the order of time, and how many lines are not.
func (l *lines) all() (all []Line, dropped uint64) {
	all = append(all, l.first...)
	dropped = l.after - uint64(len(l.last))
	oldest := 0
	if dropped > 0 {
		oldest = int(l.after % (maxLines / 2))
	}
	return append(append(all, l.last[oldest:]...), l.last[:oldest]...), dropped
}
