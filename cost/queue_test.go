package cost

import (
	"math/rand/v2"
	"testing"
)

// Who comes to a free lock has it at once; who comes while it is held waits until it is free; who comes late, of an
// earlier time, has the gap that was left.
func TestQueueByHand(t *testing.T) {
	var q Queue
	for i, c := range []struct{ now, ns, waits int64 }{
		{100, 10, 0},  // 100–110
		{105, 10, 5},  // 110–120
		{200, 10, 0},  // 200–210
		{90, 10, 0},   // 90–100, the gap before
		{95, 80, 25},  // 120–200
		{95, 1, 115},  // 210–211
		{1000, 0, 0},  // holds nothing
		{-5, 10, 0},   // no time of a processor
		{150, 10, 61}, // 211–221
	} {
		if waits := q.take(PageTables, c.now, c.ns); waits != c.waits {
			t.Errorf("step %d: at %d for %d ns: waits %d ns, want %d", i, c.now, c.ns, waits, c.waits)
		}
	}
	if waits := q.take(TD, 100, 10); waits != 0 {
		t.Errorf("another lock: waits %d ns", waits)
	}
	if waits := q.take(Unlocked, 100, 10); waits != 0 {
		t.Errorf("no lock: waits %d ns", waits)
	}
}

// Against a plain model: every nanosecond is held by one processor at most, and each holds the first stretch that is
// free when it comes.
func TestQueueHoldsOneAtATime(t *testing.T) {
	seed := uint64(1)
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var q Queue
	held := map[int64]bool{}
	for now := int64(50); now < 20_000; now += r.Int64N(20) {
		came, ns := now-r.Int64N(50), 1+r.Int64N(15)
		start := came
		for free := int64(0); free < ns; {
			if held[start+free] {
				start, free = start+free+1, 0
				continue
			}
			free++
		}
		for i := range ns {
			held[start+i] = true
		}
		if waits := q.take(TD, came, ns); waits != start-came {
			t.Fatalf("at %d for %d ns: waits %d ns, want %d", came, ns, waits, start-came)
		}
	}
}

// However it is used, a queue keeps little.
func TestQueueIsBounded(t *testing.T) {
	var q Queue
	for i := range int64(100_000) {
		q.take(TD, i*10, 1)
	}
	if n := len(q.busy[TD]); n > spans {
		t.Errorf("keeps %d spans", n)
	}
}

// No event holds a lock for longer than it takes, each hold has a source, and what one processor does alone never waits.
func TestHoldsAreWithinTheirEvents(t *testing.T) {
	for _, m := range Models() {
		for _, h := range m.Holds() {
			if h.NS < 0 || h.NS > m.NS(h.Event) && !h.Halt || h.Source == "" || m.Row(h.Event).Source == "" {
				t.Errorf("%s: %v holds %v for %d ns of %d; source %q", m.Name(), h.Event, h.Lock, h.NS, m.NS(h.Event), h.Source)
			}
		}
		if len(m.Holds()) == 0 || len(m.Holds()) != len(holds[m.Platform()]) {
			t.Errorf("%s lists %d holds of %d", m.Name(), len(m.Holds()), len(holds[m.Platform()]))
		}
	}
	for _, l := range Locks() {
		if got, ok := LockNamed(l.String()); !ok || got != l {
			t.Errorf("lock %q is %v, %v", l, got, ok)
		}
	}
}
