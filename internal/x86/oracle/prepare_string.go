package oracle

// prepareString points RSI and RDI into the arena, with room for a small count in the direction of DF, and lets
// comparisons go on for a while.
func prepareString(s *scene, x *insn) bool {
	if s.direction || !s.free(rcx) {
		return false
	}
	size := map[byte]int{'B': 1, 'W': 2, 'D': 4, 'Q': 8}[x.mnemonic[len(x.mnemonic)-1]]
	count := s.IntN(24)
	if s.chance(5) {
		count = s.IntN(3 * pageSize / size)
	}
	if s.chance(75) {
		x.rep = [...]uint8{0xF3, 0xF2}[s.IntN(2)]
		s.pin(rcx, uint64(count))
	} else {
		count = 1
	}
	x.addr32 = s.chance(12)
	upper := uint64(0)
	if x.addr32 {
		upper = s.Uint64() << 32
		if x.rep != 0 {
			s.c.In.GPR[rcx] |= s.Uint64() << 32
		}
	}
	down := s.c.In.Flags&flagDF != 0
	name := x.mnemonic[:4]
	x.stores = name == "STOS" || name == "MOVS"

	// The pattern is what both sides hold, and the accumulator.
	element := make([]byte, 8)
	s.fill(element, integers)
	pattern := make([]byte, max(count, 1)*size)
	for i := range pattern {
		pattern[i] = element[i%size]
	}
	if name == "MOVS" || name == "LODS" {
		s.fill(pattern, integers)
	}
	place := func(reg int, base uint64) bool {
		first := s.target(size)
		low := first
		if down {
			low = first - uint64(len(pattern)-size)
		}
		if s.held(low, len(pattern)) || overlaps(s.c.Skip.Mem, low, len(pattern)) {
			return false
		}
		s.put(low, pattern)
		if name == "CMPS" || name == "SCAS" {
			if at := s.IntN(len(pattern)); s.chance(60) { // the odd one out
				s.put(low+uint64(at), []byte{byte(s.integer(8))})
			}
		}
		offset := first - base
		if x.addr32 {
			if offset >= 1<<32 {
				x.addr32 = false
			} else {
				offset |= upper
			}
		}
		return s.pin(reg, offset)
	}
	if name == "MOVS" || name == "CMPS" || name == "LODS" {
		if !place(rsi, s.segmentPrefix(x, arenaBase)) {
			return false
		}
	}
	if name != "LODS" && !place(rdi, 0) {
		return false
	}
	if name == "SCAS" && s.chance(80) {
		s.pin(rax, leWord(element[:size])|s.Uint64()<<(8*size-1)<<1)
	}
	if s.chance(20) && (name == "MOVS" || name == "CMPS") {
		// The two sides overlap.
		s.c.In.GPR[rdi] = s.c.In.GPR[rsi] + uint64(s.IntN(32)) - 16
	}
	return true
}

func leWord(b []byte) (v uint64) {
	for i, c := range b {
		v |= uint64(c) << (8 * i)
	}
	return v
}
