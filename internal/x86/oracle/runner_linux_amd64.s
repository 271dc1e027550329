#include "go_asm.h"
#include "textflag.h"

// The child's whole program. It is copied into an executable file of its own (elf_linux_amd64.go) and runs there without the Go runtime, so it
// refers to nothing but constants. It has one entry, for the start of the process, where DI is 0 (Linux clears the registers), and for signals, where it is the signal's number.
//
// A case is loaded by changing the context that the kernel saved for a signal and returning from it; the case ends with a signal,
// whose context is the outcome. So the kernel loads and stores the processor's whole state, and RIP, error code and CR2 of a fault come from where it keeps them.

// Offsets in struct ucontext (Linux, arch/x86/include/uapi/asm/sigcontext.h, ucontext.h).
#define uc_mcontext 40
#define uc_fpstate  224 // the pointer to the FXSAVE image, in uc_mcontext
#define xstate_bv   512 // after the FXSAVE image

#define SYS_read        0
#define SYS_write       1
#define SYS_rt_sigreturn 15
#define SYS_exit        60

TEXT runner<>(SB), NOSPLIT|NOFRAME, $0-0
	TESTL DI, DI
	JNE   signal

	// Start: make the system calls of the table, rows of number, six arguments and whether failure matters.
	MOVQ $const_setupBase, BX
	XORL R15, R15

setup:
	INCL  R15
	MOVQ  0(BX), AX
	CMPQ  AX, $-1
	JEQ   ready
	MOVQ  8(BX), DI
	MOVQ  16(BX), SI
	MOVQ  24(BX), DX
	MOVQ  32(BX), R10
	MOVQ  40(BX), R8
	MOVQ  48(BX), R9
	SYSCALL
	CMPQ  AX, $-4096
	JLS   done
	CMPQ  56(BX), $0
	JNE   fail

done:
	ADDQ $64, BX
	JMP  setup

fail:
	MOVL R15, DI // the row's number, from 1
	JMP  exit

ready:
	INT $3 // to get a first context
	INT $3

signal:
	PUSHQ $0 // a case may have left AC set
	POPFQ
	MOVQ  DX, R13 // ucontext
	MOVQ  uc_fpstate(DX), R14
	MOVQ  $const_sharedBase, BX
	MOVQ  const_sharedCurrent(BX), R12
	TESTQ R12, R12
	JEQ   wait

	// Store the outcome into the record of the case: general registers with error code, vector and CR2, floating point, the arena.
	LEAQ uc_mcontext(R13), SI
	MOVQ R12, DI
	MOVL $(const_recordStored/8), CX
	REP; MOVSQ
	MOVQ R14, SI
	LEAQ const_recordFX(R12), DI
	MOVL $(const_fxBytes/8), CX
	REP; MOVSQ
	MOVQ $const_arenaBase, SI
	LEAQ const_recordArena(R12), DI
	MOVL $(const_arenaSize/8), CX
	REP; MOVSQ

	// The code window is INT3 again.
	MOVQ const_recordCodeAddr(R12), DI
	MOVQ $-0x3333333333333334, AX
	MOVL $(const_codeBytes/8), CX
	REP; STOSQ

	CMPQ const_sharedSegmentBases(BX), $0
	JEQ  stored
	RDFSBASEQ AX
	MOVQ      AX, const_recordFSBase(R12)
	RDGSBASEQ AX
	MOVQ      AX, const_recordGSBase(R12)
	MOVQ      $const_fsBase, AX
	WRFSBASEQ AX
	MOVQ      $const_gsBase, AX
	WRGSBASEQ AX

stored:
	ADDQ $const_recordSize, R12
	CMPQ R12, const_sharedEnd(BX)
	JCS  load
	MOVL $SYS_write, AX
	MOVL $1, DI
	MOVQ BX, SI
	MOVL $8, DX
	SYSCALL

wait:
	// The parent writes 8 bytes: the end of the batch's records.
	MOVL $SYS_read, AX
	XORL DI, DI
	LEAQ const_sharedEnd(BX), SI
	MOVL $8, DX
	SYSCALL
	XORL DI, DI
	CMPQ AX, $8
	JNE  exit
	LEAQ const_sharedRecords(BX), R12

load:
	MOVQ R12, const_sharedCurrent(BX)
	MOVQ R12, SI
	LEAQ uc_mcontext(R13), DI
	MOVL $(const_recordLoaded/8), CX
	REP; MOVSQ
	LEAQ const_recordFX(R12), SI
	MOVQ R14, DI
	MOVL $(const_fxBytes/8), CX
	REP; MOVSQ
	ORQ  $3, xstate_bv(R14)
	LEAQ const_recordArena(R12), SI
	LEAQ const_sharedArena(BX), DI
	MOVL $(const_arenaSize/8), CX
	REP; MOVSQ
	LEAQ const_recordCode(R12), SI
	MOVQ const_recordCodeAddr(R12), DI
	MOVL $(const_codeBytes/8), CX
	REP; MOVSQ
	MOVQ R13, SP
	MOVL $SYS_rt_sigreturn, AX
	SYSCALL

exit:
	MOVL $SYS_exit, AX
	SYSCALL
	QUAD $const_runnerEnd

// func runnerCode() *byte
TEXT ·runnerCode(SB), NOSPLIT, $0-8
	LEAQ runner<>(SB), AX
	MOVQ AX, ret+0(FP)
	RET

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
