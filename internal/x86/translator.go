package x86

import (
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A translator is the engine that runs hot blocks as machine code of the host's, and leaves everything else to the
// interpreter: blocks that have not run often, whatever code leaves in front of (package translate says what), cuts, and
// what a debugger looks at. All that it does to the guest is what the interpreter does, so none of it shows.
//
// Code is entered and left here. It calls nothing and is left by returning alone, so that no stack ever holds an address of
// it: it can be thrown away at any time that is not within [CPU.execute].
type translator struct{ *translated }

// slice bounds how many instructions code executes at a time. Until it returns, the Go runtime cannot stop this goroutine,
// which a garbage collection waits for, and CPU.limit is not looked at: it is 20 to 100 µs. A repeated string instruction
// takes more of it than the one instruction that it counts as: one for each 8 bytes that it moves.
const slice = 1 << 16

// nativeState is what code uses of the processor besides what the interpreter does.
type nativeState struct {
	left  int64  // instructions that may still be begun, in this slice
	end   uint64 // the count of instructions when none is left: less left, it is that at the end of the block under way
	flags uint32

	unpacked lazyFlags // what flags became when code came back last

	waiting bool // an interrupt is waiting for IF

	spill [3]uint64
	fetch *[fetchSize]fetchEntry // the TLB for fetches at this privilege
	data  *[tlbSize]tlbEntry     // and that for data
	stack *tlbEntry              // where the stack's page is in it, if it is: of use to code for amd64 hosts
}

// run implements engine.
func (t translator) run(c *CPU) stop {
	b := c.lookup()
	for b != nil {
		if b.made.runs > 0 { // it is not hot yet
			if b.made.runs--; b.made.runs == 0 {
				t.report(c, t.translate(b))
			}
		}
		limit := c.limit.Load()
		fits := c.icount+b.n <= limit
		if !t.has(b) || !fits && !c.wholly(b, limit) || !c.continues(b, c.R[uop.BlkRIP]) {
			b, _ = c.interpret(b, nil, true)
			continue
		}
		b = t.native(c, b, limit, !fits)
	}
	return c.stopped()
}

// report ends the run where code could not be written.
func (t translator) report(c *CPU, err error) {
	if err != nil {
		c.at = 0
		c.Stop(fmt.Errorf("the translator: %w", err))
	}
}

// native executes b, which ends before the limit, as code, and what comes after it, up to the end of some block. It
// returns the block that comes next. Alone, b is executed whatever the limit, and nothing after it.
func (t translator) native(c *CPU, b *block, limit uint64, alone bool) *block {
	code, reserved := b.made.code, uint64(0)
	if alone { // it is entered after its head
		code, reserved = code+uintptr(b.made.resume[0]), b.n
	}
	for {
		// The limit may be lowered meanwhile, which it is for us to see after this slice; it must not be read again here.
		total := min(limit-c.icount, slice)
		if alone {
			total = b.n - maxBlock // so that none is left, whatever b gives back
		}
		c.native.left, c.native.end = int64(total-reserved), c.icount+total
		e := c.execute(code)
		b = t.blocks[e.Block()]
		c.icount = c.native.end - uint64(c.native.left)
		switch e.Reason() {
		case hostcode.AtHead:
			c.icount -= b.n
			return b
		case hostcode.AtLink:
			return t.follow(c, b, e.Uop())
		case hostcode.AtRIP:
			c.at = 0
			return c.lookup()
		}
		c.icount -= b.n
		c.finish = finishUop
		next, u := c.interpret(b, &b.uops[e.Uop()], true)
		for u != nil {
			c.finish = finishNot
			if u.Op == uop.Goto { // as the interpreter does it, without calling it again
				c.R[uop.BlkRIP], c.at = c.target, 0
				c.icount += uint64(u.Ord) + 1
				return c.lookup()
			}
			// Inside b, which goes on as code where it can.
			if limit = c.limit.Load(); b.valid && (c.icount+b.n <= limit || alone && limit != 0) {
				if k := b.index(u); b.made.resume[k] != 0 {
					code, reserved = b.made.code+uintptr(b.made.resume[k]), b.n
					break
				}
			}
			next, u = c.interpret(b, u, true)
		}
		if u == nil {
			if c.finish == finishUop {
				c.finish = finishNot
			}
			return next
		}
	}
}

// follow goes from b by a link, and lets code go that way next time. Where the interpreter makes no link, to a block that goes on
// in another page, code has one: such a block's own begins with a look at that page.
func (t translator) follow(c *CPU, b *block, link int) *block {
	to := b.link[link]
	if to == nil || !to.valid {
		to = c.follow(b, uint32(link))
	}
	if to != nil && b.valid && to.frame == b.frame && t.has(to) {
		t.report(c, t.setLink(b.made.links+link, to.made.code))
	}
	return to
}

// execute runs code until it leaves.
func (c *CPU) execute(code uintptr) hostcode.Exit {
	c.native.fetch = &c.tlb.fetch[c.cpl/3]
	c.native.data = c.tlb.cur
	c.native.stack = &c.tlb.cur[(c.R[uop.RSP]-8)>>mem.PageShift%tlbSize]
	c.native.waiting = c.APIC.waiting()
	return hostcode.Exit(c.runCode(code))
}

// index returns the number of a micro-operation of b.
func (b *block) index(u *uop.Uop) int {
	return int((uintptr(unsafe.Pointer(u)) - uintptr(unsafe.Pointer(&b.uops[0]))) / uop.Size)
}

// packed returns the arithmetic flags as code has them in AX: in bits 15:8 what LAHF gives, and OF in bit 0.
func (f *lazyFlags) packed() uint32 {
	cf := f.aux >> 63
	v := (cf^f.aux>>62)&1 | cf<<8 | f.aux>>3&1<<12 | (uint64(f.res)>>63^f.aux)&1<<15
	v |= (uint64(bits.OnesCount8(uint8(f.res)^uint8(f.aux>>pfDelta)))&1 ^ 1) << 10
	if f.res == 0 {
		v |= 1 << 14
	}
	return uint32(v)
}

// unpack sets the flags from what packed returns. Other bits do not matter. It is [lazyFlags.set] without branches.
func (f *lazyFlags) unpack(v uint32) {
	w := uint64(v)
	cf, pf, zf := w>>8&1, w>>10&1, w>>14&1
	f.res = int64(zf ^ 1)
	f.aux = cf<<63 | (cf^w)&1<<62 | w>>12&1<<3 | w>>15&1 | (pf^zf)<<pfDelta
}
