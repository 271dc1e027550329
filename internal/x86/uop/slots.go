package uop

// Slots of CPU.R. The sixteen general-purpose registers have the numbers that instructions use; the others make
// operands regular: an absent base, index, segment or source is Zero, so that an address is always base + index<<scale
// + segment + displacement.
const (
	RAX = iota
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
	Zero   // always 0
	BlkRIP // the address of the running block's first instruction
	FSBase // IA32_FS_BASE
	GSBase // IA32_GS_BASE
	Tmp0   // results that live within one instruction
	Tmp1
	Tmp2
	Tmp3
	StackSeg       // always 0: the "segment" of operands whose base is RSP or RBP, which are in the stack segment
	TmpLinear      // the linear address of an operand in 16- and 32-bit code
	Slots     = 32 // a power of two, so that masked indexes need no bounds check
)

// Slots of CPU.X: XMM0 to XMM15, then temporaries that live within one instruction. A memory operand is loaded into
// XMMTmp first, so that operations see registers only; MMX registers are copied to MMXDst and XMMTmp for the same
// reason.
const (
	XMMTmp   = 16
	MMXDst   = 17
	XMMSlots = 32 // a power of two, so that masked indexes need no bounds check
	XMMMask  = XMMSlots - 1
)
