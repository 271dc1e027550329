package x86

// Moments at which whoever drives the processor wants to be told. Each comes back from Run at an exact boundary between two instructions, and costs nothing in between.

// watches holds what is waited for.
type watches struct {
	user   bool
	fenced bool
	lo, hi uint64
	budget uint64
}

// WatchUser makes Run return ExitUser, once, before the first instruction at CPL 3.
func (c *CPU) WatchUser() { c.watch.user = true }

// Fence makes Run return ExitFence, once, before the first instruction outside [lo, hi) that has not been executed before. What is not new is not noticed.
func (c *CPU) Fence(lo, hi uint64) {
	c.watch.fenced, c.watch.lo, c.watch.hi = true, lo, hi
}

// LimitInstructions makes Run return ExitBudget when so many instructions have completed in all; 0 takes the limit away.
func (c *CPU) LimitInstructions(n uint64) { c.watch.budget = n }

// watched says whether a moment has come.
func (c *CPU) watched() (Exit, bool) {
	w := &c.watch
	if w.user && c.cpl == 3 {
		w.user = false
		return Exit{Kind: ExitUser}, true
	}
	if w.budget != 0 && c.icount >= w.budget {
		return Exit{Kind: ExitBudget}, true
	}
	return Exit{}, false
}

// crossesFence says whether new code at rip is beyond the fence, and takes the fence away.
func (c *CPU) crossesFence(rip uint64) bool {
	w := &c.watch
	if !w.fenced || rip >= w.lo && rip < w.hi {
		return false
	}
	w.fenced = false
	return true
}
