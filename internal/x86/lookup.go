package x86

import (
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/decode"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// From the address at which execution goes on to the block that is there.

// codeMode returns the mode that the control registers select.
func (c *CPU) codeMode() decode.Mode {
	var m decode.Mode
	ts := c.cr0&CR0TS != 0
	if ts && c.cr0&CR0MP != 0 {
		m |= decode.ModeWait
	}
	switch sse := c.cr0&CR0EM == 0 && c.cr4&CR4OSFXSR != 0; {
	case sse && ts:
		m |= decode.ModeNM
	case sse:
		m |= decode.ModeSSE
	}
	if c.cr0&(CR0EM|CR0TS) == 0 {
		m |= decode.ModeX87
	}
	return m | c.segmentMode()
}

// A jumpCache finds a block by the address at which it runs. It only saves the way through the pages' lists: an entry
// counts as long as its page's translation is in the TLB, so that what is fetched when does not depend on where blocks
// begin, and nothing here has to be flushed.
type jumpCache [1 << jumpBits]jumpEntry

const jumpBits = 13

type jumpEntry struct {
	rip uint64
	b   *block
}

func (j *jumpCache) clear() {
	for i := range j {
		j[i] = jumpEntry{rip: uint64(noTag)}
	}
}

// at returns the place of an address. Every bit of its lower half moves it: code of one kind, such as entries of functions, is
// at like offsets of many pages, and of programs that are linked alike at like addresses.
func (j *jumpCache) at(rip uint64) *jumpEntry {
	return &j[uint32(rip)*hostcode.JumpFactor>>(32-jumpBits)]
}

// known returns the block at rip where no more than a look is needed, else nil.
func (c *CPU) known(rip uint64) *block {
	j := c.jumps.at(rip)
	e := &c.tlb.fetch[c.cpl/3][rip>>mem.PageShift%fetchSize]
	if b := j.b; j.rip == rip && e.tag == tag(rip&^pageMask) && b != nil && b.valid && b.frame == e.frame && b.mode == c.mode && c.continues(b, rip) {
		return b
	}
	return nil
}

// continues says whether b at rip goes on in the page that it was decoded from, if it does so in another one at all, as far as
// no more than a look at the TLB tells.
func (c *CPU) continues(b *block, rip uint64) bool {
	if !b.cross {
		return true
	}
	next := (rip | pageMask) + 1
	e := &c.tlb.fetch[c.cpl/3][next>>mem.PageShift%fetchSize]
	return e.tag == tag(next) && e.frame == b.second
}

// lookup returns the block at RIP, decoding it where that has not been done. It returns nil where the fetch raised an
// exception or met a trap.
func (c *CPU) lookup() *block {
	rip := c.R[uop.BlkRIP]
	if b := c.known(rip); b != nil {
		return b
	}
	if c.armed.fetch != 0 && c.fetchBreaks(rip) {
		return nil
	}
	e := c.fetchPage(rip)
	if e == nil {
		return nil
	}
	if e.tag.marks() != 0 {
		return c.atFence(e)
	}
	b := c.code.find(e.frame, uint16(rip&pageMask), c.mode)
	if b != nil && b.cross {
		// Where the instruction goes on depends on the mapping of the next page.
		f := c.fetchPage((rip | pageMask) + 1)
		if f == nil {
			return nil
		}
		if f.frame != b.second {
			c.code.drop(b.frame)
			b = nil
		}
	}
	if b == nil {
		if c.trapped(e) {
			return nil
		}
		if b = c.decode(e, c.maxBlock); b == nil {
			return nil
		}
		c.code.add(b)
		c.protectCode()
	}
	*c.jumps.at(rip) = jumpEntry{rip, b}
	return b
}

// trapped makes Run return ExitTrap where RIP, which lies in the page of e, is at an entry point of [Traps].
func (c *CPU) trapped(e *fetchEntry) bool {
	gpa := e.gpa() | c.R[uop.BlkRIP]&pageMask
	if !c.code.trapped(gpa) {
		return false
	}
	c.leave(Exit{Kind: ExitTrap, GPA: gpa})
	return true
}

// atFence is lookup in a page that is not wholly inside the fence, or that has a breakpoint. Inside, it decodes one
// instruction, which nobody keeps: a kept block could go on to what lies beyond.
func (c *CPU) atFence(e *fetchEntry) *block {
	switch {
	case c.trapped(e):
		return nil
	case c.crossesFence(c.R[uop.BlkRIP]):
		c.leave(Exit{Kind: ExitFence})
		return nil
	}
	return c.decode(e, 1)
}

// fetchPage translates the page of va for an instruction fetch.
func (c *CPU) fetchPage(va uint64) *fetchEntry {
	page := va &^ pageMask
	e := &c.tlb.fetch[c.cpl/3][va>>mem.PageShift%fetchSize]
	if e.tag.page() == page {
		return e
	}
	if !c.canonical(va) {
		c.raise(uop.VectorGP, 0)
		return nil
	}
	m, ok := c.walk(va, Fetch, c.cpl == 3, false)
	if !ok {
		return nil
	}
	t, r := c.platform.Resolve(c, m.gpa, Access{Kind: Fetch, GVA: va, User: c.cpl == 3})
	if c.Refused(r) {
		return nil
	}
	if t.MMIO {
		c.Stop(&UnsupportedError{RIP: va, What: "instruction fetch from memory-mapped I/O"})
		return nil
	}
	if m.large != 0 {
		c.tlb.large.add(va, m.large)
	}
	*e = fetchEntry{tag: c.fetchTag(page), page: t.Host, frame: t.Frame, where: t.GPA}
	if m.global {
		e.where |= globalBit
	} else {
		setBit(c.tlb.localFetch[:], va>>mem.PageShift%fetchSize)
	}
	return e
}

// decode decodes at most limit instructions at RIP, which lies in the page of e. It does not keep them.
func (c *CPU) decode(e *fetchEntry, limit int) *block {
	rip := c.R[uop.BlkRIP]
	b := &block{valid: true, frame: e.frame, offset: uint16(rip & pageMask), mode: c.mode}
	here := rest(e.page, b.offset)
	if !c.code.fill(b, here, limit) {
		// The first instruction goes on in the next page.
		f := c.fetchPage((rip | pageMask) + 1)
		if f == nil {
			return nil
		}
		b.second, b.cross = f.frame, true
		c.code.fill(b, join(here, f.page), 1)
	}
	return b
}
