//go:build linux

#include "textflag.h"
#include "go_asm.h"

// Where firmware starts the program, and where processors go between the program and the kernel.

#define msrFSBase 0xC0000100
#define segKernelCode 0x08
#define segKernelData 0x10
#define segUserData 0x23
#define segUserCode 0x2B
#define segTSS 0x30

// PUSH_REST pushes the general registers of a frame (thread.go) after AX and BX.
#define PUSH_REST \
	PUSHQ CX; \
	PUSHQ DX; \
	PUSHQ SI; \
	PUSHQ DI; \
	PUSHQ BP; \
	PUSHQ R8; \
	PUSHQ R9; \
	PUSHQ R10; \
	PUSHQ R11; \
	PUSHQ R12; \
	PUSHQ R13; \
	PUSHQ R14; \
	PUSHQ R15

// POP_FRAME goes on where a frame says, with its registers.
#define POP_FRAME \
	POPQ R15; \
	POPQ R14; \
	POPQ R13; \
	POPQ R12; \
	POPQ R11; \
	POPQ R10; \
	POPQ R9; \
	POPQ R8; \
	POPQ BP; \
	POPQ DI; \
	POPQ SI; \
	POPQ DX; \
	POPQ CX; \
	POPQ BX; \
	POPQ AX; \
	ADDQ $16, SP; \
	IRETQ

// Entry is the PE image's entry point (UEFI 2.10, section 2.3.4.1): CX is the image's handle, DX the system table. The
// program is where firmware has put it, not where it is linked: until page tables say otherwise, only what is relative
// to RIP can be used, and no Go function that follows a pointer in its data.
TEXT ·Entry(SB),NOSPLIT|NOFRAME,$0
	// Page tables of five levels, of which the walks here know nothing: firmware hears EFI_UNSUPPORTED.
	MOVQ CR4, AX
	BTL  $12, AX
	JCS  fiveLevels
	CLI
	CLD
	MOVQ CX, ·contact+contactInfo_handle(SB)
	MOVQ DX, ·contact+contactInfo_systemTable(SB)
	MOVQ CR3, AX
	MOVQ AX, ·contact+contactInfo_firmwareCR3(SB)

	// AllocatePages(AllocateAnyPages, EfiLoaderData, arenaPages, &contact.arena)
	SUBQ $40, SP
	XORL CX, CX
	MOVL $2, DX
	MOVQ $const_arenaPages, R8
	LEAQ ·contact+contactInfo_arena(SB), R9
	MOVQ ·contact+contactInfo_systemTable(SB), AX
	MOVQ 96(AX), AX
	MOVQ 40(AX), AX
	CALL AX
	TESTQ AX, AX
	JNZ  fail

	// The early page tables, in Go code that needs nothing but its arguments and the kernel's g.
	LEAQ ·Entry(SB), DI
	MOVQ ·contact+contactInfo_arena(SB), SI
	LEAQ const_bootStackEnd(SI), BX
	MOVQ BX, SP
	SUBQ $32, SP
	MOVQ DI, 0(SP)
	CALL ·enterLinked(SB) // sets up TLS for the kernel's g at its present place, calls early
	MOVQ ·contact+contactInfo_earlyCR3(SB), AX
	MOVQ AX, CR3
	MOVQ ·contact+contactInfo_linkedEntry(SB), AX
	JMP AX
fail:
	ADDQ $40, SP
	RET // to firmware, with the status in AX
fiveLevels:
	MOVQ $0x8000000000000003, AX
	RET

// enterLinked(entry uint64): makes the kernel's g current and calls early, which uses the stack as it is.
TEXT ·enterLinked(SB),NOSPLIT,$16-8
	LEAQ ·bootTLS(SB), AX
	LEAQ ·bootG(SB), CX
	MOVQ CX, 0(AX)
	ADDQ $8, AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $msrFSBase, CX
	WRMSR
	MOVQ entry+0(FP), AX
	MOVQ AX, 0(SP)
	CALL ·early(SB)
	RET

// linked is where the program goes on at the address that it is linked at. The stack is the arena's, from now on in the
// direct map.
TEXT ·linked(SB),NOSPLIT|NOFRAME,$0
	MOVQ $const_directMap, AX
	ADDQ AX, SP
	LEAQ ·bootTLS(SB), AX
	LEAQ ·bootG(SB), CX
	MOVQ CX, 0(AX)
	ADDQ $8, AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $msrFSBase, CX
	WRMSR
	CALL ·boot(SB)
	INT $3

