package x86

import (
	"slices"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/physical"
)

// A block is a run of instructions within one page, decoded. It may run at any virtual address that leads to its frame.
type block struct {
	uops  []Uop
	n     uint64   // instructions
	link  []*block // where it goes on, per exit, as far as known
	valid bool     // false once the bytes have changed: then it may not be entered

	frame  mem.Frame
	offset uint16 // of the first byte in the frame
	size   uint16 // bytes
	mode   codeMode
	second mem.Frame // where the only instruction goes on in another page, that page's frame
	cross  bool

	sibling *block // the next block that starts in the same granule
}

// codeMode is what decoding depends on beside the bytes.
type codeMode uint8

const (
	modeSSE  codeMode = 1 << iota // SSE instructions are usable
	modeX87                       // x87 instructions are usable
	modeNM                        // SSE instructions would be usable but for CR0.TS: they raise #NM, not #UD
	modeWait                      // CR0.MP and TS: WAIT raises #NM
)

// codeMode returns the mode that the control registers select.
func (c *CPU) codeMode() codeMode {
	var m codeMode
	ts := c.cr0&CR0TS != 0
	if ts && c.cr0&CR0MP != 0 {
		m |= modeWait
	}
	switch sse := c.cr0&CR0EM == 0 && c.cr4&CR4OSFXSR != 0; {
	case sse && ts:
		m |= modeNM
	case sse:
		m |= modeSSE
	}
	if c.cr0&(CR0EM|CR0TS) == 0 {
		m |= modeX87
	}
	return m
}

const (
	granuleShift = 6
	granules     = mem.PageSize >> granuleShift

	// maxBlock bounds a block's instructions, so that Ord fits and invalidating is cheap.
	maxBlock = 48

	// maxPages and maxCode, in bytes of the host's, bound the decoded code that is kept: a whole boot of a kernel takes
	// a fifth of it. A guest that runs through more code starts afresh, and so does one that jumps to every byte of its
	// code.
	maxPages = 1 << 15
	maxCode  = 128 << 20
)

// DefaultCodeBytes is how much of the host's memory decoded code takes at most, where nothing else is said.
const DefaultCodeBytes = maxCode

// A codePage is the decoded code of one frame.
type codePage struct {
	start   [granules]*block // blocks by the granule in which they start
	covered uint64           // granules with bytes of any block, a bit each
	bytes   int              // of the host's that its blocks take
}

// A codeCache holds what has been decoded, by frame.
type codeCache struct {
	pages    map[mem.Frame]*codePage
	crossing map[mem.Frame][]*block // blocks that end in a frame and start in another
	memory   *mem.Memory
	bytes    int // of the host's that all blocks take
	most     int // that they may take
}

func newCodeCache(m *mem.Memory, most int) *codeCache {
	return &codeCache{pages: make(map[mem.Frame]*codePage), crossing: make(map[mem.Frame][]*block), memory: m, most: most}
}

func (cc *codeCache) find(f mem.Frame, offset uint16, mode codeMode) *block {
	p := cc.pages[f]
	if p == nil {
		return nil
	}
	for b := p.start[offset>>granuleShift]; b != nil; b = b.sibling {
		if b.offset == offset && b.mode == mode && b.valid {
			return b
		}
	}
	return nil
}

// add keeps a block. It reports whether a frame newly holds code, so that stores to it must be watched.
func (cc *codeCache) add(b *block) (fresh []mem.Frame) {
	if len(cc.pages) >= maxPages || cc.bytes >= cc.most {
		cc.dropAll()
	}
	if cc.cover(b.frame, uint64(b.offset), uint64(b.offset+b.size)) {
		fresh = append(fresh, b.frame)
	}
	if b.cross {
		if cc.cover(b.second, 0, uint64(b.offset)+uint64(b.size)-mem.PageSize) {
			fresh = append(fresh, b.second)
		}
		valid := slices.DeleteFunc(cc.crossing[b.second], func(b *block) bool { return !b.valid })
		cc.crossing[b.second] = append(valid, b)
	}
	p := cc.pages[b.frame]
	g := b.offset >> granuleShift
	b.sibling, p.start[g] = p.start[g], b
	n := b.bytes()
	p.bytes += n
	cc.bytes += n
	return fresh
}

