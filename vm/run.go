package vm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// Run makes a machine, runs it to its end and returns the record. Where ctx is done before that, the record's outcome
// is Cancelled. A record that comes with an error is of a run that could not repeat its input: [ReplayError].
func Run(ctx context.Context, cfg Config) (*record.Record, error) {
	m, err := New(cfg)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if _, err := m.Run(ctx, Event{}); err != nil {
		return nil, err
	}
	return m.Record()
}

// Run runs the machine until an event comes, and returns true; or to its end, and returns false. An event that has come
// before comes at once, but for a violation. Where ctx is done the run ends, with the outcome Cancelled. An error is of a
// machine of which there is no record: its image could not be loaded, or there is a mistake in tacit itself.
//
// What the guest does does not depend on where it is stopped.
func (m *Machine) Run(ctx context.Context, until Event) (came bool, err error) {
	began, idle := time.Now(), m.debug.stoodStill()
	if m.since.IsZero() {
		m.since = began
		if !m.cfg.Since.IsZero() {
			m.since = m.cfg.Since
		}
	}
	m.thaw()
	ctx, done := m.watchOver(ctx)
	defer done()
	m.sumUp()
	defer context.AfterFunc(ctx, m.sums.giveUp)()
	end := m.over
	if end == nil {
		end = m.guarded(func() error { return m.run(ctx, until) })
	} else if m.record == nil {
		end = cmp.Or(m.debug.begin(ctx), end) // one that was saved when it had ended
	}
	m.console.flush()
	m.forgetEvent()
	defer func() { m.ran += time.Since(began) - (m.debug.stoodStill() - idle) }()
	if errors.Is(end, errEvent) {
		return true, nil
	}
	var bug *BugError
	var load *loadError
	var differ *DifferenceError
	if m.over = end; errors.As(end, &bug) || errors.As(end, &load) || errors.As(end, &differ) {
		return false, end
	}
	if m.record == nil {
		m.console.breakOff()
		m.endTrace()
		m.reached(record.End)
		m.record = m.newRecord()
		m.describe(m.record, end)
		if err := m.agree(ctx, end); err != nil {
			m.over, m.record = err, nil
			return false, err
		}
		m.debug.ended(ctx, m.record)
	}
	return until.kind == atViolation && m.record.Outcome == record.Violation, nil
}

// Record is the account of a run that has ended, or so far: then its outcome is [record.Stopped]. There is none
// where [Machine.Run] has failed, and before it. A record that comes with an error is of a run that could not repeat its
// input: [ReplayError].
func (m *Machine) Record() (*record.Record, error) {
	r := m.record
	switch {
	case r != nil:
	case m.over != nil:
		return nil, m.over
	case !m.started:
		return nil, errNotStarted
	default:
		r = m.soFar(record.Stopped)
	}
	r.Host = record.HostOf(EngineHere(m.cfg.Engine), m.ran, m.instructions()-m.before, peakRSS())
	return r, replayError(m.over)
}

var errNotStarted = errors.New("the machine has not been started")

