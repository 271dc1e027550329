package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Instructions that look at a descriptor without loading it: LAR, LSL, VERR, VERW.

// loadAccessRights is LAR and LSL: ZF says whether the selector may be looked at.
func loadAccessRights(c *CPU, u *uop.Uop) bool {
	selector := uint16(c.R[u.Src%uop.Slots])
	s, visible, ok := c.inspect(selector)
	if !ok {
		return false
	}
	if visible && s.Attr&segS == 0 {
		visible = c.describes(s.Attr&15, u.Op == uop.Lar)
	}
	c.setZF(visible)
	if !visible {
		return true
	}
	v := uint64(s.Limit)
	if u.Op == uop.Lar {
		limit := s.Limit >> 16
		if s.Attr&segGranular != 0 {
			limit = s.Limit >> 28
		}
		v = uint64(s.Attr)<<8&0x00F0_FF00 | uint64(limit&15)<<16 // the limit's bits are undefined in the manual, and there on silicon
	}
	c.putSize(u.Dst, u.Aux, v)
	return true
}

// describes says whether LAR (rights is set) or LSL knows a type of system descriptor (SDM vol. 2, tables 3-53 and 3-59).
// Gates have rights but no limit, and in long mode descriptors of the 286 mean nothing.
func (c *CPU) describes(t uint16, rights bool) bool {
	switch t {
	case typeLDT, typeTSSAvail, typeTSSBusy:
		return true
	case typeTSS16, typeTSS16 | 2:
		return !c.longMode()
	case typeCallGate:
		return rights
	case typeCallGate16, typeTaskGate:
		return rights && !c.longMode()
	}
	return false
}

// verify is VERR (Aux 0) and VERW (1).
func verify(c *CPU, u *uop.Uop) bool {
	s, visible, ok := c.inspect(uint16(c.R[u.Src%uop.Slots]))
	if !ok {
		return false
	}
	code := s.Attr&segCode != 0
	switch {
	case s.Attr&segS == 0:
		visible = false
	case u.Aux == 0:
		visible = visible && (!code || s.Attr&segWritable != 0)
	default:
		visible = visible && !code && s.Attr&segWritable != 0
	}
	c.setZF(visible)
	return true
}

// inspect reads a descriptor for LAR, LSL, VERR and VERW, which raise nothing for selectors that are out of reach.
func (c *CPU) inspect(selector uint16) (s Segment, visible, ok bool) {
	base, limit := c.gdtr.base, uint64(c.gdtr.limit)
	if selector&4 != 0 {
		base, limit = c.ldtr.Base, uint64(c.ldtr.Limit)
		if c.ldtr.Selector&^3 == 0 {
			return s, false, true
		}
	}
	if selector&^3 == 0 || uint64(selector|7) > limit {
		return s, false, true
	}
	var d uint64
	if !c.implicit(func() (ok bool) {
		d, ok = c.load64(base + uint64(selector&^7))
		return ok
	}) {
		return s, false, false
	}
	s = unpack(selector, d)
	conforming := s.Attr&(segS|segCode|segConforming) == segS|segCode|segConforming
	dpl, rpl := uint8(s.Attr>>5&3), uint8(selector&3)
	return s, conforming || dpl >= c.cpl && dpl >= rpl, true
}
