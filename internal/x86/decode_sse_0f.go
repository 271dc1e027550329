package x86

// map0F holds the vector instructions of opcodes 0F xx (SDM vol. 2, table A-3).
var map0F = []vectorInsn{
	{0x10, np, opMovX, load, m128u},    // MOVUPS
	{0x10, p66, opMovX, load, m128u},   // MOVUPD
	{0x10, pF3, opMOVSSLow, load, m32}, // MOVSS
	{0x10, pF2, opMOVSDLow, load, m64}, // MOVSD
	{0x11, np, opMovX, store, m128u},
	{0x11, p66, opMovX, store, m128u},
	{0x11, pF3, opMOVSSLow, store, m32},
	{0x11, pF2, opMOVSDLow, store, m64},
	{0x12, np, opMOVSDLow, half(opMOVHLPS), m64}, // MOVLPS
	{0x12, p66, opMOVSDLow, half(0), m64},        // MOVLPD
	{0x12, pF3, opMOVSLDUP, vw, m128},
	{0x12, pF2, opMOVDDUP, vw, m64},
	{0x13, np, opMovX, storeOnly, m64},  // MOVLPS
	{0x13, p66, opMovX, storeOnly, m64}, // MOVLPD
	{0x14, np, opPUNPCKLDQ, vw, m128},   // UNPCKLPS
	{0x14, p66, opPUNPCKLQDQ, vw, m128}, // UNPCKLPD
	{0x15, np, opPUNPCKHDQ, vw, m128},
	{0x15, p66, opPUNPCKHQDQ, vw, m128},
	{0x16, np, opMOVLHPS, half(opMOVLHPS), m64}, // MOVHPS
	{0x16, p66, opMOVLHPS, half(0), m64},        // MOVHPD
	{0x16, pF3, opMOVSHDUP, vw, m128},
	{0x17, np, opStoreX64, storeHigh, m64},  // MOVHPS
	{0x17, p66, opStoreX64, storeHigh, m64}, // MOVHPD
	{0x28, np, opMovX, load, m128},          // MOVAPS
	{0x28, p66, opMovX, load, m128},         // MOVAPD
	{0x29, np, opMovX, store, m128},
	{0x29, p66, opMovX, store, m128},
	{0x2A, np, opCVTPI2PS, vq, m64},
	{0x2A, p66, opCVTPI2PD, vq, m64},
	{0x2A, pF3, opCVTSI2SS32, ve, nomem},
	{0x2A, pF2, opCVTSI2SD32, ve, nomem},
	{0x2B, np, opMovX, storeOnly, m128},  // MOVNTPS
	{0x2B, p66, opMovX, storeOnly, m128}, // MOVNTPD
	{0x2C, np, opCVTTPS2PI, pw, m64},
	{0x2C, p66, opCVTTPD2PI, pw, m128},
	{0x2C, pF3, opCVTTSS2SI32, gw, m32},
	{0x2C, pF2, opCVTTSD2SI32, gw, m64},
	{0x2D, np, opCVTPS2PI, pw, m64},
	{0x2D, p66, opCVTPD2PI, pw, m128},
	{0x2D, pF3, opCVTSS2SI32, gw, m32},
	{0x2D, pF2, opCVTSD2SI32, gw, m64},
	{0x2E, np, opUCOMISS, vw, m32},
	{0x2E, p66, opUCOMISD, vw, m64},
	{0x2F, np, opCOMISS, vw, m32},
	{0x2F, p66, opCOMISD, vw, m64},
	{0x50, np, opMOVMSKPS, gu, nomem},
	{0x50, p66, opMOVMSKPD, gu, nomem},
	{0x51, np, opSQRTPS, vw, m128},
	{0x51, p66, opSQRTPD, vw, m128},
	{0x51, pF3, opSQRTSS, vw, m32},
	{0x51, pF2, opSQRTSD, vw, m64},
	{0x52, np, opRSQRTPS, vw, m128},
	{0x52, pF3, opRSQRTSS, vw, m32},
	{0x53, np, opRCPPS, vw, m128},
	{0x53, pF3, opRCPSS, vw, m32},
	{0x54, np, opPAND, vw, m128},   // ANDPS
	{0x54, p66, opPAND, vw, m128},  // ANDPD
	{0x55, np, opPANDN, vw, m128},  // ANDNPS
	{0x55, p66, opPANDN, vw, m128}, // ANDNPD
	{0x56, np, opPOR, vw, m128},    // ORPS
	{0x56, p66, opPOR, vw, m128},   // ORPD
	{0x57, np, opPXOR, vw, m128},   // XORPS
	{0x57, p66, opPXOR, vw, m128},  // XORPD
	{0x58, np, opADDPS, vw, m128},
	{0x58, p66, opADDPD, vw, m128},
	{0x58, pF3, opADDSS, vw, m32},
	{0x58, pF2, opADDSD, vw, m64},
	{0x59, np, opMULPS, vw, m128},
	{0x59, p66, opMULPD, vw, m128},
	{0x59, pF3, opMULSS, vw, m32},
	{0x59, pF2, opMULSD, vw, m64},
	{0x5A, np, opCVTPS2PD, vw, m64},
	{0x5A, p66, opCVTPD2PS, vw, m128},
	{0x5A, pF3, opCVTSS2SD, vw, m32},
	{0x5A, pF2, opCVTSD2SS, vw, m64},
	{0x5B, np, opCVTDQ2PS, vw, m128},
	{0x5B, p66, opCVTPS2DQ, vw, m128},
	{0x5B, pF3, opCVTTPS2DQ, vw, m128},
	{0x5C, np, opSUBPS, vw, m128},
	{0x5C, p66, opSUBPD, vw, m128},
	{0x5C, pF3, opSUBSS, vw, m32},
	{0x5C, pF2, opSUBSD, vw, m64},
	{0x5D, np, opMINPS, vw, m128},
	{0x5D, p66, opMINPD, vw, m128},
	{0x5D, pF3, opMINSS, vw, m32},
	{0x5D, pF2, opMINSD, vw, m64},
	{0x5E, np, opDIVPS, vw, m128},
	{0x5E, p66, opDIVPD, vw, m128},
	{0x5E, pF3, opDIVSS, vw, m32},
	{0x5E, pF2, opDIVSD, vw, m64},
	{0x5F, np, opMAXPS, vw, m128},
	{0x5F, p66, opMAXPD, vw, m128},
	{0x5F, pF3, opMAXSS, vw, m32},
	{0x5F, pF2, opMAXSD, vw, m64},
	{0x60, p66, opPUNPCKLBW, vw, m128},
	{0x60, np, opPUNPCKLBW, pq, m32},
	{0x61, p66, opPUNPCKLWD, vw, m128},
	{0x61, np, opPUNPCKLWD, pq, m32},
	{0x62, p66, opPUNPCKLDQ, vw, m128},
	{0x62, np, opPUNPCKLDQ, pq, m32},
	{0x63, p66, opPACKSSWB, vw, m128},
	{0x63, np, opPACKSSWB, pqPair, m64},
	{0x64, both, opPCMPGTB, vw, m128},
	{0x65, both, opPCMPGTW, vw, m128},
	{0x66, both, opPCMPGTD, vw, m128},
	{0x67, p66, opPACKUSWB, vw, m128},
	{0x67, np, opPACKUSWB, pqPair, m64},
	{0x68, p66, opPUNPCKHBW, vw, m128},
	{0x68, np, opPUNPCKLBW, pqHigh, m64},
	{0x69, p66, opPUNPCKHWD, vw, m128},
	{0x69, np, opPUNPCKLWD, pqHigh, m64},
	{0x6A, p66, opPUNPCKHDQ, vw, m128},
	{0x6A, np, opPUNPCKLDQ, pqHigh, m64},
	{0x6B, p66, opPACKSSDW, vw, m128},
	{0x6B, np, opPACKSSDW, pqPair, m64},
	{0x6C, p66, opPUNPCKLQDQ, vw, m128},
	{0x6D, p66, opPUNPCKHQDQ, vw, m128},
	{0x6E, p66, opMovXFromR32, movdLoad, m32}, // MOVQ with REX.W
	{0x6E, np, opMMXPut, pe, m32},
	{0x6F, p66, opMovX, load, m128},  // MOVDQA
	{0x6F, pF3, opMovX, load, m128u}, // MOVDQU
	{0x6F, np, opMMXPut, pqLoad, m64},
	{0x70, p66, opPSHUFD, vwi, m128},
	{0x70, pF3, opPSHUFHW, vwi, m128},
	{0x70, pF2, opPSHUFLW, vwi, m128},
	{0x70, np, opPSHUFLW, pqi, m64}, // PSHUFW
	{0x71, p66, 0, words.form, nomem},
	{0x71, np, 0, words.mmx, nomem},
	{0x72, p66, 0, dwords.form, nomem},
	{0x72, np, 0, dwords.mmx, nomem},
	{0x73, p66, 0, qwords.form, nomem},
	{0x73, np, 0, qwordsMMX.mmx, nomem},
	{0x74, both, opPCMPEQB, vw, m128},
	{0x75, both, opPCMPEQW, vw, m128},
	{0x76, both, opPCMPEQD, vw, m128},
	{0x77, np, opEMMS, emms, nomem},
	{0x7C, p66, opHADDPD, vw, m128},
	{0x7C, pF2, opHADDPS, vw, m128},
	{0x7D, p66, opHSUBPD, vw, m128},
	{0x7D, pF2, opHSUBPS, vw, m128},
	{0x7E, p66, opMovRFromX32, movdStore, m32}, // MOVQ with REX.W
	{0x7E, pF3, opMOVQ, load, m64},
	{0x7E, np, opMMXGet, ep, m32},
	{0x7F, p66, opMovX, store, m128},
	{0x7F, pF3, opMovX, store, m128u},
	{0x7F, np, opMMXGet, qpStore, m64},
	{0xC2, np, opCMPPS, vwi, m128},
	{0xC2, p66, opCMPPD, vwi, m128},
	{0xC2, pF3, opCMPSS, vwi, m32},
	{0xC2, pF2, opCMPSD, vwi, m64},
	{0xC3, np, 0, movnti, m32},
	{0xC4, p66, opPINSRW, vei, m16},
	{0xC4, np, opPINSRW, pei, m16},
	{0xC5, p66, opPEXTRW, gui, nomem},
	{0xC5, np, opPEXTRW, gni, nomem},
	{0xC6, np, opSHUFPS, vwi, m128},
	{0xC6, p66, opSHUFPD, vwi, m128},
	{0xD0, p66, opADDSUBPD, vw, m128},
	{0xD0, pF2, opADDSUBPS, vw, m128},
	{0xD1, both, opPSRLW, vw, m128},
	{0xD2, both, opPSRLD, vw, m128},
	{0xD3, both, opPSRLQ, vw, m128},
	{0xD4, both, opPADDQ, vw, m128},
	{0xD5, both, opPMULLW, vw, m128},
	{0xD6, p66, opMOVQ, store, m64},
	{0xD6, pF3, opMOVQ, movq2dq, nomem},
	{0xD6, pF2, opMMXPut, movdq2q, nomem},
	{0xD7, p66, opPMOVMSKB, gu, nomem},
	{0xD7, np, opPMOVMSKB, gn, nomem},
	{0xD8, both, opPSUBUSB, vw, m128},
	{0xD9, both, opPSUBUSW, vw, m128},
	{0xDA, both, opPMINUB, vw, m128},
	{0xDB, both, opPAND, vw, m128},
	{0xDC, both, opPADDUSB, vw, m128},
	{0xDD, both, opPADDUSW, vw, m128},
	{0xDE, both, opPMAXUB, vw, m128},
	{0xDF, both, opPANDN, vw, m128},
	{0xE0, both, opPAVGB, vw, m128},
	{0xE1, both, opPSRAW, vw, m128},
	{0xE2, both, opPSRAD, vw, m128},
	{0xE3, both, opPAVGW, vw, m128},
	{0xE4, both, opPMULHUW, vw, m128},
	{0xE5, both, opPMULHW, vw, m128},
	{0xE6, p66, opCVTTPD2DQ, vw, m128},
	{0xE6, pF3, opCVTDQ2PD, vw, m64},
	{0xE6, pF2, opCVTPD2DQ, vw, m128},
	{0xE7, p66, opMovX, storeOnly, m128}, // MOVNTDQ
	{0xE7, np, opMMXGet, movntq, m64},
	{0xE8, both, opPSUBSB, vw, m128},
	{0xE9, both, opPSUBSW, vw, m128},
	{0xEA, both, opPMINSW, vw, m128},
	{0xEB, both, opPOR, vw, m128},
	{0xEC, both, opPADDSB, vw, m128},
	{0xED, both, opPADDSW, vw, m128},
	{0xEE, both, opPMAXSW, vw, m128},
	{0xEF, both, opPXOR, vw, m128},
	{0xF0, pF2, opMovX, loadOnly, m128u}, // LDDQU
	{0xF1, both, opPSLLW, vw, m128},
	{0xF2, both, opPSLLD, vw, m128},
	{0xF3, both, opPSLLQ, vw, m128},
	{0xF4, both, opPMULUDQ, vw, m128},
	{0xF5, both, opPMADDWD, vw, m128},
	{0xF6, both, opPSADBW, vw, m128},
	{0xF7, p66, opMASKMOVDQU, maskmov, nomem},
	{0xF7, np, opMASKMOVDQU, maskmovq, nomem},
	{0xF8, both, opPSUBB, vw, m128},
	{0xF9, both, opPSUBW, vw, m128},
	{0xFA, both, opPSUBD, vw, m128},
	{0xFB, both, opPSUBQ, vw, m128},
	{0xFC, both, opPADDB, vw, m128},
	{0xFD, both, opPADDW, vw, m128},
	{0xFE, both, opPADDD, vw, m128},
}

// Groups 12, 13 and 14 (SDM vol. 2, table A-6).
var (
	words     = shiftGroup{2: opPSRLWImm, 4: opPSRAWImm, 6: opPSLLWImm}
	dwords    = shiftGroup{2: opPSRLDImm, 4: opPSRADImm, 6: opPSLLDImm}
	qwords    = shiftGroup{2: opPSRLQImm, 3: opPSRLDQ, 6: opPSLLQImm, 7: opPSLLDQ}
	qwordsMMX = shiftGroup{2: opPSRLQImm, 6: opPSLLQImm}
)
