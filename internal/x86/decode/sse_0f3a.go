package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// map0F3A holds the vector instructions of opcodes 0F 3A xx, all of which have an immediate (SDM vol. 2, table A-5).
var map0F3A = []vectorInsn{
	{0x08, p66, uop.ROUNDPS, vwi, m128},
	{0x09, p66, uop.ROUNDPD, vwi, m128},
	{0x0A, p66, uop.ROUNDSS, vwi, m32},
	{0x0B, p66, uop.ROUNDSD, vwi, m64},
	{0x0C, p66, uop.BLENDPS, vwi, m128},
	{0x0D, p66, uop.BLENDPD, vwi, m128},
	{0x0E, p66, uop.PBLENDW, vwi, m128},
	{0x0F, p66, uop.PALIGNR, vwi, m128},
	{0x0F, np, uop.PSRLDQ, pqAlign, m64},
	{0x14, p66, uop.PEXTRB, evi, m8},
	{0x15, p66, uop.PEXTRW, evi, m16},
	{0x16, p66, uop.PEXTRD, evi, m32}, // PEXTRQ with REX.W
	{0x17, p66, uop.PEXTRD, extractps, m32},
	{0x20, p66, uop.PINSRB, vei, m8},
	{0x21, p66, uop.INSERTPS, insertpsForm, m32},
	{0x22, p66, uop.PINSRD, vei, m32}, // PINSRQ with REX.W
	{0x40, p66, uop.DPPS, vwi, m128},
	{0x41, p66, uop.DPPD, vwi, m128},
	{0x42, p66, uop.MPSADBW, vwi, m128},
	{0x44, p66, uop.PCLMULQDQ, vwi, m128},
	{0x60, p66, uop.PCMPESTRM, stringCompare, m128u},
	{0x61, p66, uop.PCMPESTRI, stringCompare, m128u},
	{0x62, p66, uop.PCMPISTRM, stringCompare, m128u},
	{0x63, p66, uop.PCMPISTRI, stringCompare, m128u},
	{0xCC, np, uop.SHA1RNDS4, vwi, m128},
	{0xDF, p66, uop.AESKEYGENASSIST, vwi, m128},
}
