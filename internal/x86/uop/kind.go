package uop

// What micro-operations of several operations do, in their Aux unless something else is said.

// Operations of the arithmetic group in the order of bits 5:3 of their opcodes (SDM vol. 2, table A-6, group 1).
const (
	ALUADD = iota
	ALUOR
	ALUADC
	ALUSBB
	ALUAND
	ALUSUB
	ALUXOR
	ALUCMP
	ALUTEST // not part of the encoding
)

// Unary operations of Unary8 and Unary16, with the numbers of group 3 where they are in it.
const (
	UnaryNOT = 2
	UnaryNEG = 3
	UnaryINC = 4
	UnaryDEC = 5
)

// The operations of the shift group, by the reg field of ModRM (SDM vol. 2, table A-6, group 2).
const (
	ShiftROL = iota
	ShiftROR
	ShiftRCL
	ShiftRCR
	ShiftSHL
	ShiftSHR
	_ // SHL again
	ShiftSAR
)

// Bit operations, by bits 4:3 of the opcode.
const (
	BitTest = iota
	BitSet
	BitReset
	BitComplement
)

// Operations of BMI.
const (
	BMIANDN = iota
	BMIBLSR
	BMIBLSMSK
	BMIBLSI
	BMIBZHI
	BMIPEXT
	BMIPDEP
	BMIMULX
	BMIBEXTR
	BMISHLX
	BMISARX
	BMISHRX
	BMIRORX
	BMIGroup17 // BLSR, BLSMSK, BLSI by reg
)

// String operations, in Uop.Dst.
const (
	StringMOVS = iota
	StringCMPS
	StringSTOS
	StringLODS
	StringSCAS
)

// Flags of IO, in Uop.Scale.
const (
	IOIn = 1 << iota
	IOImm
	IOString
	IORep
	IOAddr32
	IOAddr16
	IOLegacy // the segment's number is in Index
)

// Segment registers in the order of their numbers in instructions.
const (
	SegES = iota
	SegCS
	SegSS
	SegDS
	SegFS
	SegGS
)