// soFar is the record of a run that has not ended.
func (m *Machine) soFar(o record.Outcome) *record.Record {
	r, now := m.newRecord(), m.stamp()
	r.VirtualNS.Total, r.Instructions, r.Outcome = now.VirtualNS, now.Instructions, o
	r.Guest = m.guestReport()
	r.Acceptance.UnacceptedAtEnd = new(m.platform.unaccepted())
	return r
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

// start has firmware start the image.
func (m *Machine) start(ctx context.Context) error {
	c := m.cpus[0]
	m.reached(record.FirmwareStart)
	if err := m.boot.Boot(c); errors.Is(err, x86.ErrYield) {
		return fmt.Errorf("firmware: %w", givenUp(ctx, err))
	} else if err != nil {
		return &loadError{err}
	}
	if m.full {
		return m.exhausted()
	}
	if m.cfg.isStock() {
		m.awaitUpperHalf()
	} else {
		m.reached(record.StubEntry)
	}
	for _, c := range m.cpus {
		c.WatchUser()
	}
	m.started = true
	return nil
}

// run drives the machine until it ends, or the event comes, and returns why.
func (m *Machine) run(ctx context.Context, until Event) error {
	if !m.started {
		if err := m.start(ctx); err != nil {
			return err
		}
	}
	if !m.arranged {
		m.arranged = true
		m.arrangeAll()
		m.arrangeAttack()
		if err := m.keep(ctx); err != nil {
			return err
		}
		if err := m.debug.begin(ctx); err != nil {
			return err
		}
	}
	if err := m.awaitEvent(until); err != nil {
		return err
	}
	if err := m.keep(ctx); err != nil {
		return err
	}
	if m.cfg.Engine == Lockstep {
		if m.lockstep == nil {
			var err error
			if m.lockstep, err = m.newLockstep(); err != nil {
				return err
			}
		}
		defer m.lockstep.attend(ctx)()
	}
	m.refresh()
	stretch := int64(slice)
	if m.debug != nil {
		stretch = debugSlice
	}
	if m.cfg.slice > 0 {
		stretch = m.cfg.slice
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
		m.seekMoment()
		m.watchForCheat()
		until, err := m.tick(m.keyboard.until(m.until(m.Now() + stretch)))
		if err != nil {
			return givenUp(ctx, err)
		}
		for m.Now() < until {
			if err := interrupted(ctx); err != nil {
				return err
			}
			if err := m.step(ctx, m.sampler.until(until)); err != nil {
				return err
			}
			m.sampler.sample()
			if !m.exited { // what firmware has done meanwhile may have set a timer
				until = min(until, m.boot.NextTick(m.Now(), false))
			}
		}
	}
}

func (m *Machine) progress() {
	if m.cfg.Progress != nil {
		m.cfg.Progress(record.Progress{Stamp: m.stamp(), AcceptedBytes: m.log.AcceptedBytes(), UnacceptedBytes: m.platform.unaccepted()})
	}
}

// step runs a processor until something happens, at the latest at virtual time until, and deals with it.
func (m *Machine) step(ctx context.Context, until int64) error {
	if err := m.wake(); err != nil {
		return err
	}
	c, end := m.next(until)
	if m.lockstep != nil {
		return m.lockstep.step(ctx, c, end, until)
	}
	exit := m.execute(c, end)
	return m.deal(ctx, c, exit, min(end, c.Deadline()))
}

// execute runs the processor until something happens, at the latest at virtual time end.
func (m *Machine) execute(c *x86.CPU, end int64) x86.Exit {
	exit := c.Run(end)
	m.board.Advance(m.behind())
	return exit
}

// deal deals with what has happened.
func (m *Machine) deal(ctx context.Context, c *x86.CPU, exit x86.Exit, end int64) error {
	if m.full && exit.Kind != x86.ExitStopped {
		return m.exhausted()
	}
	switch exit.Kind {
	case x86.ExitDeadline, x86.ExitYield:
		return nil
	case x86.ExitHalted:
		return m.wait(ctx, c, end)
	case x86.ExitTrap:
		if err := m.serve(c, exit.GPA); err != nil {
			return givenUp(ctx, err)
		}
		return nil
	case x86.ExitUser:
		return m.inUserMode()
	case x86.ExitFence:
		m.atFence(c)
		return nil
	case x86.ExitBudget:
		return m.keep(ctx)
	case x86.ExitPause:
		if m.accepted() || m.event.kind == atOutput && m.console.expected.found != nil || m.event.kind == atUp && m.up != nil {
			return errEvent
		}
		fallthrough
	case x86.ExitBreak, x86.ExitWatch, x86.ExitStep:
		if exit.Kind == x86.ExitBreak && m.cheatHeard() || exit.Kind == x86.ExitWatch && m.cheatSaw(exit) {
			return nil
		}
		m.console.flush()
		return m.debug.stopped(ctx, c, exit)
	}
	return exit.Err
}

// wait lets time pass for a processor that waits for an interrupt.
func (m *Machine) wait(ctx context.Context, c *x86.CPU, until int64) error {
	if len(m.cpus) > 1 && m.ready() < until {
		return nil // it is another one's turn
	}
	if !m.exited && c.ID() == 0 && m.boot.NextTick(c.Now(), true) != x86.Never && c.Flags()&x86.FlagIF != 0 {
		m.console.flush()
		return m.waitForTick(ctx, c, until)
	}
	if !c.TimerWakes() && !m.keyboard.open() && m.ready() == x86.Never { // or another one has got further than this turn lasts, and goes on
		if _, ok := m.board.NextEvent(); !ok {
			return errHalted
		}
	}
	m.console.flush()
	c.Skip(m.keyboard.rest(ctx, c.Now(), until))
	m.board.Advance(m.behind())
	return nil
}

// serve lets firmware do what was called.
func (m *Machine) serve(c *x86.CPU, gpa uint64) error {
	if err := m.boot.Call(c, gpa); err != nil {
		return err
	}
	if err := m.overworked(); err != nil {
		return err
	}
	m.left()
	return m.ended // by an OUT of an image that firmware's handler of #VE or #VC has carried out
}
