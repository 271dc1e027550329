package record

import (
	"fmt"
	"io"
)

// Lie is what firmware told the guest that was not so.
type Lie struct {
	Kind  string  `json:"kind"`  // "overlap", "wrap" and so on: what was asked for
	Told  int     `json:"told"`  // memory maps, tables or refusals in which it was; 0: there was no opportunity
	GPA   Address `json:"gpa"`   // the memory that it was about the last time,
	Bytes uint64  `json:"bytes"` // of so many bytes; 0: about none
}

// write says what firmware told, and that it told nothing where that is so.
func (l *Lie) write(w io.Writer) {
	if l == nil {
		return
	}
	if l.Told == 0 {
		line(w, "firmware lie", l.Kind, "never told: there was no opportunity")
		return
	}
	line(w, "firmware lie", l.Kind, l.String())
}

// String says how often it was told, and about what.
func (l *Lie) String() string {
	text := fmt.Sprintf("firmware lied %d times", l.Told)
	if l.Bytes > 0 {
		text += fmt.Sprintf(" (of %s at %#x)", FormatBytes(l.Bytes), uint64(l.GPA))
	}
	return text
}
