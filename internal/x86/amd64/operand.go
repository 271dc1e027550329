package amd64

// A Reg is a general-purpose register, or an XMM register where an instruction works on those, by its number in
// instructions.
type Reg uint8

// General-purpose registers.
const (
	RAX Reg = iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
	none Reg = 0xFF
)

// An Operand is what ModRM's mod and rm select: a register, or memory.
type Operand struct {
	memory, relative bool
	base, index      Reg
	scale            uint8
	disp             int32
	target           uint64
}

// R is register r.
func R(r Reg) Operand { return Operand{base: r, index: none} }

// At is memory at base + disp.
func At(base Reg, disp int32) Operand {
	return Operand{memory: true, base: base, index: none, disp: disp}
}

// Indexed is memory at base + index<<scale + disp; scale is 0 to 3, and RSP is no index.
func Indexed(base, index Reg, scale uint8, disp int32) Operand {
	return Operand{memory: true, base: base, index: index, scale: scale, disp: disp}
}

// Scaled is memory at index<<scale + disp.
func Scaled(index Reg, scale uint8, disp int32) Operand {
	return Operand{memory: true, base: none, index: index, scale: scale, disp: disp}
}

// Relative is memory at an address of the host's within 2 GiB of the instruction.
func Relative(address uint64) Operand {
	return Operand{memory: true, relative: true, base: none, index: none, target: address}
}

// IsMemory says whether o is in memory.
func (o Operand) IsMemory() bool { return o.memory }

// Is says whether o is register r.
func (o Operand) Is(r Reg) bool { return !o.memory && o.base == r }

// Reg returns the register that o is.
func (o Operand) Reg() Reg {
	if o.memory {
		panic("BUG: an operand in memory taken for a register")
	}
	return o.base
}

// A Condition is the low four bits of Jcc, SETcc and CMOVcc (SDM vol. 2, appendix B, table B-10).
type Condition uint8

// Conditions.
const (
	O Condition = iota
	NO
	B
	AE
	E
	NE
	BE
	A
	S
	NS
	P
	NP
	L
	GE
	LE
	G
)
