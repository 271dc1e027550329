package demo

import (
	"fmt"
	"strings"
)

// A Bar is a guest's memory at one moment, in bytes.
type Bar struct {
	Memory   uint64 // all of it; 0 means that nothing is known
	Held     uint64 // by the guest's program
	Accepted uint64 // what the program holds included
	Lost     uint64 // of what is not accepted
}

// A Kind is what a part of memory is.
type Kind int

// Kinds, in the order in which a bar has them.
const (
	Held Kind = iota
	Free
	Unaccepted
	Lost
	Plain // no memory: text
)

var kinds = [...]struct{ mark, means, class string }{
	Held:       {"█", "used by the program", "held"},
	Free:       {"▓", "accepted, and free", "free"},
	Unaccepted: {"·", "not accepted", "unaccepted"},
	Lost:       {"×", "lost", "lost"},
}

// A Part is a stretch of a bar.
type Part struct {
	Kind     Kind
	From, To int
}

// Class names the part's kind for style sheets.
func (p Part) Class() string { return kinds[p.Kind].class }

// Width is how long the part is.
func (p Part) Width() int { return p.To - p.From }

// Parts divides a bar of so many cells. Every border is rounded by itself, so that no error adds up; what is accepted
// shows, however little it is.
func (b Bar) Parts(width int) []Part {
	if b.Memory == 0 {
		return nil
	}
	accepted := min(b.Accepted, b.Memory)
	held, lost := min(b.Held, accepted), min(b.Lost, b.Memory-accepted)
	amounts := [...]uint64{Held: held, Free: accepted - held, Unaccepted: b.Memory - accepted - lost, Lost: lost}
	var parts []Part
	var sum uint64
	from := 0
	for kind, amount := range amounts {
		sum += amount
		to := int(float64(sum)/float64(b.Memory)*float64(width) + 0.5)
		if sum > 0 && Kind(kind) <= Free {
			to = max(to, 1)
		}
		if to > from {
			parts = append(parts, Part{Kind(kind), from, to})
			from = to
		}
	}
	return parts
}

// A Paint colours text that stands for a kind of memory.
type Paint func(k Kind, text string) string

// NoPaint leaves text as it is.
func NoPaint(_ Kind, text string) string { return text }

// Draw draws the bar in so many columns.
func (b Bar) Draw(width int, paint Paint) string {
	var s strings.Builder
	for _, p := range b.Parts(width) {
		s.WriteString(paint(p.Kind, strings.Repeat(kinds[p.Kind].mark, p.Width())))
	}
	return s.String()
}

// legend says what the marks of bars mean.
func legend(paint Paint) string {
	var all []string
	for kind, k := range kinds {
		all = append(all, paint(Kind(kind), k.mark)+" "+k.means)
	}
	return strings.Join(all, "   ")
}

// Says says in words what the bar shows.
func (b Bar) Says() string {
	s := fmt.Sprintf("%s of %s accepted, %s used by the program", mebibytes(b.Accepted), mebibytes(b.Memory), mebibytes(b.Held))
	if b.Lost > 0 {
		s += ", " + mebibytes(b.Lost) + " lost"
	}
	return s
}
