#include "go_asm.h"
#include "textflag.h"

// func tdcall(r *Registers)
//
// All registers but SP and BP are the caller's to save in ABI0, so that they can be loaded as they are; Go code that calls
// this restores R14, from thread-local storage, and X15. The module leaves the flags alone, DF with them, and so it does
// segments and their bases.
TEXT ·tdcall(SB), NOSPLIT, $8-8
	MOVQ r+0(FP), DI
	MOVQ Registers_RAX(DI), AX
	MOVQ Registers_RCX(DI), CX
	MOVQ Registers_RDX(DI), DX
	MOVQ Registers_RBX(DI), BX
	MOVQ Registers_RSI(DI), SI
	MOVQ Registers_R8(DI), R8
	MOVQ Registers_R9(DI), R9
	MOVQ Registers_R10(DI), R10
	MOVQ Registers_R11(DI), R11
	MOVQ Registers_R12(DI), R12
	MOVQ Registers_R13(DI), R13
	MOVQ Registers_R14(DI), R14
	MOVQ Registers_R15(DI), R15
	MOVQ Registers_RDI(DI), DI

	BYTE $0x66; BYTE $0x0F; BYTE $0x01; BYTE $0xCC // TDCALL

	MOVQ DI, rdi-8(SP)
	MOVQ r+0(FP), DI
	MOVQ AX, Registers_RAX(DI)
	MOVQ CX, Registers_RCX(DI)
	MOVQ DX, Registers_RDX(DI)
	MOVQ BX, Registers_RBX(DI)
	MOVQ SI, Registers_RSI(DI)
	MOVQ R8, Registers_R8(DI)
	MOVQ R9, Registers_R9(DI)
	MOVQ R10, Registers_R10(DI)
	MOVQ R11, Registers_R11(DI)
	MOVQ R12, Registers_R12(DI)
	MOVQ R13, Registers_R13(DI)
	MOVQ R14, Registers_R14(DI)
	MOVQ R15, Registers_R15(DI)
	MOVQ rdi-8(SP), AX
	MOVQ AX, Registers_RDI(DI)
	RET
