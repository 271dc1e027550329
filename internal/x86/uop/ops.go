package uop

// Operations of the interpreter's switch. A number after the name is the operand's size in bits; where a 32-bit result
// goes to a register, its upper half becomes zero.
const (
	End  Op = iota // the block ends: go to block + Imm by link Aux
	Goto           // go to CPU.target, where a function of the table has put it

	Jmp    // go to block + Imm by link Aux
	JmpReg // go to R[Src]
	Call   // push the next address, go to block + Imm by link Aux
	CallReg
	Ret // pop RIP, drop Imm more bytes

	// Jcc: to block + Imm by link Aux; else on.
	Jo
	Jno
	Jb
	Jae
	Je
	Jne
	Jbe
	Ja
	Js
	Jns
	Jp
	Jnp
	Jl
	Jge
	Jle
	Jg

	// Moves between registers, and of immediates: R[Dst] = R[Src]+Imm.
	Mov8 // keeps the upper bits
	Mov16
	Mov32
	Mov64
	ZX8 // zero-extends to 64 bits
	ZX16
	SX8x32 // sign-extends to 32 bits
	SX8x64
	SX16x32
	SX16x64
	SX32x64
	GetHigh // R[Dst] = byte 1 of R[Src]
	PutHigh // byte 1 of R[Dst] = R[Src]
	Lea32
	Lea64

	// Loads, zero-extending.
	Load8
	Load16
	Load32
	Load64
	LoadS8x32
	LoadS8x64
	LoadS16x32
	LoadS16x64
	LoadS32x64

	// Loads of operands that the same instruction stores to: they fault as the store would.
	LoadW8
	LoadW16
	LoadW32
	LoadW64

	// Stores of R[Src]+Imm.
	Store8
	Store16
	Store32
	Store64

	Push // 64 bits
	Pop

	// Arithmetic: R[Dst] op= R[Src]+Imm.
	Add32
	Add64
	Or32
	Or64
	Adc32
	Adc64
	Sbb32
	Sbb64
	And32
	And64
	Sub32
	Sub64
	Xor32
	Xor64
	Cmp8
	Cmp16
	Cmp32
	Cmp64
	Test8
	Test32
	Test64
	Inc32
	Inc64
	Dec32
	Dec64
	Neg32
	Neg64
	Not32
	Not64

	// Shifts by Imm, which is not zero.
	Shl32
	Shl64
	Shr32
	Shr64
	Sar32
	Sar64
	Rol32
	Rol64

	Imul32 // two operands
	Imul64
	Mul64  // RDX:RAX = RAX * R[Src]
	Mulx64 // R[Aux]:R[Dst] = RDX * R[Src]
	Adcx64
	Adox64

	Set    // R[Dst] byte = condition Aux
	Cmov32 // R[Dst] = R[Src] where condition Aux holds; 32 bits are zero-extended either way
	Cmov64
)

// NoLink is the Aux of an exit that always looks its target up: after instructions that change what an address means,
// and to other pages.
const NoLink = ^uint32(0)

// Operations of the table, a file per subject: the general ones are here.
const (
	Raise     Op = FirstTable + iota // raise exception Imm
	Intercept                        // give instruction kind Aux to the platform, or do it natively
	Stop                             // in front of an instruction, for debugging: a breakpoint or a trace may be here
	Locked                           // the last of an instruction that has locked memory
	LockedAt                         // in front of the access that locks Aux bytes of memory

	// Arithmetic of the sizes that are rare: Aux is the operation.
	ALU8
	ALU16
	Unary8
	Unary16
	Shift8
	Shift16
	Shift32
	Shift64
	ShiftDouble
	Bit
	BitAddress
	BitScan
	Mul
	MulWide
	Div
	Xadd
	Cmpxchg
	Cmpxchg8b
	Cmpxchg16b
	Bswap
	Movbe
	Crc32
	Popcnt
	BMI
	ADX32
	Convert
	Cwd
	Lahf
	Sahf
	FlagBit
	Cmov16

	Pushf
	Popf
	Push16
	Pop16
	PopMem
	Enter
	Leave
	String
	Xlat
	Loop
	Int
	Int1
	Iret
	RetFar
	JmpFar
	Syscall
	Sysret
	Sysenter
	Sysexit
	Cli
	Sti
	Hlt
	MovSeg
	LoadSeg
	PopSeg
	Lfs
	MovFromCR
	MovToCR
	MovFromDR
	MovToDR
	Clts
	Lmsw
	Smsw
	Lgdt
	Lidt
	Sgdt
	Sidt
	Lldt
	Ltr
	Sldt
	Str
	Lar
	Lsl
	Verr
	Invlpg
	Invpcid
	Swapgs
	Rdtsc
	Rdpmc
	Rdmsr
	Wrmsr
	Cpuid
	Xsetbv
	Rdpid
	Rdrand
	FSGSBase
	Xgetbv
	Clac
	Clflush // of the whole cache
	ClflushLine
	Movdir64b // Src: the register with the destination, Aux: the form of its address
	IO
	CheckCPL0
)
