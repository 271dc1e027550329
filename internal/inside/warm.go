package inside

import (
	"context"
	"fmt"
	"time"
)

// step is how much memory is asked for at once, in bytes: what Linux accepts at once, which is its largest free block
// (MAX_PAGE_ORDER) on x86-64.
const step = 4 << 20

// A Plan says how much memory is to be accepted now, and how fast. Sizes are in bytes.
//
// Linux accepts memory when an allocation finds too little of what is accepted and free (mm/page_alloc.c,
// cond_accept_memory), and it has no call that asks for it. So a plan holds memory, which the kernel fills with zeros and
// nothing is written to: first all that is accepted and free, then what the kernel accepts to give more. At the end it
// gives all back, accepted. As long as there is unaccepted memory, the kernel takes that rather than reclaim any; and no
// step is made that would leave less than the reserve, or that a limit of the process's control groups does not allow.
type Plan struct {
	Until   uint64 // the goal: so much is left unaccepted at most, or up to a step less
	Rate    uint64 // a second at most, of what is accepted from the first step on that has some accepted; 0 is no limit
	Reserve uint64 // what stays available for others at any moment
}

// A Kernel is what a plan acts on.
type Kernel interface {
	Books() (Books, error)
	Room() (uint64, error) // what the process may still have, beyond what it has, by its control groups
	Hold(n uint64) error   // takes n bytes more, really
	Release() error        // gives back all
}

// An End says why a plan ended.
type End string

const (
	Reached    End = "the goal is reached"
	AtReserve  End = "more would leave less available than the reserve"
	AtLimit    End = "a limit of the process's control group is near"
	ToldTo     End = "told to end"
	HoldFailed End = "the kernel gave no more memory"
)

// A Result says what a plan did.
type Result struct {
	Before, After Books
	Held          uint64 // bytes that were held at most
	End           End
}

// Accepted is how much less unaccepted memory there is, in bytes, whoever asked for it.
func (r Result) Accepted() uint64 {
	return r.Before.Unaccepted - min(r.Before.Unaccepted, r.After.Unaccepted)
}

// Run carries out the plan. It ends when the goal is reached, when it may not hold more, or when ctx is done, within the
// time that one step takes and giving back does. An error is one of reading the books or of holding memory; whatever it
// is, memory has been given back. The result is good with an error, too, if After is not zero.
func (p Plan) Run(ctx context.Context, k Kernel) (r Result, err error) {
	defer func() {
		if e := k.Release(); err == nil {
			err = e
		}
		after, e := k.Books()
		if err == nil {
			err = e
		}
		r.After = after
	}()
	if r.Before, err = k.Books(); err != nil {
		return r, err
	}
	for now := r.Before; ; {
		if r.End, err = p.mayStep(ctx, k, now); err != nil || r.End != "" {
			return r, err
		}
		began := time.Now()
		if err := k.Hold(step); err != nil {
			r.End = HoldFailed
			return r, fmt.Errorf("after %d MiB: %w", r.Held>>20, err)
		}
		r.Held += step
		was := now.Unaccepted
		if now, err = k.Books(); err != nil {
			return r, err
		}
		if p.Rate != 0 && now.Unaccepted < was {
			// What one step accepts takes its time; what is idle in one is not made up for in another.
			due := time.Duration(float64(was-now.Unaccepted) / float64(p.Rate) * float64(time.Second))
			wait(ctx, due-time.Since(began))
		}
	}
}

// mayStep says why not another step, or nothing.
func (p Plan) mayStep(ctx context.Context, k Kernel, now Books) (End, error) {
	if ctx.Err() != nil {
		return ToldTo, nil
	}
	if now.Unaccepted <= p.Until {
		return Reached, nil
	}
	if now.Available < p.Reserve+step {
		return AtReserve, nil
	}
	room, err := k.Room()
	if err != nil {
		return "", err
	}
	// Page tables and what others of the group allocate in the meantime have to fit, too.
	const margin = 4 * step
	if room < step+margin {
		return AtLimit, nil
	}
	return "", nil
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
