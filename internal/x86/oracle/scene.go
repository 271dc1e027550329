package oracle

import "slices"

// A scene is a case under construction: which values are settled, and what is known of the state after the
// instructions written so far.
type scene struct {
	dice
	c     *Case
	insns []*insn

	counted       []Span // memory that an instruction counts on
	pinned        uint16 // registers whose initial value an instruction counts on
	written       uint16 // registers that an earlier instruction may have changed
	segments      bool   // the segment bases may have been changed
	memory        bool   // an earlier instruction may have changed memory
	branched      bool   // what follows may be jumped over
	undefined     uint64 // flags that are undefined now
	everUndefined uint64 // or have been, before the last instruction
	direction     bool   // DF may have been changed
}

// pin gives a register an initial value that an instruction counts on. It says whether that was possible.
func (s *scene) pin(reg int, v uint64) bool {
	if (s.pinned|s.written)>>reg&1 != 0 {
		return false
	}
	s.c.In.GPR[reg] = v
	s.pinned |= 1 << reg
	return true
}

// known returns a register's value if no earlier instruction can have changed it, and pins it.
func (s *scene) known(reg int) (uint64, bool) {
	if s.written>>reg&1 != 0 {
		return 0, false
	}
	s.pinned |= 1 << reg
	return s.c.In.GPR[reg], true
}

// free says whether a register's initial value may still be chosen.
func (s *scene) free(reg int) bool { return (s.pinned|s.written)>>reg&1 == 0 }

// put settles bytes of the arena; what lies outside of it is left out.
func (s *scene) put(addr uint64, b []byte) {
	lo, hi := max(addr, arenaBase), min(addr+uint64(len(b)), arenaEnd)
	if addr+uint64(len(b)) < addr || lo >= hi {
		return
	}
	s.c.Mem = append(s.c.Mem, Bytes{lo, append([]byte(nil), b[lo-addr:hi-addr]...)})
}

// hold settles bytes that an instruction counts on. It says whether that was possible.
func (s *scene) hold(addr uint64, b []byte) bool {
	if s.held(addr, len(b)) {
		return false
	}
	s.put(addr, b)
	s.counted = append(s.counted, Span{addr, len(b)})
	return true
}

func (s *scene) held(addr uint64, n int) bool {
	return overlaps(s.counted, addr, n)
}

// overlaps says whether any of n bytes at addr are in the spans.
func overlaps(spans []Span, addr uint64, n int) bool {
	return slices.ContainsFunc(spans, func(c Span) bool { return addr < c.Addr+uint64(c.Len) && c.Addr < addr+uint64(n) })
}

// scatter draws the memory at addr and a little around it, unless an instruction counts on what is there.
func (s *scene) scatter(addr uint64, size int, k kind) {
	if s.held(addr-16, size+32) {
		return
	}
	b := make([]byte, size+32)
	s.fill(b[16:16+size], k)
	s.fill(b[:16], integers)
	s.fill(b[16+size:], integers)
	s.put(addr-16, b)
}

// target draws the address of a memory operand of some size: mostly in the arena, and mostly aligned; sometimes across
// the boundary of two pages, in the page that cannot be written, where nothing is mapped, where the kernel is, or no
// address at all.
func (s *scene) target(size int) uint64 {
	const readOnly = arenaBase + arenaReadOnly*pageSize
	inside := func() uint64 {
		page := [...]uint64{0, 0, 1, 1, 1, 3}[s.IntN(6)]
		return arenaBase + page*pageSize + uint64(s.IntN(pageSize-min(size, pageSize/2)))
	}
	across := func(boundary uint64) uint64 {
		if size < 2 {
			return boundary - uint64(s.IntN(2))
		}
		return boundary - 1 - uint64(s.IntN(size-1))
	}
	align := uint64(1)
	for align < 64 && align*2 <= uint64(size) {
		align *= 2
	}
	switch r := s.IntN(100); {
	case r < 60:
		return inside() &^ (align - 1)
	case r < 75:
		return inside()
	case r < 80:
		return across(arenaBase + pageSize)
	case r < 84:
		return across(readOnly)
	case r < 86:
		return across(readOnly + pageSize)
	case r < 90:
		return readOnly + uint64(s.IntN(pageSize-size))&^(align-1)
	case r < 93:
		return across(arenaEnd)
	case r < 94:
		return across(arenaBase)
	case r < 96:
		return arenaEnd + uint64(s.IntN(pageSize))
	case r < 97:
		return s.kernel()
	case r < 99:
		return s.noncanonical()
	default:
		return arenaEnd - uint64(size) // the last bytes
	}
}

// kernel draws an address in the upper half, where user code may not go, whatever is there.
func (s *scene) kernel() uint64 { return 0xFFFF_8000_0000_0000 | s.Uint64N(1<<46) }

// noncanonical draws an address that is none (SDM vol. 1, 3.3.7.1), for 48 and for 57 bits.
func (s *scene) noncanonical() uint64 { return s.Uint64()&^(1<<63|1<<61) | 1<<62 }
