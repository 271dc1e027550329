package x86

import (
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/state"
)

// StateVersion changes with what [CPU.Carry] carries.
const StateVersion = 5

// Carry carries the processor's state, as it is between two calls of Run. No state are: decoded code, which is made again;
// pointers into memory, which follow from frames; what lives within one instruction; and what a debugger has set, but for
// [CPU.WatchUser] and [CPU.Fence], which mark a run's phases. A processor that reads has to be new, with the same Config
// and the contents of memory in place.
func (c *CPU) Carry(s *state.Stream) {
	c.carryRegisters(s)
	c.carryTLB(s)
	if s.Reading() {
		c.selectTLB()
	}
}

// carryRegisters carries all but the TLB.
func (c *CPU) carryRegisters(s *state.Stream) {
	state.Array(s, c.R[:R15+1])
	state.Numbers(s, &c.R[FSBase], &c.R[GSBase])
	for i := range c.X[:16] {
		state.Array(s, c.X[i][:])
	}
	c.fpu.carry(s)
	rip, flags := c.RIP(), c.Flags()
	state.Numbers(s, &rip, &flags, &c.cr0, &c.cr2, &c.cr3, &c.cr4, &c.efer, &c.xcr0)
	for i := range c.seg {
		c.seg[i].carry(s)
	}
	c.ldtr.carry(s)
	c.tr.carry(s)
	for _, t := range []*tableRegister{&c.gdtr, &c.idtr} {
		state.Numbers(s, &t.base)
		state.Numbers(s, &t.limit)
	}
	state.Numbers(s, &c.cpl)
	state.Array(s, c.dr[:])
	state.Array(s, c.pdpte[:])
	state.Numbers(s, &c.mxcsr)
	c.msr.carry(s)

	state.Numbers(s, &c.icount, &c.extra, &c.shadow, &c.repeating, &c.resuming, &c.newTF, &c.traps.now, &c.traps.kept, &c.faults.n, &c.faults.icount, &c.random.state)
	c.tally.Carry(s)
	s.Bool(&c.shadowSS, &c.raised, &c.halted, &c.wakes, &c.nesting.returned, &c.watch.user, &c.watch.fenced)
	s.Bool(&c.nmi.latched, &c.nmi.blocked, &c.nmi.held, &c.busLocks.told)
	c.pending.carry(s)
	state.Numbers(s, &c.nesting.depth, &c.nesting.mark)
	state.Numbers(s, &c.watch.lo, &c.watch.hi)
	c.APIC.carry(s)

	const longest = MaxTime / 2 // of instructions alone
	s.Check(c.cpl <= 3 && c.fpu.top < 8, "a processor in no state that there is")
	s.Check(c.icount <= longest/c.nsPerInsn && c.extra <= MaxTime+longest/2, "time has run over")
	if s.Reading() {
		c.SetRIP(rip)
		c.restoreFlags(flags)
		c.mode = c.codeMode()
		c.arm()
		c.DetectBusLocks(c.busLocks.told)
	}
}

func (g *Segment) carry(s *state.Stream) {
	state.Numbers(s, &g.Selector, &g.Attr)
	state.Numbers(s, &g.Limit)
	state.Numbers(s, &g.Base)
}

func (u *x87State) carry(s *state.Stream) {
	for i := range u.reg {
		state.Numbers(s, &u.reg[i].M)
		state.Numbers(s, &u.reg[i].SE)
	}
	state.Numbers(s, &u.full, &u.top)
	state.Numbers(s, &u.cw, &u.sw, &u.fop)
	state.Numbers(s, &u.fip, &u.fdp)
}

func (m *msrs) carry(s *state.Stream) {
	state.Numbers(s, &m.star, &m.lstar, &m.cstar, &m.fmask, &m.kernelGSBase, &m.tscAux, &m.pat, &m.specCtrl, &m.tscAdjust)
	state.Array(s, m.sysenter[:])
}

func (e *Exception) carry(s *state.Stream) {
	state.Numbers(s, &e.Vector, &e.back)
	state.Numbers(s, &e.Code)
	state.Numbers(s, &e.CR2)
	s.Bool(&e.HasCode, &e.HasCR2, &e.trap, &e.soft, &e.breakpoint)
}

// Carry carries an exception: it is part of how some runs end.
func (e *Exception) Carry(s *state.Stream) { e.carry(s) }

// Carry carries a kind of access, which is part of how some runs end.
func (k *AccessKind) Carry(s *state.Stream) {
	state.Numbers(s, k)
	s.Check(int(*k) < len(accessNames), "an access of no kind")
}