// bytes is how much of the host's memory b takes.
func (b *block) bytes() int {
	return int(unsafe.Sizeof(*b)) + cap(b.uops)*int(uopSize) + len(b.link)*int(unsafe.Sizeof(b))
}

// cover marks bytes [from, to) of a frame as decoded.
func (cc *codeCache) cover(f mem.Frame, from, to uint64) (fresh bool) {
	p := cc.pages[f]
	if p == nil {
		p = new(codePage)
		cc.pages[f] = p
		cc.memory.SetCode(f)
		fresh = true
	}
	for g := from >> granuleShift; g < granules && g<<granuleShift < to; g++ {
		p.covered |= 1 << g
	}
	return fresh
}

// written drops the code of f where [offset, offset+n) touches decoded bytes. It says whether any was dropped.
func (cc *codeCache) written(f mem.Frame, offset, n int) bool {
	p := cc.pages[f]
	if p == nil || n == 0 {
		return false
	}
	first, last := offset>>granuleShift, min((offset+n-1)>>granuleShift, granules-1)
	touched := ^uint64(0) >> (granules - 1 - last) &^ (1<<first - 1)
	if p.covered&touched == 0 {
		return false
	}
	cc.drop(f)
	return true
}

// drop forgets the code of one frame, and of blocks that end in it.
func (cc *codeCache) drop(f mem.Frame) {
	p := cc.pages[f]
	if p == nil {
		return
	}
	delete(cc.pages, f)
	cc.memory.ClearCode(f)
	cc.bytes -= p.bytes
	p.invalidate()
	for _, b := range cc.crossing[f] {
		b.valid = false // it starts in another frame, whose list find passes it over in
	}
	delete(cc.crossing, f)
}

// invalidate marks the page's blocks as not to be entered any more. It also cuts the links between them: a pointer to one
// that is still held somewhere leads to no other.
func (p *codePage) invalidate() {
	for _, b := range p.start {
		for b != nil {
			next := b.sibling
			b.valid, b.sibling = false, nil
			clear(b.link)
			b = next
		}
	}
}

func (cc *codeCache) dropAll() {
	for f, p := range cc.pages {
		p.invalidate()
		cc.memory.ClearCode(f)
	}
	clear(cc.pages)
	clear(cc.crossing)
	cc.bytes = 0
}

// forget drops the code of all frames of plane p in [start, end) and says whether there was any.
func (cc *codeCache) forget(p physical.Plane, start, end uint64) bool {
	var found []mem.Frame
	if (end-start)>>mem.PageShift < uint64(len(cc.pages)) {
		for gpa := start; gpa < end; gpa += mem.PageSize {
			if f := mem.FrameOf(p, gpa); cc.pages[f] != nil {
				found = append(found, f)
			}
		}
	} else {
		for f := range cc.pages {
			if f.Plane() == p && f.GPA() >= start && f.GPA() < end {
				found = append(found, f)
			}
		}
	}
	for _, f := range found {
		cc.drop(f)
	}
	return len(found) > 0
}

// A jumpCache finds a block by the address at which it runs. It only saves the way through the pages' lists: an entry
// counts as long as its page's translation is in the TLB, so that what is fetched when does not depend on where blocks
// begin, and nothing here has to be flushed.
type jumpCache [1 << 12]jumpEntry

type jumpEntry struct {
	rip uint64
	b   *block
}

func (j *jumpCache) at(rip uint64) *jumpEntry { return &j[(rip^rip>>12)%uint64(len(j))] }

// known returns the block at rip where no more than a look is needed, else nil.
func (c *CPU) known(rip uint64) *block {
	j := c.jumps.at(rip)
	e := &c.tlb.fetch[c.cpl/3][rip>>mem.PageShift%fetchSize]
	if b := j.b; j.rip == rip && e.tag == rip&^pageMask && b != nil && b.valid && b.frame == e.frame && b.mode == c.mode {
		return b
	}
	return nil
}

