package vm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// A run ends when it is told to, whatever the guest does. There are two kinds of order:
//
// From outside, at any moment: the caller's context is done, or MaxWall is over. Both end one context, and when that is
// done the processors are asked to come back (x86.CPU.Yield). They do so between two instructions; firmware's services
// do between two pieces of their work; what waits, for gdb or for a key, waits for the context as well.
//
// By the run itself, at an exact place that is the same on every host: so many instructions or so much virtual time, a
// kernel that has given up, more of the host's memory than the run may take. What is looked at for these is data.

// Ends for which no other package has a word.
var (
	errCancelled = errors.New("cancelled")
	errHalted    = errors.New("every processor waits for an interrupt and none can come")
	errPanicked  = errors.New("the guest's kernel has given up, and waits for ever")
)

// A limitError ends a run that has used up what it may.
type limitError struct{ what string }

func (e *limitError) Error() string { return "the limit of " + e.what + " was reached" }

// DefaultMaxVirtual is a limit of virtual time for a guest with so many bytes of memory that no sane boot reaches: ten
// minutes, where a distribution's kernel takes seconds, and four seconds more for each GiB, which is twice what it takes
// to accept it all in pages of 4 KiB.
func DefaultMaxVirtual(memory uint64) time.Duration {
	return 10*time.Minute + time.Duration(memory>>30)*4*time.Second
}

// watchOver makes a context that is done when the run is to end, for whatever reason from outside, and has the
// processors come back then. The function that it returns ends the watch.
func (m *Machine) watchOver(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	end := []func() bool{context.AfterFunc(ctx, func() {
		for _, c := range m.cpus {
			c.Yield()
		}
	})}
	if m.cfg.MaxWall > 0 {
		left := m.cfg.MaxWall - time.Since(m.since)
		end = append(end, time.AfterFunc(left, func() { cancel(&limitError{fmt.Sprintf("%v of wall time", m.cfg.MaxWall)}) }).Stop)
	}
	return ctx, func() {
		for _, e := range end {
			e()
		}
		cancel(nil)
	}
}

// interrupted says whether somebody outside wants the run to end.
func interrupted(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	var limit *limitError
	if errors.As(context.Cause(ctx), &limit) {
		return limit
	}
	return errCancelled
}

// overdue says whether virtual time has come to where the run ends, and until says where that is.
func (m *Machine) overdue() error {
	switch now := m.Now(); {
	case now >= m.console.giveUp:
		return errPanicked
	case m.cfg.MaxVirtual > 0 && now >= m.cfg.MaxVirtual.Nanoseconds():
		return &limitError{fmt.Sprintf("%v of virtual time", m.cfg.MaxVirtual)}
	}
	return nil
}

func (m *Machine) until(ns int64) int64 {
	if m.cfg.MaxVirtual > 0 {
		ns = min(ns, m.cfg.MaxVirtual.Nanoseconds())
	}
	return min(ns, m.console.giveUp)
}

// overworked says whether firmware has worked for the guest as long as the instructions would take that the run may
// have. Without it a guest could have services work for it, of which few instructions call many.
func (m *Machine) overworked() error {
	n := m.cfg.MaxInstructions
	if n == 0 || m.boot.Worked() < n {
		return nil
	}
	return &limitError{fmt.Sprintf("%s instructions, in what firmware's services did instead,", record.FormatCount(n))}
}

// panicGrace is how long a kernel that has said its last word is waited for, in virtual nanoseconds. It counts from what
// is on the console last.
const panicGrace = 250_000_000

// neverGiveUp is console.giveUp of a kernel that goes on.
const neverGiveUp = math.MaxInt64

// panicked hears that the kernel has said its last word. It comes when a crash kernel has had its chance, and where the
// kernel is not to restart; what is left is a loop. A program that prints the same on the console is found out by going
// on: it is in user mode.
func (m *Machine) panicked() {
	for _, c := range m.cpus {
		c.WatchUser()
	}
}

// inUserMode hears of the first instruction at privilege level 3, since the start or since the kernel's last word.
func (m *Machine) inUserMode() error {
	m.console.goesOn()
	m.cheatBack()
	if m.log.Reached(record.Init) {
		return nil
	}
	if m.cfg.isStock() { // where it is not known when the kernel began, it is known by now
		m.reached(record.KernelEntry)
	}
	m.reached(record.Init)
	m.arrangeAttack()
	if m.event.kind == atInit {
		return errEvent
	}
	return nil
}

// runsOutOfMemory hears that the guest has made the run take more of the host's memory than it may.
func (m *Machine) runsOutOfMemory() {
	m.full = true
	if len(m.cpus) > 0 { // else a fork takes too much from the start, which is found at its first step
		m.cpu().Pause()
	}
}

// givenUp turns the end of work that was given up into why it was.
func givenUp(ctx context.Context, err error) error {
	if errors.Is(err, x86.ErrYield) {
		if why := interrupted(ctx); why != nil {
			return why
		}
	}
	return err
}
