package oracle

// Control flow, instructions that user code may not execute, those that do nothing a program can see, and opcodes that
// are not defined.
var flowForms = parseForms(`
	JMP rel8   ; EB cb
	JMP rel32  ; E9 cd
	JMP r/m64  ; FF /4
	CALL rel32 ; E8 cd
	CALL r/m64 ; FF /2
	RET        ; C3
	RET imm16  ; C2 iw
	RETF       ; w32 CB ; single
	RETF (16)  ; o16 w16 CB ; single faults
	RETF (64)  ; REX.W w64 CB ; single
	RETF imm16 (64) ; REX.W w64 CA iw ; single
	IRET       ; o16 w16 CF ; single faults
	IRETD      ; w32 CF ; single
	IRETQ      ; REX.W w64 CF ; single
	LOOPNE rel8 ; E0 cb
	LOOPE rel8  ; E1 cb
	LOOP rel8   ; E2 cb
	JRCXZ rel8  ; E3 cb

	INT3      ; CC ; single
	INT1      ; F1 ; single
	INT imm8  ; CD ib ; single
	UD2       ; 0F 0B ; faults
	UD1 r32, r/m32 ; 0F B9 /r ; faults
	UD0 r32, r/m32 ; 0F FF /r ; faults

	RDFSBASE ry ; F3 0F AE /0 ; FSGSBASE
	RDGSBASE ry ; F3 0F AE /1 ; FSGSBASE
	WRFSBASE ry ; F3 0F AE /2 ; FSGSBASE
	WRGSBASE ry ; F3 0F AE /3 ; FSGSBASE

	NOP         ; 90
	PAUSE       ; F3 90
	NOP r/mv    ; 0F 1F /0 ; noread
	NOP r/mv, rv (18) ; 0F 18 /r ; noread
	NOP r/mv, rv (19) ; 0F 19 /r ; noread
	NOP r/mv, rv (1A) ; 0F 1A /r ; noread
	NOP r/mv, rv (1B) ; 0F 1B /r ; noread
	NOP r/mv, rv (1C) ; 0F 1C /r ; noread
	NOP r/mv, rv (1D) ; 0F 1D /r ; noread
	NOP r/mv, rv (1E) ; 0F 1E /r ; noread
	NOP r/mv, rv (1F) ; 0F 1F /r ; noread
	ENDBR64     ; F3 0F 1E FA
	ENDBR32     ; F3 0F 1E FB
	PREFETCHNTA m8 ; 0F 18 /0 ; noread SSE
	PREFETCHT0 m8 ; 0F 18 /1 ; noread SSE
	PREFETCHT1 m8 ; 0F 18 /2 ; noread SSE
	PREFETCHT2 m8 ; 0F 18 /3 ; noread SSE
	PREFETCHW m8 ; 0F 0D /1 ; noread PREFETCHW
	PREFETCHWT1 m8 ; 0F 0D /2 ; noread
	CLDEMOTE m8 ; 0F 1C /0 ; noread
	LFENCE      ; 0F AE E8 ; SSE2
	MFENCE      ; 0F AE F0 ; SSE2
	SFENCE      ; 0F AE F8 ; SSE
	SERIALIZE   ; 0F 01 E8 ; SERIALIZE
	CLFLUSH m8  ; 0F AE /7 ; CLFSH
	CLFLUSHOPT m8 ; 66 0F AE /7 ; CLFLUSHOPT
	CLWB m8     ; 66 0F AE /6 ; CLWB
	EMMS        ; 0F 77 ; MMX

	LAR rv, r/m16 ; 0F 02 /r
	LSL rv, r/m16 ; 0F 03 /r
	VERR r/m16  ; 0F 00 /4
	VERW r/m16  ; 0F 00 /5

	CLI         ; FA ; faults
	STI         ; FB ; faults
	HLT         ; F4 ; faults
	IN AL, imm8 ; E4 ib ; faults
	IN AX, imm8 ; o16 E5 ib ; faults
	IN EAX, imm8 ; E5 ib ; faults
	OUT imm8, AL ; E6 ib ; faults
	OUT imm8, AX ; o16 E7 ib ; faults
	OUT imm8, EAX ; E7 ib ; faults
	IN AL, DX   ; EC ; faults
	IN AX, DX   ; o16 ED ; faults
	IN EAX, DX  ; ED ; faults
	OUT DX, AL  ; EE ; faults
	OUT DX, AX  ; o16 EF ; faults
	OUT DX, EAX ; EF ; faults
	INSB        ; 6C ; faults
	INSW        ; o16 6D ; faults
	INSD        ; 6D ; faults
	OUTSB       ; 6E ; faults
	OUTSW       ; o16 6F ; faults
	OUTSD       ; 6F ; faults
	CLTS        ; 0F 06 ; faults
	INVD        ; 0F 08 ; faults
	WBINVD      ; 0F 09 ; faults
	MOV r64, CRn ; 0F 20 /r ; faults
	MOV r64, DRn ; 0F 21 /r ; faults
	MOV CRn, r64 ; 0F 22 /r ; faults
	MOV DRn, r64 ; 0F 23 /r ; faults
	WRMSR       ; 0F 30 ; faults
	RDMSR       ; 0F 32 ; faults
	LLDT r/m16  ; 0F 00 /2 ; faults
	LTR r/m16   ; 0F 00 /3 ; faults
	LGDT m10byte ; 0F 01 /2 ; faults
	LIDT m10byte ; 0F 01 /3 ; faults
	LMSW r/m16  ; 0F 01 /6 ; faults
	INVLPG m8   ; 0F 01 /7 ; faults noread
	SWAPGS      ; 0F 01 F8 ; faults
	XSETBV      ; 0F 01 D1 ; faults
	INVPCID r64, m128 ; 66 0F 38 82 /r ; faults noread INVPCID
	SYSRET      ; 0F 07 ; faults
	SYSEXIT     ; 0F 35 ; faults
	RSM         ; 0F AA ; faults
	CLAC        ; 0F 01 CA ; faults SMAP
	STAC        ; 0F 01 CB ; faults SMAP

	(06) ; 06 ; faults
	(07) ; 07 ; faults
	(0E) ; 0E ; faults
	(16) ; 16 ; faults
	(17) ; 17 ; faults
	(1E) ; 1E ; faults
	(1F) ; 1F ; faults
	(27) ; 27 ; faults
	(2F) ; 2F ; faults
	(37) ; 37 ; faults
	(3F) ; 3F ; faults
	(60) ; 60 ; faults
	(61) ; 61 ; faults
	(82) r/m8, imm8 ; 82 /r ib ; faults
	(9A) ; 9A ; faults
	(CE) ; CE ; faults
	(D4) imm8 ; D4 ib ; faults
	(D5) imm8 ; D5 ib ; faults
	(D6) ; D6 ; faults
	(EA) ; EA ; faults
	(8Dreg) r32 ; 8D /0 ; faults
	(8F/1) r/m64 ; 8F /1 ; faults
	(C6/1) r/m8, imm8 ; C6 /1 ib ; faults
	(C7/1) r/m32, imm32 ; C7 /1 id ; faults
	(FE/2) r/m8 ; FE /2 ; faults
	(FE/7) r/m8 ; FE /7 ; faults
	(FF/7) r/m64 ; FF /7 ; faults
	(0F04) ; 0F 04 ; faults
	(0F0A) ; 0F 0A ; faults
	(0F0C) ; 0F 0C ; faults
	(0F24) r/m64 ; 0F 24 /0 ; faults
	(0F26) r/m64 ; 0F 26 /0 ; faults
	(0F36) ; 0F 36 ; faults
	(0F37) ; 0F 37 ; faults
	(0F39) ; 0F 39 ; faults
	(0FA6) ; 0F A6 ; faults
	(0FA7) ; 0F A7 ; faults
	(660FAEE8) ; 66 0F AE E8 ; faults
	(660FAEF0) ; 66 0F AE F0 ; faults
	(660FAEF8) ; 66 0F AE F8 ; faults
	(66F20F3882) m128 ; o16 F2 0F 38 82 /r ; faults noread
	(66F30F3882) m128 ; o16 F3 0F 38 82 /r ; faults noread
	(660F01D0) ; 66 0F 01 D0 ; faults
	(F20F01D0) ; F2 0F 01 D0 ; faults
	(F30F01D0) ; F3 0F 01 D0 ; faults
	(660F01D1) ; 66 0F 01 D1 ; faults
	(F20FAE/7) m8 ; F2 0F AE /7 ; faults
	(F30FAE/7) m8 ; F3 0F AE /7 ; faults
	(0FBA/0) r/m32, imm8 ; 0F BA /0 ib ; faults
	(0FBA/3) r/m32, imm8 ; 0F BA /3 ib ; faults
	(0FC7/2) m64 ; 0F C7 /2 ; faults
	(0F380C) ; 0F 38 0C C0 ; faults
	(0F3A00) ; 0F 3A 00 C0 00 ; faults
`)