// lookup returns the block at RIP, decoding it where that has not been done. It returns nil where the fetch raised an
// exception or met a trap.
func (c *CPU) lookup() *block {
	rip := c.R[BlkRIP]
	if b := c.known(rip); b != nil {
		return b
	}
	e := c.fetchPage(rip)
	if e == nil {
		return nil
	}
	if e.tag&slowTag != 0 {
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
		for _, f := range c.code.add(b) {
			c.protectCode(f)
		}
	}
	if !b.cross { // such a block needs a look at the second page each time
		*c.jumps.at(rip) = jumpEntry{rip, b}
	}
	return b
}

// trapped makes Run return ExitTrap where RIP, which lies in the page of e, is at an entry point of [Traps].
func (c *CPU) trapped(e *fetchEntry) bool {
	gpa := e.gpa | c.R[BlkRIP]&pageMask
	if c.traps == nil || !c.traps.Trap(gpa) {
		return false
	}
	c.leave(Exit{Kind: ExitTrap, GPA: gpa})
	return true
}

// atFence is lookup in a page that is not wholly inside the fence. Inside, it decodes one instruction, which is
// not kept: a kept block could go on to what lies beyond.
func (c *CPU) atFence(e *fetchEntry) *block {
	switch {
	case c.trapped(e):
		return nil
	case c.crossesFence(c.R[BlkRIP]):
		c.leave(Exit{Kind: ExitFence})
		return nil
	}
	return c.decode(e, 1)
}

// fetchPage translates the page of va for an instruction fetch.
func (c *CPU) fetchPage(va uint64) *fetchEntry {
	page := va &^ pageMask
	e := &c.tlb.fetch[c.cpl/3][va>>mem.PageShift%fetchSize]
	if e.tag&^slowTag == page {
		return e
	}
	if !canonical(va) {
		c.raise(vectorGP, 0)
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
	*e = fetchEntry{tag: c.fetchTag(page), page: t.Host, frame: t.Frame, gpa: t.GPA, global: m.global}
	return e
}

// decode decodes at most limit instructions at RIP, which lies in the page of e. It does not keep them.
func (c *CPU) decode(e *fetchEntry, limit int) *block {
	rip := c.R[BlkRIP]
	b := &block{valid: true, frame: e.frame, offset: uint16(rip & pageMask), mode: c.mode}
	here := rest(e.page, b.offset)
	if !c.fill(b, here, limit) {
		// The first instruction goes on in the next page.
		f := c.fetchPage((rip | pageMask) + 1)
		if f == nil {
			return nil
		}
		b.second, b.cross = f.frame, true
		c.fill(b, join(here, f.page), 1)
	}
	return b
}

// rest returns a page's bytes from offset on, and join those and the beginning of another page, as much as an
// instruction may take.
func rest(page unsafe.Pointer, offset uint16) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(page, offset)), mem.PageSize-int(offset))
}

func join(here []byte, next unsafe.Pointer) []byte {
	return append(append(make([]byte, 0, 2*maxInstruction), here...), unsafe.Slice((*byte)(next), maxInstruction)...)
}

// fill makes b of at most limit instructions. It returns false where not even the first ends within the bytes.
func (c *CPU) fill(b *block, bytes []byte, limit int) bool {
	d := decoder{bytes: bytes, offset: int64(b.offset), intercepts: c.intercepts, mode: b.mode, stop: c.stopsIn(b), uops: make([]Uop, 0, 16)}
	for int(d.ord) < limit && !d.end {
		pos := d.pos
		if pos > 0 && c.traps != nil && c.traps.Trap(b.frame.GPA()+uint64(b.offset)+uint64(pos)) {
			break // the next instruction is one to stop at
		}
		if d.decodeOne(); d.short {
			d.pos, d.end = pos, false
			break
		}
	}
	if d.ord == 0 {
		return false
	}
	if !d.end {
		d.ord-- // the last instruction's
		d.emit(Uop{Op: OpEnd, Ord: d.ord, Aux: d.linkTo(int64(d.pos)), Imm: int64(d.pos)})
		d.ord++
	}
	b.uops, b.n, b.size = d.uops, uint64(d.ord), uint16(d.pos)
	b.link = make([]*block, d.link)
	return true
}
