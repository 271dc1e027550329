package cost

// A Tally is what virtual time went to: how often each event happened, and for how long the processor waited. It does
// not depend on what an event costs, so that a run can be priced by another model; but with other costs the guest's
// timers would have ticked more or less often, which no tally knows.
type Tally struct {
	counts [events]uint64
	Waited int64 // virtual nanoseconds in which the processor had nothing to do: it had halted, or firmware waited for a timer

	contended [locks]Contended
}

// Contended is how often processors waited for a lock, and for how long.
type Contended struct {
	Count uint64
	NS    int64
}

// Contend counts that a processor waited for a lock; no time is no waiting.
func (t *Tally) Contend(l Lock, ns int64) {
	if l < locks && ns > 0 {
		t.contended[l].Count++
		t.contended[l].NS += ns
	}
}

// AddContended counts what is known of a lock in sum.
func (t *Tally) AddContended(l Lock, c Contended) {
	if l < locks {
		t.contended[l].Count += c.Count
		t.contended[l].NS += c.NS
	}
}

// Contended is what was waited for a lock.
func (t *Tally) Contended(l Lock) Contended {
	if l >= locks {
		return Contended{}
	}
	return t.contended[l]
}

// Add counts n more of an event.
func (t *Tally) Add(e Event, n uint64) {
	if e < events {
		t.counts[e] += n
	}
}

// Sum adds what other processors' time went to. The sum is then no span of time.
func (t *Tally) Sum(other Tally) {
	for e, n := range other.counts {
		t.counts[e] += n
	}
	t.Waited += other.Waited
	for l, c := range other.contended {
		t.AddContended(Lock(l), c)
	}
}

// Count is how often the event happened.
func (t *Tally) Count(e Event) uint64 {
	if e >= events {
		return 0
	}
	return t.counts[e]
}

// Time is what all of it takes by a model, in virtual nanoseconds: by the model that it was counted with the very time
// that passed.
func (t *Tally) Time(m Model) int64 {
	now := max(t.fixed(), 0)
	for e, n := range t.counts {
		now = m.Charge(now, Event(e), n)
	}
	return now
}

// fixed is the time that no event takes.
func (t *Tally) fixed() int64 {
	sum := t.Waited
	for _, c := range t.contended {
		sum += c.NS
	}
	return sum
}
