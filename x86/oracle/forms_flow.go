package oracle

// Control flow, instructions that user code may not execute, those that do nothing a program can see, and opcodes that are not defined.
var flowForms = parseForms(`
	JMP rel8   ; EB cb
	JMP rel32  ; E9 cd
	JMP r/m64  ; FF /4
	CALL rel32 ; E8 cd
	CALL r/m64 ; FF /2
	RET        ; C3
	RET imm16  ; C2 iw
	LOOPNE rel8 ; E0 cb
	LOOPE rel8  ; E1 cb
	LOOP rel8   ; E2 cb
	JRCXZ rel8  ; E3 cb

	INT3      ; CC ; single
	INT1      ; F1 ; single
	INT imm8  ; CD ib ; single
	UD2       ; 0F 0B ; single
	UD1 r32, r/m32 ; 0F B9 /r ; single
	UD0 r32, r/m32 ; 0F FF /r ; single

	RDFSBASE ry ; F3 0F AE /0 ; FSGSBASE
	RDGSBASE ry ; F3 0F AE /1 ; FSGSBASE
	WRFSBASE ry ; F3 0F AE /2 ; FSGSBASE
	WRGSBASE ry ; F3 0F AE /3 ; FSGSBASE

	NOP         ; 90
	PAUSE       ; F3 90
	NOP r/mv    ; 0F 1F /0 ; noread
	NOP r/mv, rv (18) ; 0F 18 /r ; noread
	NOP r/mv, rv (19) ; 0F 19 /r ; noread
	NOP r/mv, rv (1D) ; 0F 1D /r ; noread
	NOP r/mv, rv (1F) ; 0F 1F /r ; noread
	ENDBR64     ; F3 0F 1E FA
	ENDBR32     ; F3 0F 1E FB
	PREFETCHNTA m8 ; 0F 18 /0 ; noread SSE
	PREFETCHT0 m8 ; 0F 18 /1 ; noread SSE
	PREFETCHT1 m8 ; 0F 18 /2 ; noread SSE
	PREFETCHT2 m8 ; 0F 18 /3 ; noread SSE
	PREFETCHW m8 ; 0F 0D /1 ; noread PREFETCHW
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

	CLI         ; FA ; single
	STI         ; FB ; single
	HLT         ; F4 ; single
	IN AL, imm8 ; E4 ib ; single
	IN EAX, imm8 ; E5 ib ; single
	OUT imm8, AL ; E6 ib ; single
	OUT imm8, EAX ; E7 ib ; single
	IN AL, DX   ; EC ; single
	IN EAX, DX  ; ED ; single
	OUT DX, AL  ; EE ; single
	OUT DX, EAX ; EF ; single
	INSB        ; 6C ; single
	INSD        ; 6D ; single
	OUTSB       ; 6E ; single
	OUTSD       ; 6F ; single
	CLTS        ; 0F 06 ; single
	INVD        ; 0F 08 ; single
	WBINVD      ; 0F 09 ; single
	MOV r64, CRn ; 0F 20 /r ; single
	MOV r64, DRn ; 0F 21 /r ; single
	MOV CRn, r64 ; 0F 22 /r ; single
	MOV DRn, r64 ; 0F 23 /r ; single
	WRMSR       ; 0F 30 ; single
	RDMSR       ; 0F 32 ; single
	LLDT r/m16  ; 0F 00 /2 ; single
	LTR r/m16   ; 0F 00 /3 ; single
	LGDT m10byte ; 0F 01 /2 ; single
	LIDT m10byte ; 0F 01 /3 ; single
	LMSW r/m16  ; 0F 01 /6 ; single
	INVLPG m8   ; 0F 01 /7 ; single noread
	SWAPGS      ; 0F 01 F8 ; single
	XSETBV      ; 0F 01 D1 ; single
	SYSRET      ; 0F 07 ; single
	CLAC        ; 0F 01 CA ; single SMAP
	STAC        ; 0F 01 CB ; single SMAP

	(06) ; 06 ; single
	(07) ; 07 ; single
	(0E) ; 0E ; single
	(16) ; 16 ; single
	(17) ; 17 ; single
	(1E) ; 1E ; single
	(1F) ; 1F ; single
	(27) ; 27 ; single
	(2F) ; 2F ; single
	(37) ; 37 ; single
	(3F) ; 3F ; single
	(60) ; 60 ; single
	(61) ; 61 ; single
	(82) r/m8, imm8 ; 82 /r ib ; single
	(9A) ; 9A ; single
	(CE) ; CE ; single
	(D4) imm8 ; D4 ib ; single
	(D5) imm8 ; D5 ib ; single
	(D6) ; D6 ; single
	(EA) ; EA ; single
	(8Dreg) r32 ; 8D /0 ; single
	(8F/1) r/m64 ; 8F /1 ; single
	(C6/1) r/m8, imm8 ; C6 /1 ib ; single
	(C7/1) r/m32, imm32 ; C7 /1 id ; single
	(FE/2) r/m8 ; FE /2 ; single
	(FE/7) r/m8 ; FE /7 ; single
	(FF/7) r/m64 ; FF /7 ; single
	(0F04) ; 0F 04 ; single
	(0F0A) ; 0F 0A ; single
	(0F0C) ; 0F 0C ; single
	(0F24) r/m64 ; 0F 24 /0 ; single
	(0F26) r/m64 ; 0F 26 /0 ; single
	(0F36) ; 0F 36 ; single
	(0F39) ; 0F 39 ; single
	(0FA6) ; 0F A6 ; single
	(0FA7) ; 0F A7 ; single
	(0FBA/0) r/m32, imm8 ; 0F BA /0 ib ; single
	(0FBA/3) r/m32, imm8 ; 0F BA /3 ib ; single
	(0FC7/2) m64 ; 0F C7 /2 ; single
	(0F380C) ; 0F 38 0C C0 ; single
	(0F3A00) ; 0F 3A 00 C0 00 ; single
`)
