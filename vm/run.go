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

// Run makes a machine, runs it to its end and returns the record. Where ctx is done before that, the record's outcome
// is Cancelled. A record that comes with an error is of a run that could not repeat its input: [ReplayError].
func Run(ctx context.Context, cfg Config) (*record.Record, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	m, err := newMachine(cfg)
	if err != nil {
		return nil, err
	}
	defer m.close()
	start := time.Now()
	ctx, done := m.watchOver(ctx)
	defer done()
	m.sumUp(ctx)
	end := m.guarded(func() error { return m.run(ctx) })
	m.console.flush()
	m.console.breakOff()
	var bug *BugError
	if errors.As(end, &bug) {
		return nil, bug
	}
	var load *loadError
	if errors.As(end, &load) {
		return nil, load
	}
	m.reached(record.End)
	r := m.newRecord()
	m.describe(r, end)
	m.debug.ended(ctx, r)
	r.Host = record.HostOf(time.Since(start)-m.debug.stoodStill(), m.cpus[0].Instructions(), peakRSS())
	return r, replayError(end)
}

// A loadError says that there is no run: firmware could not load the image, or has no room.
type loadError struct{ err error }

func (e *loadError) Error() string { return "firmware: " + e.err.Error() }
func (e *loadError) Unwrap() error { return e.err }

// slice and debugSlice are how far the machine runs, in virtual nanoseconds, before it looks whether it is to stop and
// reports progress. What the guest sees does not depend on them. gdb gives up on an answer after 2 s (its
// remotetimeout), which a slow host must not need.
const (
	slice      = 20_000_000
	debugSlice = 1_000_000
)

// run drives the machine until it ends, and returns why.
func (m *Machine) run(ctx context.Context) error {
	c := m.cpus[0]
	m.reached(record.FirmwareStart)
	if err := m.firmware.Boot(c); errors.Is(err, x86.ErrYield) {
		return fmt.Errorf("firmware: %w", givenUp(ctx, err))
	} else if err != nil {
		return &loadError{err}
	}
	if m.full {
		return m.exhausted()
	}
	m.reached(record.StubEntry)
	c.WatchUser()
	defer m.endTrace()
	if err := m.arrangeAll(ctx); err != nil {
		return err
	}
	if err := m.debug.begin(ctx); err != nil {
		return err
	}
	stretch := int64(slice)
	if m.debug != nil {
		stretch = debugSlice
	}
	for {
		m.console.flush() // a prompt ends no line
		if err := m.overdue(); err != nil {
			return err
		}
		if err := m.debug.attend(ctx); err != nil {
			return err
		}
		if err := m.keyboard.press(); err != nil {
			return err
		}
		m.progress()
		until := m.keyboard.until(m.until(c.Now() + stretch))
		for c.Now() < until {
			if err := interrupted(ctx); err != nil {
				return err
			}
			if err := m.step(ctx, c, m.sampler.until(until)); err != nil {
				return err
			}
			m.sampler.sample()
		}
	}
}

func (m *Machine) progress() {
	if m.cfg.Progress != nil {
		m.cfg.Progress(record.Progress{Stamp: m.stamp(), AcceptedBytes: m.log.AcceptedBytes(), UnacceptedBytes: m.platform.unaccepted()})
	}
}

// step runs the processor until something happens, at the latest at virtual time until, and deals with it.
func (m *Machine) step(ctx context.Context, c *x86.CPU, until int64) error {
	event := int64(math.MaxInt64)
	if ns, ok := m.board.NextEvent(); ok {
		event = ns
	}
	exit := c.Run(min(event, until))
	m.board.Advance(c.Now())
	if m.full && exit.Kind != x86.ExitStopped {
		return m.exhausted()
	}
	switch exit.Kind {
	case x86.ExitDeadline, x86.ExitYield:
		return nil
	case x86.ExitHalted:
		return m.wait(ctx, c, min(event, until))
	case x86.ExitTrap:
		if err := m.serve(c, exit.GPA); err != nil {
			return givenUp(ctx, err)
		}
		return m.debug.served(ctx)
	case x86.ExitUser:
		m.inUserMode()
		return nil
	case x86.ExitFence:
		m.reached(record.KernelEntry)
		return nil
	case x86.ExitBudget:
		return m.keep(ctx)
	case x86.ExitBreak, x86.ExitWatch, x86.ExitStep, x86.ExitPause:
		m.console.flush()
		return m.debug.stopped(ctx, c, exit)
	}
	return exit.Err
}

// wait lets time pass for a processor that waits for an interrupt.
func (m *Machine) wait(ctx context.Context, c *x86.CPU, until int64) error {
	if !c.TimerWakes() && !m.keyboard.open() {
		if _, ok := m.board.NextEvent(); !ok {
			return errHalted
		}
	}
	m.console.flush()
	c.Skip(m.keyboard.rest(ctx, c.Now(), until))
	m.board.Advance(c.Now())
	return nil
}

// serve lets firmware do what was called.
func (m *Machine) serve(c *x86.CPU, gpa uint64) error {
	if err := m.firmware.Call(c, gpa); err != nil {
		return err
	}
	if err := m.overworked(); err != nil {
		return err
	}
	if m.firmware.Exited() && !m.exited {
		m.exited = true
		m.reached(record.ExitBootServices)
		image := m.firmware.Image()
		c.Fence(image.Start, image.End)
	}
	return nil
}
