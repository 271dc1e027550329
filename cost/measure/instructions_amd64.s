//go:build linux

#include "textflag.h"

// func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	MOVL DX, edx+20(FP)
	RET

// func vmmcall()
// VMMCALL, which hands the hypercall's number to the host in RAX: one that no host has.
TEXT ·vmmcall(SB), NOSPLIT, $0-0
	MOVL $0xFFFF, AX
	BYTE $0x0F; BYTE $0x01; BYTE $0xD9
	RET
