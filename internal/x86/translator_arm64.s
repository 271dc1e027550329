//go:build linux || darwin

#include "go_asm.h"
#include "textflag.h"

// The way into translated code and back. Package translatearm says what code expects: R19 is the processor, R0 to R15 are the
// guest's registers, R22 and R23 the slots uop.BlkRIP (17) and uop.Tmp0 (20), R20 and R21 its flags, R26 the TLB for data.
//
// Code may change these and R16, R17, R25 and R27: a function of Go's may change all registers but R18, which is the system's,
// R28, which is g, and R29, the frame pointer. It calls nothing and has no stack. A signal that comes while it runs is served
// on the signal stack; the address is in no Go function, so that the runtime does not preempt the goroutine there, and its
// profiler counts "external code".

// func enterCode(c *CPU, code uintptr) (exit uint64)
TEXT ·enterCode(SB), NOSPLIT, $0-24
	MOVD c+0(FP), R19
	MOVD code+8(FP), R16
	MOVD (CPU_flags+lazyFlags_res)(R19), R20
	MOVD (CPU_flags+lazyFlags_aux)(R19), R21
	MOVD (CPU_R+8*17)(R19), R22
	MOVD (CPU_R+8*20)(R19), R23
	MOVD $0xC000000000000008, R24 // const_topCarries
	MOVD (CPU_native+nativeState_data)(R19), R26
	LDP  (CPU_R+8*0)(R19), (R0, R1)
	LDP  (CPU_R+8*2)(R19), (R2, R3)
	LDP  (CPU_R+8*4)(R19), (R4, R5)
	LDP  (CPU_R+8*6)(R19), (R6, R7)
	LDP  (CPU_R+8*8)(R19), (R8, R9)
	LDP  (CPU_R+8*10)(R19), (R10, R11)
	LDP  (CPU_R+8*12)(R19), (R12, R13)
	LDP  (CPU_R+8*14)(R19), (R14, R15)
	CALL (R16)
	STP  (R0, R1), (CPU_R+8*0)(R19)
	STP  (R2, R3), (CPU_R+8*2)(R19)
	STP  (R4, R5), (CPU_R+8*4)(R19)
	STP  (R6, R7), (CPU_R+8*6)(R19)
	STP  (R8, R9), (CPU_R+8*8)(R19)
	STP  (R10, R11), (CPU_R+8*10)(R19)
	STP  (R12, R13), (CPU_R+8*12)(R19)
	STP  (R14, R15), (CPU_R+8*14)(R19)
	MOVD R20, (CPU_flags+lazyFlags_res)(R19)
	MOVD R21, (CPU_flags+lazyFlags_aux)(R19)
	MOVD R22, (CPU_R+8*17)(R19)
	MOVD R23, (CPU_R+8*20)(R19)
	MOVD R16, exit+16(FP)
	RET