// callFirmware(fn uint64, args *[6]uint64) (status uint64) calls a function by Microsoft's x64 convention.
TEXT ·callFirmware(SB),NOSPLIT,$80-24
	MOVQ fn+0(FP), AX
	MOVQ args+8(FP), BX
	MOVQ 32(BX), CX
	MOVQ CX, 32(SP)
	MOVQ 40(BX), CX
	MOVQ CX, 40(SP)
	MOVQ 0(BX), CX
	MOVQ 8(BX), DX
	MOVQ 16(BX), R8
	MOVQ 24(BX), R9
	// The convention wants the stack at a multiple of 16; R12 is preserved by it.
	MOVQ SP, R12
	ANDQ $~15, SP
	CMPQ SP, R12
	JEQ  aligned
	LEAQ -48(SP), SP // below what was laid out: lay it out again, aligned
	MOVQ 32(R12), R10
	MOVQ R10, 32(SP)
	MOVQ 40(R12), R10
	MOVQ R10, 40(SP)
aligned:
	CALL AX
	CLD
	MOVQ R12, SP
	XORPS X15, X15
	MOVQ AX, status+16(FP)
	RET

// The gates of the interrupt descriptor table lead here: 256 entries of 8 bytes. The return address of the call tells
// which it was.
#define GATE CALL ·trapped(SB); BYTE $0x90; BYTE $0x90; BYTE $0x90
#define GATE8 GATE; GATE; GATE; GATE; GATE; GATE; GATE; GATE
#define GATE64 GATE8; GATE8; GATE8; GATE8; GATE8; GATE8; GATE8; GATE8
TEXT ·gates(SB),NOSPLIT|NOFRAME,$0
	GATE64
	GATE64
	GATE64
	GATE64

// trapped completes the frame (type frame) of an exception or interrupt and serves it. Of the vectors below 32 some come
// with an error code (SDM vol. 3, table 7-1; APM vol. 2, section 8.2): 8, 10 to 14, 17, 21, 29 and 30.
TEXT ·trapped(SB),NOSPLIT|NOFRAME,$0
	PUSHQ AX
	PUSHQ BX
	MOVQ 16(SP), AX
	LEAQ ·gates(SB), BX
	SUBQ BX, AX
	SHRQ $3, AX
	CMPQ AX, $32
	JAE  noCode
	MOVL $0x60227D00, BX
	BTL  AX, BX
	JCC  noCode
	MOVQ AX, 16(SP)
	JMP  complete
noCode:
	POPQ BX
	MOVQ $0, 8(SP)
	XCHGQ AX, 0(SP)
	PUSHQ AX
	PUSHQ BX
complete:
	PUSH_REST
	CLD
	MOVQ SP, BX // preserved by no convention: kept on the stack, too
	TESTB $3, frame_cs(BX)
	JEQ  inKernel
	SWAPGS
	MOVQ processor_tls(GS), AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $msrFSBase, CX
	WRMSR
inKernel:
	SUBQ $(512+32), SP
	ANDQ $~15, SP
	FXSAVE64 32(SP)
	XORPS X15, X15
	LEAQ 32(SP), AX
	MOVQ BX, 0(SP)
	MOVQ AX, 8(SP)
	MOVQ BX, 16(SP)
	CALL ·serveTrap(SB)
	FXRSTOR64 32(SP)
	MOVQ 16(SP), SP
	TESTB $3, frame_cs(SP)
	JEQ  resume
	MOVQ processor_threadFS(GS), AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $msrFSBase, CX
	WRMSR
	SWAPGS
resume:
	POP_FRAME

// syscalled is where SYSCALL leads. The frame is pushed into the thread's own record, so that another thread can go on
// afterwards.
TEXT ·syscalled(SB),NOSPLIT|NOFRAME,$0
	SWAPGS
	MOVQ SP, processor_scratch(GS)
	MOVQ processor_frameEnd(GS), SP
	PUSHQ $segUserData
	PUSHQ processor_scratch(GS)
	PUSHQ R11
	PUSHQ $segUserCode
	PUSHQ CX
	PUSHQ $0
	PUSHQ $const_vectorSyscall
	PUSHQ AX
	PUSHQ BX
	PUSH_REST
	MOVQ processor_tls(GS), AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $msrFSBase, CX
	WRMSR
	MOVQ processor_stack(GS), SP
	XORPS X15, X15
	CALL ·serveSyscall(SB)
	JMP ·resumeThread(SB)

// kept goes on after an exception or interrupt whose frame is in the record of a thread: on another stack than that of
// the exception, so that there can be others.
TEXT ·kept(SB),NOSPLIT|NOFRAME,$0
	CALL ·serveThread(SB)
	JMP ·resumeThread(SB)

// resumeThread goes on with the thread whose frame the processor points to.
TEXT ·resumeThread(SB),NOSPLIT|NOFRAME,$0
	MOVQ processor_frameEnd(GS), SP
	SUBQ $frame__size, SP
	MOVQ processor_fx(GS), AX
	TESTQ AX, AX
	JEQ  noFX
	FXRSTOR64 (AX)
