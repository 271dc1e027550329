package oracle

import "strings"

// effect returns what x does with the flags, where the operands say more than the mnemonic.
func (s *scene) effect(x *insn) effect {
	e := flagEffects[x.mnemonic]
	if x.isSSE() || x.isMMX() { // MOVSD and CMPSD are names of two instructions
		if strings.HasPrefix(x.mnemonic, "CMP") {
			return effect{}
		}
		return e
	}
	switch x.mnemonic {
	case "SHL", "SAL", "SHR", "SAR", "ROL", "ROR", "RCL", "RCR", "SHLD", "SHRD":
		if count, ok := s.count(x); ok {
			return shiftEffect(e, x.mnemonic, x.operandBits(), count)
		}
		if x.operandBits() < 32 && !strings.HasPrefix(x.mnemonic, "R") {
			e.undefined |= flagCF
		}
	}
	return e
}

// count returns the shift count of x, masked, if it is known.
func (s *scene) count(x *insn) (int, bool) {
	mask := uint64(31)
	if x.operandBits() == 64 {
		mask = 63
	}
	switch {
	case strings.HasSuffix(x.name, "imm8"):
		return int(x.imm[0] & mask), true
	case strings.HasSuffix(x.name, "1"):
		return 1, true
	}
	v, ok := s.known(rcx)
	return int(v & mask), ok
}

// shiftEffect narrows what a shift leaves undefined when its count is known.
func shiftEffect(e effect, mnemonic string, bits, count int) effect {
	e.maybe = false
	switch {
	case count == 0:
		return effect{}
	case count == 1:
		e.undefined &^= flagOF
	case mnemonic[0] == 'S' && mnemonic != "SAR" && count >= bits:
		e.undefined |= flagCF
	}
	return e
}
