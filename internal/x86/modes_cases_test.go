package x86

import (
	"fmt"
	"math/rand/v2"
)

// A tryShape is a kind of instruction of 16- and 32-bit code: the opcode, and what follows it.
type tryShape struct {
	name      string
	op        []byte
	reg       int    // what ModRM.reg is: a digit, or
	imm       string // b byte, w word, z the operand's size, a the address's size
	bytes     bool   // operands are bytes
	only      string // m memory, r register
	undefined uint32
}

const (
	anyReg = -1
	noRM   = -2

	undefinedAF  = FlagAF
	undefinedMul = FlagSF | FlagZF | FlagAF | FlagPF
	undefinedAll = arithmeticFlags
)

var tryShapes = func() (all []tryShape) {
	add := func(s tryShape) { all = append(all, s) }
	for i, name := range []string{"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"} {
		u := uint32(0)
		if i == 1 || i == 4 || i == 6 {
			u = undefinedAF
		}
		for j := range 4 {
			add(tryShape{name: name, op: []byte{byte(8*i + j)}, reg: anyReg, bytes: j&1 == 0, undefined: u})
		}
		add(tryShape{name: name, op: []byte{byte(8*i + 5)}, reg: noRM, imm: "z", undefined: u})
		add(tryShape{name: name, op: []byte{0x81}, reg: i, imm: "z", undefined: u})
		add(tryShape{name: name, op: []byte{0x82}, reg: i, imm: "b", bytes: true, undefined: u})
		add(tryShape{name: name, op: []byte{0x83}, reg: i, imm: "b", undefined: u})
	}
	for i := range byte(8) {
		if i != 4 {
			add(tryShape{name: "INC", op: []byte{0x40 + i}, reg: noRM})
			add(tryShape{name: "DEC", op: []byte{0x48 + i}, reg: noRM})
			add(tryShape{name: "POP", op: []byte{0x58 + i}, reg: noRM})
			add(tryShape{name: "XCHG", op: []byte{0x90 + i}, reg: noRM})
			add(tryShape{name: "MOV", op: []byte{0xB8 + i}, reg: noRM, imm: "z"})
		}
		add(tryShape{name: "PUSH", op: []byte{0x50 + i}, reg: noRM})
		add(tryShape{name: "MOV", op: []byte{0xB0 + i}, reg: noRM, imm: "b"})
	}
	for _, op := range []byte{0x06, 0x0E, 0x16, 0x1E} {
		add(tryShape{name: "PUSH Sreg", op: []byte{op}, reg: noRM})
	}
	for _, op := range []byte{0xA0, 0xA8} {
		add(tryShape{name: "PUSH Sreg", op: []byte{0x0F, op}, reg: noRM})
	}
	for _, op := range []byte{0x27, 0x2F} {
		add(tryShape{name: "DAA, DAS", op: []byte{op}, reg: noRM, undefined: FlagOF})
	}
	for _, op := range []byte{0x37, 0x3F} {
		add(tryShape{name: "AAA, AAS", op: []byte{op}, reg: noRM, undefined: FlagOF | FlagSF | FlagZF | FlagPF})
	}
	for _, op := range []byte{0xD4, 0xD5} {
		add(tryShape{name: "AAM, AAD", op: []byte{op}, reg: noRM, imm: "b", undefined: FlagOF | FlagAF | FlagCF})
	}
	add(tryShape{name: "SALC", op: []byte{0xD6}, reg: noRM})
	add(tryShape{name: "PUSHA", op: []byte{0x60}, reg: noRM})
	add(tryShape{name: "POPA", op: []byte{0x61}, reg: noRM})
	add(tryShape{name: "BOUND", op: []byte{0x62}, reg: anyReg, only: "m"})
	add(tryShape{name: "ARPL", op: []byte{0x63}, reg: anyReg})
	add(tryShape{name: "PUSH", op: []byte{0x68}, reg: noRM, imm: "z"})
	add(tryShape{name: "PUSH", op: []byte{0x6A}, reg: noRM, imm: "b"})
	add(tryShape{name: "IMUL", op: []byte{0x69}, reg: anyReg, imm: "z", undefined: undefinedMul})
	add(tryShape{name: "IMUL", op: []byte{0x6B}, reg: anyReg, imm: "b", undefined: undefinedMul})
	add(tryShape{name: "IMUL", op: []byte{0x0F, 0xAF}, reg: anyReg, undefined: undefinedMul})
	for i := range byte(16) {
		add(tryShape{name: "Jcc", op: []byte{0x70 + i}, reg: noRM, imm: "b"})
		add(tryShape{name: "Jcc", op: []byte{0x0F, 0x80 + i}, reg: noRM, imm: "z"})
		add(tryShape{name: "SETcc", op: []byte{0x0F, 0x90 + i}, reg: 0, bytes: true})
		add(tryShape{name: "CMOVcc", op: []byte{0x0F, 0x40 + i}, reg: anyReg})
	}
	for i := range byte(2) {
		b := i == 0
		add(tryShape{name: "TEST", op: []byte{0x84 + i}, reg: anyReg, bytes: b, undefined: undefinedAF})
		add(tryShape{name: "XCHG", op: []byte{0x86 + i}, reg: anyReg, bytes: b})
		add(tryShape{name: "MOV", op: []byte{0x88 + i}, reg: anyReg, bytes: b})
		add(tryShape{name: "MOV", op: []byte{0x8A + i}, reg: anyReg, bytes: b})
		add(tryShape{name: "MOV", op: []byte{0xC6 + i}, reg: 0, imm: map[bool]string{true: "b", false: "z"}[b], bytes: b})
		add(tryShape{name: "MOV moffs", op: []byte{0xA0 + i}, reg: noRM, imm: "a"})
		add(tryShape{name: "MOV moffs", op: []byte{0xA2 + i}, reg: noRM, imm: "a"})
		for _, op := range []byte{0xA4, 0xA6, 0xAA, 0xAC, 0xAE} {
			add(tryShape{name: "string", op: []byte{op + i}, reg: noRM})
			add(tryShape{name: "REP string", op: []byte{0xF3, op + i}, reg: noRM})
			add(tryShape{name: "REPNE string", op: []byte{0xF2, op + i}, reg: noRM})
		}
		for _, d := range []int{2, 3} {
			add(tryShape{name: "NOT, NEG", op: []byte{0xF6 + i}, reg: d, bytes: b})
		}
		for _, d := range []int{4, 5} {
			add(tryShape{name: "MUL", op: []byte{0xF6 + i}, reg: d, bytes: b, undefined: undefinedMul})
		}
		for _, d := range []int{6, 7} {
			add(tryShape{name: "DIV", op: []byte{0xF6 + i}, reg: d, bytes: b, undefined: undefinedAll})
		}
		for _, d := range []int{0, 1} {
			add(tryShape{name: "INC, DEC", op: []byte{0xFE + i}, reg: d, bytes: b})
		}
		for _, d := range []int{0, 1, 4, 5, 7} {
			add(tryShape{name: "shift", op: []byte{0xD0 + i}, reg: d, bytes: b, undefined: undefinedAF})
			add(tryShape{name: "shift", op: []byte{0xC0 + i}, reg: d, imm: "b", bytes: b, undefined: undefinedAF | FlagOF | FlagCF})
		}
		add(tryShape{name: "XADD", op: []byte{0x0F, 0xC0 + i}, reg: anyReg, bytes: b})
		add(tryShape{name: "CMPXCHG", op: []byte{0x0F, 0xB0 + i}, reg: anyReg, bytes: b})
		add(tryShape{name: "MOVZX", op: []byte{0x0F, 0xB6 + i}, reg: anyReg})
		add(tryShape{name: "MOVSX", op: []byte{0x0F, 0xBE + i}, reg: anyReg})
	}
	add(tryShape{name: "LEA", op: []byte{0x8D}, reg: anyReg, only: "m"})
	add(tryShape{name: "MOV r/m, Sreg", op: []byte{0x8C}, reg: 3})
	add(tryShape{name: "MOV r/m, Sreg", op: []byte{0x8C}, reg: 4})
	add(tryShape{name: "POP r/m", op: []byte{0x8F}, reg: 0})
	add(tryShape{name: "PUSH r/m", op: []byte{0xFF}, reg: 6})
	add(tryShape{name: "CALL", op: []byte{0xE8}, reg: noRM, imm: "z"})
	add(tryShape{name: "JMP", op: []byte{0xE9}, reg: noRM, imm: "z"})
	add(tryShape{name: "JMP", op: []byte{0xEB}, reg: noRM, imm: "b"})
	for _, op := range []byte{0x98, 0x99, 0x9F, 0xF5, 0xF8, 0xF9, 0xFC, 0xFD, 0xC9} {
		add(tryShape{name: fmt.Sprintf("opcode %02X", op), op: []byte{op}, reg: noRM})
	}
	add(tryShape{name: "SAHF", op: []byte{0x9E}, reg: noRM})
	add(tryShape{name: "PUSHF", op: []byte{0x9C}, reg: noRM})
	add(tryShape{name: "XLAT", op: []byte{0xD7}, reg: noRM})
	add(tryShape{name: "INTO", op: []byte{0xCE}, reg: noRM})
	for i := range byte(4) {
		add(tryShape{name: "LOOP, JCXZ", op: []byte{0xE0 + i}, reg: noRM, imm: "b"})
		add(tryShape{name: "BT", op: []byte{0x0F, 0xA3 + 8*i}, reg: anyReg, undefined: undefinedAll &^ FlagCF})
		add(tryShape{name: "BT", op: []byte{0x0F, 0xBA}, reg: 4 + int(i), imm: "b", undefined: undefinedAll &^ FlagCF})
	}
	add(tryShape{name: "SHLD", op: []byte{0x0F, 0xA4}, reg: anyReg, imm: "b", undefined: undefinedAll})
	add(tryShape{name: "ENTER", op: []byte{0xC8}, reg: noRM, imm: "wb"})
	add(tryShape{name: "BSWAP", op: []byte{0x0F, 0xC9}, reg: noRM})
	add(tryShape{name: "CMPXCHG8B", op: []byte{0x0F, 0xC7}, reg: 1, only: "m"})
	add(tryShape{name: "MOVUPS", op: []byte{0x0F, 0x11}, reg: anyReg, only: "m"})
	add(tryShape{name: "LES", op: []byte{0xC4}, reg: anyReg, only: "m"})
	add(tryShape{name: "SMSW", op: []byte{0x0F, 0x01}, reg: 4, only: "m"})
	add(tryShape{name: "SGDT", op: []byte{0x0F, 0x01}, reg: 0, only: "m"})
	add(tryShape{name: "LSL", op: []byte{0x0F, 0x03}, reg: anyReg})
	add(tryShape{name: "STR", op: []byte{0x0F, 0x00}, reg: 1})
	add(tryShape{name: "VERR", op: []byte{0x0F, 0x00}, reg: 4})
	add(tryShape{name: "SYSRET", op: []byte{0x0F, 0x35}, reg: noRM})
	add(tryShape{name: "INVLPG", op: []byte{0x0F, 0x01}, reg: 7, only: "m"})
	add(tryShape{name: "CLI", op: []byte{0xFA}, reg: noRM})
	add(tryShape{name: "MOV from CR0", op: []byte{0x0F, 0x20, 0xC2}, reg: noRM})
	return all
}()

