package x86

// Operations of the interpreter's switch. A number after the name is the operand's size in bits; where a 32-bit result
// goes to a register, its upper half becomes zero.
const (
	OpEnd  Op = iota // the block ends: go to block + Imm by link Aux
	OpGoto           // go to CPU.target, where a function of the table has put it

	OpJmp    // go to block + Imm by link Aux
	OpJmpReg // go to R[Src]
	OpCall   // push the next address, go to block + Imm by link Aux
	OpCallReg
	OpRet // pop RIP, drop Imm more bytes

	// Jcc: to block + Imm by link Aux; else on.
	OpJo
	OpJno
	OpJb
	OpJae
	OpJe
	OpJne
	OpJbe
	OpJa
	OpJs
	OpJns
	OpJp
	OpJnp
	OpJl
	OpJge
	OpJle
	OpJg

	// Moves between registers, and of immediates: R[Dst] = R[Src]+Imm.
	OpMov8 // keeps the upper bits
	OpMov16
	OpMov32
	OpMov64
	OpZX8 // zero-extends to 64 bits
	OpZX16
	OpSX8x32 // sign-extends to 32 bits
	OpSX8x64
	OpSX16x32
	OpSX16x64
	OpSX32x64
	OpGetHigh // R[Dst] = byte 1 of R[Src]
	OpPutHigh // byte 1 of R[Dst] = R[Src]
	OpLea32
	OpLea64

	// Loads, zero-extending.
	OpLoad8
	OpLoad16
	OpLoad32
	OpLoad64
	OpLoadS8x32
	OpLoadS8x64
	OpLoadS16x32
	OpLoadS16x64
	OpLoadS32x64

	// Loads of operands that the same instruction stores to: they fault as the store would.
	OpLoadW8
	OpLoadW16
	OpLoadW32
	OpLoadW64

	// Stores of R[Src]+Imm.
	OpStore8
	OpStore16
	OpStore32
	OpStore64

	OpPush // 64 bits
	OpPop

	// Arithmetic: R[Dst] op= R[Src]+Imm.
	OpAdd32
	OpAdd64
	OpOr32
	OpOr64
	OpAdc32
	OpAdc64
	OpSbb32
	OpSbb64
	OpAnd32
	OpAnd64
	OpSub32
	OpSub64
	OpXor32
	OpXor64
	OpCmp8
	OpCmp16
	OpCmp32
	OpCmp64
	OpTest8
	OpTest32
	OpTest64
	OpInc32
	OpInc64
	OpDec32
	OpDec64
	OpNeg32
	OpNeg64
	OpNot32
	OpNot64

	// Shifts by Imm, which is not zero.
	OpShl32
	OpShl64
	OpShr32
	OpShr64
	OpSar32
	OpSar64
	OpRol32
	OpRol64

	OpImul32 // two operands
	OpImul64
	OpMul64  // RDX:RAX = RAX * R[Src]
	OpMulx64 // R[Aux]:R[Dst] = RDX * R[Src]
	OpAdcx64
	OpAdox64

	OpSet    // R[Dst] byte = condition Aux
	OpCmov32 // R[Dst] = R[Src] where condition Aux holds; 32 bits are zero-extended either way
	OpCmov64
)

// noLink is the Aux of an exit that always looks its target up: after instructions that change what an address means,
// and to other pages.
const noLink = ^uint32(0)

// Operations of the table, a file per subject: the general ones are here.
const (
	opRaise     Op = opTable + iota // raise exception Imm
	opIntercept                     // give instruction kind Aux to the platform, or do it natively
	opStop                          // in front of an instruction, for debugging: a breakpoint or a trace may be here

	// Arithmetic of the sizes that are rare: Aux is the operation.
	opALU8
	opALU16
	opUnary8
	opUnary16
	opShift8
	opShift16
	opShift32
	opShift64
	opShiftDouble
	opBit
	opBitAddress
	opBitScan
	opMul
	opMulWide
	opDiv
	opXadd
	opCmpxchg
	opCmpxchg8b
	opCmpxchg16b
	opBswap
	opMovbe
	opCrc32
	opPopcnt
	opBMI
	opADX32
	opConvert
	opCwd
	opLahf
	opSahf
	opFlagBit
	opCmov16

	opPushf
	opPopf
	opPush16
	opPop16
	opPopMem
	opEnter
	opLeave
	opString
	opXlat
	opLoop
	opInt
	opInt1
	opIret
	opRetFar
	opJmpFar
	opSyscall
	opSysret
	opSysenter
	opSysexit
	opCli
	opSti
	opHlt
	opMovSeg
	opLoadSeg
	opPopSeg
	opLfs
	opMovFromCR
	opMovToCR
	opMovFromDR
	opMovToDR
	opClts
	opLmsw
	opSmsw
	opLgdt
	opLidt
	opSgdt
	opSidt
	opLldt
	opLtr
	opSldt
	opStr
	opLar
	opLsl
	opVerr
	opInvlpg
	opInvpcid
	opSwapgs
	opRdtsc
	opRdpmc
	opRdmsr
	opWrmsr
	opCpuid
	opXsetbv
	opRdpid
	opRdrand
	opFSGSBase
	opXgetbv
	opClac
	opClflush // of the whole cache
	opClflushLine
	opIO
	opCheckCPL0
)
