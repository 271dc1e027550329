#include "textflag.h"

// None of these needs a register preserved: all but SP and BP, which they do not touch, are the caller's to save in ABI0.
// VMGEXIT leaves registers and flags as they are; what the host has to say it says in memory or the GHCB MSR.

// func pvalidate(va, size, validate uint64) (result uint32, unchanged bool)
TEXT ·pvalidate(SB), NOSPLIT, $0-29
	MOVQ va+0(FP), AX
	MOVQ size+8(FP), CX
	MOVQ validate+16(FP), DX
	BYTE $0xF2; BYTE $0x0F; BYTE $0x01; BYTE $0xFF // PVALIDATE
	SETCS unchanged+28(FP)
	MOVL AX, result+24(FP)
	RET

// func evict(va uint64)
TEXT ·evict(SB), NOSPLIT, $0-8
	MOVQ va+0(FP), AX
	MOVB (AX), CX
	MOVB 4095(AX), CX
	RET

// func rdmsr(index uint32) (v uint64)
TEXT ·rdmsr(SB), NOSPLIT, $0-16
	MOVL index+0(FP), CX
	RDMSR
	SHLQ $32, DX
	ORQ DX, AX
	MOVQ AX, v+8(FP)
	RET

// func wrmsr(index uint32, v uint64)
TEXT ·wrmsr(SB), NOSPLIT, $0-16
	MOVL index+0(FP), CX
	MOVQ v+8(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	WRMSR
	RET

// func vmgexit()
TEXT ·vmgexit(SB), NOSPLIT, $0-0
	BYTE $0xF3; BYTE $0x0F; BYTE $0x01; BYTE $0xD9 // VMGEXIT
	RET
