package oracle

import "strings"

// build adds an instruction of form f to the scene, or says that it does not fit in.
func (s *scene) build(f *form) bool {
	if flagEffects[f.mnemonic].reads&s.undefined != 0 || f.single && len(s.insns) > 0 {
		return false
	}
	uncompared := s.c.Skip.Mem // by instructions in front; x may add its own
	x := &insn{form: f, base: none, index: none, skip: none,
		invalid: f.mnemonic[0] == '(' || f.mnemonic[:2] == "UD"}
	s.registers(x)
	x.imm = make([]uint64, len(f.immediate))
	for i, size := range f.immediate {
		x.imm[i] = s.integer(size * 8)
	}
	x.isMem = f.memory > 0 && (f.rm.file == 0 || s.chance(50))
	if f.lock && x.isMem && s.chance(35) {
		x.lock = true
	}
	if prepare := preparations[f.mnemonic]; prepare != nil && !prepare(s, x) {
		return false
	}
	if x.isMem && (!s.operandInMemory(x) || !x.noRead && overlaps(uncompared, x.target, x.memory)) {
		return false
	}
	s.spice(x)
	s.insns = append(s.insns, x)
	s.remember(x)
	return true
}

// registers draws register operands. 8-bit operands 4 to 7 are AH, CH, DH and BH, unless there is a REX prefix; SPL to
// DIL are 20 to 23, which ask for one.
func (s *scene) registers(x *insn) {
	draw := func(c class) int {
		switch {
		case c.file == 'm' || c.file == 0:
			return s.IntN(8)
		case c.bits == 8 && s.chance(20):
			return 20 + s.IntN(4)
		case s.chance(40):
			return s.IntN(8)
		}
		return s.IntN(16)
	}
	x.regN, x.rmN, x.opN = draw(x.reg), draw(x.rm), draw(x.opReg)
	if x.vvvv.file != 0 {
		x.vvvvN = s.IntN(16)
	}
}

// operandInMemory gives x its memory operand and draws what is there.
func (s *scene) operandInMemory(x *insn) bool {
	if x.noRead && s.chance(50) {
		x.aim(s.Uint64())
	}
	if !x.aimed {
		x.aim(s.target(x.memory))
	}
	if x.lock || x.mnemonic == "XCHG" {
		// What a locked access across two cache lines does is the host's policy (Linux: split_lock_detect).
		if over := int(x.target%64) + x.memory - 64; over > 0 {
			x.target -= uint64(over)
		}
	}
	if !s.address(x, x.target-x.adjust) {
		return false
	}
	if !x.noRead {
		s.scatter(x.target, x.memory, x.kind())
		if x.content != nil && !s.hold(x.target, x.content) {
			return false
		}
	}
	return true
}

// remember notes what is no longer known after x.
func (s *scene) remember(x *insn) {
	e := s.effect(x)
	if s.branched {
		e.maybe = true
	}
	s.everUndefined |= s.undefined
	s.undefined = e.after(s.undefined)
	s.written |= x.reg.touched(x.regN) | x.opReg.touched(x.opN) | x.vvvv.touched(x.vvvvN) | implicitWrites(x.form)
	if !x.isMem {
		s.written |= x.rm.touched(x.rmN)
	}
	s.memory = s.memory || x.isMem && !x.noRead || x.stores
	s.branched = s.branched || x.relative > 0
	s.segments = s.segments || x.mnemonic == "WRFSBASE" || x.mnemonic == "WRGSBASE"
	s.direction = s.direction || strings.Contains(" CLD STD POPF POPFQ IRET IRETD IRETQ ", " "+x.mnemonic+" ")
}

// implicitWrites returns the registers that a form writes without naming them, or by a name that is no operand.
func implicitWrites(f *form) (set uint16) {
	for mnemonics, registers := range map[string]uint16{
		"MUL IMUL DIV IDIV CMPXCHG8B CMPXCHG16B":                                 1<<rax | 1<<rdx,
		"CBW CWDE CDQE LAHF XLATB CMPXCHG FNSTSW LODSB LODSW LODSD LODSQ XGETBV": 1<<rax | 1<<rdx,
		"CWD CDQ CQO":                           1 << rdx,
		"LOOP LOOPE LOOPNE PCMPESTRI PCMPISTRI": 1 << rcx,
		"PUSH POP PUSHF PUSHFQ POPF POPFQ CALL RET RETF IRET IRETD IRETQ ENTER LEAVE":                     1<<rsp | 1<<rbp,
		"MOVSB MOVSW MOVSD MOVSQ CMPSB CMPSW CMPSD CMPSQ STOSB STOSW STOSD STOSQ SCASB SCASW SCASD SCASQ": 1<<rsi | 1<<rdi | 1<<rcx,
	} {
		if strings.Contains(" "+mnemonics+" ", " "+f.mnemonic+" ") {
			set |= registers
		}
	}
	if strings.HasPrefix(f.mnemonic, "LODS") {
		set |= 1<<rsi | 1<<rcx
	}
	if _, operands, ok := strings.Cut(f.name, " "); ok {
		for _, o := range strings.Split(operands, ", ") {
			if o == "AL" || o == "AX" || o == "EAX" || o == "RAX" {
				set |= 1 << rax
			}
		}
	}
	return set
}

// kind says what the bits of the operands mean.
func (x *insn) kind() kind {
	name := x.mnemonic
	isSSE := x.reg.file == 'x' || x.rm.file == 'x'
	switch {
	case name == "FBLD":
		return decimals
	case strings.HasPrefix(name, "CVT"):
		from, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(name, "CVT"), "T"), "2")
		return map[string]kind{"PS": singles, "SS": singles, "PD": doubles, "SD": doubles}[from]
	case isSSE && (strings.HasSuffix(name, "PS") || strings.HasSuffix(name, "SS")):
		return singles
	case isSSE && (strings.HasSuffix(name, "PD") || strings.HasSuffix(name, "SD")):
		return doubles
	case x.isX87() && !strings.HasPrefix(name, "FI"):
		return map[int]kind{4: singles, 8: doubles, 10: extendeds}[x.memory]
	}
	return integers
}

// isX87 says whether x is an instruction of the floating-point unit.
func (f *form) isX87() bool { return f.opcode[0]&^7 == 0xD8 || f.opcode[0] == 0x9B }

// isMMX says whether x uses MMX registers.
func (f *form) isMMX() bool { return f.reg.file == 'm' || f.rm.file == 'm' || f.mnemonic == "EMMS" }

// isSSE says whether x uses XMM registers or MXCSR.
func (f *form) isSSE() bool {
	return f.reg.file == 'x' || f.rm.file == 'x' || strings.HasSuffix(f.mnemonic, "MXCSR")
}

// savesState says whether x stores or loads floating-point and SSE state as a whole.
func (f *form) savesState() bool {
	return strings.HasPrefix(f.mnemonic, "FX") && f.memory == 512 || strings.HasPrefix(f.mnemonic, "XSAVE") || strings.HasPrefix(f.mnemonic, "XRSTOR")
}
