package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A strictEngine holds another one to what engines promise. The processors of all programs in this package run under
// one.
type strictEngine struct {
	engine
	t testing.TB
}

func (s strictEngine) run(c *CPU) stop {
	limit, before := c.limit.Load(), c.icount
	most := max(limit, before)
	if c.watch.step && c.watch.blocks {
		most = c.watch.most
	}
	why := s.engine.run(c)
	switch {
	case c.at != 0:
		s.t.Errorf("the engine came back in the middle of a block, at %#x", c.RIP())
	case c.icount < before || c.icount > most:
		s.t.Errorf("the engine came back after %d instructions, having begun at %d with a limit of %d", c.icount, before, limit)
	case why == stopLimit && c.icount < limit && c.limit.Load() != 0:
		s.t.Errorf("the engine came back for its limit after %d instructions of %d", c.icount, limit)
	case why != c.stopped(), why == stopLimit && (c.raised || c.exiting):
		s.t.Errorf("the engine came back for reason %d; exception pending: %v, to return: %v", why, c.raised, c.exiting)
	case c.R[uop.Zero] != 0 || c.R[uop.StackSeg] != 0:
		s.t.Errorf("the engine left %#x and %#x in registers that are zero", c.R[uop.Zero], c.R[uop.StackSeg])
	}
	return why
}
