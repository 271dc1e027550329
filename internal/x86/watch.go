package x86

import "github.com/tacit-vm/tacit/internal/mem"

// Moments at which the program that drives the processor wants to be told. At each Run returns, at an exact boundary
// between two instructions; waiting for one costs nothing.

// watches holds what is waited for.
type watches struct {
	user   bool
	fenced bool
	lo, hi uint64
	budget uint64
	step   bool
	from   moment // where the step began
	steps  uint64 // instructions that it has
	blocks bool   // and those of the last one's block that follow; false where one has been cut
	most   uint64 // the count of instructions at which the engine has to come back whatever the step
	pause  bool

	entered bool // a handler, since
}

// A moment is a place in a run: in front of an instruction, or at the entry of the handler that is run instead.
type moment struct{ rip, icount uint64 }

func (c *CPU) moment() moment { return moment{c.RIP(), c.Instructions()} }

// WatchUser makes Run return ExitUser, once, before the first instruction at CPL 3.
func (c *CPU) WatchUser() { c.watch.user = true }

// Fence makes Run return ExitFence, once, before the first instruction that lies outside [lo, hi). Whether it has been
// executed or decoded before is of no account. An entry point of [Traps] is no instruction.
//
// While there is a fence, pages that are not wholly inside it are marked in the TLB, so that every instruction there is
// looked at and no decoded block is entered. Inside, all is as ever: no block and no link leads out of its page.
func (c *CPU) Fence(lo, hi uint64) {
	c.watch.fenced, c.watch.lo, c.watch.hi = true, lo, hi
	c.markFetches()
	c.stopBehind()
}

// markFetches makes the fetch TLB fit the fence and the guest's breakpoints.
func (c *CPU) markFetches() {
	for m := range c.tlb.fetch {
		for i := range c.tlb.fetch[m] {
			if e := &c.tlb.fetch[m][i]; e.tag != noTag {
				e.tag = c.fetchTag(e.tag.page())
			}
		}
	}
}

// fetchTag returns the tag of a page in the fetch TLB.
func (c *CPU) fetchTag(page uint64) tag {
	if w := &c.watch; w.fenced && (page < w.lo || page+pageMask >= w.hi) {
		return tag(page).with(slowTag)
	}
	if c.armed.fetch != 0 && c.armed.matches(c.armed.fetch, page, mem.PageSize) != 0 {
		return tag(page).with(slowTag)
	}
	return tag(page)
}

// LimitInstructions makes Run return ExitBudget when so many instructions have completed in all; 0 takes the limit
// away.
func (c *CPU) LimitInstructions(n uint64) { c.watch.budget = n }

// Step makes Run return ExitStep, once, after the next instruction; or at the entry of a handler, where an exception
// or an interrupt comes before it completes. A repeated string instruction takes a step for each of its stretches.
func (c *CPU) Step() { c.Stretch(1) }

// Stretch makes Run return ExitStep, once, when n more instructions have completed, or at the entry of a handler before
// that. It ends at the same place under each engine.
func (c *CPU) Stretch(n uint64) { c.stretch(n, false) }

// StretchBlocks is Stretch by whole blocks: Run returns when the block ends, or is left, in which the last one of n
// instructions completes. So an engine executes what it has made of a block.
func (c *CPU) StretchBlocks(n uint64) { c.stretch(n, true) }

func (c *CPU) stretch(n uint64, blocks bool) {
	w := &c.watch
	w.step, w.from, w.steps, w.blocks, w.entered = true, c.moment(), n, blocks, false
}

// Stretched returns what another processor that does the same has to be told, so that it comes to where this one stands since
// it was told: as many instructions as have completed, and one more where a handler has been entered, but at least 1; and
// whether they are whole blocks, so that it is StretchBlocks that has to be told.
func (c *CPU) Stretched() (n uint64, blocks bool) {
	n = c.Instructions() - c.watch.from.icount
	if c.watch.entered {
		n++
	}
	return max(n, 1), c.watch.blocks
}

// wholly says whether a stretch lets b be entered although it does not end before limit, which is the stretch's.
func (c *CPU) wholly(b *block, limit uint64) bool {
	w := &c.watch
	return w.blocks && w.step && c.icount < limit && c.icount+b.n <= w.most
}

// stretched says whether the stretch, which may be a single step, has come to its end. That Run has looked up is none: an
// engine may come back for reasons of its own, such as code that has changed.
func (w *watches) stretched(now moment) bool {
	return now != w.from && (w.steps == 1 || w.entered || now.icount >= w.from.icount+w.steps)
}

// Pause makes Run return ExitPause, once, after the instruction under way.
func (c *CPU) Pause() {
	c.watch.pause = true
	c.stopBehind()
}

// watched says whether a moment has come.
func (c *CPU) watched() (Exit, bool) {
	w := &c.watch
	if c.debug.used {
		c.debug.used = false
		w.step, w.pause = false, false
		return c.debug.use, true
	}
	if w.pause {
		w.step, w.pause = false, false
		return Exit{Kind: ExitPause}, true
	}
	if w.step && w.stretched(c.moment()) {
		w.step = false
		return Exit{Kind: ExitStep}, true
	}
	if w.user && c.cpl == 3 {
		w.user = false
		return Exit{Kind: ExitUser}, true
	}
	if w.budget != 0 && c.icount >= w.budget {
		return Exit{Kind: ExitBudget}, true
	}
	return Exit{}, false
}

// crossesFence says whether rip is beyond the fence, and takes the fence away.
func (c *CPU) crossesFence(rip uint64) bool {
	w := &c.watch
	if !w.fenced || rip >= w.lo && rip < w.hi {
		return false
	}
	w.fenced = false
	c.markFetches()
	return true
}
