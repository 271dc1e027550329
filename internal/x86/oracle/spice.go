package oracle

import "strings"

// spice adds prefixes that an instruction does not need: most do nothing, some make it undefined, too many make it too
// long.
func (s *scene) spice(x *insn) {
	if !s.chance(20) {
		return
	}
	switch s.IntN(13) {
	case 0, 1: // segments that have no base
		x.extra = append(x.extra, s.plainSegment())
	case 2: // LOCK where it may not be
		if !x.form.lock && !x.vex && x.opcode[0] != 0x0F {
			x.lock, x.invalid = true, true
		}
	case 3, 4, 5:
		s.spiceREX(x)
	case 6, 7:
		s.spiceOperandSize(x)
	case 8:
		if s.ignoresRepeat(x) {
			x.extra = append(x.extra, [...]uint8{0xF2, 0xF3}[s.IntN(2)])
		}
	case 9: // a REX prefix that others follow does not count
		if !x.vex {
			x.extra = append(x.extra, uint8(0x40|s.IntN(16)), s.plainSegment())
		}
	case 10: // of F2, F3 and 66 the last repeat prefix says which instruction it is
		if x.isSSE() && (x.mandatory == 0xF2 || x.mandatory == 0xF3) {
			x.extra = append(x.extra, [...]uint8{0xF2, 0xF3, 0x66}[s.IntN(3)])
		}
	case 11: // 32-bit addresses where there is no address
		if x.modrm && !x.isMem && !x.stores {
			x.extra = append(x.extra, 0x67)
		}
	case 12:
		if s.chance(50) {
			s.spiceVEX(x)
			return
		}
		if x.invalid {
			return
		}
		x.invalid = true // perhaps: how much of an instruction that is too long has to be there is the model's
		for range 12 + s.IntN(4) - len(x.opcode) {
			x.extra = append(x.extra, s.plainSegment())
		}
	}
}

// plainSegment draws a segment prefix that 64-bit mode ignores, except that it takes the place of one before it.
func (s *scene) plainSegment() uint8 { return [...]uint8{0x26, 0x2E, 0x36, 0x3E}[s.IntN(4)] }

// spiceREX sets bits of REX that no operand uses.
func (s *scene) spiceREX(x *insn) {
	if x.vex {
		return
	}
	x.rex = 0x40
	if !x.modrm && !x.plus && (x.opcode[0] != 0x90 || x.mandatory != 0) { // but for REX.B before 90, which makes XCHG of NOP
		x.rex |= uint8(s.IntN(8))
	}
	if x.modrm {
		if !x.isMem {
			x.rex |= 2
		}
		if x.digit >= 0 || x.reg.file == 'm' {
			x.rex |= uint8(s.IntN(2)) << 2
		}
		if !x.isMem && x.rm.file == 'm' {
			x.rex |= 1
		}
	}
	if x.eightBits() {
		x.rex |= uint8(s.IntN(2)) << 3
	}
}

// eightBits says whether x is an instruction on 8-bit operands, whose size no prefix changes.
func (x *insn) eightBits() bool {
	return len(x.opcode) == 1 && (x.reg.bits == 8 || x.rm.bits == 8 || x.opReg.bits == 8)
}

// spiceOperandSize adds 66 where the operand size is settled otherwise: by the opcode, or by REX.W.
func (s *scene) spiceOperandSize(x *insn) {
	if !x.data16 && strings.Contains(" PUSH POP PUSHFQ POPFQ ENTER LEAVE ", " "+x.mnemonic+" ") {
		x.rex |= 0x48
		x.extra = append(x.extra, 0x66)
		return
	}
	if x.eightBits() || !x.vex && x.rexW && len(x.opcode) == 1 && x.size == 64 && !x.isX87() {
		x.extra = append(x.extra, 0x66)
	}
}

// ignoresRepeat says whether F2 and F3 do nothing before x. With a memory operand they can be hints for lock elision,
// before branches they are MPX's.
func (s *scene) ignoresRepeat(x *insn) bool {
	return len(x.opcode) == 1 && !x.vex && !x.isMem && !x.moffs && !x.isX87() && x.relative == 0 && x.rep == 0 && x.opcode[0] != 0x90 &&
		!strings.Contains(" JMP CALL RET INT INT1 INT3 IN OUT ", " "+x.mnemonic+" ") && preparations[x.mnemonic] == nil
}

// spiceVEX makes a VEX encoding one that is not defined.
func (s *scene) spiceVEX(x *insn) {
	if !x.vex {
		return
	}
	x.invalid = true
	switch s.IntN(3) {
	case 0:
		x.vexL = true
	case 1:
		if x.vvvv.file == 0 {
			x.vvvvN = 1 + s.IntN(15)
		}
	case 2:
		x.extra = append(x.extra, [...]uint8{0x66, 0xF2, 0xF3, 0xF0, 0x48}[s.IntN(5)])
	}
}
