package x86

// Operations of x87. Those that load, store or compute have in Aux the last instruction's opcode (FOP), and carry the
// address of their memory operand even where another micro-operation has loaded it, so that FDP can be had.
const (
	opX87Pending = opX87 + iota // #MF where an exception is pending
	opFNOP                      // an instruction without effect other than on FIP

	// Loads: of R[Tmp0] as Src says, of ST(Src), of memory, of constant Src.
	opFLD
	opFLDst
	opFLD80
	opFBLD
	opFLDConst

	// Stores of ST(0): to memory as Dst says, to ST(Dst); Imm is the number of pops.
	opFST
	opFSTst
	opFST80
	opFIST
	opFISTT
	opFBSTP

	// Arithmetic. The operation is a number in the order of the opcodes.
	opFARITH  // ST(Dst) = ST(0) op ST(Src), the operation in Scale; Imm is the number of pops
	opFARITHm // ST(0) = ST(0) op R[Tmp0] as Src says, the operation in Dst
	opFSQRT
	opFABS
	opFCHS
	opFRNDINT
	opFSCALE
	opFXTRACT
	opFPREM
	opFPREM1
	opF2XM1
	opFYL2X
	opFYL2XP1
	opFPTAN
	opFPATAN
	opFSIN
	opFCOS
	opFSINCOS

	// Comparisons of ST(0).
	opFCOM
	opFUCOM
	opFCOMm
	opFCOMI
	opFUCOMI
	opFTST
	opFXAM

	// The register stack.
	opFXCH
	opFCMOV
	opFFREE
	opFINCSTP
	opFDECSTP

	// Control.
	opFNINIT
	opFNCLEX
	opFNSTSW // to AX
	opFNSTSWm
	opFNSTCW
	opFLDCW
	opFNSTENV
	opFLDENV
	opFNSAVE
	opFRSTOR
)

// Formats of memory operands, for Src and Dst.
const (
	x87Single = iota
	x87Double
	x87Int16
	x87Int32
	x87Int64
)

// x87HasMemory in Aux says that the micro-operation has the address of a memory operand.
const x87HasMemory = 1 << 16
