package compare

import (
	"fmt"
	"strings"

	"github.com/tacit-vm/tacit/record"
)

// A Unit is what a metric's numbers count.
type Unit int

// Units.
const (
	Nanoseconds Unit = iota // virtual
	Bytes
	Times
)

// Format writes a number in words: "2.314 s", "812 MiB", "41,704".
func (u Unit) Format(n uint64) string {
	switch u {
	case Nanoseconds:
		return record.FormatNS(int64(n))
	case Bytes:
		return record.FormatBytes(n)
	}
	return record.FormatCount(n)
}

// A Metric is a number that a record has.
type Metric struct {
	Name    string // as conditions and JSON have it
	Head    string // of a column
	Meaning string // for people
	Unit    Unit

	of func(*record.Record) *uint64
}

// Of is the metric of a run; nil where the run did not get so far.
func (m *Metric) Of(r *record.Record) *uint64 {
	if r == nil {
		return nil
	}
	return m.of(r)
}

// Metrics are those that are compared, in the order in which tables show them.
func Metrics() []*Metric { return metrics }

var metrics = []*Metric{
	{"init", "init", "virtual time to the first instruction of the first program", Nanoseconds, func(r *record.Record) *uint64 {
		if ns := r.VirtualNS.Init; ns != nil && *ns >= 0 {
			return new(uint64(*ns))
		}
		return nil
	}},
	{"end", "end", "virtual time until the guest ended", Nanoseconds, atEnd(func(r *record.Record) uint64 { return uint64(max(r.VirtualNS.Total, 0)) })},
	{"accepted", "accepted", "memory accepted, by whomever", Bytes, atEnd(func(r *record.Record) uint64 {
		by := &r.Acceptance.By
		return by.Firmware.Bytes + by.Stub.Bytes + by.Kernel.Bytes
	})},
	{"firmware", "by firmware", "memory accepted by firmware", Bytes, atEnd(func(r *record.Record) uint64 { return r.Acceptance.By.Firmware.Bytes })},
	{"kernel", "by kernel", "memory accepted by the kernel and its EFI stub", Bytes, atEnd(func(r *record.Record) uint64 {
		return r.Acceptance.By.Stub.Bytes + r.Acceptance.By.Kernel.Bytes
	})},
	{"operations", "operations", "operations of acceptance, one a page", Times, atEnd(func(r *record.Record) uint64 {
		by := &r.Acceptance.By
		return by.Firmware.Operations + by.Stub.Operations + by.Kernel.Operations
	})},
	{"exits", "exits", "how often the host was asked", Times, atEnd(func(r *record.Record) (n uint64) {
		for _, statuses := range r.Calls[record.HostExit.String()] {
			for _, times := range statuses {
				n += times
			}
		}
		return n
	})},
	{"host", "host memory", "private memory that the host gave the guest", Bytes, atEnd(func(r *record.Record) (n uint64) {
		for _, pages := range r.Added {
			n += pages.Bytes
		}
		return n
	})},
}

// atEnd is known of a guest that came to an end of its own.
func atEnd(of func(*record.Record) uint64) func(*record.Record) *uint64 {
	return func(r *record.Record) *uint64 {
		switch r.Outcome {
		case record.Cancelled, record.Limit, record.Unsupported, "":
			return nil
		}
		return new(of(r))
	}
}

// MetricNamed is the metric of that name; the error names those that there are.
func MetricNamed(name string) (*Metric, error) {
	var names []string
	for _, m := range metrics {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return nil, fmt.Errorf("%q is nothing that is compared: there are %s", name, strings.Join(names, ", "))
}

// Ratio is how many times as much a run has as its base; nil where either is not known, or the base has none.
func (m *Metric) Ratio(r, base *record.Record) *float64 {
	n, b := m.Of(r), m.Of(base)
	if n == nil || b == nil || *b == 0 {
		return nil
	}
	return new(float64(*n) / float64(*b))
}
