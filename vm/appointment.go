package vm

import (
	"context"
	"slices"

	"github.com/tacit-vm/tacit/record"
)

// An appointment is something to be done at an exact place of a run: when so many instructions have completed. What it
// does must not change the guest.
type appointment struct {
	at uint64
	do func(ctx context.Context) error // an error ends the run
}

// arrange makes an appointment, in the future.
func (m *Machine) arrange(at uint64, do func(ctx context.Context) error) {
	i := 0
	for i < len(m.appointments) && m.appointments[i].at <= at {
		i++ // of those for one place, the first made comes first
	}
	m.appointments = slices.Insert(m.appointments, i, appointment{at, do})
	m.expect()
}

// expect makes the processor come back for the next appointment.
func (m *Machine) expect() {
	var next uint64 // none
	if len(m.appointments) > 0 {
		next = m.appointments[0].at
	}
	m.cpus[0].LimitInstructions(next)
}

// keep keeps the appointments that are due.
func (m *Machine) keep(ctx context.Context) error {
	for len(m.appointments) > 0 && m.appointments[0].at <= m.cpus[0].Instructions() {
		do := m.appointments[0].do
		m.appointments = m.appointments[1:]
		if err := do(ctx); err != nil {
			return err
		}
	}
	m.expect()
	return nil
}

// arrangeAll makes the appointments that the configuration asks for, and keeps those for the beginning of the run.
func (m *Machine) arrangeAll(ctx context.Context) error {
	if n := m.cfg.MaxInstructions; n > 0 {
		m.arrange(n, func(context.Context) error { return &limitError{record.FormatCount(n) + " instructions"} })
	}
	if t := m.cfg.Trace; t != nil {
		m.arrange(t.From, func(context.Context) error { m.startTrace(); return nil })
		if end := t.From + t.Count; end >= t.From {
			m.arrange(end, func(context.Context) error { m.endTrace(); return nil })
		}
	}
	return m.keep(ctx)
}
