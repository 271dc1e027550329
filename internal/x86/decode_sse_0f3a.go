package x86

// map0F3A holds the vector instructions of opcodes 0F 3A xx, all of which have an immediate (SDM vol. 2, table A-5).
var map0F3A = []vectorInsn{
	{0x08, p66, opROUNDPS, vwi, m128},
	{0x09, p66, opROUNDPD, vwi, m128},
	{0x0A, p66, opROUNDSS, vwi, m32},
	{0x0B, p66, opROUNDSD, vwi, m64},
	{0x0C, p66, opBLENDPS, vwi, m128},
	{0x0D, p66, opBLENDPD, vwi, m128},
	{0x0E, p66, opPBLENDW, vwi, m128},
	{0x0F, p66, opPALIGNR, vwi, m128},
	{0x0F, np, opPSRLDQ, pqAlign, m64},
	{0x14, p66, opPEXTRB, evi, m8},
	{0x15, p66, opPEXTRW, evi, m16},
	{0x16, p66, opPEXTRD, evi, m32}, // PEXTRQ with REX.W
	{0x17, p66, opPEXTRD, extractps, m32},
	{0x20, p66, opPINSRB, vei, m8},
	{0x21, p66, opINSERTPS, insertpsForm, m32},
	{0x22, p66, opPINSRD, vei, m32}, // PINSRQ with REX.W
	{0x40, p66, opDPPS, vwi, m128},
	{0x41, p66, opDPPD, vwi, m128},
	{0x42, p66, opMPSADBW, vwi, m128},
	{0x44, p66, opPCLMULQDQ, vwi, m128},
	{0x60, p66, opPCMPESTRM, stringCompare, m128u},
	{0x61, p66, opPCMPESTRI, stringCompare, m128u},
	{0x62, p66, opPCMPISTRM, stringCompare, m128u},
	{0x63, p66, opPCMPISTRI, stringCompare, m128u},
	{0xCC, np, opSHA1RNDS4, vwi, m128},
	{0xDF, p66, opAESKEYGENASSIST, vwi, m128},
}
