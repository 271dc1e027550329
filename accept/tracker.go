package accept

// A Tracker lets several processors accept memory of one [Bitmap] at once. Each unit is accepted by one of them, and a
// processor waits for another only where that one is accepting what it needs itself.
//
// A processor claims memory under a lock, has it accepted without the lock, and commits it under the lock again, which
// clears the bits. What is claimed is remembered in slots that the caller provides; a claim is a value in a slot and
// never a pointer, so that a Tracker can be used where a Go pointer must not be stored, as in an interrupt handler.
//
// The fields are set before first use and not changed afterwards. A Tracker must not be copied once it is in use.
type Tracker struct {
	// Bitmap says what is unaccepted. While several processors are at work it must be read with Lock held.
	Bitmap Bitmap

	// Lock guards the bitmap and the claims. It may be nil where there is one processor, which takes no interrupts.
	Lock Monitor

	// Claims are the slots: how many processors can accept at once. Others wait. Without slots there is one.
	Claims []Range

	// Step is how many bytes a claim has at most, a multiple of [UnitSize]; 0 is one unit. Who needs a unit that another
	// has claimed waits for the whole claim: one unit keeps everybody from waiting for memory that he does not need.
	// More saves calls where the architecture has larger ones: 1 GiB for TDG.MEM.PAGE.ACCEPT, 253 units for a page
	// state change.
	Step uint64

	one    [1]Range
	failed bool
}

// A Monitor is a lock with a place to wait. With packages sync and runtime it is a [sync.Mutex] and a [sync.Cond] on
// it; on bare metal a spin lock, of which Wait lets go for as long as a PAUSE takes, while Broadcast does nothing.
//
// [sync.Mutex]: https://pkg.go.dev/sync#Mutex
// [sync.Cond]: https://pkg.go.dev/sync#Cond
type Monitor interface {
	Lock()
	Unlock()
	Wait()      // called with the lock: lets go of it, returns after the next Broadcast or at any other time, with the lock
	Broadcast() // called with the lock: makes those who wait return
}

// A Claim is memory that its holder accepts, and no other processor.
type Claim struct {
	Range
	slot int
}

// An Answer is what became of an attempt to claim memory.
type Answer uint8

const (
	Claimed  Answer = iota // the claim is the caller's, to be accepted and committed or failed
	Accepted               // nothing there is unaccepted
	Busy                   // what is unaccepted there others have claimed, or all slots are taken
	Broken                 // something there is unaccepted, and an earlier claim has failed: nothing is accepted any more
)

// ErrBroken is returned to those who need unaccepted memory after a claim has failed. A guest has to end then: some
// memory is neither accepted nor known not to be.
var ErrBroken error = brokenError{}

type brokenError struct{}

func (brokenError) Error() string {
	return "accepting memory has failed before: what is left cannot be accepted"
}

// Accept makes r fit for use, as [Bitmap.Accept] does, together with others that accept at the same time: it accepts
// what is not claimed, a Step at a time, and waits for the rest. The driver is this processor's.
//
// It returns the driver's error, or [ErrBroken] where another processor's driver has failed, unless all of r has been
// accepted.
func (t *Tracker) Accept(r Range, d Driver) error {
	t.lock()
	err := t.accept(r, d)
	t.unlock()
	return err
}

// accept is called with the lock, and lets go of it while the driver works.
func (t *Tracker) accept(r Range, d Driver) error {
	for rest := r; ; {
		c, answer := t.claim(rest)
		switch {
		case answer == Claimed:
			t.unlock()
			err := d.Accept(c.Range)
			t.lock()
			if err != nil {
				t.fail(c)
				return err
			}
			t.commit(c)
			rest = Range{c.End, r.End}
		case answer == Broken:
			return ErrBroken
		case rest != r:
			rest = r // what others had claimed when it was passed
		case answer == Accepted:
			return nil
		default:
			t.wait()
		}
	}
}

// Claim claims the first of the unaccepted memory in r that is not claimed, at most [Tracker.Step] bytes of it and
// in whole units. The claim is good only if the answer is [Claimed]; its holder accepts it and calls [Tracker.Commit],
// or [Tracker.Fail].
func (t *Tracker) Claim(r Range) (Claim, Answer) {
	t.lock()
	c, answer := t.claim(r)
	t.unlock()
	return c, answer
}

// Commit records that c has been accepted.
func (t *Tracker) Commit(c Claim) {
	t.lock()
	t.commit(c)
	t.unlock()
}

// Fail records that c could not be accepted, or only in part. Nothing can be claimed any more.
func (t *Tracker) Fail(c Claim) {
	t.lock()
	t.fail(c)
	t.unlock()
}

// Unaccepted returns how many bytes of r are unaccepted, counting whole units that r touches and those that are
// claimed.
func (t *Tracker) Unaccepted(r Range) uint64 {
	t.lock()
	n := t.Bitmap.Count(r) * UnitSize
	t.unlock()
	return n
}

func (t *Tracker) claim(r Range) (Claim, Answer) {
	free, claimed := t.unclaimed(r)
	switch {
	case free.Empty() && !claimed:
		return Claim{}, Accepted
	case t.failed:
		return Claim{}, Broken
	case free.Empty():
		return Claim{}, Busy
	}
	slots := t.slots()
	for i := range slots {
		if slots[i].Empty() {
			slots[i] = free
			return Claim{free, i}, Claimed
		}
	}
	return Claim{}, Busy
}

// unclaimed returns the first of the unaccepted memory in r that is not claimed, at most a step of it; and, where
// there is none, whether there is some that is claimed.
func (t *Tracker) unclaimed(r Range) (free Range, claimed bool) {
	step := max(t.Step, UnitSize)
	for {
		run := t.Bitmap.first(r, step)
		if run.Empty() {
			return Range{}, claimed
		}
		c := t.firstClaim(run)
		if c.Empty() {
			return run, claimed
		}
		if c.Start > run.Start {
			return Range{run.Start, c.Start}, claimed
		}
		claimed = true
		r.Start = c.End
	}
}

// firstClaim returns the claim with the lowest address that shares memory with r; empty where there is none.
func (t *Tracker) firstClaim(r Range) (first Range) {
	for _, c := range t.slots() {
		if !c.Intersect(r).Empty() && (first.Empty() || c.Start < first.Start) {
			first = c
		}
	}
	return first
}

func (t *Tracker) slots() []Range {
	if len(t.Claims) == 0 {
		return t.one[:]
	}
	return t.Claims
}

func (t *Tracker) commit(c Claim) {
	t.Bitmap.Clear(c.Range)
	t.release(c)
}

func (t *Tracker) fail(c Claim) {
	t.failed = true
	t.release(c)
}

func (t *Tracker) release(c Claim) {
	t.slots()[c.slot] = Range{}
	if t.Lock != nil {
		t.Lock.Broadcast()
	}
}

func (t *Tracker) lock() {
	if t.Lock != nil {
		t.Lock.Lock()
	}
}

func (t *Tracker) unlock() {
	if t.Lock != nil {
		t.Lock.Unlock()
	}
}

// wait waits for another processor. Without a lock there is none, and a claim that is not committed never will be.
func (t *Tracker) wait() {
	if t.Lock == nil {
		panic("BUG: accept.Tracker: a claim of this processor was neither committed nor failed")
	}
	t.Lock.Wait()
}
