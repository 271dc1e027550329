package amd64

// Instructions whose operand is in the opcode, or that have none.

// MovImm sets a register to a value, in the shortest form. It leaves the flags alone.
func (a *Assembler) MovImm(r Reg, v uint64) {
	a.name(r, R(r))
	rex := byte(0)
	if r >= R8 {
		rex = 0x41
	}
	switch {
	case v == uint64(uint32(v)):
		if rex != 0 {
			a.bytes(rex)
		}
		a.bytes(0xB8 | byte(r&7))
		a.word32(uint32(v))
	case int64(v) == int64(int32(v)):
		a.Imm(MOVimm, 8, R(r), int32(v))
	default:
		a.bytes(0x48|rex, 0xB8|byte(r&7))
		a.word64(v)
	}
}

// Bswap assembles BSWAP of size 4 or 8.
func (a *Assembler) Bswap(size int, r Reg) {
	a.name(r, R(r))
	rex := byte(0)
	if size == 8 {
		rex = 0x48
	}
	if r >= R8 {
		rex |= 0x41
	}
	if rex != 0 {
		a.bytes(rex)
	}
	a.bytes(0x0F, 0xC8|byte(r&7))
}

// Set assembles SETcc.
func (a *Assembler) Set(c Condition, o Operand) {
	a.name(none, o)
	a.rex(&encoding{form: regRM, sizes: b8}, 1, RAX, o)
	a.bytes(0x0F, 0x90|byte(c))
	a.modRM(0, o, 0)
}

// Cmov assembles CMOVcc of size 4 or 8.
func (a *Assembler) Cmov(c Condition, size int, r Reg, o Operand) {
	a.name(r, o)
	a.rex(&encoding{form: regRM, sizes: long}, size, r, o)
	a.bytes(0x0F, 0x40|byte(c))
	a.modRM(r, o, 0)
}

// A StringOp is a string instruction, by the opcode of its forms of more than one byte.
type StringOp byte

// String instructions.
const (
	MOVS StringOp = 0xA5
	CMPS StringOp = 0xA7
	STOS StringOp = 0xAB
	LODS StringOp = 0xAD
	SCAS StringOp = 0xAF
)

// A Repeat is the prefix of a string instruction.
type Repeat byte

// Prefixes. MOVS, STOS and LODS are repeated by either.
const (
	Once  Repeat = 0
	REPNE Repeat = 0xF2
	REPE  Repeat = 0xF3 // and REP
)

// String assembles a string instruction on elements of size bytes.
func (a *Assembler) String(op StringOp, size int, r Repeat) {
	if size == 2 {
		a.bytes(0x66)
	}
	if r != Once {
		a.bytes(byte(r))
	}
	if size == 8 {
		a.bytes(0x48)
	}
	if size == 1 {
		op--
	}
	a.bytes(byte(op))
}

// Lahf, Sahf, Ret and Cdq assemble the instructions of these names.
func (a *Assembler) Lahf() { a.bytes(0x9F) }
func (a *Assembler) Sahf() { a.bytes(0x9E) }
func (a *Assembler) Ret()  { a.bytes(0xC3) }
