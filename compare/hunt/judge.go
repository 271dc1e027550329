package hunt

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tacit-vm/tacit/record"
)

// An end is what the end of a boot says.
type end int

const (
	pending   end = iota // it has none yet
	alike                // as in the plain order
	otherwise            // a race, or what looks like one
	unknown              // nothing: tacit, or its host, ended it
)

// judgePlain says whether the plain order has an end that others can be held against, or is one already that no guest wants:
// it may take all the time that one may take.
func (b *Boot) judgePlain(r *record.Record, err error, longest time.Duration) {
	if b.take(r, err, longest); b.end != pending {
		return
	}
	switch r.Outcome {
	case record.Violation, record.GuestPanic, record.TripleFault, record.NoReport:
		b.end = otherwise
	default:
		b.end = alike
	}
}

// judge holds a boot against the one in the plain order.
func (b *Boot) judge(control, r *record.Record, err error, longest time.Duration) {
	if b.take(r, err, longest); b.end == pending {
		b.end = otherwise
		if r.Outcome == control.Outcome && code(r) == code(control) {
			b.end = alike
		}
	}
	if b.end == otherwise {
		b.record = r
	}
}

// take notes how a boot ended, and what that says by itself. Where it has taken as much virtual time as it may, processors wait
// for each other, or for nobody.
func (b *Boot) take(r *record.Record, err error, longest time.Duration) {
	if err != nil {
		b.end, b.Outcome = unknown, err.Error()
		return
	}
	b.Outcome = string(r.Outcome)
	switch r.Outcome {
	case record.Limit:
		if longest > 0 && r.VirtualNS.Total >= int64(longest) {
			b.end = otherwise
			return
		}
		fallthrough
	case record.Cancelled, record.Unsupported:
		b.end = unknown
		if r.Diagnosis != nil {
			b.Outcome = fmt.Sprintf("%s: %s", r.Outcome, r.Diagnosis.Summary)
		}
	}
}

// code is what a program ended the run with; 0 where none did.
func code(r *record.Record) uint32 { return *cmp.Or(r.ExitCode, new(uint32)) }
