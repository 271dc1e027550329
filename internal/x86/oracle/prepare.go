package oracle

import (
	"encoding/binary"
	"math/bits"
)

// preparations make instructions meet the values that they are about: without them most divisions would overflow, most
// pops would fault, and most compare-and-exchanges would fail. Each says whether the instruction fits into the scene.
var preparations map[string]func(s *scene, x *insn) bool

func init() {
	preparations = map[string]func(s *scene, x *insn) bool{
		"DIV": prepareDivision, "IDIV": prepareDivision,
		"BSF": prepareSource, "BSR": prepareSource,
		"SHLD": prepareDoubleShift, "SHRD": prepareDoubleShift,
		"BT": prepareBit, "BTS": prepareBit, "BTR": prepareBit, "BTC": prepareBit,
		"CMPXCHG": prepareExchange, "CMPXCHG8B": preparePairExchange, "CMPXCHG16B": preparePairExchange,
		"XLATB": prepareTable,
		"PUSH":  prepareStack, "PUSHF": prepareStack, "PUSHFQ": prepareStack, "POP": prepareStack, "LEAVE": prepareStack,
		"POPF": preparePopFlags, "POPFQ": preparePopFlags, "ENTER": prepareEnter,
		"JMP": prepareJump, "CALL": prepareJump, "RET": prepareReturn,
		"RETF": prepareFarReturn, "IRET": prepareFarReturn, "IRETD": prepareFarReturn, "IRETQ": prepareFarReturn,
		"LOOP": prepareLoop, "LOOPE": prepareLoop, "LOOPNE": prepareLoop, "JRCXZ": prepareLoop,
		"INT":      func(s *scene, x *insn) bool { return x.imm[0] != 0x80 }, // the 32-bit system call
		"MOV":      prepareMove,
		"WRFSBASE": prepareSegmentBase, "WRGSBASE": prepareSegmentBase,
		"MASKMOVDQU": prepareMaskedMove, "MASKMOVQ": prepareMaskedMove,
		"PCMPESTRM": prepareLengths, "PCMPESTRI": prepareLengths,
		"LDMXCSR": prepareMXCSR,
		"LAR":     prepareSelector, "LSL": prepareSelector, "VERR": prepareSelector, "VERW": prepareSelector,
		"FSTP": prepareStore80, "FBSTP": prepareStore80,
		"FLDENV": prepareEnvironment, "FRSTOR": prepareEnvironment, "FLDCW": prepareControl,
		"FNSTENV": prepareSave, "FNSAVE": prepareSave,
		"FXSAVE": prepareArea, "FXSAVE64": prepareArea, "FXRSTOR": prepareArea, "FXRSTOR64": prepareArea,
		"XSAVE": prepareArea, "XSAVE64": prepareArea, "XSAVEOPT": prepareArea, "XSAVEOPT64": prepareArea,
		"XSAVEC": prepareArea, "XSAVEC64": prepareArea, "XRSTOR": prepareArea, "XRSTOR64": prepareArea,
		"XGETBV": func(s *scene, x *insn) bool { return s.pin(rcx, 2+s.Uint64N(100)) },
	}
	for _, name := range []string{"MOVS", "CMPS", "STOS", "LODS", "SCAS"} {
		for _, size := range []string{"B", "W", "D", "Q"} {
			if name+size != "MOVSD" && name+size != "CMPSD" { // also names of SSE instructions
				preparations[name+size] = prepareString
				continue
			}
			preparations[name+size] = func(s *scene, x *insn) bool { return x.isSSE() || prepareString(s, x) }
		}
	}
}

func (x *insn) operandBits() int {
	switch {
	case x.size != 0:
		return x.size
	case x.memory != 0:
		return x.memory * 8
	}
	return max(x.rm.bits, x.reg.bits)
}

// prepareDivision lets most quotients fit.
func prepareDivision(s *scene, x *insn) bool {
	if s.chance(30) {
		return true
	}
	n := x.operandBits()
	low := s.integer(n)
	high := uint64(0)
	switch {
	case x.mnemonic == "IDIV" && low>>(n-1) != 0:
		high = ^uint64(0)
	case s.chance(30):
		high = s.Uint64N(4)
	}
	if n == 8 {
		s.pin(rax, low|high<<8&0xFF00|s.Uint64()<<16)
		return true
	}
	upper := s.Uint64() << (n & 63) // above the operand
	if n == 64 {
		upper = 0
	}
	s.pin(rax, low|upper)
	s.pin(rdx, high&(1<<(n-1)<<1-1)|upper)
	return true
}

// prepareSource keeps the source of BSF and BSR from zero.
func prepareSource(s *scene, x *insn) bool {
	v := s.integer(x.size) | 1<<s.IntN(x.size)
	if x.isMem {
		x.content = appendLittle(nil, v, x.memory)
		return true
	}
	return s.pin(x.rmN, v)
}

