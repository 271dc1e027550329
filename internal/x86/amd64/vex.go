package amd64

// Instructions of BMI1 and BMI2, in VEX encoding: three operands, in general-purpose registers.

// A vexForm says which operand is where; the order of the arguments of [Assembler.VEX] is the one in which they are
// written.
type vexForm uint8

const (
	regVvvvRM vexForm = iota // reg, vvvv, rm
	regRMVvvv                // reg, rm, vvvv
	vvvvRM                   // vvvv, rm; ModRM's reg is the row's digit
	regRMImm                 // reg, rm, an immediate byte
)

// A VEXOp is a row of [vexEncodings].
type VEXOp uint8

// Instructions.
const (
	ANDN VEXOp = iota
	BLSR
	BLSMSK
	BLSI
	BZHI
	PEXT
	PDEP
	MULX // vvvv is the lower half
	BEXTR
	SHLX
	SARX
	SHRX
	RORX
)

// vexEncodings are in the order of the constants. pp is 1, 2, 3 for 66, F3, F2; escape as in [encoding].
var vexEncodings = [...]struct {
	name             string
	pp, escape, code byte
	form             vexForm
	digit            Reg
}{
	ANDN:   {"ANDN", 0, 2, 0xF2, regVvvvRM, 0},
	BLSR:   {"BLSR", 0, 2, 0xF3, vvvvRM, 1},
	BLSMSK: {"BLSMSK", 0, 2, 0xF3, vvvvRM, 2},
	BLSI:   {"BLSI", 0, 2, 0xF3, vvvvRM, 3},
	BZHI:   {"BZHI", 0, 2, 0xF5, regRMVvvv, 0},
	PEXT:   {"PEXT", 2, 2, 0xF5, regVvvvRM, 0},
	PDEP:   {"PDEP", 3, 2, 0xF5, regVvvvRM, 0},
	MULX:   {"MULX", 3, 2, 0xF6, regVvvvRM, 0},
	BEXTR:  {"BEXTR", 0, 2, 0xF7, regRMVvvv, 0},
	SHLX:   {"SHLX", 1, 2, 0xF7, regRMVvvv, 0},
	SARX:   {"SARX", 2, 2, 0xF7, regRMVvvv, 0},
	SHRX:   {"SHRX", 3, 2, 0xF7, regRMVvvv, 0},
	RORX:   {"RORX", 3, 3, 0xF0, regRMImm, 0},
}

// VEX assembles an instruction of size 4 or 8. reg is not used by those whose row has a digit, vvvv not by RORX, imm by
// RORX alone.
func (a *Assembler) VEX(op VEXOp, size int, reg, vvvv Reg, o Operand, imm uint8) {
	e := &vexEncodings[op]
	a.name(reg, o)
	a.name(vvvv, o)
	n := 0
	switch e.form {
	case vvvvRM:
		reg = e.digit
	case regRMImm:
		vvvv, n = 0, 1
	}
	x, y := 0xE0|e.escape, e.pp|byte(^vvvv&15)<<3
	if reg >= R8 {
		x &^= 0x80
	}
	if o.index != none && o.index >= R8 {
		x &^= 0x40
	}
	if o.base != none && o.base >= R8 {
		x &^= 0x20
	}
	if size == 8 {
		y |= 0x80
	}
	a.bytes(0xC4, x, y, e.code)
	a.modRM(reg, o, n)
	if n != 0 {
		a.bytes(imm)
	}
}
