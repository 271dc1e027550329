package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Sink receives the events of a run one by one, in the order of their stamps, where totals are not enough: a file, a
// timeline, a profile.
type Sink interface {
	// Event takes one event. It must not give the Log another.
	Event(e Event)
}

// List is a Sink that keeps the first Max events and counts the rest.
type List struct {
	Max     int
	Events  []Event
	Dropped uint64
}

// Event keeps e, if there is room.
func (l *List) Event(e Event) {
	if len(l.Events) >= l.Max {
		l.Dropped++
		return
	}
	l.Events = append(l.Events, e)
}

// Lines is a Sink that writes each event as one line of JSON. The key "event" names what it is: accept, add, convert,
// call or mark; the other keys are the fields of the event's type.
type Lines struct {
	w    *bufio.Writer
	room int // lines that may still be written
	err  error
}

// maxLines bounds a file of events, of which a guest can make any number: a thousand times what a boot makes with host
// pages of 4 KiB.
const maxLines = 10_000_000

// NewLines returns a Lines that writes to w.
func NewLines(w io.Writer) *Lines { return &Lines{w: bufio.NewWriter(w), room: maxLines} }

// Event writes e. After an error, and after ten million events, nothing more is written, and Close says so.
func (l *Lines) Event(e Event) {
	if l.err == nil && l.room == 0 {
		l.err = errors.New("there are more than are written down")
	}
	if l.err != nil {
		return
	}
	l.room--
	fields, err := json.Marshal(e)
	if err != nil {
		l.err = err
		return
	}
	_, l.err = fmt.Fprintf(l.w, "{\"event\":%q,%s\n", e.kind(), fields[1:])
}

// Kinds are the events of which Lines writes a line, as zero values, by what their key "event" says.
func Kinds() map[string]Event {
	all := map[string]Event{}
	for _, e := range []Event{Accepted{}, Added{}, Converted{}, Called{}, Marked{}} {
		all[e.kind()] = e
	}
	return all
}

// Close writes what is buffered and returns the first error. It does not close the underlying writer.
func (l *Lines) Close() error {
	if err := l.w.Flush(); l.err == nil {
		l.err = err
	}
	if l.err != nil {
		return fmt.Errorf("writing events: %w", l.err)
	}
	return nil
}

// LastPhase is a Sink that keeps the phase which a run has reached.
type LastPhase Phase

// Event notes the phase, if e marks one.
func (l *LastPhase) Event(e Event) {
	if m, ok := e.(Marked); ok {
		*l = LastPhase(m.Phase)
	}
}
