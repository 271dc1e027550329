package perfetto

import (
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// phases adds the phases: each lasts until the next is reached, and the last is an instant.
func (b *builder) phases(t *timeline.Timeline) {
	for i, p := range t.Phases {
		annotations := []message{number("unaccepted_bytes", p.Unaccepted), number("instructions", p.Instructions)}
		if i+1 < len(t.Phases) {
			b.slice(p.VirtualNS, t.Phases[i+1].VirtualNS, trackPhases, p.Phase.String(), annotations...)
			continue
		}
		b.event(p.VirtualNS, typeInstant, trackPhases, p.Phase.String(), annotations...)
	}
}

// acceptances adds what was accepted. Each has the name of who asked for it: equal names have equal colours.
func (b *builder) acceptances(t *timeline.Timeline) {
	for _, taken := range t.Taken {
		name := taken.By.String()
		if taken.Stack != nil {
			name = taken.Stack.Asked()
		}
		annotations := []message{
			number("bytes", taken.Bytes), number("operations", taken.Operations), number("cost_ns", uint64(max(taken.Cost, 0))),
			address("gpa", taken.GPA), word("by", taken.By.String()),
		}
		if taken.Stack != nil {
			annotations = append(annotations, b.list("stack", *taken.Stack))
		}
		b.slice(taken.NS, taken.Last, trackAgents+uint64(taken.By), name, annotations...)
	}
}

func (b *builder) additions(t *timeline.Timeline) {
	for _, a := range t.Added {
		b.slice(a.NS, a.Last, trackHost, record.FormatBytes(a.Bytes), number("bytes", a.Bytes), number("operations", a.Operations), address("gpa", a.GPA))
	}
}

func (b *builder) console(t *timeline.Timeline) {
	for _, l := range t.Lines {
		b.event(l.NS, typeInstant, trackConsole, l.Text)
	}
}

// counters adds each counter's values where they change, and the last.
func (b *builder) counters(t *timeline.Timeline) {
	amounts := []struct {
		track uint64
		of    func(timeline.Sample) uint64
	}{
		{trackAccepted, func(s timeline.Sample) uint64 { return s.Accepted }},
		{trackUnaccepted, func(s timeline.Sample) uint64 { return s.Unaccepted }},
		{trackShared, func(s timeline.Sample) uint64 { return s.Shared }},
		{trackGiven, func(s timeline.Sample) uint64 { return s.Given }},
		{trackTouched, func(s timeline.Sample) uint64 { return s.Touched }},
	}
	for i := range t.Exits {
		amounts = append(amounts, struct {
			track uint64
			of    func(timeline.Sample) uint64
		}{trackKinds + uint64(i), func(s timeline.Sample) uint64 { return s.Exits[i] }})
	}
	for _, a := range amounts {
		for i, s := range t.Samples {
			v := a.of(s)
			if i > 0 && i+1 < len(t.Samples) && v == a.of(t.Samples[i-1]) {
				continue
			}
			b.event(s.NS, typeCounter, a.track, "", message{}.number(eventCounter, v))
		}
	}
}
