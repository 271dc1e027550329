package amd64

// A form says what ModRM's two operands are, and in which order they are written.
type form uint8

const (
	regRM form = iota // reg, rm
	rmReg             // rm, reg
	rm                // rm alone; ModRM's reg is the row's digit
	xmmRM             // as regRM and rmReg, reg and rm being XMM registers, or rm memory
	rmXMM
	xmmGPR   // reg is an XMM register, rm a general-purpose one or memory
	gprXMM   // the other way round
	xmmDigit // rm alone, an XMM register; ModRM's reg is the row's digit
	rmGPX    // rm, reg: rm is a general-purpose register or memory, reg an XMM register
)

// An immediate says what comes after ModRM.
type immediate uint8

const (
	noImm  immediate = iota
	imm8             // one byte
	immOp            // as wide as the operand, 4 bytes where that has 8: they are sign-extended
	immCL            // nothing: the count is in CL
	immOne           // nothing: the count is 1
)

// Sizes of operands, in bytes, as a set.
const (
	b8   = 1
	b16  = 2
	b32  = 4
	b64  = 8
	all  = b8 | b16 | b32 | b64
	wide = b16 | b32 | b64
	long = b32 | b64
)

// An encoding is a row. Where sizes has b8 and others, the opcode of the 8-bit form is code &^ 1.
type encoding struct {
	name   string
	prefix byte  // mandatory: 66, F2, F3
	escape uint8 // 0, or 1, 2, 3 for 0F, 0F 38, 0F 3A
	code   byte
	form   form
	digit  byte
	imm    immediate
	sizes  uint8
	narrow uint8 // size of rm where it differs from reg's
}