// randomCase draws an instruction with its surroundings.
func randomCase(r *rand.Rand, mode *tryMode, limits bool) tryCase {
	s := &tryShapes[r.IntN(len(tryShapes))]
	var prefixes []byte
	data, address := mode.bits, mode.bits
	branch := s.name == "Jcc" || s.name == "JMP" || s.name == "CALL" || s.name == "LOOP, JCXZ"                 // of 16 bits it leaves a flat segment's case
	if r.IntN(3) == 0 && s.name != "BSWAP" && !(branch && mode.flat) || mode.bits == 16 && s.name == "BSWAP" { // of 16 bits it is undefined
		prefixes, data = append(prefixes, 0x66), 48-data
	}
	if r.IntN(3) == 0 && !mode.flat { // 16 bits of an address would lead to the image's own tables
		prefixes, address = append(prefixes, 0x67), 48-address
	}
	if r.IntN(3) == 0 {
		p := []byte{0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65}[r.IntN(6)]
		if reads := s.name == "CMP" || s.name == "MOVZX" || s.name == "MOVSX" || s.name == "LES"; p == 0x2E && !reads && !limits {
			p = 0x26 // nothing is stored to code, neither in real mode nor by TCG, which does not mind
		}
		prefixes = append(prefixes, p)
	}
	c := tryCase{text: fmt.Sprintf("%s (%d, %d)", s.name, data, address), code: append(prefixes, s.op...), undefined: s.undefined, flags: 2 | r.Uint32()&arithmeticFlags}
	if r.IntN(4) == 0 {
		c.flags |= FlagDF
	}
	for i := range c.gpr {
		switch {
		case r.IntN(12) == 0:
			c.gpr[i] = []uint32{0xFFC, 0xFF8, 0x1000, 0x1FFE, 0x2FFF, 0x3000, 0x3FF, 0x7FF}[r.IntN(8)] + uint32(r.IntN(5)) - 2
		default:
			c.gpr[i] = uint32(r.IntN(0x100))
		}
		if mode.flat {
			c.gpr[i] += tryData
		} else if address == 16 && r.IntN(2) == 0 {
			c.gpr[i] |= r.Uint32() << 16
		}
	}
	// The count of a repeated instruction stays small.
	if s.name[0] == 'R' {
		c.gpr[1] = uint32(r.IntN(20))
	}
	stack := uint32(0x7F80)
	if mode.user || mode.paging == 4 {
		stack = 0x7B00
	}
	if mode.flat {
		stack += tryData
	}
	c.gpr[4], c.gpr[5] = stack, stack-0x300-uint32(r.IntN(0x80))
	if s.reg != noRM {
		c.code = appendRM(r, c.code, s, mode, address, &c.gpr)
	}
	for _, k := range s.imm {
		switch {
		case k == 'b' && (s.name == "Jcc" || s.name == "JMP" || s.name == "LOOP, JCXZ"):
			c.code = append(c.code, byte(r.IntN(64)))
		case k == 'b' && s.name == "ENTER":
			c.code = append(c.code, byte(r.IntN(4)))
		case k == 'b':
			c.code = append(c.code, byte(r.Uint32()))
		case k == 'w':
			c.code = append(c.code, byte(r.IntN(0x40)), 0)
		case k == 'a':
			c.code = append(c.code, little(uint32(r.IntN(0x1100)), address)...)
			if mode.flat && address == 32 {
				c.code[len(c.code)-2] = tryData >> 16
			}
		case s.name == "Jcc" || s.name == "JMP" || s.name == "CALL":
			c.code = append(c.code, little(uint32(r.IntN(100)), data)...)
		default:
			c.code = append(c.code, little(r.Uint32(), data)...)
		}
	}
	return c
}

