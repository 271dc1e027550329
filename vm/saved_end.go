package vm

import (
	"errors"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/state"
)

// A savedEnd is the end of a run that was saved after it: its words, and of what it wraps what a diagnosis asks for.
type savedEnd struct {
	text string
	err  error // a *confidential.Violation, a savedSurrender or a *firmware.Fault; nil where it is none of them
}

func (e *savedEnd) Error() string { return e.text }
func (e *savedEnd) Unwrap() error { return e.err }

// A savedSurrender is what a guest said that gave up.
type savedSurrender string

func (s savedSurrender) Error() string { return string(s) }

// Said implements [confidential.Surrender].
func (s savedSurrender) Said() string { return string(s) }

// Kinds of ends.
const (
	noEnd = iota
	otherEnd
	violationEnd
	surrenderEnd
	faultEnd
)

// carryEnd carries how the run has ended, if it has: with a violation.
func (m *Machine) carryEnd(s *state.Stream) {
	var (
		kind, end = uint8(noEnd), &savedEnd{}
		violation = &confidential.Violation{}
		fault     = &firmware.Fault{}
		gaveUp    confidential.Surrender
		said      string
	)
	if !s.Reading() && m.over != nil {
		kind, end.text = otherEnd, m.over.Error()
		switch {
		case errors.As(m.over, &gaveUp): // it may wrap a violation, which the platform has as well
			kind, said = surrenderEnd, gaveUp.Said()
		case errors.As(m.over, &violation):
			kind = violationEnd
		case errors.As(m.over, &fault):
			kind = faultEnd
		}
	}
	if state.Numbers(s, &kind); kind == noEnd {
		return
	}
	state.String(s, &end.text, maxText)
	switch kind {
	case otherEnd:
	case violationEnd:
		violation.Carry(s)
		end.err = violation
	case surrenderEnd:
		state.String(s, &said, maxText)
		end.err = savedSurrender(said)
	case faultEnd:
		fault.Carry(s)
		end.err = fault
	default:
		s.Fail("an end of no kind")
	}
	if s.Reading() {
		m.over = end
	}
}
