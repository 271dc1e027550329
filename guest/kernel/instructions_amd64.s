//go:build linux

#include "textflag.h"

// Single instructions, for Go.

TEXT ·rdmsr(SB),NOSPLIT,$0-16
	MOVL index+0(FP), CX
	RDMSR
	SHLQ $32, DX
	ORQ DX, AX
	MOVQ AX, value+8(FP)
	RET

TEXT ·wrmsr(SB),NOSPLIT,$0-16
	MOVL index+0(FP), CX
	MOVQ value+8(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	WRMSR
	RET

TEXT ·cpuid(SB),NOSPLIT,$0-24
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	MOVL DX, edx+20(FP)
	RET

TEXT ·rdtsc(SB),NOSPLIT,$0-8
	RDTSC
	SHLQ $32, DX
	ORQ DX, AX
	MOVQ AX, ret+0(FP)
	RET

// rdrand() (v uint64, ok bool)
TEXT ·rdrand(SB),NOSPLIT,$0-9
	XORL BX, BX
	BYTE $0x48; BYTE $0x0F; BYTE $0xC7; BYTE $0xF0 // RDRAND RAX
	JCC none
	MOVL $1, BX
none:
	MOVQ AX, v+0(FP)
	MOVB BX, ok+8(FP)
	RET

TEXT ·readCR0(SB),NOSPLIT,$0-8
	MOVQ CR0, AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·writeCR0(SB),NOSPLIT,$0-8
	MOVQ v+0(FP), AX
	MOVQ AX, CR0
	RET

TEXT ·readCR2(SB),NOSPLIT,$0-8
	MOVQ CR2, AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·writeCR3(SB),NOSPLIT,$0-8
	MOVQ v+0(FP), AX
	MOVQ AX, CR3
	RET

TEXT ·readCR4(SB),NOSPLIT,$0-8
	MOVQ CR4, AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·writeCR4(SB),NOSPLIT,$0-8
	MOVQ v+0(FP), AX
	MOVQ AX, CR4
	RET

TEXT ·invlpg(SB),NOSPLIT,$0-8
	MOVQ va+0(FP), AX
	INVLPG (AX)
	RET

TEXT ·pause(SB),NOSPLIT,$0-0
	PAUSE
	RET

TEXT ·hlt(SB),NOSPLIT,$0-0
	HLT
	RET

TEXT ·cli(SB),NOSPLIT,$0-0
	CLI
	RET

TEXT ·sti(SB),NOSPLIT,$0-0
	STI
	RET

// wait lets interrupts in and waits for one.
TEXT ·wait(SB),NOSPLIT,$0-0
	STI
	HLT
	CLI
	RET

TEXT ·outb(SB),NOSPLIT,$0-3
	MOVW port+0(FP), DX
	MOVB v+2(FP), AX
	OUTB
	RET

TEXT ·inb(SB),NOSPLIT,$0-9
	MOVW port+0(FP), DX
	XORL AX, AX
	INB
	MOVB AX, ret+8(FP)
	RET

// zero(va, n uint64): n is a multiple of 8
TEXT ·zero(SB),NOSPLIT,$0-16
	MOVQ va+0(FP), DI
	MOVQ n+8(FP), CX
	SHRQ $3, CX
	XORL AX, AX
	CLD
	REP; STOSQ
	RET

// move(to, from, n uint64) copies bytes of memory that do not overlap.
TEXT ·move(SB),NOSPLIT,$0-24
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ n+16(FP), CX
	CLD
	REP; MOVSB
	RET

// gsSelf() returns the first word that GS points to: a processor's own address.
TEXT ·gsSelf(SB),NOSPLIT,$0-8
	MOVQ 0(GS), AX
	MOVQ AX, ret+0(FP)
	RET

// touch reads a byte.
TEXT ·touch(SB),NOSPLIT,$0-8
	MOVQ va+0(FP), AX
	MOVB (AX), AX
	RET

// handOver(code, systemTable, table uint64) goes to code.
TEXT ·handOver(SB),NOSPLIT,$0-24
	MOVQ code+0(FP), AX
	MOVQ systemTable+8(FP), DI
	MOVQ table+16(FP), SI
	CALL AX
	INT $3
