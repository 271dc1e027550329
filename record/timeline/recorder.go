package timeline

import (
	"cmp"
	"slices"

	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

// A Recorder makes a Timeline. It is the Sink that watches a machine's log, and is shown the machine's memory at the
// instants that it asks for. What it keeps is bounded: where a run goes on, time is divided less finely. The same run
// gives the same Timeline. The zero Recorder is ready for Start.
type Recorder struct {
	t      Timeline
	latest Sample // that was taken, kept or not
	shift  int    // a sample is kept for each 1<<shift nanoseconds
	kinds  kinds
	lines  lines
	taken  [agents]spans
	added  spans
	space  space
}

const (
	// maxSamples bounds how many samples are kept. A boot of some seconds has one for a millisecond or two.
	maxSamples = 2048

	firstShift = 10 // time is divided into microseconds at first
	lastShift  = 62 // … and into halves of all that there is at last

	agents = record.Kernel + 1
)

// Start begins the account of a machine that has so many bytes of memory, which lie in ram.
func (r *Recorder) Start(memory uint64, ram []Area) {
	*r = Recorder{t: Timeline{Memory: memory, RAM: ram}, shift: firstShift}
	if len(ram) > 0 {
		r.space.units = make([]unit, (ram[len(ram)-1].End+UnitBytes-1)/UnitBytes)
	}
}

// Event implements [record.Sink], for [record.Log.Watch].
func (r *Recorder) Event(e record.Event) {
	switch e := e.(type) {
	case record.Accepted:
		by := min(e.By, agents-1)
		r.taken[by].add(span{
			first: e.VirtualNS - e.NS, last: e.Last.VirtualNS, cost: e.NS, gpa: uint64(e.GPA), bytes: e.Bytes,
			operations: operations(e.Bytes, e.Size), stack: e.Stack,
		})
		r.space.set(e.VirtualNS, uint64(e.GPA), e.Bytes, stateBy(by), anything)
	case record.Added:
		r.added.add(span{
			first: e.VirtualNS, last: e.Last.VirtualNS, gpa: uint64(e.GPA), bytes: e.Bytes, operations: operations(e.Bytes, e.Size),
		})
	case record.Converted:
		if e.To == physical.Shared {
			r.space.set(e.VirtualNS, uint64(e.GPA), e.Bytes, Shared, anything)
		} else {
			r.space.set(e.VirtualNS, uint64(e.GPA), e.Bytes, Unaccepted, onlyShared)
		}
	case record.Marked:
		r.t.Phases = append(r.t.Phases, e) // of each phase there is one
		r.t.End = max(r.t.End, e.VirtualNS)
	case record.Said:
		r.lines.add(Line{e.VirtualNS, e.Text})
	}
}

func operations(bytes uint64, size physical.PageSize) uint64 {
	return (bytes + size.Bytes() - 1) / size.Bytes()
}

// stateBy is what memory is that this agent has accepted.
func stateBy(a record.Agent) State {
	switch a {
	case record.Firmware:
		return ByFirmware
	case record.Stub:
		return ByStub
	}
	return ByKernel
}

// Next returns from what instant on the next sample is wanted.
func (r *Recorder) Next() int64 {
	if len(r.t.Samples) == 0 {
		return 0
	}
	return (r.latest.NS>>r.shift + 1) << r.shift
}

// Take takes a sample and what was called until then, as [record.Log.Counted] returns it; it sets s.Exits. It may be one
// that was not asked for: at a phase, or the last.
func (r *Recorder) Take(s Sample, calls []record.Calls) {
	s.Exits = r.kinds.count(calls)
	all := r.t.Samples
	if n := len(all); n == 0 || s.NS>>r.shift != all[n-1].NS>>r.shift {
		if n == maxSamples {
			all = r.thin(all)
		}
		all = append(all, s)
	}
	r.t.Samples, r.latest = all, s
}

// thin makes the samples at least half as many. Those that stay are those that there would be if time had been divided
// that way from the start.
func (r *Recorder) thin(all []Sample) []Sample {
	for len(all) > maxSamples/2 && r.shift < lastShift {
		r.shift++
		all = slices.CompactFunc(all, func(a, b Sample) bool { return a.NS>>r.shift == b.NS>>r.shift })
	}
	return all
}

// Timeline returns what there is so far.
func (r *Recorder) Timeline() *Timeline {
	t := r.t
	t.Samples = slices.Clone(t.Samples)
	if n := len(t.Samples); n > 0 {
		if last := &t.Samples[n-1]; last.NS == r.latest.NS {
			*last = r.latest
		} else {
			t.Samples = append(t.Samples, r.latest)
		}
		t.End = max(t.End, r.latest.NS)
	}
	t.Exits = slices.Clone(r.kinds.names)
	for i := range t.Samples { // kinds that came later
		s := &t.Samples[i]
		s.Exits = append(slices.Clone(s.Exits), make([]uint64, len(t.Exits)-len(s.Exits))...)
	}
	t.Phases = slices.Clone(t.Phases)
	t.Lines, t.DroppedLines = r.lines.all()
	t.Changes = slices.Clone(r.space.changes)
	t.Joined = r.added.joined + r.space.joined
	for by := range r.taken {
		t.Joined += r.taken[by].joined
		for _, s := range r.taken[by].all {
			t.Taken = append(t.Taken, Taken{s.first, s.last, s.cost, record.Agent(by), s.gpa, s.bytes, s.operations, s.stack})
		}
	}
	slices.SortStableFunc(t.Taken, func(a, b Taken) int { return cmp.Compare(a.NS, b.NS) })
	for _, s := range r.added.all {
		t.Added = append(t.Added, Added{s.first, s.last, s.gpa, s.bytes, s.operations})
	}
	return &t
}
