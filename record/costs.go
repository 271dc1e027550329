package record

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/tacit-vm/tacit/cost"
)

// Costs is what virtual time went to.
type Costs struct {
	Init  *Spent `json:"init"`  // until the first instruction at privilege level 3
	Total Spent  `json:"total"` // until the end

	Contention []Contention `json:"contention,omitempty"` // until the end, in the order of processors; none where there is one
}

// Contention is how often a processor waited for others, and for how long.
type Contention struct {
	CPU  int    `json:"cpu"`
	Lock string `json:"lock"` // by its name in package cost
	Charged
}

// Spent is what a stretch of virtual time went to: the sum of all Events, Waited and Contended is its length, to the
// nanosecond; where there are many processors, the sum of their lengths.
type Spent struct {
	Waited int64              `json:"waited_ns"` // nothing was to be done until a timer
	Events map[string]Charged `json:"events"`    // by the names of package cost; those that did not happen are absent

	Contended map[string]Charged `json:"contended,omitempty"` // by lock, what processors waited for each other
}

// Charged is how often an event happened and what that came to.
type Charged struct {
	Count uint64 `json:"count"`
	NS    int64  `json:"ns"`
}

// SpentOn prices what was counted.
func SpentOn(t cost.Tally, m cost.Model) Spent {
	s := Spent{Waited: t.Waited, Events: map[string]Charged{}}
	for _, e := range cost.Events() {
		if n := t.Count(e); n > 0 {
			s.Events[e.String()] = Charged{n, m.Charge(0, e, n)}
		}
	}
	for _, l := range cost.Locks() {
		if c := t.Contended(l); c.Count > 0 {
			if s.Contended == nil {
				s.Contended = map[string]Charged{}
			}
			s.Contended[l.String()] = Charged(c)
		}
	}
	return s
}

// Tally returns the counts, for other prices. The error says why they are none: a record of a tacit that did not count
// yet, or of one that counts what this one does not know.
func (s Spent) Tally() (cost.Tally, error) {
	t := cost.Tally{Waited: s.Waited}
	if len(s.Events) == 0 {
		return t, errors.New("the record does not say how often what was charged: it is older than that")
	}
	sum := s.Waited
	for _, name := range slices.Sorted(maps.Keys(s.Events)) {
		e, ok := cost.EventNamed(name)
		c := s.Events[name]
		switch {
		case !ok:
			return t, fmt.Errorf("the record counts %q, of which this tacit knows nothing", name)
		case c.NS < 0 || sum < 0:
			return t, errors.New("the record has negative times")
		}
		t.Add(e, c.Count)
		sum = addNS(sum, c.NS)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Contended)) {
		l, ok := cost.LockNamed(name)
		c := s.Contended[name]
		switch {
		case !ok:
			return t, fmt.Errorf("the record has processors wait for %q, of which this tacit knows nothing", name)
		case c.NS < 0 || sum < 0:
			return t, errors.New("the record has negative times")
		}
		t.AddContended(l, cost.Contended(c))
		sum = addNS(sum, c.NS)
	}
	if sum == math.MaxInt64 {
		return t, errors.New("the record's times are longer than time is")
	}
	return t, nil
}
