//go:build linux

#include "textflag.h"

// Go code finds its g in the word before the FS base. This g is zeros: its stack guard is 0, which no stack reaches, so
// that the program stays on firmware's.
GLOBL zeros<>(SB), NOPTR, $1024
GLOBL before<>(SB), NOPTR, $8

// Entry is where firmware starts the program, with the system table in DX (UEFI 2.10, section 2.3.4.1).
TEXT ·Entry(SB),NOSPLIT|NOFRAME,$0
	MOVQ DX, BX
	LEAQ zeros<>(SB), AX
	MOVQ AX, before<>(SB)
	LEAQ before<>+8(SB), AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $0xC0000100, CX // FS_BASE (SDM vol. 4, table 2-2)
	WRMSR
	ANDQ $~15, SP
	SUBQ $16, SP
	MOVQ BX, 0(SP)
	CALL ·Start(SB)
	INT $3

// func call(function, a, b, c, d, e uint64) uefi.Status
//
// Firmware's functions take four arguments in registers, and the fifth on the stack after room for those four. They want
// the stack at a multiple of 16, and leave BX alone (UEFI 2.10, section 2.3.4.2).
TEXT ·call(SB),NOSPLIT,$48-56
	MOVQ function+0(FP), AX
	MOVQ a+8(FP), CX
	MOVQ b+16(FP), DX
	MOVQ c+24(FP), R8
	MOVQ d+32(FP), R9
	MOVQ e+40(FP), R10
	MOVQ SP, BX
	ANDQ $~15, SP
	MOVQ R10, 32(SP)
	CALL AX
	MOVQ BX, SP
	MOVQ AX, ret+48(FP)
	RET

// func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)
TEXT ·cpuid(SB),NOSPLIT,$0-24
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	MOVL DX, edx+20(FP)
	RET

// func rdmsr(index uint32) uint64
TEXT ·rdmsr(SB),NOSPLIT,$0-16
	MOVL index+0(FP), CX
	RDMSR
	SHLQ $32, DX
	ORQ DX, AX
	MOVQ AX, ret+8(FP)
	RET
