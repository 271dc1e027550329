package x86

import (
	"cmp"
	"slices"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/decode"
	"github.com/tacit-vm/tacit/physical"
)

const (
	granuleShift = 6
	granules     = mem.PageSize >> granuleShift

	// maxPages and maxCode, in bytes of the host's, bound the decoded code that is kept: a whole boot of a kernel takes
	// a fifth of it. A guest that runs through more code starts afresh, and so does one that jumps to every byte of its
	// code.
	maxPages = 1 << 15
	maxCode  = 128 << 20
)

// DefaultCodeBytes is how much of the host's memory a machine's decoded code takes at most, where nothing else is said.
const DefaultCodeBytes = maxCode

// A codePage is the decoded code of one frame.
type codePage struct {
	start   [granules]*block // blocks by the granule in which they start
	covered uint64           // granules with bytes of any block, a bit each
	bytes   int              // of the host's that its blocks take
}

// A codeCache holds what has been decoded from a memory, by frame. All processors over that memory share it: bytes that
// one of them has changed, none of them runs any more. Only one of them runs at a time.
type codeCache struct {
	decoding
	pages    map[mem.Frame]*codePage
	crossing map[mem.Frame][]*block // blocks that end in a frame and start in another
	memory   *mem.Memory
	bytes    int // of the host's that all blocks take
	most     int // that they may take

	translated *translated // nil without a translator

	cpus  []*CPU
	fresh uint64 // how often a frame has come to hold code, so that stores to it must be looked at
}

// codeOf returns the code of the memory that cfg names. The first processor over a memory makes it.
func codeOf(cfg *Config) *codeCache {
	cc, ok := cfg.Memory.CodeHolder().(*codeCache)
	if !ok {
		cc = newCodeCache(cfg.Memory, maxCode)
	}
	cc.most = cmp.Or(cfg.CodeBytes, maxCode)
	cc.intercepts, cc.traps, cc.locks = cfg.Platform.Intercepts(), cfg.Traps, cfg.LockHint != nil
	cc.replace(func(*block) bool { return true })
	return cc
}

func newCodeCache(m *mem.Memory, most int) *codeCache {
	cc := &codeCache{pages: make(map[mem.Frame]*codePage), crossing: make(map[mem.Frame][]*block), memory: m, most: most}
	m.HoldCode(cc)
	return cc
}

func (cc *codeCache) find(f mem.Frame, offset uint16, mode decode.Mode) *block {
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

// add keeps a block.
func (cc *codeCache) add(b *block) {
	if len(cc.pages) >= maxPages || cc.bytes >= cc.most {
		cc.dropAll()
	}
	cc.cover(b.frame, uint64(b.offset), uint64(b.offset+b.size))
	if b.cross {
		cc.cover(b.second, 0, uint64(b.offset)+uint64(b.size)-mem.PageSize)
		valid := slices.DeleteFunc(cc.crossing[b.second], func(b *block) bool { return !b.valid })
		cc.crossing[b.second] = append(valid, b)
	}
	p := cc.pages[b.frame]
	g := b.offset >> granuleShift
	b.sibling, p.start[g] = p.start[g], b
	cc.translated.admit(b)
	n := b.bytes()
	p.bytes += n
	cc.bytes += n
}

// cover marks bytes [from, to) of a frame as decoded.
func (cc *codeCache) cover(f mem.Frame, from, to uint64) {
	p := cc.pages[f]
	if p == nil {
		p = new(codePage)
		cc.pages[f] = p
		cc.memory.MarkCode(f)
		cc.fresh++
	}
	for g := from >> granuleShift; g < granules && g<<granuleShift < to; g++ {
		p.covered |= 1 << g
	}
}

// CodeChanged implements [mem.CodeHolder]: it drops the code of f where [offset, offset+n) touches decoded bytes.
func (cc *codeCache) CodeChanged(f mem.Frame, offset, n int) {
	p := cc.pages[f]
	if p == nil || n == 0 {
		return
	}
	first, last := offset>>granuleShift, min((offset+n-1)>>granuleShift, granules-1)
	touched := ^uint64(0) >> (granules - 1 - last) &^ (1<<first - 1)
	if p.covered&touched != 0 {
		cc.drop(f)
		cc.interrupt()
	}
}

// Close implements [mem.CodeHolder].
func (cc *codeCache) Close() error { return cc.translated.close() }

// interrupt makes the processor that is running look up after the instruction under way: the block that it runs may be
// retired.
func (cc *codeCache) interrupt() {
	for _, c := range cc.cpus {
		c.stopBehind()
	}
}

// drop forgets the code of one frame, and of blocks that end in it.
func (cc *codeCache) drop(f mem.Frame) {
	p := cc.pages[f]
	if p == nil {
		return
	}
	delete(cc.pages, f)
	cc.memory.UnmarkCode(f)
	cc.bytes -= p.bytes
	p.retire()
	for _, b := range cc.crossing[f] {
		if b.valid {
			b.retire() // it starts in another frame, whose list find passes it over in
			cc.translated.unlinkPage(cc.pages[b.frame])
		}
	}
	delete(cc.crossing, f)
}

// retire retires all of the page's blocks.
func (p *codePage) retire() {
	for _, b := range p.start {
		for b != nil {
			next := b.sibling
			b.retire()
			b.sibling = nil
			b = next
		}
	}
}

func (cc *codeCache) dropAll() {
	for f, p := range cc.pages {
		p.retire()
		cc.memory.UnmarkCode(f)
	}
	clear(cc.pages)
	clear(cc.crossing)
	cc.bytes = 0
	cc.translated.reset()
}

// replace retires the blocks that are affected by what has changed about how code is decoded. They are decoded again
// when they are next met, from the same bytes.
func (cc *codeCache) replace(affected func(b *block) bool) {
	for _, p := range cc.pages {
		for g := range p.start {
			for at := &p.start[g]; *at != nil; {
				b := *at
				if !b.valid || !affected(b) {
					at = &b.sibling
					continue
				}
				n := b.bytes()
				p.bytes -= n
				cc.bytes -= n
				*at, b.sibling = b.sibling, nil
				b.retire()
			}
		}
	}
	cc.translated.unlink()
	cc.interrupt()
}

// forget drops the code of all frames of plane p in [start, end).
func (cc *codeCache) forget(p physical.Plane, start, end uint64) {
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
	if len(found) > 0 {
		cc.interrupt()
	}
}