noFX:
	MOVQ processor_threadFS(GS), AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $msrFSBase, CX
	WRMSR
	SWAPGS
	POP_FRAME

// started is where a processor other than the first goes on, with its own stack, and its record in BX.
TEXT ·started(SB),NOSPLIT|NOFRAME,$0
	CLI
	CLD
	// What Go code needs: SSE, and the kernel's g.
	MOVQ CR4, AX
	ORQ  $0x600, AX // OSFXSR, OSXMMEXCPT
	MOVQ AX, CR4
	MOVQ CR0, AX
	ANDQ $~0xC, AX // TS, EM
	ORQ  $0x22, AX // NE, MP
	MOVQ AX, CR0
	BYTE $0xDB; BYTE $0xE3 // FNINIT
	// IRET to the program clears what leads to a segment of the kernel's, with its base.
	XORL AX, AX
	MOVW AX, FS
	MOVW AX, GS
	XORPS X15, X15
	MOVQ processor_tls(BX), AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $msrFSBase, CX
	WRMSR
	SUBQ $16, SP
	MOVQ BX, 0(SP)
	CALL ·arrive(SB)
	INT $3

TEXT ·startedAddress(SB),NOSPLIT,$0-8
	LEAQ ·started(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// loadSegments loads the segment registers and the task register from the kernel's descriptor table. FS and GS stay: their
// bases are in registers of their own, which some processors clear with the selector.
TEXT ·loadSegments(SB),NOSPLIT,$0-0
	MOVL $segKernelData, AX
	MOVW AX, DS
	MOVW AX, ES
	MOVW AX, SS
	MOVL $segTSS, AX
	BYTE $0x0F; BYTE $0x00; BYTE $0xD8 // LTR AX
	LEAQ reloaded<>(SB), AX
	POPQ CX
	PUSHQ $segKernelCode
	PUSHQ AX
	MOVQ CX, AX
	BYTE $0x48; BYTE $0xCB // RETFQ
TEXT reloaded<>(SB),NOSPLIT|NOFRAME,$0
	JMP AX

TEXT ·lgdt(SB),NOSPLIT,$0-8
	MOVQ p+0(FP), AX
	BYTE $0x0F; BYTE $0x01; BYTE $0x10 // LGDT [AX]
	RET

TEXT ·lidt(SB),NOSPLIT,$0-8
	MOVQ p+0(FP), AX
	BYTE $0x0F; BYTE $0x01; BYTE $0x18 // LIDT [AX]
	RET

// addresses of what descriptor tables and registers point to
TEXT ·addressOf(SB),NOSPLIT,$0-40
	LEAQ ·gates(SB), AX
	MOVQ AX, gates+0(FP)
	LEAQ ·syscalled(SB), AX
	MOVQ AX, syscalled+8(FP)
	LEAQ _rt0_amd64_linux(SB), AX
	MOVQ AX, program+16(FP)
	LEAQ ·resumeThread(SB), AX
	MOVQ AX, resume+24(FP)
	LEAQ ·kept(SB), AX
	MOVQ AX, kept+32(FP)
	RET

DATA ·entryLinked(SB)/8, $·Entry(SB)
GLOBL ·entryLinked(SB), NOPTR, $8
DATA ·linkedLinked(SB)/8, $·linked(SB)
GLOBL ·linkedLinked(SB), NOPTR, $8
DATA ·textEnd(SB)/8, $runtime·etext(SB)
GLOBL ·textEnd(SB), NOPTR, $8
DATA ·dataStart(SB)/8, $runtime·noptrdata(SB)
GLOBL ·dataStart(SB), NOPTR, $8
DATA ·nextStageLinked(SB)/8, $·nextStage(SB)
GLOBL ·nextStageLinked(SB), NOPTR, $8
DATA ·endLinked(SB)/8, $runtime·end(SB)
GLOBL ·endLinked(SB), NOPTR, $8

// nextStage is somebody to hand the machine over to. It needs nothing but the system table in DI and switches off:
// ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL).
TEXT ·nextStage(SB),NOSPLIT|NOFRAME,$0
	MOVQ 88(DI), AX
	MOVQ 104(AX), AX
	MOVL $2, CX
	XORL DX, DX
	XORL R8, R8
	XORL R9, R9
	ANDQ $~15, SP
	SUBQ $32, SP
	CALL AX
	INT $3

// jump(stack, to uint64) goes to, with the stack, and does not return.
TEXT ·jump(SB),NOSPLIT,$0-16
	MOVQ stack+0(FP), BX
	MOVQ to+8(FP), AX
	MOVQ BX, SP
	JMP AX