// prepareDoubleShift keeps the count within 16-bit operands, beyond which everything is undefined.
func prepareDoubleShift(s *scene, x *insn) bool {
	if x.size != 16 {
		return true
	}
	if len(x.imm) > 0 {
		x.imm[0] = x.imm[0]&^31 | s.Uint64N(17)
		return true
	}
	return s.pin(rcx, s.Uint64()&^31|s.Uint64N(17))
}

// prepareBit allows for the bit offset in a register, which reaches beyond the memory operand.
func prepareBit(s *scene, x *insn) bool {
	if !x.isMem || x.reg.file == 0 {
		return true
	}
	if s.free(x.regN) {
		offset := s.Uint64N(4096) - 2048
		s.pin(x.regN, offset&(1<<(x.size-1)<<1-1)|s.Uint64()<<(x.size/2)<<(x.size/2))
	}
	v, ok := s.known(x.regN)
	if !ok {
		return false
	}
	signed := int64(v<<(64-x.size)) >> (64 - x.size)
	x.adjust = uint64(signed>>bits.TrailingZeros(uint(x.size))) * uint64(x.size/8)
	x.aim(s.target(x.memory))
	return true
}

// prepareExchange lets half of the comparisons succeed.
func prepareExchange(s *scene, x *insn) bool {
	if s.chance(50) {
		return true
	}
	v, ok := s.known(rax)
	if !ok {
		return true
	}
	if x.isMem {
		x.content = appendLittle(nil, v, x.memory)
	} else if x.rmN < 16 && x.rmN != rax {
		s.pin(x.rmN, v)
	}
	return true
}

func preparePairExchange(s *scene, x *insn) bool {
	if x.memory == 16 && s.chance(80) {
		x.aim(s.target(16) &^ 15)
	}
	low, ok := s.known(rax)
	high, ok2 := s.known(rdx)
	if ok && ok2 && s.chance(60) {
		x.content = appendLittle(appendLittle(nil, low, x.memory/2), high, x.memory/2)
	}
	return true
}

// prepareTable aims XLATB's sum of RBX and AL.
func prepareTable(s *scene, x *insn) bool {
	al, ok := s.known(rax)
	if !ok {
		return false
	}
	target := s.target(1)
	rest := target - s.segmentPrefix(x, target) - al&0xFF
	if rest < 1<<32-256 && s.chance(20) {
		x.addr32 = true
		rest |= s.Uint64() << 32
	}
	s.scatter(target, 1, integers)
	return s.pin(rbx, rest)
}

// prepareMove takes control and debug registers that exist, mostly. DR4 and DR5 exist where CR4.DE says so, which is
// the host's choice.
func prepareMove(s *scene, x *insn) bool {
	if x.opcode[0] == 0x0F && x.opcode[1]&^3 == 0x20 {
		numbers := [...]int{0, 2, 3, 4, 8}
		if x.opcode[1]&1 != 0 {
			numbers = [...]int{0, 1, 2, 6, 7}
		}
		x.regN = numbers[s.IntN(5)]
		if n := s.IntN(16); n&^1 != 4 && s.chance(20) {
			x.regN = n
		}
	}
	return true
}

func prepareSegmentBase(s *scene, x *insn) bool {
	switch s.IntN(4) {
	case 0:
		s.pin(x.rmN, s.noncanonical())
	case 1:
		s.pin(x.rmN, s.kernel())
	case 2:
		s.pin(x.rmN, s.Uint64()>>17)
	}
	return true
}

// prepareMaskedMove stays where bytes can be stored: whether a byte that the mask leaves out can fault is up to the
// processor.
func prepareMaskedMove(s *scene, x *insn) bool {
	x.stores = true
	target := arenaBase + s.Uint64N(arenaReadOnly*pageSize-16)
	rest := target - s.segmentPrefix(x, target)
	s.scatter(target, 16, integers)
	return s.pin(rdi, rest)
}

func prepareLengths(s *scene, x *insn) bool {
	s.pin(rax, s.Uint64N(40)-20)
	s.pin(rdx, s.Uint64N(40)-20)
	return true
}

// selector draws selectors of descriptors that Linux has in every GDT, of nothing, and of what lies beyond it.
func (s *scene) selector() uint64 {
	selectors := [...]uint64{0, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x80, 0x88, 0xFFF8}
	return selectors[s.IntN(len(selectors))] | s.Uint64N(4)
}

func prepareSelector(s *scene, x *insn) bool {
	v := s.selector()
	if x.isMem {
		x.content = appendLittle(nil, v, 2)
		return !s.memory
	}
	return s.pin(x.rmN, v|s.Uint64()<<16)
}

func prepareMXCSR(s *scene, x *insn) bool {
	v := s.mxcsr()
	if s.chance(10) {
		v = s.Uint32()
	}
	x.content = binary.LittleEndian.AppendUint32(nil, v)
	return !s.memory
}
