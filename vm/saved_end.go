package vm

import (
	"errors"

	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/tdx"
)

// A savedEnd is the end of a run that was saved after it: its words, and of what it wraps what a diagnosis asks for.
type savedEnd struct {
	text string
	err  error // of one of the kinds below; nil where it is none of them
}

func (e *savedEnd) Error() string { return e.text }
func (e *savedEnd) Unwrap() error { return e.err }

// Kinds of ends that a diagnosis asks for.
const (
	noEnd = iota
	otherEnd
	tdxViolation
	snpViolation
	snpTermination
	firmwareFault
)

// carryEnd carries how the run has ended, if it has: with a violation.
func (m *Machine) carryEnd(s *state.Stream) {
	var (
		onTDX      *tdx.Violation
		onSNP      *snp.Violation
		terminated *snp.Termination
		fault      *firmware.Fault
	)
	kind, end := uint8(noEnd), &savedEnd{}
	if !s.Reading() && m.over != nil {
		end.text = m.over.Error()
		switch {
		case errors.As(m.over, &terminated): // wraps a violation
			kind = snpTermination
		case errors.As(m.over, &onSNP):
			kind = snpViolation
		case errors.As(m.over, &onTDX):
			kind = tdxViolation
		case errors.As(m.over, &fault):
			kind = firmwareFault
		default:
			kind = otherEnd
		}
	}
	state.Numbers(s, &kind)
	if kind == noEnd {
		return
	}
	state.String(s, &end.text, maxText)
	switch kind {
	case otherEnd:
	case tdxViolation:
		state.Optional(s, &onTDX, func(v *tdx.Violation) { v.Carry(s) })
		end.err = onTDX
	case snpViolation:
		state.Optional(s, &onSNP, func(v *snp.Violation) { v.Carry(s) })
		end.err = onSNP
	case snpTermination:
		state.Optional(s, &terminated, func(t *snp.Termination) { t.Carry(s) })
		end.err = terminated
	case firmwareFault:
		state.Optional(s, &fault, func(f *firmware.Fault) { f.Carry(s) })
		end.err = fault
	default:
		s.Fail("an end of no kind")
	}
	s.Check(kind == otherEnd || onTDX != nil || onSNP != nil || terminated != nil || fault != nil, "an end of nothing")
	if s.Reading() {
		m.over = end
	}
}
