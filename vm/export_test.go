package vm

import (
	"context"

	"github.com/tacit-vm/tacit/internal/x86"
)

// Steps goes on by as many steps of the run's loop as short as there are: an instruction, or a piece of a service of
// firmware's. It returns how the run has ended, or nil.
func (m *Machine) Steps(ctx context.Context, n int) error {
	for range n {
		if err := m.overdue(); err != nil {
			return err
		}
		if err := m.guarded(func() error { return m.step(ctx, m.Now()+1) }); err != nil {
			return err
		}
	}
	return nil
}

// Instructions returns how many have completed.
func (m *Machine) Instructions() uint64 { return m.stamp().Instructions }

// AgainstInterpreter puts the interpreter with blocks of a length into lock-step, in place of the translator. Plant, where
// it is not nil, is called after each of that one's steps, and may do to it what an engine with a mistake does.
func (c *Config) AgainstInterpreter(blockLimit int, plant func(*x86.CPU)) {
	c.Engine, c.rival = Lockstep, &rival{blockLimit, plant}
}

// LookEvery has the machine look whether it is to stop after so many virtual nanoseconds.
func (c *Config) LookEvery(ns int64) { c.slice = ns }

// WithoutSpins has processors execute each round of a loop that changes nothing.
func (c *Config) WithoutSpins() { c.noSpins = true }

// LimitDiskChanges is a configuration whose disks can be changed by so many bytes.
func LimitDiskChanges(c Config, bytes int64) Config {
	c.diskChanges = bytes
	return c
}
