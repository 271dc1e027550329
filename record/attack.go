package record

import (
	"fmt"
	"io"
)

// Attack is what a host that cheats did to the guest.
type Attack struct {
	Kind  string       `json:"kind"`  // "drop", "swap" and so on: what was asked for
	N     uint64       `json:"n"`     // at which opportunity
	Steps []AttackStep `json:"steps"` // in the order of time; none where the opportunity never came

	// Broken is what shows that the guest took the host at its word; none where nothing did.
	Broken []string `json:"broken"`
}

// AttackStep is one thing that the host did or tried.
type AttackStep struct {
	Stamp
	What    string  `json:"what"` // "took the page away"
	GPA     Address `json:"gpa"`  // with Bytes 0: it was about no memory
	Bytes   uint64  `json:"bytes"`
	State   string  `json:"page_state,omitempty"` // of the page before that, in the platform's terms
	Refused string  `json:"refused,omitempty"`    // what the architecture answered, where it did not let the host
}

// write says what the host did, and that it did nothing where that is so: a guest that survives an attack that never
// happened has shown nothing.
func (a *Attack) write(w io.Writer) {
	if a == nil {
		return
	}
	if len(a.Steps) == 0 {
		line(w, "host attack", a.Kind, fmt.Sprintf("never happened: there was no opportunity %d", a.N))
	}
	for _, s := range a.Steps {
		line(w, "host attack", a.Kind, s.String(), "at instruction "+FormatCount(s.Instructions))
	}
	for _, b := range a.Broken {
		line(w, "host attack", "BROKEN", b)
	}
}

// String says what was done, and where.
func (s AttackStep) String() string {
	text := "the host " + s.What
	if s.Bytes != 0 {
		text += fmt.Sprintf(" (%s at %#x)", FormatBytes(s.Bytes), uint64(s.GPA))
	}
	if s.Refused != "" {
		text += ", which was refused: " + s.Refused
	}
	return text
}
