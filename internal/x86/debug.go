package x86

import (
	"slices"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// What a debugger needs: places at which Run returns, addresses whose use makes it return, and a look at every
// instruction. The guest notices nothing of it: no memory of its changes, no time passes, and translations stay in the
// TLB for as long as they would without.
//
// Breakpoints and traces are micro-operations in front of instructions, which are decoded anew when that changes; where
// there are none, nothing is asked. Watched pages are marked in the TLB, so that accesses to them are looked at, and no
// others.

// A Watch is a range of addresses whose use makes Run return ExitWatch: after the instruction that reads or writes
// there, in front of the one that would be fetched from there.
type Watch struct {
	Start, End uint64 // [Start, End)

	// Physical says that the addresses are guest-physical ones, without shared bit or C-bit, in either plane. Then page
	// walks are uses, too.
	Physical bool

	Read, Write bool
	Fetch       bool // of physical addresses only
}

func (w *Watch) wants(k AccessKind) bool {
	return k == Fetch && w.Fetch || k.Writes() && w.Write || (k == Read || k == Walk) && w.Read
}

func overlap(start, end, otherStart, otherEnd uint64) bool {
	return start < otherEnd && otherStart < end
}

// points are the places and addresses that are waited for, on whichever processor of the machine.
type points struct {
	breaks  []uint64 // ascending
	watches []Watch
	trace   func(c *CPU)
}

// debugState is what has come of them on one processor.
type debugState struct {
	stopped moment // where Run came back last from in front of an instruction, which is not to happen twice
	used    bool   // use is to be returned
	use     Exit
}

// SetBreakpoints makes Run of every processor return ExitBreak in front of the instructions at these guest-virtual
// addresses, in place of those set before. Run goes on from there when it is called again.
func (c *CPU) SetBreakpoints(addresses []uint64) {
	p := &c.code.points
	was, is := p.breaks, slices.Sorted(slices.Values(addresses))
	if slices.Equal(was, is) {
		return
	}
	p.breaks = is
	c.code.replace(func(b *block) bool {
		within := func(va uint64) bool { return va&pageMask-uint64(b.offset) < uint64(b.size) }
		return slices.ContainsFunc(was, within) || slices.ContainsFunc(is, within)
	})
}

// SetWatches watches these ranges, on every processor, in place of those set before.
func (c *CPU) SetWatches(watches []Watch) {
	p := &c.code.points
	was, is := p.watches, slices.Clone(watches)
	if slices.Equal(was, is) {
		return
	}
	p.watches = is
	for _, c := range c.code.cpus {
		c.tlb.eachData(c.markWatched)
	}
	c.code.replace(func(b *block) bool {
		fetched := func(w Watch) bool {
			return w.Fetch && (w.holds(b.frame) || b.cross && w.holds(b.second))
		}
		return slices.ContainsFunc(was, fetched) || slices.ContainsFunc(is, fetched)
	})
}

// holds says whether a watch of guest-physical addresses has one in a frame.
func (w *Watch) holds(f mem.Frame) bool {
	return overlap(w.Start, w.End, f.GPA(), f.GPA()+mem.PageSize)
}

// markWatched makes accesses through a TLB entry be looked at, or no more.
func (c *CPU) markWatched(e *tlbEntry) {
	e.read = e.read.without(slowTag)
	t := e.read
	if t == noTag {
		t = e.write
	}
	if t.page() != uint64(noTag) && c.watching(t.page(), e.frame().GPA()) {
		e.read, e.write = e.read.with(slowTag), e.write.with(slowTag)
	}
}

// Trace calls f before each instruction that a processor executes, with the processor's state there; nil ends it. f may
// look, and must change nothing. An instruction that faults is seen, and seen again when it is executed again.
func (c *CPU) Trace(f func(c *CPU)) {
	c.code.points.trace = f
	c.code.replace(func(*block) bool { return true })
}

// stopsIn returns the function that says which instructions of b need uop.Stop in front, by their offset in the block and
// their length; nil for none. A block runs at any address that leads to its frame, so breakpoints are compared within
// the page here, and wholly when uop.Stop is executed.
func (p *points) stopsIn(b *block) func(offset, n int) (uop.Uop, bool) {
	if p.trace == nil && len(p.breaks) == 0 && !slices.ContainsFunc(p.watches, func(w Watch) bool { return w.Fetch }) {
		return nil
	}
	return func(offset, n int) (uop.Uop, bool) {
		at := uint64(b.offset) + uint64(offset)
		if gpa, ok := p.fetched(b, at, at+uint64(n)); ok {
			return uop.Uop{Op: uop.Stop, Aux: 1, Imm: int64(gpa)}, true
		}
		here := func(va uint64) bool { return va&pageMask == at }
		return uop.Uop{Op: uop.Stop}, p.trace != nil || slices.ContainsFunc(p.breaks, here)
	}
}

// fetched finds a watched byte among those of b's instruction from start to end, offsets in the page, and returns its
// guest-physical address.
func (p *points) fetched(b *block, start, end uint64) (gpa uint64, ok bool) {
	for i := range p.watches {
		w := &p.watches[i]
		if !w.Fetch {
			continue
		}
		first := b.frame.GPA() + start
		if last := b.frame.GPA() + min(end, pageMask+1); overlap(w.Start, w.End, first, last) {
			return max(w.Start, first), true
		}
		if first = b.second.GPA(); b.cross && overlap(w.Start, w.End, first, first+end-pageMask-1) {
			return max(w.Start, first), true
		}
	}
	return 0, false
}

var debugHandlers = map[uop.Op]handler{uop.Stop: stopHere}

// stopHere is uop.Stop: Aux says that the instruction has a watched byte, at guest-physical address Imm.
func stopHere(c *CPU, u *uop.Uop) bool {
	d, p := &c.debug, &c.code.points
	if now := c.moment(); now != d.stopped {
		_, is := slices.BinarySearch(p.breaks, now.rip)
		switch {
		case is:
			c.leave(Exit{Kind: ExitBreak})
		case u.Aux != 0:
			c.leave(Exit{Kind: ExitWatch, GPA: uint64(u.Imm), Access: Access{Kind: Fetch, GVA: now.rip, User: c.cpl == 3}})
		}
		if c.exiting {
			d.stopped, c.watch.step = now, false
			return false
		}
	}
	if p.trace != nil {
		p.trace(c)
	}
	return true
}

// watching says whether anything of a page is watched, by its address and its frame's.
func (c *CPU) watching(page, gpa uint64) bool {
	if c.armed.write != 0 && c.armed.matches(c.armed.write, page, mem.PageSize) != 0 {
		return true
	}
	for i := range c.code.points.watches {
		w := &c.code.points.watches[i]
		start := page
		if w.Physical {
			start = gpa
		}
		if overlap(w.Start, w.End, start, start+pageMask+1) {
			return true
		}
	}
	return false
}

// use notes a data access of n bytes within a page, where it is watched.
func (c *CPU) use(kind AccessKind, va uint64, p place, n int) {
	if c.armed.write != 0 {
		c.useBreaks(kind, va, uint64(n))
	}
	if len(c.code.points.watches) == 0 {
		return
	}
	gpa := p.gpa
	if p.page != nil {
		gpa = p.frame.GPA()
	}
	c.note(kind, va, gpa|va&pageMask, uint64(n))
}

// useTable notes the processor's own access to an entry of a paging structure, on the way to va.
func (c *CPU) useTable(kind AccessKind, va, gpa uint64) {
	if len(c.code.points.watches) != 0 {
		c.note(kind, va, gpa, 8)
	}
}

// note makes Run return after the instruction under way, if the access is one that is waited for. The first in an
// instruction counts.
func (c *CPU) note(kind AccessKind, va, gpa, n uint64) {
	for i := range c.code.points.watches {
		w := &c.code.points.watches[i]
		start := va
		if w.Physical {
			start = gpa
		} else if kind == Walk || kind == WalkWrite {
			continue // va is not where the entry is
		}
		if c.debug.used || !w.wants(kind) || !overlap(w.Start, w.End, start, start+n) {
			continue
		}
		at := max(w.Start, start) - start // the first watched byte
		c.debug.used = true
		c.debug.use = Exit{Kind: ExitWatch, GPA: gpa + at, Access: Access{Kind: kind, GVA: va, User: c.cpl == 3}}
		if kind == Read || kind == Write {
			c.debug.use.Access.GVA += at
		}
		c.stopBehind()
	}
}

// unused takes back what an instruction used that does not complete: it will use it again.
func (c *CPU) unused() {
	if !c.pending.trap {
		c.debug.used, c.traps.now = false, 0
	}
}
