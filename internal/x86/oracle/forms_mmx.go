package oracle

// Packed integers on MMX registers and, with 66, on XMM registers (SDM vol. 1, 5.4), and what moves between MMX and the
// rest.
var mmxForms = parseForms(`
	PUNPCKLBW nn, nn/m ; 0F 60 /r ; MMX
	PUNPCKLWD nn, nn/m ; 0F 61 /r ; MMX
	PUNPCKLDQ nn, nn/m ; 0F 62 /r ; MMX
	PACKSSWB nn, nn/m  ; 0F 63 /r ; MMX
	PCMPGTB nn, nn/m   ; 0F 64 /r ; MMX
	PCMPGTW nn, nn/m   ; 0F 65 /r ; MMX
	PCMPGTD nn, nn/m   ; 0F 66 /r ; MMX
	PACKUSWB nn, nn/m  ; 0F 67 /r ; MMX
	PUNPCKHBW nn, nn/m ; 0F 68 /r ; MMX
	PUNPCKHWD nn, nn/m ; 0F 69 /r ; MMX
	PUNPCKHDQ nn, nn/m ; 0F 6A /r ; MMX
	PACKSSDW nn, nn/m  ; 0F 6B /r ; MMX
	PCMPEQB nn, nn/m   ; 0F 74 /r ; MMX
	PCMPEQW nn, nn/m   ; 0F 75 /r ; MMX
	PCMPEQD nn, nn/m   ; 0F 76 /r ; MMX
	PSRLW nn, nn/m     ; 0F D1 /r ; MMX
	PSRLD nn, nn/m     ; 0F D2 /r ; MMX
	PSRLQ nn, nn/m     ; 0F D3 /r ; MMX
	PADDQ nn, nn/m     ; 0F D4 /r ; SSE2
	PMULLW nn, nn/m    ; 0F D5 /r ; MMX
	PSUBUSB nn, nn/m   ; 0F D8 /r ; MMX
	PSUBUSW nn, nn/m   ; 0F D9 /r ; MMX
	PMINUB nn, nn/m    ; 0F DA /r ; SSE
	PAND nn, nn/m      ; 0F DB /r ; MMX
	PADDUSB nn, nn/m   ; 0F DC /r ; MMX
	PADDUSW nn, nn/m   ; 0F DD /r ; MMX
	PMAXUB nn, nn/m    ; 0F DE /r ; SSE
	PANDN nn, nn/m     ; 0F DF /r ; MMX
	PAVGB nn, nn/m     ; 0F E0 /r ; SSE
	PSRAW nn, nn/m     ; 0F E1 /r ; MMX
	PSRAD nn, nn/m     ; 0F E2 /r ; MMX
	PAVGW nn, nn/m     ; 0F E3 /r ; SSE
	PMULHUW nn, nn/m   ; 0F E4 /r ; SSE
	PMULHW nn, nn/m    ; 0F E5 /r ; MMX
	PSUBSB nn, nn/m    ; 0F E8 /r ; MMX
	PSUBSW nn, nn/m    ; 0F E9 /r ; MMX
	PMINSW nn, nn/m    ; 0F EA /r ; SSE
	POR nn, nn/m       ; 0F EB /r ; MMX
	PADDSB nn, nn/m    ; 0F EC /r ; MMX
	PADDSW nn, nn/m    ; 0F ED /r ; MMX
	PMAXSW nn, nn/m    ; 0F EE /r ; SSE
	PXOR nn, nn/m      ; 0F EF /r ; MMX
	PSLLW nn, nn/m     ; 0F F1 /r ; MMX
	PSLLD nn, nn/m     ; 0F F2 /r ; MMX
	PSLLQ nn, nn/m     ; 0F F3 /r ; MMX
	PMULUDQ nn, nn/m   ; 0F F4 /r ; SSE2
	PMADDWD nn, nn/m   ; 0F F5 /r ; MMX
	PSADBW nn, nn/m    ; 0F F6 /r ; SSE
	PSUBB nn, nn/m     ; 0F F8 /r ; MMX
	PSUBW nn, nn/m     ; 0F F9 /r ; MMX
	PSUBD nn, nn/m     ; 0F FA /r ; MMX
	PSUBQ nn, nn/m     ; 0F FB /r ; SSE2
	PADDB nn, nn/m     ; 0F FC /r ; MMX
	PADDW nn, nn/m     ; 0F FD /r ; MMX
	PADDD nn, nn/m     ; 0F FE /r ; MMX
	PSHUFB nn, nn/m    ; 0F 38 00 /r ; SSSE3
	PHADDW nn, nn/m    ; 0F 38 01 /r ; SSSE3
	PHADDD nn, nn/m    ; 0F 38 02 /r ; SSSE3
	PHADDSW nn, nn/m   ; 0F 38 03 /r ; SSSE3
	PMADDUBSW nn, nn/m ; 0F 38 04 /r ; SSSE3
	PHSUBW nn, nn/m    ; 0F 38 05 /r ; SSSE3
	PHSUBD nn, nn/m    ; 0F 38 06 /r ; SSSE3
	PHSUBSW nn, nn/m   ; 0F 38 07 /r ; SSSE3
	PSIGNB nn, nn/m    ; 0F 38 08 /r ; SSSE3
	PSIGNW nn, nn/m    ; 0F 38 09 /r ; SSSE3
	PSIGND nn, nn/m    ; 0F 38 0A /r ; SSSE3
	PMULHRSW nn, nn/m  ; 0F 38 0B /r ; SSSE3
	PABSB nn, nn/m     ; 0F 38 1C /r ; SSSE3
	PABSW nn, nn/m     ; 0F 38 1D /r ; SSSE3
	PABSD nn, nn/m     ; 0F 38 1E /r ; SSSE3
	PALIGNR nn, nn/m, imm8 ; 0F 3A 0F /r ib ; SSSE3

	PSHUFW mm, mm/m64, imm8 ; NP 0F 70 /r ib ; SSE
	PSRLW mm, imm8  ; NP 0F 71 /2 ib ; MMX
	PSRAW mm, imm8  ; NP 0F 71 /4 ib ; MMX
	PSLLW mm, imm8  ; NP 0F 71 /6 ib ; MMX
	PSRLD mm, imm8  ; NP 0F 72 /2 ib ; MMX
	PSRAD mm, imm8  ; NP 0F 72 /4 ib ; MMX
	PSLLD mm, imm8  ; NP 0F 72 /6 ib ; MMX
	PSRLQ mm, imm8  ; NP 0F 73 /2 ib ; MMX
	PSLLQ mm, imm8  ; NP 0F 73 /6 ib ; MMX
	MOVD mm, r/my   ; NP 0F 6E /r ; MMX
	MOVD r/my, mm   ; NP 0F 7E /r ; MMX
	MOVQ mm, mm/m64 ; NP 0F 6F /r ; MMX
	MOVQ mm/m64, mm ; NP 0F 7F /r ; MMX
	MOVNTQ m64, mm  ; NP 0F E7 /r ; SSE
	MASKMOVQ mm, mm ; NP 0F F7 /r ; SSE
	PMOVMSKB r32, mm ; NP 0F D7 /r ; SSE
	PINSRW mm, r32/m16, imm8 ; NP 0F C4 /r ib ; SSE
	PEXTRW r32, mm, imm8 ; NP 0F C5 /r ib ; SSE
	MOVQ2DQ xmm, mm ; F3 0F D6 /r ; SSE2
	MOVDQ2Q mm, xmm ; F2 0F D6 /r ; SSE2
	CVTPI2PS xmm, mm/m64   ; NP 0F 2A /r ; SSE
	CVTPI2PD xmm, mm/m64   ; 66 0F 2A /r ; SSE2
	CVTTPS2PI mm, xmm/m64  ; NP 0F 2C /r ; SSE
	CVTTPD2PI mm, xmm/m128 ; 66 0F 2C /r ; SSE2
	CVTPS2PI mm, xmm/m64   ; NP 0F 2D /r ; SSE
	CVTPD2PI mm, xmm/m128  ; 66 0F 2D /r ; SSE2
`)
