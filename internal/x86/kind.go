package x86

// What micro-operations of several operations do, in their Aux unless something else is said.

// Operations of the arithmetic group in the order of bits 5:3 of their opcodes (SDM vol. 2, table A-6, group 1).
const (
	aluADD = iota
	aluOR
	aluADC
	aluSBB
	aluAND
	aluSUB
	aluXOR
	aluCMP
	aluTEST // not part of the encoding
)

// Unary operations of opUnary8 and opUnary16, with the numbers of group 3 where they are in it.
const (
	unaryNOT = 2
	unaryNEG = 3
	unaryINC = 4
	unaryDEC = 5
)

// The operations of the shift group, by the reg field of ModRM (SDM vol. 2, table A-6, group 2).
const (
	shiftROL = iota
	shiftROR
	shiftRCL
	shiftRCR
	shiftSHL
	shiftSHR
	_ // SHL again
	shiftSAR
)

// Bit operations, by bits 4:3 of the opcode.
const (
	bitTest = iota
	bitSet
	bitReset
	bitComplement
)

// Operations of opBMI.
const (
	bmiANDN = iota
	bmiBLSR
	bmiBLSMSK
	bmiBLSI
	bmiBZHI
	bmiPEXT
	bmiPDEP
	bmiMULX
	bmiBEXTR
	bmiSHLX
	bmiSARX
	bmiSHRX
	bmiRORX
	bmiGroup17 // BLSR, BLSMSK, BLSI by reg
)

// String operations, in Uop.Dst.
const (
	stringMOVS = iota
	stringCMPS
	stringSTOS
	stringLODS
	stringSCAS
)

// Flags of opIO, in Uop.Scale.
const (
	ioIn = 1 << iota
	ioImm
	ioString
	ioRep
	ioAddr32
)

// Segment registers in the order of their numbers in instructions.
const (
	segES = iota
	segCS
	segSS
	segDS
	segFS
	segGS
)
