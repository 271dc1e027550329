package oracle

import "math"

// address gives x a memory operand at the linear address target, and says whether it could. Bases and indexes are
// registers whose value is still free or known.
func (s *scene) address(x *insn, target uint64) bool {
	x.isMem, x.base, x.index = true, none, none
	base := s.segmentPrefix(x, target)
	offset := target - base
	if x.moffs {
		x.memDisp = offset
		x.addr32 = offset < 1<<32 && s.chance(10)
		return true
	}
	if offset < 1<<32 && s.chance(8) {
		x.addr32 = true
	}
	for range 8 {
		x.base, x.index, x.scale, x.dispSize, x.sib = none, none, 0, 0, false // what an attempt before has left
		switch s.IntN(8) {
		case 0: // displacement only
			if !fits(offset, x.addr32) {
				continue
			}
			x.memDisp = offset
			return true
		case 1: // relative to RIP; the displacement is settled when the length is known
			if offset-codeBase+1<<30 > 2<<30 {
				continue
			}
			x.base, x.memDisp = ripRel, offset
			return true
		case 2, 3, 4:
			if s.baseOnly(x, offset) {
				return true
			}
		default:
			if s.baseIndex(x, offset) {
				return true
			}
		}
	}
	x.base, x.index, x.scale, x.dispSize, x.sib, x.memDisp = none, none, 0, 0, false, offset
	return fits(offset, x.addr32)
}

// fits says whether a 32-bit displacement alone can give the offset.
func fits(offset uint64, addr32 bool) bool {
	return addr32 || uint64(int64(int32(offset))) == offset
}

// segmentPrefix sometimes chooses a segment override, and returns the base that will be added.
func (s *scene) segmentPrefix(x *insn, target uint64) uint64 {
	if !s.chance(15) {
		return 0
	}
	x.segment = [...]uint8{0x64, 0x65, 0x26, 0x2E, 0x36, 0x3E}[s.IntN(6)]
	switch {
	case s.segments && x.segment >= 0x64:
		x.segment = 0
	case x.segment == 0x64:
		return fsBase
	case x.segment == 0x65:
		return gsBase
	}
	return 0
}

// register draws a register for an address.
func (s *scene) register() int {
	for range 4 {
		if r := s.IntN(16); s.free(r) {
			return r
		}
	}
	return s.IntN(16)
}

// displacement draws one, with the size that it takes.
func (s *scene) displacement() (d uint64, size int) {
	switch s.IntN(3) {
	case 0:
		return 0, 0
	case 1:
		return uint64(int64(int8(s.Uint32()))), 1
	}
	if s.chance(50) {
		return uint64(int64(int16(s.Uint32()))), 4
	}
	return uint64(int64(int32(s.Uint32()))), 4
}

// settle sets the register so that it gives the rest of an offset, or if its value is settled already, the
// displacement.
func (s *scene) settle(x *insn, reg int, rest uint64) bool {
	v := rest - x.memDisp
	if x.addr32 {
		v = v&math.MaxUint32 | s.Uint64()<<32
	}
	if s.pin(reg, v) {
		return true
	}
	have, ok := s.known(reg)
	if !ok {
		return false
	}
	x.memDisp, x.dispSize = rest-have, 4
	return fits(x.memDisp, x.addr32)
}

func (s *scene) baseOnly(x *insn, offset uint64) bool {
	x.index = none
	x.base, x.sib = s.register(), s.chance(15)
	x.memDisp, x.dispSize = s.displacement()
	if !s.settle(x, x.base, offset) {
		return false
	}
	return x.fixBase()
}

// fixBase gives a displacement to a base that cannot do without.
func (x *insn) fixBase() bool {
	if x.base >= 0 && x.base&7 == rbp && x.dispSize == 0 {
		x.dispSize = 1
	}
	return true
}

func (s *scene) baseIndex(x *insn, offset uint64) bool {
	x.base, x.index, x.scale = s.register(), s.register(), s.IntN(4)
	x.memDisp, x.dispSize = s.displacement()
	if x.index == rsp { // the encoding of no index
		x.index = 12
	}
	if x.base == x.index {
		// Both are the one register: the largest value below, and the displacement the rest.
		n := uint64(1)<<x.scale + 1
		if !s.pin(x.base, offset/n) {
			return false
		}
		x.memDisp, x.dispSize = offset%n, 1
		return true
	}
	if s.chance(10) {
		x.base = none
		x.dispSize = 4
		index, ok := s.known(x.index)
		x.memDisp = offset - index<<x.scale
		return ok && fits(x.memDisp, x.addr32)
	}
	if s.free(x.index) {
		v := uint64(s.IntN(256)) - 128
		if s.chance(30) {
			v = s.integer(64)
		}
		s.pin(x.index, v)
	}
	index, ok := s.known(x.index)
	if !ok || !s.settle(x, x.base, offset-index<<x.scale) {
		return false
	}
	return x.fixBase()
}
