package vm

import (
	"context"
	"slices"

	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/record"
)

// An appointment is something to be done at an exact place of a run: when so many instructions have completed. What is
// done must not change the guest, unless it is its host that cheats.
type appointment struct {
	at uint64
	to occasion
}

// An occasion is what an appointment is made for.
type occasion uint8

const (
	limitReached occasion = iota // Config.MaxInstructions
	traceBegins                  // Config.Trace
	traceEnds
	debuggerStops // gdb's monitor at
	eventComes    // Event
	hostBegins    // the moment of Config.HostAttack
	hostActs      // a host that cheats acts
)

// arrange makes an appointment. One for a place that the run has passed is kept at once.
func (m *Machine) arrange(at uint64, to occasion) {
	i := 0
	for i < len(m.appointments) && m.appointments[i].at <= at {
		i++ // of those for one place, the first made comes first
	}
	m.appointments = slices.Insert(m.appointments, i, appointment{at, to})
	m.expect()
}

// cancel takes back what has been arranged for an occasion.
func (m *Machine) cancel(to occasion) {
	m.appointments = slices.DeleteFunc(m.appointments, func(a appointment) bool { return a.to == to })
	m.expect()
}

// expect makes the processor come back for the next appointment.
func (m *Machine) expect() {
	var next uint64 // none
	if len(m.appointments) > 0 {
		next = m.appointments[0].at
	}
	m.cpu().LimitInstructions(max(next, m.schedule.others) - m.schedule.others)
}

// keep keeps the appointments that are due. An error ends the run, or takes it out of its loop.
func (m *Machine) keep(ctx context.Context) error {
	for len(m.appointments) > 0 && m.appointments[0].at <= m.instructions() {
		a := m.appointments[0]
		m.appointments = m.appointments[1:]
		if err := m.attend(ctx, a); err != nil {
			return err
		}
	}
	m.expect()
	return nil
}

func (m *Machine) attend(ctx context.Context, a appointment) error {
	switch a.to {
	case limitReached:
		return &limitError{record.FormatCount(m.cfg.MaxInstructions) + " instructions"}
	case traceBegins:
		m.startTrace()
	case traceEnds:
		m.endTrace()
	case debuggerStops:
		if m.debug.server.Connected() {
			m.debug.note += record.FormatCount(a.at) + " instructions have completed\n"
			return m.debug.stand(ctx, gdb.Stop{})
		}
	case eventComes:
		return errEvent
	case hostBegins:
		m.cheatBegins()
	case hostActs:
		m.cheatActs()
	}
	return nil
}

// arrangeAll makes the appointments that the configuration asks for.
func (m *Machine) arrangeAll() {
	if n := m.cfg.MaxInstructions; n > 0 {
		m.arrange(n, limitReached)
	}
	t := m.cfg.Trace
	if t == nil {
		return
	}
	end := t.From + t.Count
	if endless := end < t.From; endless {
		m.arrange(t.From, traceBegins)
	} else if end > m.instructions() {
		m.arrange(t.From, traceBegins)
		m.arrange(end, traceEnds)
	}
}
