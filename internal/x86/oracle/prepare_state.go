package oracle

import "encoding/binary"

// Operands that hold floating-point or SSE state. The pointers to the last instruction (FIP, FDP, FOP) are not
// compared: when they are written differs between processors, and the INT3 after a case is later than they are
// (exclusions.go).

func prepareControl(s *scene, x *insn) bool {
	x.content = binary.LittleEndian.AppendUint16(nil, s.x87().FCW)
	return !s.memory
}

// prepareStore80 keeps 80-bit stores within a page: where the second page cannot be written, some models have stored
// into the first.
func prepareStore80(s *scene, x *insn) bool {
	if x.memory == 10 {
		target := s.target(10)
		if over := int(target%pageSize) + 10 - pageSize; over > 0 {
			target -= uint64(over)
		}
		x.aim(target)
	}
	return true
}

// prepareEnvironment draws the operand of FLDENV and FRSTOR (SDM vol. 1, figure 8-9 and 8-10).
func prepareEnvironment(s *scene, x *insn) bool {
	f := s.x87()
	word := 4
	if x.memory == 14 || x.memory == 94 {
		word = 2
	}
	b := make([]byte, x.memory)
	s.fill(b, integers)
	put := func(i int, v uint16) { binary.LittleEndian.PutUint16(b[i*word:], v) }
	put(0, f.FCW)
	put(1, f.FSW)
	put(2, uint16(s.Uint32()))
	if s.chance(30) {
		put(2, 0)
	}
	for i := 7 * word; i+10 <= len(b); i += 10 {
		v := s.extended()
		binary.LittleEndian.PutUint64(b[i:], v.Significand)
		binary.LittleEndian.PutUint16(b[i+8:], v.SignExp)
	}
	x.content = b
	s.c.Skip.CR2 = true
	return !s.memory
}

// prepareSave leaves the pointers in the image of FNSTENV and FNSAVE out of the comparison.
func prepareSave(s *scene, x *insn) bool {
	x.aim(s.target(x.memory))
	s.c.Skip.CR2 = true // the order of the stores is the model's
	word := uint64(4)
	if x.memory == 14 || x.memory == 94 {
		word = 2
	}
	s.c.Skip.Mem = append(s.c.Skip.Mem, Span{x.target + 3*word, int(4 * word)})
	return true
}

// Parts of the XSAVE header (SDM vol. 1, 13.4.2).
const (
	xsaveHeader = 512
	xstateBV    = xsaveHeader
	xcompBV     = xsaveHeader + 8
)

// prepareArea draws an FXSAVE or XSAVE area, and for the XSAVE family a mask with x87 and SSE at most: the host has
// more components than the guest.
func prepareArea(s *scene, x *insn) bool {
	align := uint64(16)
	if x.memory > 512 {
		align = 64
		if !s.pin(rax, s.Uint64N(4)) || !s.pin(rdx, 0) {
			return false
		}
	}
	target := s.target(x.memory)
	if s.chance(85) {
		target &^= align - 1
	}
	x.aim(target)
	b := make([]byte, x.memory)
	s.fill(b, integers)
	var st State
	st.X87, st.MXCSR = s.x87(), s.mxcsr()
	if s.chance(5) {
		st.MXCSR = s.Uint32()
	}
	for i := range st.XMM {
		st.XMM[i] = s.xmm(integers)
	}
	st.storeFX(b[:fxXMM+256])
	if x.memory > 512 {
		clear(b[xsaveHeader:])
		binary.LittleEndian.PutUint64(b[xstateBV:], s.Uint64N(4))
		if s.chance(30) {
			binary.LittleEndian.PutUint64(b[xcompBV:], 1<<63|3)
			// A reserved bit of MXCSR is #GP, but some models have loaded registers by then.
			binary.LittleEndian.PutUint32(b[fxMXCSR:], s.mxcsr())
		}
		if readable := target >= arenaBase && target+uint64(x.memory) <= arenaEnd; readable && s.chance(5) {
			// Not the low bits of XSTATE_BV and XCOMP_BV, where the host has more components than the guest.
			b[xsaveHeader+[...]int{6, 7, 14, 15, 16, 23, 24, 63}[s.IntN(8)]] = byte(s.integer(8))
		}
	}
	x.content = b
	s.c.Skip.CR2 = true // some models look at the end of the area first
	// FOP, FIP, FDP; and the mask of MXCSR's bits, which is the model's.
	s.c.Skip.Mem = append(s.c.Skip.Mem, Span{target + 6, 18}, Span{target + 28, 4})
	return !s.memory
}