func (a *LocalAPIC) carry(s *state.Stream) {
	for _, r := range []*[4]uint64{&a.irr, &a.isr, &a.tmr} {
		state.Array(s, r[:])
	}
	state.Numbers(s, &a.mode, &a.ldr, &a.dfr)
	s.Check(a.mode == 0 || a.xAPIC() || a.x2APIC(), "a local APIC in no mode that there is")
	state.Numbers(s, &a.tpr, &a.svr, &a.esr, &a.errors, &a.icr, &a.divide, &a.initial, &a.ddl)
	state.Array(s, a.lvt[:])
	state.Numbers(s, &a.expiry)
	s.Bool(&a.intr)
	if !s.Reading() {
		return
	}
	// What a register cannot hold would make the timer fire for ever.
	ok := a.tpr <= 0xFF && a.divide&^divideWritable == 0 && a.initial>>32 == 0 && a.expiry >= 0
	for i, v := range a.lvt {
		ok = ok && v&^(lvtWritable[i]|apicLVTMask) == 0
	}
	s.Check(ok && (a.timerMode() != apicPeriodic || a.expiry == noTimer || a.initial != 0), "a local APIC in no state that there is")
}

// carryTLB carries the entries in use. What the TLB holds is state: a guest that changes its page tables and does not
// flush goes on with what is here, and a table is read, and its accessed bits are set, when an entry is missing. What is
// replaced next follows from the addresses: each page has one place.
func (c *CPU) carryTLB(s *state.Stream) {
	for m := range c.tlb.data {
		all := &c.tlb.data[m]
		entries(s, tlbSize, func(i int) bool { return inUse(all[i].read) || inUse(all[i].write) }, func(i int) { c.carryData(s, &all[i], uint64(i)) })
	}
	for m := range c.tlb.fetch {
		all := &c.tlb.fetch[m]
		entries(s, fetchSize, func(i int) bool { return inUse(all[i].tag) }, func(i int) { c.carryFetch(s, &all[i], uint64(i)) })
	}
	tables := &c.tlb.tables
	entries(s, tablesSize, func(i int) bool { return tables[i].gpa != noTable }, func(i int) {
		e := &tables[i]
		state.Numbers(s, &e.gpa)
		c.carryFrame(s, &e.f)
		s.Check(e.gpa&pageMask == 0 && e.gpa>>mem.PageShift%tablesSize == uint64(i), "a paging structure is where it cannot be")
		if s.Reading() && s.Err() == nil {
			e.page = c.mem.Page(e.f)
		}
	})
	state.Numbers(s, &c.tlb.large.lo, &c.tlb.large.hi)
}

// entries carries those of n entries that are in use, each with its number.
func entries(s *state.Stream, n int, used func(i int) bool, carry func(i int)) {
	count := 0
	for i := range n {
		if !s.Reading() && used(i) {
			count++
		}
	}
	count = s.Len(count, n)
	if s.Reading() {
		for i := 0; count > 0 && s.Err() == nil; count-- {
			state.Numbers(s, &i)
			if i < 0 || i >= n {
				s.Fail("a TLB has no entry %d", i)
				return
			}
			carry(i)
		}
		return
	}
	for i := range n {
		if used(i) {
			state.Numbers(s, &i)
			carry(i)
		}
	}
}

func inUse(t tag) bool { return t.page() != uint64(noTag) }

// carryFrame carries a frame, which has to be one of the memory's.
func (c *CPU) carryFrame(s *state.Stream, f *mem.Frame) {
	state.Numbers(s, f)
	s.Check(uint64(*f)>>1 < c.mem.Size()>>mem.PageShift, "a translation leads out of memory")
}

// carryData carries an entry for data accesses without marks, which follow from the page's state.
func (c *CPU) carryData(s *state.Stream, e *tlbEntry, i uint64) {
	page, read, write, global, frame := e.read.page(), inUse(e.read), inUse(e.write), e.global(), e.frame()
	if !read {
		page = e.write.page()
	}
	state.Numbers(s, &page)
	s.Bool(&read, &write, &global)
	c.carryFrame(s, &frame)
	s.Check(page&pageMask == 0 && page>>mem.PageShift%tlbSize == i, "a page is where the TLB cannot have it")
	if !s.Reading() || s.Err() != nil {
		return
	}
	*e = tlbEntry{read: noTag, write: noTag, page: c.mem.Page(frame), where: frame}
	if global {
		e.where |= globalBit
	}
	c.tlb.noteData(page, e)
	if read {
		e.read = tag(page)
	}
	if write {
		e.write = c.writeTag(page, frame)
	}
	c.markWatched(e)
}

func (c *CPU) carryFetch(s *state.Stream, e *fetchEntry, i uint64) {
	page, gpa, global := e.tag.page(), e.gpa(), e.global()
	state.Numbers(s, &page, &gpa)
	s.Bool(&global)
	s.Check(gpa&globalBit == 0, "a page is where no memory can be")
	c.carryFrame(s, &e.frame)
	s.Check(page&pageMask == 0 && page>>mem.PageShift%fetchSize == i, "a page is where the TLB cannot have it")
	if s.Reading() && s.Err() == nil {
		e.page, e.tag, e.where = c.mem.Page(e.frame), c.fetchTag(page), gpa
		if global {
			e.where |= globalBit
		} else {
			setBit(c.tlb.localFetch[:], i)
		}
	}
}
