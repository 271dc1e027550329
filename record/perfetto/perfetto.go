// Package perfetto writes what happened in a run over time as a trace of Perfetto's, for its viewer (ui.perfetto.dev) and
// its trace processor.
//
// The format is a sequence of TracePackets, in protocol buffers (https://perfetto.dev/docs/reference/synthetic-track-event;
// messages and numbers of fields: protos/perfetto/trace in Perfetto's repository, as of August 2026). Its clock is the
// machine's virtual time: one nanosecond of the trace is one of the machine, exactly. docs/trace.md says what each track is.
package perfetto

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// Write writes a run's timeline, with what the record says of the run. The same run gives the same bytes. How many they
// are is bounded as the timeline is.
func Write(w io.Writer, r *record.Record, t *timeline.Timeline) error {
	b := &builder{known: map[string]uint64{}}
	b.describe(r, t)
	b.phases(t)
	b.acceptances(t)
	b.additions(t)
	b.console(t)
	b.counters(t)
	return b.write(w)
}

// Is says whether what begins so is a trace of this package's.
func Is(head []byte) bool {
	field, kind, n := protowire.ConsumeTag(head)
	if n < 0 || field != tracePacket || kind != protowire.BytesType {
		return false
	}
	_, length := protowire.ConsumeVarint(head[n:])
	return length > 0 && bytes.HasPrefix(head[n+length:], firstPacket())
}

// firstPacket is how the first packet begins.
func firstPacket() message { return message{}.number(packetFlags, flagCleared).number(packetFirst, 1) }

// A builder collects the packets of a trace.
type builder struct {
	tracks []message
	events []event
	known  map[string]uint64 // strings that are written once, with their numbers
	texts  message           // … and as an InternedData
}

type event struct {
	ns     int64
	packet message
}

// write writes descriptors first, and then events in the order of time, those of one instant as they were made.
func (b *builder) write(w io.Writer) error {
	first := firstPacket()
	if len(b.texts) > 0 {
		first = first.message(packetInterned, b.texts)
	}
	slices.SortStableFunc(b.events, func(a, b event) int { return cmp.Compare(a.ns, b.ns) })
	out := writer{w: w}
	out.packet(first)
	for _, track := range b.tracks {
		out.packet(message{}.message(packetTrack, track))
	}
	for _, e := range b.events {
		out.packet(e.packet)
	}
	if out.err != nil {
		return fmt.Errorf("writing the trace: %w", out.err)
	}
	return nil
}

// A writer writes packets until something goes wrong.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) packet(p message) {
	if w.err == nil {
		_, w.err = w.w.Write(message{}.message(tracePacket, p.number(packetSequence, 1)))
	}
}

// event adds an event to a track. What it says beyond its name are annotations.
func (b *builder) event(ns int64, kind uint64, track uint64, name string, fields ...message) {
	e := message{}.number(eventType, kind).number(eventTrack, track)
	if name != "" {
		e = e.text(eventName, name)
	}
	for _, f := range fields {
		e = append(e, f...)
	}
	ns = max(ns, 0)
	b.events = append(b.events, event{ns, message{}.number(packetTimestamp, uint64(ns)).number(packetFlags, flagNeedsState).message(packetEvent, e)})
}

// slice adds an event that lasts.
func (b *builder) slice(from, until int64, track uint64, name string, annotations ...message) {
	b.event(from, typeBegin, track, name, annotations...)
	b.event(max(until, from), typeEnd, track, "")
}

// text returns the number of a string that is written only once.
func (b *builder) text(s string) uint64 {
	n, known := b.known[s]
	if !known {
		n = uint64(len(b.known)) + 1
		b.known[s] = n
		b.texts = b.texts.message(internedValues, message{}.number(stringNumber, n).text(stringText, s))
	}
	return n
}

func number(name string, v uint64) message {
	return message{}.message(eventAnnotation, message{}.text(annotationName, name).number(annotationNumber, v))
}

func address(name string, v uint64) message {
	return message{}.message(eventAnnotation, message{}.text(annotationName, name).number(annotationAddress, v))
}

func word(name, v string) message {
	return message{}.message(eventAnnotation, message{}.text(annotationName, name).text(annotationText, v))
}

// list is an annotation of several strings.
func (b *builder) list(name string, all []string) message {
	a := message{}.text(annotationName, name)
	for _, s := range all {
		a = a.message(annotationList, message{}.number(annotationTextNumber, b.text(s)))
	}
	return message{}.message(eventAnnotation, a)
}
