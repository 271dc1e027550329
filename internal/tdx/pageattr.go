package tdx

import (
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// Attributes of a page are what the VMs that a TD has of its own may do with it. This one has none, and of itself no attribute is
// defined: there is nothing to read but the page's size and whether it is pending, and nothing to write.

// pageAttrRead is TDG.MEM.PAGE.ATTR.RD: RCX is an address in the page, and becomes that of the page with its level; RDX becomes the
// attributes (module, tdg_mem_page_attr_rd.c).
func (m *Module) pageAttrRead(c *x86.CPU) x86.Action {
	gpa := c.R[x86.RCX]
	if gpa >= m.sharedBit {
		return m.attributes(c, abi.LeafMemPageAttrRead, 0, abi.OperandInvalid.With(abi.OperandRCX))
	}
	page := gpa &^ (mem.PageSize - 1)
	s, err := m.asked(c, abi.LeafMemPageAttrRead, page, physical.Size2M, func(p pageState, _ physical.PageSize) (abi.Status, bool) {
		return abi.Success, p.private() == absent
	})
	if stopped(c, err) {
		return x86.Raised
	}
	size := physical.Size2M
	if m.pages.At(page/mem.PageSize)&small != 0 {
		size = physical.Size4K
	}
	return m.attributes(c, abi.LeafMemPageAttrRead, gpa&^(size.Bytes()-1)|uint64(size), s)
}

// pageAttrWrite is TDG.MEM.PAGE.ATTR.WR: RCX is the page's address with its level, RDX the attributes and R8 which of them are
// meant, of which none can be. RCX and RDX become what there is (module, tdg_mem_page_attr_wr.c).
func (m *Module) pageAttrWrite(c *x86.CPU) x86.Action {
	const leaf, vms, bits = abi.LeafMemPageAttrWrite, 4, 16
	for vm := range vms {
		switch {
		case uint16(c.R[x86.RDX]>>(vm*bits)) != 0:
			return m.attributes(c, leaf, 0, abi.OperandInvalid.With(abi.OperandRDX))
		case uint16(c.R[x86.R8]>>(vm*bits)) != 0:
			return m.attributes(c, leaf, 0, abi.OperandInvalid.With(abi.OperandR8))
		}
	}
	level, gpa := c.R[x86.RCX]&abi.PageInfoLevel, c.R[x86.RCX]&^abi.PageInfoLevel
	size := physical.PageSize(level)
	if level > uint64(physical.Size1G) || gpa >= m.sharedBit || gpa%size.Bytes() != 0 {
		return m.attributes(c, leaf, 0, abi.OperandInvalid.With(abi.OperandRCX))
	}
	first := gpa / mem.PageSize
	table := func(p pageState) bool { return p&(privateMask|small) != 0 } // somewhere in 1 GiB
	s, err := m.asked(c, leaf, gpa, size, func(p pageState, size physical.PageSize) (abi.Status, bool) {
		if size == physical.Size2M && p&small != 0 || size == physical.Size1G && m.pages.Any(first, first+size.Bytes()/mem.PageSize, table) {
			return abi.PageSizeMismatch.With(level), false
		}
		return abi.Success, p.private() == absent || size == physical.Size4K && p&small == 0
	})
	if stopped(c, err) {
		return x86.Raised
	}
	return m.attributes(c, leaf, gpa|level, s)
}

// attributes ends a call about those of a page, which RCX becomes, with its level.
func (m *Module) attributes(c *x86.CPU, leaf abi.Leaf, page uint64, s abi.Status) x86.Action {
	c.R[x86.RCX], c.R[x86.RDX] = 0, 0
	if s == abi.Success {
		if c.R[x86.RCX] = page; m.pages.At(page/mem.PageSize).private() == pending {
			c.R[x86.RCX] |= abi.PageAttrPending
		}
	}
	return m.tdcallDone(c, leaf.String(), s)
}
