package vm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tacit-vm/tacit/record"
)

// An Event is a place in a run at which [Machine.Run] can stop: in front of an instruction. The zero Event never comes.
type Event struct {
	kind eventKind
	n    uint64
}

type eventKind uint8

const (
	never eventKind = iota
	atInit
	atAcceptance
	atInstruction
	atViolation
	atOutput // the console has shown what is expected
	atUp
)

// AtInit is the first instruction at privilege level 3.
func AtInit() Event { return Event{kind: atInit} }

// AtAcceptance is when pages have been accepted n times since the start, by whomever. What firmware accepts before it
// starts the image counts; the first place to stop at is the image's first instruction.
func AtAcceptance(n uint64) Event { return Event{atAcceptance, n} }

// AtInstruction is when n instructions have completed since the start. At 0, firmware has just started the image.
func AtInstruction(n uint64) Event { return Event{atInstruction, n} }

// AtViolation is the end of a run whose outcome is [record.Violation].
func AtViolation() Event { return Event{kind: atViolation} }

// AtUp is when the guest has said on its console that its software has come up: by a prompt at which one logs in, or by a
// message of systemd's that it has started everything.
func AtUp() Event { return Event{kind: atUp} }

// ParseEvent reads an event as String writes it: init, accept:N, instruction:N, violation, up.
func ParseEvent(text string) (Event, error) {
	name, number, counted := strings.Cut(text, ":")
	for kind, known := range eventNames {
		if name != known.name {
			continue
		}
		if counted != known.counted {
			break
		}
		e := Event{kind: kind}
		if counted {
			n, err := strconv.ParseUint(number, 10, 64)
			if err != nil || n == 0 && kind == atAcceptance {
				least := 0
				if kind == atAcceptance {
					least = 1
				}
				return Event{}, fmt.Errorf("%s:%q: want a whole number from %d", name, number, least)
			}
			e.n = n
		}
		return e, nil
	}
	return Event{}, fmt.Errorf("%q is no event: there are init, accept:N, instruction:N, violation, up", text)
}

var eventNames = map[eventKind]struct {
	name    string
	counted bool
}{atInit: {"init", false}, atAcceptance: {"accept", true}, atInstruction: {"instruction", true}, atViolation: {"violation", false}, atUp: {"up", false}}

// String returns the event in the form that [ParseEvent] reads; it is empty for the zero Event.
func (e Event) String() string {
	if k := eventNames[e.kind]; k.counted {
		return fmt.Sprintf("%s:%d", k.name, e.n)
	}
	return eventNames[e.kind].name
}

// errEvent takes a run out of its loop, at the event that it was to go on until.
var errEvent = errors.New("the event has come")

// awaitEvent has the run stop at an event.
func (m *Machine) awaitEvent(e Event) error {
	m.event = e
	switch e.kind {
	case atInstruction:
		m.arrange(e.n, eventComes)
	case atAcceptance:
		m.awaitAcceptance()
	}
	if e.kind == atInit && m.log.Reached(record.Init) || e.kind == atUp && m.up != nil {
		return errEvent
	}
	return nil
}

// forgetEvent has it stop there no more.
func (m *Machine) forgetEvent() {
	m.event = Event{}
	m.cancel(eventComes)
	m.awaitAcceptance()
}

// accepted says whether the acceptance has happened that the run is to stop at.
func (m *Machine) accepted() bool {
	_, n := m.log.LastAccepted()
	return m.event.kind == atAcceptance && n >= m.event.n
}

// awaitAcceptance has the processor come back at the acceptance that is waited for next, by the event or by a debugger.
func (m *Machine) awaitAcceptance() {
	var next uint64
	if m.event.kind == atAcceptance {
		next = m.event.n
	}
	if m.debug != nil && m.debug.accept != 0 && (next == 0 || m.debug.accept < next) {
		next = m.debug.accept
	}
	m.log.Await(next, func() { m.cpu().Pause() })
}
