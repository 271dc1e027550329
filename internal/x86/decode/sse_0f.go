package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// map0F holds the vector instructions of opcodes 0F xx (SDM vol. 2, table A-3).
var map0F = []vectorInsn{
	{0x10, np, uop.MovX, load, m128u},    // MOVUPS
	{0x10, p66, uop.MovX, load, m128u},   // MOVUPD
	{0x10, pF3, uop.MOVSSLow, load, m32}, // MOVSS
	{0x10, pF2, uop.MOVSDLow, load, m64}, // MOVSD
	{0x11, np, uop.MovX, store, m128u},
	{0x11, p66, uop.MovX, store, m128u},
	{0x11, pF3, uop.MOVSSLow, store, m32},
	{0x11, pF2, uop.MOVSDLow, store, m64},
	{0x12, np, uop.MOVSDLow, half(uop.MOVHLPS), m64}, // MOVLPS
	{0x12, p66, uop.MOVSDLow, half(0), m64},          // MOVLPD
	{0x12, pF3, uop.MOVSLDUP, vw, m128},
	{0x12, pF2, uop.MOVDDUP, vw, m64},
	{0x13, np, uop.MovX, storeOnly, m64},  // MOVLPS
	{0x13, p66, uop.MovX, storeOnly, m64}, // MOVLPD
	{0x14, np, uop.PUNPCKLDQ, vw, m128},   // UNPCKLPS
	{0x14, p66, uop.PUNPCKLQDQ, vw, m128}, // UNPCKLPD
	{0x15, np, uop.PUNPCKHDQ, vw, m128},
	{0x15, p66, uop.PUNPCKHQDQ, vw, m128},
	{0x16, np, uop.MOVLHPS, half(uop.MOVLHPS), m64}, // MOVHPS
	{0x16, p66, uop.MOVLHPS, half(0), m64},          // MOVHPD
	{0x16, pF3, uop.MOVSHDUP, vw, m128},
	{0x17, np, uop.StoreX64, storeHigh, m64},  // MOVHPS
	{0x17, p66, uop.StoreX64, storeHigh, m64}, // MOVHPD
	{0x28, np, uop.MovX, load, m128},          // MOVAPS
	{0x28, p66, uop.MovX, load, m128},         // MOVAPD
	{0x29, np, uop.MovX, store, m128},
	{0x29, p66, uop.MovX, store, m128},
	{0x2A, np, uop.CVTPI2PS, vq, m64},
	{0x2A, p66, uop.CVTPI2PD, vq, m64},
	{0x2A, pF3, uop.CVTSI2SS32, ve, nomem},
	{0x2A, pF2, uop.CVTSI2SD32, ve, nomem},
	{0x2B, np, uop.MovX, storeOnly, m128},  // MOVNTPS
	{0x2B, p66, uop.MovX, storeOnly, m128}, // MOVNTPD
	{0x2C, np, uop.CVTTPS2PI, pw, m64},
	{0x2C, p66, uop.CVTTPD2PI, pw, m128},
	{0x2C, pF3, uop.CVTTSS2SI32, gw, m32},
	{0x2C, pF2, uop.CVTTSD2SI32, gw, m64},
	{0x2D, np, uop.CVTPS2PI, pw, m64},
	{0x2D, p66, uop.CVTPD2PI, pw, m128},
	{0x2D, pF3, uop.CVTSS2SI32, gw, m32},
	{0x2D, pF2, uop.CVTSD2SI32, gw, m64},
	{0x2E, np, uop.UCOMISS, vw, m32},
	{0x2E, p66, uop.UCOMISD, vw, m64},
	{0x2F, np, uop.COMISS, vw, m32},
	{0x2F, p66, uop.COMISD, vw, m64},
	{0x50, np, uop.MOVMSKPS, gu, nomem},
	{0x50, p66, uop.MOVMSKPD, gu, nomem},
	{0x51, np, uop.SQRTPS, vw, m128},
	{0x51, p66, uop.SQRTPD, vw, m128},
	{0x51, pF3, uop.SQRTSS, vw, m32},
	{0x51, pF2, uop.SQRTSD, vw, m64},
	{0x52, np, uop.RSQRTPS, vw, m128},
	{0x52, pF3, uop.RSQRTSS, vw, m32},
	{0x53, np, uop.RCPPS, vw, m128},
	{0x53, pF3, uop.RCPSS, vw, m32},
	{0x54, np, uop.PAND, vw, m128},   // ANDPS
	{0x54, p66, uop.PAND, vw, m128},  // ANDPD
	{0x55, np, uop.PANDN, vw, m128},  // ANDNPS
	{0x55, p66, uop.PANDN, vw, m128}, // ANDNPD
	{0x56, np, uop.POR, vw, m128},    // ORPS
	{0x56, p66, uop.POR, vw, m128},   // ORPD
	{0x57, np, uop.PXOR, vw, m128},   // XORPS
	{0x57, p66, uop.PXOR, vw, m128},  // XORPD
	{0x58, np, uop.ADDPS, vw, m128},
	{0x58, p66, uop.ADDPD, vw, m128},
	{0x58, pF3, uop.ADDSS, vw, m32},
	{0x58, pF2, uop.ADDSD, vw, m64},
	{0x59, np, uop.MULPS, vw, m128},
	{0x59, p66, uop.MULPD, vw, m128},
	{0x59, pF3, uop.MULSS, vw, m32},
	{0x59, pF2, uop.MULSD, vw, m64},
	{0x5A, np, uop.CVTPS2PD, vw, m64},
	{0x5A, p66, uop.CVTPD2PS, vw, m128},
	{0x5A, pF3, uop.CVTSS2SD, vw, m32},
	{0x5A, pF2, uop.CVTSD2SS, vw, m64},
	{0x5B, np, uop.CVTDQ2PS, vw, m128},
	{0x5B, p66, uop.CVTPS2DQ, vw, m128},
	{0x5B, pF3, uop.CVTTPS2DQ, vw, m128},
	{0x5C, np, uop.SUBPS, vw, m128},
	{0x5C, p66, uop.SUBPD, vw, m128},
	{0x5C, pF3, uop.SUBSS, vw, m32},
	{0x5C, pF2, uop.SUBSD, vw, m64},
	{0x5D, np, uop.MINPS, vw, m128},
	{0x5D, p66, uop.MINPD, vw, m128},
	{0x5D, pF3, uop.MINSS, vw, m32},
	{0x5D, pF2, uop.MINSD, vw, m64},
	{0x5E, np, uop.DIVPS, vw, m128},
	{0x5E, p66, uop.DIVPD, vw, m128},
	{0x5E, pF3, uop.DIVSS, vw, m32},
	{0x5E, pF2, uop.DIVSD, vw, m64},
	{0x5F, np, uop.MAXPS, vw, m128},
	{0x5F, p66, uop.MAXPD, vw, m128},
	{0x5F, pF3, uop.MAXSS, vw, m32},
	{0x5F, pF2, uop.MAXSD, vw, m64},
	{0x60, p66, uop.PUNPCKLBW, vw, m128},
	{0x60, np, uop.PUNPCKLBW, pq, m32},
	{0x61, p66, uop.PUNPCKLWD, vw, m128},
	{0x61, np, uop.PUNPCKLWD, pq, m32},
	{0x62, p66, uop.PUNPCKLDQ, vw, m128},
	{0x62, np, uop.PUNPCKLDQ, pq, m32},
	{0x63, p66, uop.PACKSSWB, vw, m128},
	{0x63, np, uop.PACKSSWB, pqPair, m64},
	{0x64, both, uop.PCMPGTB, vw, m128},
	{0x65, both, uop.PCMPGTW, vw, m128},
	{0x66, both, uop.PCMPGTD, vw, m128},
	{0x67, p66, uop.PACKUSWB, vw, m128},
	{0x67, np, uop.PACKUSWB, pqPair, m64},
	{0x68, p66, uop.PUNPCKHBW, vw, m128},
	{0x68, np, uop.PUNPCKLBW, pqHigh, m64},
	{0x69, p66, uop.PUNPCKHWD, vw, m128},
	{0x69, np, uop.PUNPCKLWD, pqHigh, m64},
	{0x6A, p66, uop.PUNPCKHDQ, vw, m128},
	{0x6A, np, uop.PUNPCKLDQ, pqHigh, m64},
	{0x6B, p66, uop.PACKSSDW, vw, m128},
	{0x6B, np, uop.PACKSSDW, pqPair, m64},
	{0x6C, p66, uop.PUNPCKLQDQ, vw, m128},
	{0x6D, p66, uop.PUNPCKHQDQ, vw, m128},
	{0x6E, p66, uop.MovXFromR32, movdLoad, m32}, // MOVQ with REX.W
	{0x6E, np, uop.MMXPut, pe, m32},
	{0x6F, p66, uop.MovX, load, m128},  // MOVDQA
	{0x6F, pF3, uop.MovX, load, m128u}, // MOVDQU
	{0x6F, np, uop.MMXPut, pqLoad, m64},
	{0x70, p66, uop.PSHUFD, vwi, m128},
	{0x70, pF3, uop.PSHUFHW, vwi, m128},
	{0x70, pF2, uop.PSHUFLW, vwi, m128},
	{0x70, np, uop.PSHUFLW, pqi, m64}, // PSHUFW
	{0x71, p66, 0, words.form, nomem},
	{0x71, np, 0, words.mmx, nomem},
	{0x72, p66, 0, dwords.form, nomem},
	{0x72, np, 0, dwords.mmx, nomem},
	{0x73, p66, 0, qwords.form, nomem},
	{0x73, np, 0, qwordsMMX.mmx, nomem},
	{0x74, both, uop.PCMPEQB, vw, m128},
	{0x75, both, uop.PCMPEQW, vw, m128},
	{0x76, both, uop.PCMPEQD, vw, m128},
	{0x77, np, uop.EMMS, emms, nomem},
	{0x7C, p66, uop.HADDPD, vw, m128},
	{0x7C, pF2, uop.HADDPS, vw, m128},
	{0x7D, p66, uop.HSUBPD, vw, m128},
	{0x7D, pF2, uop.HSUBPS, vw, m128},
	{0x7E, p66, uop.MovRFromX32, movdStore, m32}, // MOVQ with REX.W
	{0x7E, pF3, uop.MOVQ, load, m64},
	{0x7E, np, uop.MMXGet, ep, m32},
	{0x7F, p66, uop.MovX, store, m128},
	{0x7F, pF3, uop.MovX, store, m128u},
	{0x7F, np, uop.MMXGet, qpStore, m64},
	{0xC2, np, uop.CMPPS, vwi, m128},
	{0xC2, p66, uop.CMPPD, vwi, m128},
	{0xC2, pF3, uop.CMPSS, vwi, m32},
	{0xC2, pF2, uop.CMPSD, vwi, m64},
	{0xC3, np, 0, movnti, m32},
	{0xC4, p66, uop.PINSRW, vei, m16},
	{0xC4, np, uop.PINSRW, pei, m16},
	{0xC5, p66, uop.PEXTRW, gui, nomem},
	{0xC5, np, uop.PEXTRW, gni, nomem},
	{0xC6, np, uop.SHUFPS, vwi, m128},
	{0xC6, p66, uop.SHUFPD, vwi, m128},
	{0xD0, p66, uop.ADDSUBPD, vw, m128},
	{0xD0, pF2, uop.ADDSUBPS, vw, m128},
	{0xD1, both, uop.PSRLW, vw, m128},
	{0xD2, both, uop.PSRLD, vw, m128},
	{0xD3, both, uop.PSRLQ, vw, m128},
	{0xD4, both, uop.PADDQ, vw, m128},
	{0xD5, both, uop.PMULLW, vw, m128},
	{0xD6, p66, uop.MOVQ, store, m64},
	{0xD6, pF3, uop.MOVQ, movq2dq, nomem},
	{0xD6, pF2, uop.MMXPut, movdq2q, nomem},
	{0xD7, p66, uop.PMOVMSKB, gu, nomem},
	{0xD7, np, uop.PMOVMSKB, gn, nomem},
	{0xD8, both, uop.PSUBUSB, vw, m128},
	{0xD9, both, uop.PSUBUSW, vw, m128},
	{0xDA, both, uop.PMINUB, vw, m128},
	{0xDB, both, uop.PAND, vw, m128},
	{0xDC, both, uop.PADDUSB, vw, m128},
	{0xDD, both, uop.PADDUSW, vw, m128},
	{0xDE, both, uop.PMAXUB, vw, m128},
	{0xDF, both, uop.PANDN, vw, m128},
	{0xE0, both, uop.PAVGB, vw, m128},
	{0xE1, both, uop.PSRAW, vw, m128},
	{0xE2, both, uop.PSRAD, vw, m128},
	{0xE3, both, uop.PAVGW, vw, m128},
	{0xE4, both, uop.PMULHUW, vw, m128},
	{0xE5, both, uop.PMULHW, vw, m128},
	{0xE6, p66, uop.CVTTPD2DQ, vw, m128},
	{0xE6, pF3, uop.CVTDQ2PD, vw, m64},
	{0xE6, pF2, uop.CVTPD2DQ, vw, m128},
	{0xE7, p66, uop.MovX, storeOnly, m128}, // MOVNTDQ
	{0xE7, np, uop.MMXGet, movntq, m64},
	{0xE8, both, uop.PSUBSB, vw, m128},
	{0xE9, both, uop.PSUBSW, vw, m128},
	{0xEA, both, uop.PMINSW, vw, m128},
	{0xEB, both, uop.POR, vw, m128},
	{0xEC, both, uop.PADDSB, vw, m128},
	{0xED, both, uop.PADDSW, vw, m128},
	{0xEE, both, uop.PMAXSW, vw, m128},
	{0xEF, both, uop.PXOR, vw, m128},
	{0xF0, pF2, uop.MovX, loadOnly, m128u}, // LDDQU
	{0xF1, both, uop.PSLLW, vw, m128},
	{0xF2, both, uop.PSLLD, vw, m128},
	{0xF3, both, uop.PSLLQ, vw, m128},
	{0xF4, both, uop.PMULUDQ, vw, m128},
	{0xF5, both, uop.PMADDWD, vw, m128},
	{0xF6, both, uop.PSADBW, vw, m128},
	{0xF7, p66, uop.MASKMOVDQU, maskmov, nomem},
	{0xF7, np, uop.MASKMOVDQU, maskmovq, nomem},
	{0xF8, both, uop.PSUBB, vw, m128},
	{0xF9, both, uop.PSUBW, vw, m128},
	{0xFA, both, uop.PSUBD, vw, m128},
	{0xFB, both, uop.PSUBQ, vw, m128},
	{0xFC, both, uop.PADDB, vw, m128},
	{0xFD, both, uop.PADDW, vw, m128},
	{0xFE, both, uop.PADDD, vw, m128},
}

// Groups 12, 13 and 14 (SDM vol. 2, table A-6).
var (
	words     = shiftGroup{2: uop.PSRLWImm, 4: uop.PSRAWImm, 6: uop.PSLLWImm}
	dwords    = shiftGroup{2: uop.PSRLDImm, 4: uop.PSRADImm, 6: uop.PSLLDImm}
	qwords    = shiftGroup{2: uop.PSRLQImm, 3: uop.PSRLDQ, 6: uop.PSLLQImm, 7: uop.PSLLDQ}
	qwordsMMX = shiftGroup{2: uop.PSRLQImm, 6: uop.PSLLQImm}
)