func little(v uint32, bits int) []byte {
	if bits == 16 {
		return []byte{byte(v), byte(v >> 8)}
	}
	return []byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}
}

// appendRM appends a ModRM byte and what follows it. ESP is not an operand that changes, and an index times its scale is not so
// large that it would lead to the code of other cases.
func appendRM(r *rand.Rand, code []byte, s *tryShape, mode *tryMode, address int, gpr *[8]uint32) []byte {
	reg := s.reg
	for reg == anyReg || reg == 4 && s.reg == anyReg && !s.bytes {
		reg = r.IntN(8)
	}
	mod, rm := r.IntN(4), r.IntN(8)
	switch s.only {
	case "m":
		mod = r.IntN(3)
	case "r":
		mod = 3
	}
	if mod == 3 {
		for rm == 4 && !s.bytes {
			rm = r.IntN(8)
		}
		return append(code, byte(3<<6|reg<<3|rm))
	}
	code = append(code, byte(mod<<6|reg<<3|rm))
	disp := map[int]int{0: 0, 1: 8, 2: address}[mod]
	if address == 16 {
		if mod == 0 && rm == 6 {
			disp = 16
		}
	} else {
		if rm == 4 {
			sib := r.IntN(256)
			if mode.flat && sib>>3&7 != 4 {
				sib = sib&^0x38 | 4<<3 // an index would add another base
			}
			if gpr[sib>>3&7] > 0x1000 {
				sib &^= 3 << 6
			}
			code = append(code, byte(sib))
			if mod == 0 && sib&7 == 5 {
				disp = 32
				if mode.flat {
					return append(code, little(tryData+uint32(r.IntN(0x80)), 32)...)
				}
			}
		}
		if mod == 0 && rm == 5 {
			disp = 32
			if mode.flat {
				return append(code, little(tryData+uint32(r.IntN(0x80)), 32)...)
			}
		}
	}
	switch disp {
	case 8:
		code = append(code, byte(r.IntN(0x80)))
	case 16, 32:
		code = append(code, little(uint32(r.IntN(0x1010)), disp)...)
	}
	return code
}

