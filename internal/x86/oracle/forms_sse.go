package oracle

import "strings"

// SSE to SSE4.2, AES, SHA, PCLMULQDQ on XMM registers (SDM vol. 1, 5.5 to 5.12). What also exists for MMX registers is
// in forms_mmx.go.
var sseForms = parseForms(comparisonRows() + `
	MOVUPS xmm, xmm/m128 ; NP 0F 10 /r ; SSE
	MOVUPS xmm/m128, xmm ; NP 0F 11 /r ; SSE
	MOVUPD xmm, xmm/m128 ; 66 0F 10 /r ; SSE2
	MOVUPD xmm/m128, xmm ; 66 0F 11 /r ; SSE2
	MOVSS xmm, xmm/m32   ; F3 0F 10 /r ; SSE
	MOVSS xmm/m32, xmm   ; F3 0F 11 /r ; SSE
	MOVSD xmm, xmm/m64   ; F2 0F 10 /r ; SSE2
	MOVSD xmm/m64, xmm   ; F2 0F 11 /r ; SSE2
	MOVLPS xmm, m64      ; NP 0F 12 /r ; SSE
	MOVHLPS xmm, xmm     ; NP 0F 12 /r ; SSE
	MOVLPD xmm, m64      ; 66 0F 12 /r ; SSE2
	MOVDDUP xmm, xmm/m64 ; F2 0F 12 /r ; SSE3
	MOVSLDUP xmm, xmm/m128 ; F3 0F 12 /r ; SSE3
	MOVLPS m64, xmm      ; NP 0F 13 /r ; SSE
	MOVLPD m64, xmm      ; 66 0F 13 /r ; SSE2
	UNPCKLPS xmm, xmm/m128 ; NP 0F 14 /r ; SSE
	UNPCKLPD xmm, xmm/m128 ; 66 0F 14 /r ; SSE2
	UNPCKHPS xmm, xmm/m128 ; NP 0F 15 /r ; SSE
	UNPCKHPD xmm, xmm/m128 ; 66 0F 15 /r ; SSE2
	MOVHPS xmm, m64      ; NP 0F 16 /r ; SSE
	MOVLHPS xmm, xmm     ; NP 0F 16 /r ; SSE
	MOVHPD xmm, m64      ; 66 0F 16 /r ; SSE2
	MOVSHDUP xmm, xmm/m128 ; F3 0F 16 /r ; SSE3
	MOVHPS m64, xmm      ; NP 0F 17 /r ; SSE
	MOVHPD m64, xmm      ; 66 0F 17 /r ; SSE2
	MOVAPS xmm, xmm/m128 ; NP 0F 28 /r ; SSE
	MOVAPS xmm/m128, xmm ; NP 0F 29 /r ; SSE
	MOVAPD xmm, xmm/m128 ; 66 0F 28 /r ; SSE2
	MOVAPD xmm/m128, xmm ; 66 0F 29 /r ; SSE2
	MOVNTPS m128, xmm    ; NP 0F 2B /r ; SSE
	MOVNTPD m128, xmm    ; 66 0F 2B /r ; SSE2
	MOVNTDQ m128, xmm    ; 66 0F E7 /r ; SSE2
	MOVNTDQA xmm, m128   ; 66 0F 38 2A /r ; SSE4.1
	MOVDQA xmm, xmm/m128 ; 66 0F 6F /r ; SSE2
	MOVDQA xmm/m128, xmm ; 66 0F 7F /r ; SSE2
	MOVDQU xmm, xmm/m128 ; F3 0F 6F /r ; SSE2
	MOVDQU xmm/m128, xmm ; F3 0F 7F /r ; SSE2
	LDDQU xmm, m128      ; F2 0F F0 /r ; SSE3
	MOVQ xmm, xmm/m64    ; F3 0F 7E /r ; SSE2
	MOVQ xmm/m64, xmm    ; 66 0F D6 /r ; SSE2
	MOVD xmm, r/my       ; 66 0F 6E /r ; SSE2
	MOVD r/my, xmm       ; 66 0F 7E /r ; SSE2
	MOVMSKPS ry, xmm     ; NP 0F 50 /r ; SSE
	MOVMSKPD ry, xmm     ; 66 0F 50 /r ; SSE2
	MASKMOVDQU xmm, xmm  ; 66 0F F7 /r ; SSE2

	SQRT?? xmm, xmm/m??  ; 0F 51 /r ; SSE2
	ADD?? xmm, xmm/m??   ; 0F 58 /r ; SSE2
	MUL?? xmm, xmm/m??   ; 0F 59 /r ; SSE2
	SUB?? xmm, xmm/m??   ; 0F 5C /r ; SSE2
	MIN?? xmm, xmm/m??   ; 0F 5D /r ; SSE2
	DIV?? xmm, xmm/m??   ; 0F 5E /r ; SSE2
	MAX?? xmm, xmm/m??   ; 0F 5F /r ; SSE2
	RCPPS xmm, xmm/m128  ; NP 0F 53 /r ; SSE
	RCPSS xmm, xmm/m32   ; F3 0F 53 /r ; SSE
	RSQRTPS xmm, xmm/m128 ; NP 0F 52 /r ; SSE
	RSQRTSS xmm, xmm/m32 ; F3 0F 52 /r ; SSE
	ANDPS xmm, xmm/m128  ; NP 0F 54 /r ; SSE
	ANDPD xmm, xmm/m128  ; 66 0F 54 /r ; SSE2
	ANDNPS xmm, xmm/m128 ; NP 0F 55 /r ; SSE
	ANDNPD xmm, xmm/m128 ; 66 0F 55 /r ; SSE2
	ORPS xmm, xmm/m128   ; NP 0F 56 /r ; SSE
	ORPD xmm, xmm/m128   ; 66 0F 56 /r ; SSE2
	XORPS xmm, xmm/m128  ; NP 0F 57 /r ; SSE
	XORPD xmm, xmm/m128  ; 66 0F 57 /r ; SSE2
	ADDSUBPD xmm, xmm/m128 ; 66 0F D0 /r ; SSE3
	ADDSUBPS xmm, xmm/m128 ; F2 0F D0 /r ; SSE3
	HADDPD xmm, xmm/m128 ; 66 0F 7C /r ; SSE3
	HADDPS xmm, xmm/m128 ; F2 0F 7C /r ; SSE3
	HSUBPD xmm, xmm/m128 ; 66 0F 7D /r ; SSE3
	HSUBPS xmm, xmm/m128 ; F2 0F 7D /r ; SSE3
	CMP?? xmm, xmm/m??, imm8 ; 0F C2 /r ib ; SSE2
	SHUFPS xmm, xmm/m128, imm8 ; NP 0F C6 /r ib ; SSE
	SHUFPD xmm, xmm/m128, imm8 ; 66 0F C6 /r ib ; SSE2
	ROUNDPS xmm, xmm/m128, imm8 ; 66 0F 3A 08 /r ib ; SSE4.1
	ROUNDPD xmm, xmm/m128, imm8 ; 66 0F 3A 09 /r ib ; SSE4.1
	ROUNDSS xmm, xmm/m32, imm8 ; 66 0F 3A 0A /r ib ; SSE4.1
	ROUNDSD xmm, xmm/m64, imm8 ; 66 0F 3A 0B /r ib ; SSE4.1
	BLENDPS xmm, xmm/m128, imm8 ; 66 0F 3A 0C /r ib ; SSE4.1
	BLENDPD xmm, xmm/m128, imm8 ; 66 0F 3A 0D /r ib ; SSE4.1
	BLENDVPS xmm, xmm/m128, <XMM0> ; 66 0F 38 14 /r ; SSE4.1
	BLENDVPD xmm, xmm/m128, <XMM0> ; 66 0F 38 15 /r ; SSE4.1
	DPPS xmm, xmm/m128, imm8 ; 66 0F 3A 40 /r ib ; SSE4.1
	DPPD xmm, xmm/m128, imm8 ; 66 0F 3A 41 /r ib ; SSE4.1
	EXTRACTPS r/m32, xmm, imm8 ; 66 0F 3A 17 /r ib ; SSE4.1
	INSERTPS xmm, xmm/m32, imm8 ; 66 0F 3A 21 /r ib ; SSE4.1

	CVTSI2SS xmm, r/my     ; F3 0F 2A /r ; SSE
	CVTSI2SD xmm, r/my     ; F2 0F 2A /r ; SSE2
	CVTTSS2SI ry, xmm/m32  ; F3 0F 2C /r ; SSE
	CVTTSD2SI ry, xmm/m64  ; F2 0F 2C /r ; SSE2
	CVTSS2SI ry, xmm/m32   ; F3 0F 2D /r ; SSE
	CVTSD2SI ry, xmm/m64   ; F2 0F 2D /r ; SSE2
	CVTPS2PD xmm, xmm/m64  ; NP 0F 5A /r ; SSE2
	CVTPD2PS xmm, xmm/m128 ; 66 0F 5A /r ; SSE2
	CVTSS2SD xmm, xmm/m32  ; F3 0F 5A /r ; SSE2
	CVTSD2SS xmm, xmm/m64  ; F2 0F 5A /r ; SSE2
	CVTDQ2PS xmm, xmm/m128 ; NP 0F 5B /r ; SSE2
	CVTPS2DQ xmm, xmm/m128 ; 66 0F 5B /r ; SSE2
	CVTTPS2DQ xmm, xmm/m128 ; F3 0F 5B /r ; SSE2
	CVTTPD2DQ xmm, xmm/m128 ; 66 0F E6 /r ; SSE2
	CVTDQ2PD xmm, xmm/m64  ; F3 0F E6 /r ; SSE2
	CVTPD2DQ xmm, xmm/m128 ; F2 0F E6 /r ; SSE2

	PUNPCKLQDQ xmm, xmm/m128 ; 66 0F 6C /r ; SSE2
	PUNPCKHQDQ xmm, xmm/m128 ; 66 0F 6D /r ; SSE2
	PSHUFD xmm, xmm/m128, imm8 ; 66 0F 70 /r ib ; SSE2
	PSHUFHW xmm, xmm/m128, imm8 ; F3 0F 70 /r ib ; SSE2
	PSHUFLW xmm, xmm/m128, imm8 ; F2 0F 70 /r ib ; SSE2
	PSRLW xmm, imm8  ; 66 0F 71 /2 ib ; SSE2
	PSRAW xmm, imm8  ; 66 0F 71 /4 ib ; SSE2
	PSLLW xmm, imm8  ; 66 0F 71 /6 ib ; SSE2
	PSRLD xmm, imm8  ; 66 0F 72 /2 ib ; SSE2
	PSRAD xmm, imm8  ; 66 0F 72 /4 ib ; SSE2
	PSLLD xmm, imm8  ; 66 0F 72 /6 ib ; SSE2
	PSRLQ xmm, imm8  ; 66 0F 73 /2 ib ; SSE2
	PSRLDQ xmm, imm8 ; 66 0F 73 /3 ib ; SSE2
	PSLLQ xmm, imm8  ; 66 0F 73 /6 ib ; SSE2
	PSLLDQ xmm, imm8 ; 66 0F 73 /7 ib ; SSE2
	PINSRW xmm, r32/m16, imm8 ; 66 0F C4 /r ib ; SSE2
	PEXTRW r32, xmm, imm8 ; 66 0F C5 /r ib ; SSE2
	PMOVMSKB r32, xmm ; 66 0F D7 /r ; SSE2

	PBLENDVB xmm, xmm/m128, <XMM0> ; 66 0F 38 10 /r ; SSE4.1
	PTEST xmm, xmm/m128 ; 66 0F 38 17 /r ; SSE4.1
	PMOVSXBW xmm, xmm/m64 ; 66 0F 38 20 /r ; SSE4.1
	PMOVSXBD xmm, xmm/m32 ; 66 0F 38 21 /r ; SSE4.1
	PMOVSXBQ xmm, xmm/m16 ; 66 0F 38 22 /r ; SSE4.1
	PMOVSXWD xmm, xmm/m64 ; 66 0F 38 23 /r ; SSE4.1
	PMOVSXWQ xmm, xmm/m32 ; 66 0F 38 24 /r ; SSE4.1
	PMOVSXDQ xmm, xmm/m64 ; 66 0F 38 25 /r ; SSE4.1
	PMOVZXBW xmm, xmm/m64 ; 66 0F 38 30 /r ; SSE4.1
	PMOVZXBD xmm, xmm/m32 ; 66 0F 38 31 /r ; SSE4.1
	PMOVZXBQ xmm, xmm/m16 ; 66 0F 38 32 /r ; SSE4.1
	PMOVZXWD xmm, xmm/m64 ; 66 0F 38 33 /r ; SSE4.1
	PMOVZXWQ xmm, xmm/m32 ; 66 0F 38 34 /r ; SSE4.1
	PMOVZXDQ xmm, xmm/m64 ; 66 0F 38 35 /r ; SSE4.1
	PMULDQ xmm, xmm/m128  ; 66 0F 38 28 /r ; SSE4.1
	PCMPEQQ xmm, xmm/m128 ; 66 0F 38 29 /r ; SSE4.1
	PACKUSDW xmm, xmm/m128 ; 66 0F 38 2B /r ; SSE4.1
	PCMPGTQ xmm, xmm/m128 ; 66 0F 38 37 /r ; SSE4.2
	PMINSB xmm, xmm/m128  ; 66 0F 38 38 /r ; SSE4.1
	PMINSD xmm, xmm/m128  ; 66 0F 38 39 /r ; SSE4.1
	PMINUW xmm, xmm/m128  ; 66 0F 38 3A /r ; SSE4.1
	PMINUD xmm, xmm/m128  ; 66 0F 38 3B /r ; SSE4.1
	PMAXSB xmm, xmm/m128  ; 66 0F 38 3C /r ; SSE4.1
	PMAXSD xmm, xmm/m128  ; 66 0F 38 3D /r ; SSE4.1
	PMAXUW xmm, xmm/m128  ; 66 0F 38 3E /r ; SSE4.1
	PMAXUD xmm, xmm/m128  ; 66 0F 38 3F /r ; SSE4.1
	PMULLD xmm, xmm/m128  ; 66 0F 38 40 /r ; SSE4.1
	PHMINPOSUW xmm, xmm/m128 ; 66 0F 38 41 /r ; SSE4.1
	PBLENDW xmm, xmm/m128, imm8 ; 66 0F 3A 0E /r ib ; SSE4.1
	PEXTRB r32/m8, xmm, imm8  ; 66 0F 3A 14 /r ib ; SSE4.1
	PEXTRW r32/m16, xmm, imm8 ; 66 0F 3A 15 /r ib ; SSE4.1
	PEXTRD r/my, xmm, imm8    ; 66 0F 3A 16 /r ib ; SSE4.1
	PINSRB xmm, r32/m8, imm8  ; 66 0F 3A 20 /r ib ; SSE4.1
	PINSRD xmm, r/my, imm8    ; 66 0F 3A 22 /r ib ; SSE4.1
	MPSADBW xmm, xmm/m128, imm8 ; 66 0F 3A 42 /r ib ; SSE4.1
	PCMPESTRM xmm, xmm/m128, imm8 ; 66 0F 3A 60 /r ib ; SSE4.2
	PCMPESTRI xmm, xmm/m128, imm8 ; 66 0F 3A 61 /r ib ; SSE4.2
	PCMPESTRM xmm, xmm/m128, imm8 (REX.W) ; 66 REX.W 0F 3A 60 /r ib ; SSE4.2
	PCMPESTRI xmm, xmm/m128, imm8 (REX.W) ; 66 REX.W 0F 3A 61 /r ib ; SSE4.2
	PCMPISTRM xmm, xmm/m128, imm8 ; 66 0F 3A 62 /r ib ; SSE4.2
	PCMPISTRI xmm, xmm/m128, imm8 ; 66 0F 3A 63 /r ib ; SSE4.2

	AESIMC xmm, xmm/m128     ; 66 0F 38 DB /r ; AES
	AESENC xmm, xmm/m128     ; 66 0F 38 DC /r ; AES
	AESENCLAST xmm, xmm/m128 ; 66 0F 38 DD /r ; AES
	AESDEC xmm, xmm/m128     ; 66 0F 38 DE /r ; AES
	AESDECLAST xmm, xmm/m128 ; 66 0F 38 DF /r ; AES
	AESKEYGENASSIST xmm, xmm/m128, imm8 ; 66 0F 3A DF /r ib ; AES
	PCLMULQDQ xmm, xmm/m128, imm8 ; 66 0F 3A 44 /r ib ; PCLMULQDQ
	SHA1NEXTE xmm, xmm/m128   ; NP 0F 38 C8 /r ; SHA
	SHA1MSG1 xmm, xmm/m128    ; NP 0F 38 C9 /r ; SHA
	SHA1MSG2 xmm, xmm/m128    ; NP 0F 38 CA /r ; SHA
	SHA256RNDS2 xmm, xmm/m128, <XMM0> ; NP 0F 38 CB /r ; SHA
	SHA256MSG1 xmm, xmm/m128  ; NP 0F 38 CC /r ; SHA
	SHA256MSG2 xmm, xmm/m128  ; NP 0F 38 CD /r ; SHA
	SHA1RNDS4 xmm, xmm/m128, imm8 ; NP 0F 3A CC /r ib ; SHA
	GF2P8MULB xmm, xmm/m128   ; 66 0F 38 CF /r ; GFNI
	GF2P8AFFINEQB xmm, xmm/m128, imm8 ; 66 0F 3A CE /r ib ; GFNI
	GF2P8AFFINEINVQB xmm, xmm/m128, imm8 ; 66 0F 3A CF /r ib ; GFNI

	LDMXCSR m32 ; NP 0F AE /2 ; SSE
	STMXCSR m32 ; NP 0F AE /3 ; SSE
`)

// comparisonRows are the comparisons that set EFLAGS.
func comparisonRows() string {
	var b strings.Builder
	for _, name := range []string{"UCOMI", "COMI"} {
		opcode := map[string]string{"UCOMI": "2E", "COMI": "2F"}[name]
		b.WriteString("\n" + name + "SS xmm, xmm/m32 ; NP 0F " + opcode + " /r ; SSE")
		b.WriteString("\n" + name + "SD xmm, xmm/m64 ; 66 0F " + opcode + " /r ; SSE2")
	}
	return b.String()
}
