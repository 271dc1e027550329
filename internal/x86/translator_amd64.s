//go:build linux || darwin

#include "go_asm.h"
#include "textflag.h"

// The way into translated code and back. Package translate says what code expects: R15 is the processor, AX its flags,
// and the slots of its table pinned are in registers: slot 20 is uop.Tmp0.
//
// Code may change every register but SP and R15. It calls nothing and pushes nothing, so that it takes no more stack than
// the return address. A signal that comes while it runs is served on the signal stack; the address is in no Go function,
// so that the runtime does not preempt the goroutine there, and its profiler counts "external code". R14, which is g in Go
// functions, and X15, which is 0, are restored by the wrapper through which Go calls assembly (ABIInternal to ABI0).

// func enterCode(c *CPU, code uintptr) (exit uint64)
TEXT ·enterCode(SB), NOSPLIT, $8-24
	MOVQ c+0(FP), R15
	MOVQ code+8(FP), R14
	MOVL (CPU_native+nativeState_flags)(R15), AX
	MOVQ (CPU_R+8*0)(R15), R8
	MOVQ (CPU_R+8*1)(R15), CX
	MOVQ (CPU_R+8*2)(R15), DX
	MOVQ (CPU_R+8*3)(R15), BX
	MOVQ (CPU_R+8*4)(R15), BP
	MOVQ (CPU_R+8*5)(R15), R12
	MOVQ (CPU_R+8*6)(R15), SI
	MOVQ (CPU_R+8*7)(R15), DI
	MOVQ (CPU_R+8*8)(R15), R9
	MOVQ (CPU_native+nativeState_stack)(R15), R10
	MOVQ R10, R13
	MOVQ (CPU_R+8*20)(R15), R11
	CALL R14
	MOVL AX, (CPU_native+nativeState_flags)(R15)
	MOVQ R8, (CPU_R+8*0)(R15)
	MOVQ CX, (CPU_R+8*1)(R15)
	MOVQ DX, (CPU_R+8*2)(R15)
	MOVQ BX, (CPU_R+8*3)(R15)
	MOVQ BP, (CPU_R+8*4)(R15)
	MOVQ R12, (CPU_R+8*5)(R15)
	MOVQ SI, (CPU_R+8*6)(R15)
	MOVQ DI, (CPU_R+8*7)(R15)
	MOVQ R9, (CPU_R+8*8)(R15)
	MOVQ R11, (CPU_R+8*20)(R15)
	MOVQ R14, exit+16(FP)
	RET

// func hostCPUID(leaf, subleaf uint32) (eax, ebx uint32)
TEXT ·hostCPUID(SB), NOSPLIT, $0-16
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	RET
