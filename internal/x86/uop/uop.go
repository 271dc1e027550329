// Package uop is what the processor's instructions become: micro-operations, and the words in which decoder and engines
// speak of registers, conditions, vectors and kinds of instruction.
//
// x86's encoding is irregular; this form is not. It is data: a block of it can be executed, looked at, or made into
// something else, by whoever knows where the registers are.
package uop

import "unsafe"

// A Uop is one micro-operation: small, regular, without pointers, so that a translator can read it as well as the
// interpreter.
//
// An instruction becomes one or a few of them. What changes registers that the guest sees comes after everything in
// the instruction that can fault. Operands: the second operand of an arithmetic operation is R[Src]+Imm, where one of
// the two is zero; an address is R[Base] + R[Index]<<Scale + R[Seg] + Disp.
type Uop struct {
	Op    Op
	Dst   uint8 // slot in CPU.R, or in CPU.X for operations on XMM registers
	Src   uint8
	Base  uint8
	Index uint8
	Seg   uint8
	Scale uint8 // shift count, 0 to 3

	// Where the instruction stands: Ord is its ordinal in the block, Off its first byte's offset from the block's first
	// byte.
	Ord uint8
	Len uint8 // its length in bytes
	Off uint16
	Aux uint32 // what else the operation needs: a condition, a link's number, an immediate

	Disp int64
	Imm  int64
}

// Size is the size of a Uop in bytes.
const Size = unsafe.Sizeof(Uop{})

// At packs Ord (bits 7:0), Len (15:8) and Off (31:16).
func (u *Uop) At() uint32 { return uint32(u.Ord) | uint32(u.Len)<<8 | uint32(u.Off)<<16 }

// Next returns the micro-operation after u. Every block ends with one that does not go on.
func (u *Uop) Next() *Uop { return (*Uop)(unsafe.Add(unsafe.Pointer(u), Size)) }

// An Op is what a micro-operation does. Those below FirstTable are cases of the interpreter's switch; the others are
// entries of handlers, in ranges per subject.
type Op uint16

// Ranges of Op.
const (
	FirstTable Op = 0x100 // integer and system operations served by functions
	FirstSSE   Op = 0x200 // SSE to SSE4.2, AES, SHA, PCLMULQDQ
	FirstX87   Op = 0x400 // x87, FXSAVE, XSAVE

	FirstLegacy Op = 0x500 // 16- and 32-bit code
	OpCount     Op = 0x580
)
