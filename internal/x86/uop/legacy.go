package uop

// Operations of the modes other than 64-bit mode: real, protected and compatibility mode, with 16- and 32-bit code. There
// EIP is counted from CS's base, and BlkRIP has the sum of the two, the linear address. All are of the table; Aux is the
// operand size in bytes, 2 or 4, unless something else is said.
const (
	Lea16         Op = FirstLegacy + iota // R[Dst] = the operand's address, 16 bits of it
	Linear                                // R[Dst] = linear address of Aux>>8 bytes at offset R[Src] of segment Aux&7; Imm is 1 for a store
	LinearAddress                         // R[Dst] = linear address at offset R[Src] of segment Aux&7, whose limit is not looked at
	Fetch                                 // #GP where the instruction leaves the code segment
	Protected                             // #UD in real and virtual-8086 mode

	// Near transfers: setting CPU.target.
	NearJump // to Imm bytes after the instruction, where condition Src holds or Src is Always
	NearCall // to Imm bytes after the instruction, or to R[Src]
	NearIndirect
	NearRet // drops Imm more bytes
	CountJump

	// Far transfers: setting CPU.target.
	FarImmediate // JMP or CALL (Src 1) to selector Imm>>32, offset Imm&(1<<32-1)
	Into

	PushValue   // R[Src]+Imm
	PushSegment // 16 bits of R[Src], in Aux bytes
	PopValue    // to R[Dst]
	PopOffset   // to offset R[Tmp3] of segment Src
	PushAll
	PopAll
	Bound // of R[Dst]; the limits are at R[Base]
	Arpl  // ARPL of R[Dst] by R[Src]

	Decimal // DAA, DAS, AAA, AAS, AAM, AAD, SALC by the opcode in Aux; Imm is the base

	LegacyEnd
)

// The operations fit into their range.
const _ = uint(OpCount - LegacyEnd)

// Always is no condition: a near jump that is always taken.
const Always = 16

// Forms of addresses, in Scale of String and Xlat, bits 9:8 of BitAddress's Aux, and Src of CountJump: how many bits of
// them and of counts are used. 64-bit mode has the first two, the others the last two; AddressLegacy is added to those of
// String and Xlat whose segments are looked at, the number of which is in Index.
const (
	Address64 = iota
	Address32
	Address16
	AddressLegacy = 4
)
