package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// The stack that a gate to more privilege switches to: the TSS says which it is (SDM vol. 3, 6.8.5 and 8.7).

// innerStack returns the stack of a privilege level. In long mode it is a pointer, and SS is null; elsewhere a TSS of 16 or
// 32 bits holds a selector, too.
func (c *CPU) innerStack(dpl uint8, ext uint32) (ss Segment, sp uint64, ok bool) {
	if c.longMode() {
		sp, ok = c.tssPointer(4+uint64(dpl)*8, ext)
		return nullStack(dpl), sp, ok
	}
	offset, size := 4+uint64(dpl)*8, uint64(4)
	if c.tr.Attr&8 == 0 {
		offset, size = 2+uint64(dpl)*4, 2
	}
	if offset+size+1 > uint64(c.tr.Limit) {
		return ss, 0, c.raise(uop.VectorTS, uint32(c.tr.Selector)&^3|ext)
	}
	var selector uint16
	if !c.implicit(func() (ok bool) {
		if size == 2 {
			var v uint16
			v, ok = c.load16(c.tr.Base + offset)
			sp = uint64(v)
		} else {
			var v uint32
			v, ok = c.load32(c.tr.Base + offset)
			sp = uint64(v)
		}
		if ok {
			selector, ok = c.load16(c.tr.Base + offset + size)
		}
		return ok
	}) {
		return ss, 0, false
	}
	ss, ok = c.innerSegment(selector, dpl, ext)
	return ss, sp, ok
}

// nullStack is SS after a switch to more privilege in long mode.
func nullStack(dpl uint8) Segment {
	return Segment{Selector: uint16(dpl), Attr: segPresent | uint16(dpl)<<5 | segData, Limit: ^uint32(0)}
}

// innerSegment checks the stack segment that a TSS names.
func (c *CPU) innerSegment(selector uint16, dpl uint8, ext uint32) (s Segment, ok bool) {
	code := uint32(selector)&^3 | ext
	if selector&^3 == 0 {
		return s, c.raise(uop.VectorTS, ext)
	}
	base, limit := c.gdtr.base, uint64(c.gdtr.limit)
	if selector&4 != 0 {
		base, limit = c.ldtr.Base, uint64(c.ldtr.Limit)
		if c.ldtr.Selector&^3 == 0 {
			return s, c.raise(uop.VectorTS, code)
		}
	}
	if uint64(selector|7) > limit {
		return s, c.raise(uop.VectorTS, code)
	}
	var d uint64
	if !c.implicit(func() (ok bool) {
		d, ok = c.load64(base + uint64(selector&^7))
		return ok
	}) {
		return s, false
	}
	s = unpack(selector, d)
	switch {
	case uint8(selector&3) != dpl, uint8(s.Attr>>5&3) != dpl, s.Attr&(segS|segCode|segWritable) != segS|segWritable:
		return s, c.raise(uop.VectorTS, code)
	case s.Attr&segPresent == 0:
		return s, c.raise(uop.VectorSS, code)
	}
	return s, c.setAccessed(&s)
}

// pushInner stores words, the first one uppermost, below sp of a stack that is not in use yet, with the privilege that it is
// for.
func (c *CPU) pushInner(ss *Segment, sp, size uint64, words []uint64, dpl uint8, ext uint32) bool {
	if size == 8 { // a frame of long mode
		frame := make([]uint64, 0, len(words))
		for i := len(words) - 1; i >= 0; i-- {
			frame = append(frame, words[i])
		}
		return c.pushFrame(sp-uint64(len(words))*8, frame, dpl, ext)
	}
	store := func() bool {
		for i, w := range words {
			at := (sp - uint64(i+1)*size) & ss.top()
			if !c.within(ss, at, size, true) {
				return c.raise(uop.VectorSS, uint32(ss.Selector)&^3|ext)
			}
			va := (ss.Base + at) & low
			if size == 2 && !c.store16(va, uint16(w)) || size == 4 && !c.store32(va, uint32(w)) {
				return false
			}
		}
		return true
	}
	if dpl == 3 {
		return store()
	}
	return c.implicit(store)
}