// breakpoint sets a breakpoint before the case: on the instruction or the one after it, or on data that it may use.
func (c *tryCase) breakpoint(r *rand.Rand, mode *tryMode, at int) {
	address, control := uint32(at), uint32(1)
	kind := r.IntN(8)
	if !mode.flat {
		kind |= 2 // TCG compares such a breakpoint with EIP
	}
	switch kind {
	case 0:
	case 1:
		address += uint32(len(c.code))
	default:
		c.watches = true
		address = c.gpr[[]int{0, 1, 2, 3, 6, 7}[r.IntN(6)]]&0x3FFF + uint32(r.IntN(8)) // not in the stack, which the handler uses
		if !mode.flat {
			address += tryData
		} else {
			address |= tryData
		}
		length := r.IntN(4)
		address &^= uint32(breakSize[length] - 1) // TCG does not ignore these bits
		control |= uint32(kind&1<<1|1)<<16 | uint32(length)<<18
	}
	n := r.IntN(4)
	control = control&1<<(2*n) | control>>16<<(16+4*n)
	var x text
	x.put(0xB8)
	x.dword(address)
	x.put(0x0F, 0x23, 0xC0|byte(n)<<3, 0xB8) // mov dr, eax; mov eax
	x.dword(control)
	x.put(0x0F, 0x23, 0xF8)
	c.pre = append(c.pre, x.b...)
	c.text += fmt.Sprintf(", DR7 %#x, address %#x", control, address)
}
