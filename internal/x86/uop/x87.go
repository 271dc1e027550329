package uop

// Operations of x87. Those that load, store or compute have in Aux the last instruction's opcode (FOP), and carry the
// address of their memory operand even where another micro-operation has loaded it, so that FDP can be had.
const (
	X87Pending = FirstX87 + iota // #MF where an exception is pending
	FNOP                         // an instruction without effect other than on FIP

	// Loads: of R[Tmp0] as Src says, of ST(Src), of memory, of constant Src.
	FLD
	FLDst
	FLD80
	FBLD
	FLDConst

	// Stores of ST(0): to memory as Dst says, to ST(Dst); Imm is the number of pops.
	FST
	FSTst
	FST80
	FIST
	FISTT
	FBSTP

	// Arithmetic. The operation is a number in the order of the opcodes.
	FARITH  // ST(Dst) = ST(0) op ST(Src), the operation in Scale; Imm is the number of pops
	FARITHm // ST(0) = ST(0) op R[Tmp0] as Src says, the operation in Dst
	FSQRT
	FABS
	FCHS
	FRNDINT
	FSCALE
	FXTRACT
	FPREM
	FPREM1
	F2XM1
	FYL2X
	FYL2XP1
	FPTAN
	FPATAN
	FSIN
	FCOS
	FSINCOS

	// Comparisons of ST(0).
	FCOM
	FUCOM
	FCOMm
	FCOMI
	FUCOMI
	FTST
	FXAM

	// The register stack.
	FXCH
	FCMOV
	FFREE
	FINCSTP
	FDECSTP

	// Control.
	FNINIT
	FNCLEX
	FNSTSW // to AX
	FNSTSWm
	FNSTCW
	FLDCW
	FNSTENV
	FLDENV
	FNSAVE
	FRSTOR
)

// Formats of memory operands, for Src and Dst.
const (
	X87Single = iota
	X87Double
	X87Int16
	X87Int32
	X87Int64
)

// X87HasMemory in Aux says that the micro-operation has the address of a memory operand.
const X87HasMemory = 1 << 16
