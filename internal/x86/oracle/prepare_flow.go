package oracle

// stack draws where the next push or pop takes place, and lets RSP or RBP point there.
func (s *scene) stack(reg int, size int, above bool) (uint64, bool) {
	target := s.target(size)
	if s.chance(50) {
		target &^= 7
	}
	if overlaps(s.c.Skip.Mem, target, size) {
		return target, false // it would pop what is not compared
	}
	s.scatter(target, size, integers)
	if above {
		return target, s.pin(reg, target+uint64(size))
	}
	return target, s.pin(reg, target)
}

func prepareStack(s *scene, x *insn) bool {
	size := 8
	if x.size == 16 || x.name == "PUSH imm16" {
		size = 2
	}
	reg := rsp
	x.stores = x.mnemonic[:3] == "PUS"
	if x.mnemonic == "LEAVE" {
		reg = rbp
	}
	_, ok := s.stack(reg, size, x.stores)
	return ok
}

// preparePopFlags keeps the trap flag out: a single-step trap after the instruction is the system suite's business.
func preparePopFlags(s *scene, x *insn) bool {
	size := 8
	if x.size == 16 {
		size = 2
	}
	at, ok := s.stack(rsp, size, false)
	v := s.Uint64() &^ flagTF
	if s.chance(80) {
		v &^= flagAC
	}
	return ok && !s.memory && s.hold(at, appendLittle(nil, v, size))
}

func prepareEnter(s *scene, x *insn) bool {
	x.stores = true
	if s.chance(80) {
		x.imm[1] = x.imm[1]&^31 | s.Uint64N(4)
	}
	if s.chance(60) {
		x.imm[0] = s.Uint64N(64)
	}
	_, ok := s.stack(rbp, 8, true)
	_, ok2 := s.stack(rsp, 8, true)
	return ok && ok2
}

// destination draws where an indirect branch goes: into the code window, where INT3 waits; where nothing may be
// executed; nowhere.
func (s *scene) destination() uint64 {
	switch r := s.IntN(20); {
	case r < 14:
		return codeBase + s.Uint64N(pageSize/2) + pageSize // the case's own code lies in the first page, or at the window's end
	case r < 16:
		return arenaBase + s.Uint64N(arenaSize)
	case r < 17:
		return codeEnd + s.Uint64N(pageSize)
	case r < 18:
		return s.kernel()
	default:
		return s.noncanonical()
	}
}

func prepareJump(s *scene, x *insn) bool {
	if x.mnemonic == "CALL" {
		x.stores = true
		if _, ok := s.stack(rsp, 8, true); !ok {
			return false
		}
	}
	to := s.destination()
	switch {
	case x.relative > 0:
		return true
	case x.isMem:
		x.content = appendLittle(nil, to, 8)
		return !s.memory
	}
	return s.pin(x.rmN, to)
}

func prepareReturn(s *scene, x *insn) bool {
	at, ok := s.stack(rsp, 8, false)
	return ok && !s.memory && s.hold(at, appendLittle(nil, s.destination(), 8))
}

// prepareFarReturn lets RETF and IRET return to user code, mostly: to the segments that it has.
func prepareFarReturn(s *scene, x *insn) bool {
	selector := func(good uint64) uint64 {
		if s.chance(80) {
			return good
		}
		return s.selector()
	}
	cs := selector(userCS)
	if cs == user32CS {
		return false // 32-bit code
	}
	words := []uint64{s.destination(), cs}
	if x.mnemonic != "RETF" {
		// Of IRET with AC in what it pops, silicon may report #AC with AC clear, which Linux takes for a split lock and
		// asks the processor again, without end.
		flags := s.Uint64() &^ (flagTF | flagAC)
		words = append(words, flags, s.target(8), selector(userSS))
	}
	n := x.size / 8
	at, ok := s.stack(rsp, n*len(words), false)
	var b []byte
	for i, w := range words {
		if i == 1 || i == 4 {
			w |= s.Uint64() << 16 // of a selector two bytes count
		}
		b = appendLittle(b, w, n)
	}
	return ok && !s.memory && s.hold(at, b)
}

// user32CS is the selector of Linux's 32-bit user code.
const user32CS = 0x23

func prepareLoop(s *scene, x *insn) bool {
	x.addr32 = s.chance(20)
	v := s.Uint64N(3)
	if x.addr32 && s.chance(50) {
		v |= s.Uint64() << 32
	}
	return s.pin(rcx, v)
}
