package vm

import (
	"context"

	"github.com/tacit-vm/tacit/internal/x86"
)

// This file is firmware's timer, which interrupts the guest until it leaves boot services.

// tick lets firmware do what its timers are for, where that is due, and returns when to look again, at the latest at ns.
func (m *Machine) tick(ns int64) (int64, error) {
	now := m.Now()
	if m.exited || m.boot.NextTick(now, false) > now {
		return min(ns, m.boot.NextTick(now, false)), nil
	}
	if l := m.lockstep; l != nil {
		if err := l.follower.interrupt(); err != nil {
			return 0, err
		}
	}
	err := m.interrupt()
	return min(ns, max(m.boot.NextTick(now, false), now+1)), err
}

// interrupt has firmware's timer interrupt the first processor.
func (m *Machine) interrupt() error {
	err := m.boot.Tick(m.cpus[0])
	m.refresh() // it may have waited
	return err
}

// waitForTick lets time pass for a processor that waits for an interrupt, until firmware's timer brings one.
func (m *Machine) waitForTick(ctx context.Context, c *x86.CPU, until int64) error {
	at := m.boot.NextTick(c.Now(), true)
	c.Skip(m.keyboard.rest(ctx, c.Now(), min(until, at)))
	m.board.Advance(m.behind())
	if c.Now() >= at {
		return m.boot.Tick(c)
	}
	return nil
}

// firmwaresKeyboard is the first serial port as firmware reads it.
type firmwaresKeyboard struct{ m *Machine }

func (k firmwaresKeyboard) Waiting() bool           { return k.m.board.COM1.Waiting() }
func (k firmwaresKeyboard) Next() (b byte, ok bool) { return k.m.board.COM1.Next() }
func (k firmwaresKeyboard) Open() bool              { return k.m.keyboard.open() }

func (k firmwaresKeyboard) Rest(now, until int64) int64 {
	if k.m.lockstep != nil || k.m.keyboard.m == nil {
		return until // the follower would not wait as long
	}
	return k.m.keyboard.rest(context.Background(), now, until)
}
