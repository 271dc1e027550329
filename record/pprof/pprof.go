// Package pprof writes who in a guest asked for memory to be accepted as a profile of the pprof format, for
// `go tool pprof` and whatever else reads it.
package pprof

import (
	"errors"
	"io"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/tacit-vm/tacit/record"
)

// ErrNoCallers is about a record of a run in which nothing looked, or not from the start, at who asked.
var ErrNoCallers = errors.New("the record does not say who asked for memory to be accepted")

// Write writes r's callers. There is a sample for each stack, with how many bytes were accepted for it, by how many
// operations, and how much virtual time that took; its labels are the phase of the boot and the platform. Of the guest's
// addresses the functions are left, so that two profiles can be compared though their kernels lie elsewhere. The same
// record gives the same bytes. Of a guest that has accepted nothing itself the profile is empty.
func Write(w io.Writer, r *record.Record) error {
	var asked uint64
	for _, c := range r.Acceptance.Callers {
		asked += c.Bytes
	}
	if by := &r.Acceptance.By; asked < by.Stub.Bytes+by.Kernel.Bytes {
		return ErrNoCallers
	}
	p := &profile.Profile{
		SampleType: []*profile.ValueType{
			{Type: "accepted", Unit: "bytes"}, {Type: "operations", Unit: "count"}, {Type: "virtual_time", Unit: "nanoseconds"},
		},
		DefaultSampleType: "accepted",
		Comments:          []string{r.Image.Kernel, "platform " + r.Platform, "cost model " + r.CostModel},
	}
	b := builder{p, map[string]*profile.Location{}}
	for _, c := range r.Acceptance.Callers {
		phase := "until init"
		if c.AfterInit {
			phase = "after init"
		}
		s := &profile.Sample{
			Value: []int64{int64(c.Bytes), int64(c.Operations), c.VirtualNS},
			Label: map[string][]string{"phase": {phase}, "platform": {r.Platform}, "processor": {"0"}},
		}
		for _, place := range c.Stack {
			s.Location = append(s.Location, b.location(record.Function(place)))
		}
		p.Sample = append(p.Sample, s)
	}
	return p.Write(w)
}

// A builder makes one function and location of each name.
type builder struct {
	p     *profile.Profile
	known map[string]*profile.Location
}

func (b *builder) location(name string) *profile.Location {
	if l := b.known[name]; l != nil {
		return l
	}
	name = strings.ToValidUTF8(name, "?")
	f := &profile.Function{ID: uint64(len(b.p.Function)) + 1, Name: name, SystemName: name}
	l := &profile.Location{ID: uint64(len(b.p.Location)) + 1, Line: []profile.Line{{Function: f}}}
	b.p.Function, b.p.Location = append(b.p.Function, f), append(b.p.Location, l)
	b.known[name] = l
	return l
}
