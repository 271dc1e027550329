package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tacit-vm/tacit/compare/demo"
	"github.com/tacit-vm/tacit/record"
)

// A race draws guests on a terminal, side by side on one clock: their virtual time, slowed down so that one can watch.
// The guests themselves run as fast as they can. What is drawn is what the slowest of them has already lived through.
type race struct {
	guests []demo.Guest
	out    io.Writer
	paint  demo.Paint
	memory uint64

	mu     sync.Mutex
	tracks []track
	drawn  bool // the lines are on the terminal
}

// A track is what is known of one guest so far.
type track struct {
	samples []sample // in the order of time
	init    *int64   // when its program started
	ended   *demo.Result
}

type sample struct {
	ns       int64
	accepted uint64
}

// frame is how often the race is drawn, and pace how much virtual time passes in a nanosecond for each byte of a guest's
// memory: the time to accept all of it, and so a race, takes some two seconds whatever the memory.
const (
	frame = 40 * time.Millisecond
	pace  = 0.11 / (1 << 30)
)

func newRace(guests []demo.Guest, out io.Writer, paint demo.Paint, memory uint64) *race {
	r := &race{guests: slices.Clone(guests), out: out, paint: paint, memory: memory, tracks: make([]track, len(guests))}
	for i := range r.guests {
		r.guests[i].Config.Progress = func(p record.Progress) { r.see(i, p.VirtualNS, memory-p.UnacceptedBytes) }
		r.guests[i].Config.Events = marks(func(m record.Marked) {
			r.see(i, m.VirtualNS, memory-m.Unaccepted)
			if m.Phase == record.Init {
				r.mu.Lock()
				r.tracks[i].init = &m.VirtualNS
				r.mu.Unlock()
			}
		})
	}
	return r
}

// marks takes of a run's events the phases.
type marks func(record.Marked)

func (f marks) Event(e record.Event) {
	if m, ok := e.(record.Marked); ok {
		f(m)
	}
}

func (r *race) see(i int, ns int64, accepted uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tracks[i].samples = append(r.tracks[i].samples, sample{ns, accepted})
}

// run runs the guests and draws them until the last has ended on the terminal, too.
func (r *race) run(ctx context.Context) ([]*demo.Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var drawing sync.WaitGroup
	drawing.Go(func() { r.watch(ctx) })
	results, err := demo.Run(ctx, r.guests, demo.Options{Workers: demoWorkers, Ended: func(i int, ran *demo.Result) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.tracks[i].ended = ran
	}})
	if err != nil {
		cancel()
	}
	drawing.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return results, err
}

// watch lets the race's clock run.
func (r *race) watch(ctx context.Context) {
	tick := time.NewTicker(frame)
	defer tick.Stop()
	var now int64
	for over := false; !over; {
		over = r.draw(now)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now = min(now+int64(float64(frame)*pace*float64(r.memory)), r.known())
		}
	}
}

// known is how far every guest has come.
func (r *race) known() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, last := int64(-1), int64(0)
	for i := range r.tracks {
		t := &r.tracks[i]
		last = max(last, t.last())
		if t.ended == nil && (known < 0 || t.last() < known) {
			known = t.last()
		}
	}
	if known < 0 {
		return last
	}
	return known
}

// draw shows the guests at one instant, in one piece, over what was shown before. It says whether all have ended.
func (r *race) draw(now int64) (over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	over = true
	var b strings.Builder
	if r.drawn {
		fmt.Fprintf(&b, "\x1b[%dA", len(r.tracks)) // ECMA-48: CUU
	}
	for i := range r.tracks {
		s := r.tracks[i].at(now, r.memory)
		over = over && s.End != ""
		fmt.Fprintf(&b, "\r%s\x1b[K\n", s.Line(i, &r.guests[i], r.paint)) // EL
	}
	r.drawn = true
	_, _ = io.WriteString(r.out, b.String()) // out remembers its error
	return over
}

// last is the latest instant that is known.
func (t *track) last() int64 {
	if len(t.samples) == 0 {
		return 0
	}
	return t.samples[len(t.samples)-1].ns
}

// at is where the guest was at an instant: between two samples, as if it had accepted memory evenly.
func (t *track) at(now int64, memory uint64) demo.Status {
	if t.ended != nil && now >= t.last() {
		return t.ended.Status()
	}
	s := demo.Status{Bar: demo.Bar{Memory: memory}}
	if t.init != nil && *t.init <= now {
		s.Init = t.init
	}
	next, _ := slices.BinarySearchFunc(t.samples, now, func(a sample, ns int64) int {
		if a.ns <= ns {
			return -1
		}
		return 1
	})
	switch {
	case next == 0:
	case next == len(t.samples):
		s.Accepted = t.samples[next-1].accepted
	default:
		from, to := t.samples[next-1], t.samples[next]
		part := float64(now-from.ns) / float64(to.ns-from.ns)
		s.Accepted = uint64(float64(from.accepted)*(1-part) + float64(to.accepted)*part)
	}
	return s
}
