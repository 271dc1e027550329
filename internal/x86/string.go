package x86

import (
	"bytes"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// String instructions. A repeated one is done in stretches that stay within a page on either side, and each stretch is
// one instruction in the count of instructions: that is the stated charge. Between stretches RIP stays on the
// instruction, so that an interrupt or a deadline is met at a page's end, the same wherever blocks end.

var stringHandlers = map[uop.Op]handler{uop.String: stringInstruction}

// A stringState is one string instruction under way.
type stringState struct {
	c       *CPU
	n       uint64 // bytes an element
	step    uint64 // n or -n
	mask    uint64 // of addresses and count
	segBase uint64

	legacy bool // outside 64-bit mode: the source's segment is looked at, and ES is the destination's
	seg    int
}

func stringInstruction(c *CPU, u *uop.Uop) bool {
	s := stringState{c: c, n: uint64(u.Src), step: uint64(u.Src), mask: ^uint64(0), segBase: c.R[u.Seg%uop.Slots]}
	if c.rest&FlagDF != 0 {
		s.step = -s.step
	}
	if u.Scale != 0 {
		s.mask = addressMask(u.Scale)
		s.legacy, s.seg = u.Scale&uop.AddressLegacy != 0, int(u.Index)
	}
	if u.Aux == 0 {
		c.setNext(c.nextRIP())
		return s.once(u.Dst)
	}
	switch u.Dst { // Intel's processors write these registers back whether anything is done or not
	case uop.StringMOVS:
		c.putMasked(uop.RSI, s.mask, c.R[uop.RSI])
		c.putMasked(uop.RDI, s.mask, c.R[uop.RDI])
	case uop.StringSTOS:
		c.putMasked(uop.RDI, s.mask, c.R[uop.RDI])
	}
	count := c.R[uop.RCX] & s.mask
	if count == 0 {
		c.putMasked(uop.RCX, s.mask, count)
		c.setNext(c.nextRIP())
		return true
	}
	flags := c.flags
	done, again, ok := s.stretch(u, count)
	c.putMasked(uop.RCX, s.mask, count-done)
	if !ok || again {
		c.flags = flags // comparisons do not look at flags, and change them only when they end (SDM vol. 2, REP)
	}
	if !ok {
		return false
	}
	if again {
		c.setNext(c.RIP())
		c.repeating = c.Instructions() + 1
	} else {
		c.setNext(c.nextRIP())
	}
	return true
}

// stretch does up to a page's worth of elements. It returns how many, and whether the instruction goes on.
func (s *stringState) stretch(u *uop.Uop, count uint64) (done uint64, again, ok bool) {
	c, kind := s.c, u.Dst
	single := c.rest&FlagTF != 0 // then there is a trap after each element (SDM vol. 3, 17.3.1.4)
	if s.step == s.n && s.mask == ^uint64(0) && !c.aligning() && !single && c.armed.write == 0 {
		switch kind {
		case uop.StringSTOS:
			if n, ok := s.fill(count); n > 0 || !ok {
				return n, n < count, ok
			}
		case uop.StringMOVS:
			if n, ok := s.copy(count); n > 0 || !ok {
				return n, n < count, ok
			}
		}
	}
	room := min(count, s.room(kind))
	if single {
		room = 1
	}
	for done < room {
		if !s.once(kind) {
			return done, true, false
		}
		done++
		if kind == uop.StringCMPS || kind == uop.StringSCAS {
			if c.flags.zf() != (u.Aux == 0xF3) {
				return done, false, true
			}
		}
		if c.traps.now != 0 {
			break
		}
	}
	return done, done < count, true
}

// room returns how many elements, at least one, lie before the next page boundary of either operand.
func (s *stringState) room(kind uint8) uint64 {
	room := func(a uint64) uint64 {
		if s.step == s.n {
			return (mem.PageSize - a&pageMask) / s.n
		}
		return (a&pageMask + s.n) / s.n
	}
	r := uint64(mem.PageSize)
	if kind != uop.StringLODS {
		r = min(r, room(s.c.R[uop.RDI]))
	}
	if kind == uop.StringMOVS || kind == uop.StringCMPS || kind == uop.StringLODS {
		r = min(r, room(s.c.R[uop.RSI]+s.segBase))
	}
	return max(r, 1)
}

// once does one element.
func (s *stringState) once(kind uint8) bool {
	c := s.c
	src, dst := c.R[uop.RSI]&s.mask+s.segBase, c.R[uop.RDI]&s.mask
	if s.legacy {
		var ok bool
		if src, dst, ok = s.operands(kind); !ok {
			return false
		}
	}
	switch kind {
	case uop.StringMOVS:
		v, ok := s.load(src)
		if !ok || !s.store(dst, v) {
			return false
		}
		s.advance(uop.RSI)
		s.advance(uop.RDI)
	case uop.StringCMPS:
		b, ok := s.load(dst) // the first to fault, on silicon
		if !ok {
			return false
		}
		a, ok := s.load(src)
		if !ok {
			return false
		}
		c.flags.compare(s.n, a, b)
		s.advance(uop.RSI)
		s.advance(uop.RDI)
	case uop.StringSTOS:
		if !s.store(dst, c.R[uop.RAX]) {
			return false
		}
		s.advance(uop.RDI)
	case uop.StringLODS:
		v, ok := s.load(src)
		if !ok {
			return false
		}
		c.putSize(uop.RAX, uint32(s.n), v)
		s.advance(uop.RSI)
	case uop.StringSCAS:
		v, ok := s.load(dst)
		if !ok {
			return false
		}
		c.flags.compare(s.n, c.R[uop.RAX], v)
		s.advance(uop.RDI)
	}
	return true
}

func (s *stringState) advance(reg int) { s.c.putMasked(reg, s.mask, s.c.R[reg]+s.step) }

// operands returns the linear addresses of an element's operands outside 64-bit mode.
func (s *stringState) operands(kind uint8) (src, dst uint64, ok bool) {
	c := s.c
	if kind != uop.StringLODS && kind != uop.StringMOVS {
		if dst, ok = s.destination(kind != uop.StringCMPS && kind != uop.StringSCAS); !ok {
			return 0, 0, false
		}
	}
	if kind == uop.StringMOVS || kind == uop.StringCMPS || kind == uop.StringLODS {
		if src, ok = c.linear(s.seg, c.R[uop.RSI]&s.mask, s.n, false); !ok {
			return 0, 0, false
		}
	}
	if kind == uop.StringMOVS {
		dst, ok = s.destination(true)
	}
	return src, dst, ok
}

func (s *stringState) destination(write bool) (uint64, bool) {
	return s.c.linear(uop.SegES, s.c.R[uop.RDI]&s.mask, s.n, write)
}

func (s *stringState) load(va uint64) (uint64, bool) {
	switch s.n {
	case 1:
		v, ok := s.c.load8(va)
		return uint64(v), ok
	case 2:
		v, ok := s.c.load16(va)
		return uint64(v), ok
	case 4:
		v, ok := s.c.load32(va)
		return uint64(v), ok
	}
	return s.c.load64(va)
}

func (s *stringState) store(va, v uint64) bool {
	switch s.n {
	case 1:
		return s.c.store8(va, uint8(v))
	case 2:
		return s.c.store16(va, uint16(v))
	case 4:
		return s.c.store32(va, uint32(v))
	}
	return s.c.store64(va, v)
}

// fill is STOS up to the end of RDI's page in one go. It does nothing (0, true) where the page is not plain memory.
func (s *stringState) fill(count uint64) (uint64, bool) {
	c := s.c
	va := c.R[uop.RDI]
	n := min(count, (mem.PageSize-va&pageMask)/s.n)
	if n == 0 {
		return 0, true
	}
	p, ok := c.reach(va, Write)
	if !ok || p.page == nil {
		return 0, ok
	}
	var pattern [8]byte
	for i := range pattern {
		pattern[i] = byte(c.R[uop.RAX] >> (8 * (uint64(i) % s.n)))
	}
	size := n * s.n
	c.use(Write, va, p, int(size))
	if c.prepareStore(va, p, int(size), allZero(pattern[:s.n])) {
		b := unsafe.Slice((*byte)(unsafe.Add(p.page, va&pageMask)), size)
		if bytes.Count(pattern[:], pattern[:1]) == len(pattern) {
			set(b, pattern[0])
		} else {
			for i := 0; i < len(b); i += len(pattern) {
				copy(b[i:], pattern[:])
			}
		}
	}
	c.R[uop.RDI] = va + size
	return n, true
}

// set fills b with v.
func set(b []byte, v byte) {
	if v == 0 {
		clear(b)
		return
	}
	b[0] = v
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

// copy is MOVS up to the end of either page in one go. It does nothing (0, true) where a page is not plain memory, or
// where the destination overlaps what is still to be read, by whatever addresses, so that copying in order matters.
func (s *stringState) copy(count uint64) (uint64, bool) {
	c := s.c
	src, dst := c.R[uop.RSI]+s.segBase, c.R[uop.RDI]
	n := min(count, (mem.PageSize-src&pageMask)/s.n, (mem.PageSize-dst&pageMask)/s.n)
	size := n * s.n
	if n == 0 {
		return 0, true
	}
	from, ok := c.reach(src, Read)
	if !ok || from.page == nil {
		return 0, ok
	}
	to, ok := c.reach(dst, Write)
	if !ok || to.page == nil {
		return 0, ok
	}
	if from.frame == to.frame && dst&pageMask-src&pageMask < size {
		return 0, true
	}
	c.use(Read, src, from, int(size))
	c.use(Write, dst, to, int(size))
	in := unsafe.Slice((*byte)(unsafe.Add(from.page, src&pageMask)), size)
	if c.prepareStore(dst, to, int(size), !c.mem.Backed(from.frame) || !c.mem.Backed(to.frame) && allZero(in)) {
		copy(unsafe.Slice((*byte)(unsafe.Add(to.page, dst&pageMask)), size), in)
	}
	c.R[uop.RSI] += size
	c.R[uop.RDI] += size
	return n, true
}
