package amd64

// An Op is an instruction in one of its forms: a row of [encodings].
type Op uint8

// A form says what ModRM's two operands are, and in which order they are written.
type form uint8

const (
	regRM form = iota // reg, rm
	rmReg             // rm, reg
	rm                // rm alone; ModRM's reg is the row's digit
	xmmRM             // as regRM and rmReg, reg and rm being XMM registers, or rm memory
	rmXMM
	xmmGPR   // reg is an XMM register, rm a general-purpose one or memory
	gprXMM   // the other way round
	xmmDigit // rm alone, an XMM register; ModRM's reg is the row's digit
	rmGPX    // rm, reg: rm is a general-purpose register or memory, reg an XMM register
)

// An immediate says what comes after ModRM.
type immediate uint8

const (
	noImm  immediate = iota
	imm8             // one byte
	immOp            // as wide as the operand, 4 bytes where that has 8: they are sign-extended
	immCL            // nothing: the count is in CL
	immOne           // nothing: the count is 1
)

// Sizes of operands, in bytes, as a set.
const (
	b8   = 1
	b16  = 2
	b32  = 4
	b64  = 8
	all  = b8 | b16 | b32 | b64
	wide = b16 | b32 | b64
	long = b32 | b64
)

// An encoding is a row. Where sizes has b8 and others, the opcode of the 8-bit form is code &^ 1.
type encoding struct {
	name   string
	prefix byte  // mandatory: 66, F2, F3
	escape uint8 // 0, or 1, 2, 3 for 0F, 0F 38, 0F 3A
	code   byte
	form   form
	digit  byte
	imm    immediate
	sizes  uint8
	narrow uint8 // size of rm where it differs from reg's
}

// Instructions. Two rows of one mnemonic differ in the direction, or in what the last operand is.
const (
	MOV Op = iota
	MOVto
	MOVimm
	MOVZX8
	MOVZX16
	MOVSX8
	MOVSX16
	MOVSXD
	LEA
	ADD
	OR
	ADC
	SBB
	AND
	SUB
	XOR
	CMP
	TEST
	ADDto
	ORto
	ADCto
	SBBto
	ANDto
	SUBto
	XORto
	CMPto
	ADDimm
	ORimm
	ADCimm
	SBBimm
	ANDimm
	SUBimm
	XORimm
	CMPimm
	ADDimm8
	ORimm8
	ADCimm8
	SBBimm8
	ANDimm8
	SUBimm8
	XORimm8
	CMPimm8
	TESTimm
	NOT
	NEG
	MUL
	IMULwide
	DIV
	IDIV
	INC
	DEC
	ROLimm
	RORimm
	RCLimm
	RCRimm
	SHLimm
	SHRimm
	SARimm
	ROLcl
	RORcl
	RCLcl
	RCRcl
	SHLcl
	SHRcl
	SARcl
	ROLone
	RORone
	RCLone
	RCRone
	SHLone
	SHRone
	SARone
	SHLDimm
	SHRDimm
	SHLDcl
	SHRDcl
	IMUL
	IMULimm
	BT
	BTS
	BTR
	BTC
	BTimm
	BTSimm
	BTRimm
	BTCimm
	BSF
	BSR
	TZCNT
	LZCNT
	POPCNT
	XCHG
	JMPto
	ADCX
	ADOX
	MOVDQU
	MOVDQUto
	MOVD
	MOVDto
	MOVQ
	MOVQto

	PAND
	PANDN
	POR
	PXOR
	PADDB
	PADDW
	PADDD
	PADDQ
	PSUBB
	PSUBW
	PSUBD
	PSUBQ
	PADDSB
	PADDSW
	PADDUSB
	PADDUSW
	PSUBSB
	PSUBSW
	PSUBUSB
	PSUBUSW
	PAVGB
	PAVGW
	PMINUB
	PMINSW
	PMAXUB
	PMAXSW
	PCMPEQB
	PCMPEQW
	PCMPEQD
	PCMPGTB
	PCMPGTW
	PCMPGTD
	PMULLW
	PMULHW
	PMULHUW
	PMULUDQ
	PMADDWD
	PSADBW
	PSRLW
	PSRLD
	PSRLQ
	PSRAW
	PSRAD
	PSLLW
	PSLLD
	PSLLQ
	PUNPCKLBW
	PUNPCKLWD
	PUNPCKLDQ
	PUNPCKLQDQ
	PUNPCKHBW
	PUNPCKHWD
	PUNPCKHDQ
	PUNPCKHQDQ
	PACKSSWB
	PACKSSDW
	PACKUSWB
	PSRLWimm
	PSRAWimm
	PSLLWimm
	PSRLDimm
	PSRADimm
	PSLLDimm
	PSRLQimm
	PSLLQimm
	PSRLDQ
	PSLLDQ
	PSHUFD
	PSHUFHW
	PSHUFLW
	SHUFPS
	SHUFPD

	// SSSE3 and later.
	PSHUFB
	PHADDW
	PHADDD
	PHADDSW
	PMADDUBSW
	PHSUBW
	PHSUBD
	PHSUBSW
	PSIGNB
	PSIGNW
	PSIGND
	PMULHRSW
	PABSB
	PABSW
	PABSD
	PALIGNR
	PMULDQ
	PCMPEQQ
	PACKUSDW
	PMINSB
	PMINSD
	PMINUW
	PMINUD
	PMAXSB
	PMAXSD
	PMAXUW
	PMAXUD
	PMULLD
	PHMINPOSUW
	PBLENDW
	BLENDPS
	BLENDPD
	PCMPGTQ
	AESENC
	AESENCLAST
	AESDEC
	AESDECLAST
	AESIMC
	PCLMULQDQ
	SHA1NEXTE
	SHA1MSG1
	SHA1MSG2
	SHA256RNDS2
	SHA256MSG1
	SHA256MSG2
	SHA1RNDS4
)

// encodings is every instruction that can be assembled, but for those of one form only in jump.go and fixed.go (SDM vol.
// 2, instruction set reference).
var encodings = [...]encoding{
	MOV:     {"MOV", 0, 0, 0x8B, regRM, 0, noImm, all, 0},
	MOVto:   {"MOV", 0, 0, 0x89, rmReg, 0, noImm, all, 0},
	MOVimm:  {"MOV", 0, 0, 0xC7, rm, 0, immOp, all, 0},
	MOVZX8:  {"MOVZX", 0, 1, 0xB6, regRM, 0, noImm, wide, b8},
	MOVZX16: {"MOVZX", 0, 1, 0xB7, regRM, 0, noImm, long, b16},
	MOVSX8:  {"MOVSX", 0, 1, 0xBE, regRM, 0, noImm, wide, b8},
	MOVSX16: {"MOVSX", 0, 1, 0xBF, regRM, 0, noImm, long, b16},
	MOVSXD:  {"MOVSXD", 0, 0, 0x63, regRM, 0, noImm, b64, b32},
	LEA:     {"LEA", 0, 0, 0x8D, regRM, 0, noImm, long, 0},

	ADD:  {"ADD", 0, 0, 0x03, regRM, 0, noImm, all, 0},
	OR:   {"OR", 0, 0, 0x0B, regRM, 0, noImm, all, 0},
	ADC:  {"ADC", 0, 0, 0x13, regRM, 0, noImm, all, 0},
	SBB:  {"SBB", 0, 0, 0x1B, regRM, 0, noImm, all, 0},
	AND:  {"AND", 0, 0, 0x23, regRM, 0, noImm, all, 0},
	SUB:  {"SUB", 0, 0, 0x2B, regRM, 0, noImm, all, 0},
	XOR:  {"XOR", 0, 0, 0x33, regRM, 0, noImm, all, 0},
	CMP:  {"CMP", 0, 0, 0x3B, regRM, 0, noImm, all, 0},
	TEST: {"TEST", 0, 0, 0x85, rmReg, 0, noImm, all, 0},

	ADDto: {"ADD", 0, 0, 0x01, rmReg, 0, noImm, all, 0},
	ORto:  {"OR", 0, 0, 0x09, rmReg, 0, noImm, all, 0},
	ADCto: {"ADC", 0, 0, 0x11, rmReg, 0, noImm, all, 0},
	SBBto: {"SBB", 0, 0, 0x19, rmReg, 0, noImm, all, 0},
	ANDto: {"AND", 0, 0, 0x21, rmReg, 0, noImm, all, 0},
	SUBto: {"SUB", 0, 0, 0x29, rmReg, 0, noImm, all, 0},
	XORto: {"XOR", 0, 0, 0x31, rmReg, 0, noImm, all, 0},
	CMPto: {"CMP", 0, 0, 0x39, rmReg, 0, noImm, all, 0},

	ADDimm: {"ADD", 0, 0, 0x81, rm, 0, immOp, all, 0},
	ORimm:  {"OR", 0, 0, 0x81, rm, 1, immOp, all, 0},
	ADCimm: {"ADC", 0, 0, 0x81, rm, 2, immOp, all, 0},
	SBBimm: {"SBB", 0, 0, 0x81, rm, 3, immOp, all, 0},
	ANDimm: {"AND", 0, 0, 0x81, rm, 4, immOp, all, 0},
	SUBimm: {"SUB", 0, 0, 0x81, rm, 5, immOp, all, 0},
	XORimm: {"XOR", 0, 0, 0x81, rm, 6, immOp, all, 0},
	CMPimm: {"CMP", 0, 0, 0x81, rm, 7, immOp, all, 0},

	ADDimm8: {"ADD", 0, 0, 0x83, rm, 0, imm8, wide, 0},
	ORimm8:  {"OR", 0, 0, 0x83, rm, 1, imm8, wide, 0},
	ADCimm8: {"ADC", 0, 0, 0x83, rm, 2, imm8, wide, 0},
	SBBimm8: {"SBB", 0, 0, 0x83, rm, 3, imm8, wide, 0},
	ANDimm8: {"AND", 0, 0, 0x83, rm, 4, imm8, wide, 0},
	SUBimm8: {"SUB", 0, 0, 0x83, rm, 5, imm8, wide, 0},
	XORimm8: {"XOR", 0, 0, 0x83, rm, 6, imm8, wide, 0},
	CMPimm8: {"CMP", 0, 0, 0x83, rm, 7, imm8, wide, 0},

	TESTimm:  {"TEST", 0, 0, 0xF7, rm, 0, immOp, all, 0},
	NOT:      {"NOT", 0, 0, 0xF7, rm, 2, noImm, all, 0},
	NEG:      {"NEG", 0, 0, 0xF7, rm, 3, noImm, all, 0},
	MUL:      {"MUL", 0, 0, 0xF7, rm, 4, noImm, all, 0},
	IMULwide: {"IMUL", 0, 0, 0xF7, rm, 5, noImm, all, 0},
	DIV:      {"DIV", 0, 0, 0xF7, rm, 6, noImm, all, 0},
	IDIV:     {"IDIV", 0, 0, 0xF7, rm, 7, noImm, all, 0},
	INC:      {"INC", 0, 0, 0xFF, rm, 0, noImm, all, 0},
	DEC:      {"DEC", 0, 0, 0xFF, rm, 1, noImm, all, 0},

	ROLimm: {"ROL", 0, 0, 0xC1, rm, 0, imm8, all, 0},
	RORimm: {"ROR", 0, 0, 0xC1, rm, 1, imm8, all, 0},
	RCLimm: {"RCL", 0, 0, 0xC1, rm, 2, imm8, all, 0},
	RCRimm: {"RCR", 0, 0, 0xC1, rm, 3, imm8, all, 0},
	SHLimm: {"SHL", 0, 0, 0xC1, rm, 4, imm8, all, 0},
	SHRimm: {"SHR", 0, 0, 0xC1, rm, 5, imm8, all, 0},
	SARimm: {"SAR", 0, 0, 0xC1, rm, 7, imm8, all, 0},
	ROLcl:  {"ROL", 0, 0, 0xD3, rm, 0, immCL, all, 0},
	RORcl:  {"ROR", 0, 0, 0xD3, rm, 1, immCL, all, 0},
	RCLcl:  {"RCL", 0, 0, 0xD3, rm, 2, immCL, all, 0},
	RCRcl:  {"RCR", 0, 0, 0xD3, rm, 3, immCL, all, 0},
	SHLcl:  {"SHL", 0, 0, 0xD3, rm, 4, immCL, all, 0},
	SHRcl:  {"SHR", 0, 0, 0xD3, rm, 5, immCL, all, 0},
	SARcl:  {"SAR", 0, 0, 0xD3, rm, 7, immCL, all, 0},
	ROLone: {"ROL", 0, 0, 0xD1, rm, 0, immOne, all, 0},
	RORone: {"ROR", 0, 0, 0xD1, rm, 1, immOne, all, 0},
	RCLone: {"RCL", 0, 0, 0xD1, rm, 2, immOne, all, 0},
	RCRone: {"RCR", 0, 0, 0xD1, rm, 3, immOne, all, 0},
	SHLone: {"SHL", 0, 0, 0xD1, rm, 4, immOne, all, 0},
	SHRone: {"SHR", 0, 0, 0xD1, rm, 5, immOne, all, 0},
	SARone: {"SAR", 0, 0, 0xD1, rm, 7, immOne, all, 0},

	SHLDimm: {"SHLD", 0, 1, 0xA4, rmReg, 0, imm8, wide, 0},
	SHRDimm: {"SHRD", 0, 1, 0xAC, rmReg, 0, imm8, wide, 0},
	SHLDcl:  {"SHLD", 0, 1, 0xA5, rmReg, 0, immCL, wide, 0},
	SHRDcl:  {"SHRD", 0, 1, 0xAD, rmReg, 0, immCL, wide, 0},

	IMUL:    {"IMUL", 0, 1, 0xAF, regRM, 0, noImm, wide, 0},
	IMULimm: {"IMUL", 0, 0, 0x69, regRM, 0, immOp, wide, 0},

	BT:     {"BT", 0, 1, 0xA3, rmReg, 0, noImm, wide, 0},
	BTS:    {"BTS", 0, 1, 0xAB, rmReg, 0, noImm, wide, 0},
	BTR:    {"BTR", 0, 1, 0xB3, rmReg, 0, noImm, wide, 0},
	BTC:    {"BTC", 0, 1, 0xBB, rmReg, 0, noImm, wide, 0},
	BTimm:  {"BT", 0, 1, 0xBA, rm, 4, imm8, wide, 0},
	BTSimm: {"BTS", 0, 1, 0xBA, rm, 5, imm8, wide, 0},
	BTRimm: {"BTR", 0, 1, 0xBA, rm, 6, imm8, wide, 0},
	BTCimm: {"BTC", 0, 1, 0xBA, rm, 7, imm8, wide, 0},
	BSF:    {"BSF", 0, 1, 0xBC, regRM, 0, noImm, wide, 0},
	BSR:    {"BSR", 0, 1, 0xBD, regRM, 0, noImm, wide, 0},
	TZCNT:  {"TZCNT", 0xF3, 1, 0xBC, regRM, 0, noImm, wide, 0}, // BMI1
	LZCNT:  {"LZCNT", 0xF3, 1, 0xBD, regRM, 0, noImm, wide, 0}, // ABM
	POPCNT: {"POPCNT", 0xF3, 1, 0xB8, regRM, 0, noImm, wide, 0},

	XCHG:  {"XCHG", 0, 0, 0x87, rmReg, 0, noImm, all, 0},
	JMPto: {"JMP", 0, 0, 0xFF, rm, 4, noImm, b64, 0},

	ADCX: {"ADCX", 0x66, 2, 0xF6, regRM, 0, noImm, long, 0}, // ADX
	ADOX: {"ADOX", 0xF3, 2, 0xF6, regRM, 0, noImm, long, 0},

	MOVDQU:   {"MOVDQU", 0xF3, 1, 0x6F, xmmRM, 0, noImm, 0, 0},
	MOVDQUto: {"MOVDQU", 0xF3, 1, 0x7F, rmXMM, 0, noImm, 0, 0},
	MOVD:     {"MOVD", 0x66, 1, 0x6E, xmmGPR, 0, noImm, long, 0}, // MOVQ where the operand has 64 bits
	MOVDto:   {"MOVD", 0x66, 1, 0x7E, rmGPX, 0, noImm, long, 0},
	MOVQ:     {"MOVQ", 0xF3, 1, 0x7E, xmmRM, 0, noImm, 0, 0},
	MOVQto:   {"MOVQ", 0x66, 1, 0xD6, rmXMM, 0, noImm, 0, 0},

	PAND:       {"PAND", 0x66, 1, 0xDB, xmmRM, 0, noImm, 0, 0},
	PANDN:      {"PANDN", 0x66, 1, 0xDF, xmmRM, 0, noImm, 0, 0},
	POR:        {"POR", 0x66, 1, 0xEB, xmmRM, 0, noImm, 0, 0},
	PXOR:       {"PXOR", 0x66, 1, 0xEF, xmmRM, 0, noImm, 0, 0},
	PADDB:      {"PADDB", 0x66, 1, 0xFC, xmmRM, 0, noImm, 0, 0},
	PADDW:      {"PADDW", 0x66, 1, 0xFD, xmmRM, 0, noImm, 0, 0},
	PADDD:      {"PADDD", 0x66, 1, 0xFE, xmmRM, 0, noImm, 0, 0},
	PADDQ:      {"PADDQ", 0x66, 1, 0xD4, xmmRM, 0, noImm, 0, 0},
	PSUBB:      {"PSUBB", 0x66, 1, 0xF8, xmmRM, 0, noImm, 0, 0},
	PSUBW:      {"PSUBW", 0x66, 1, 0xF9, xmmRM, 0, noImm, 0, 0},
	PSUBD:      {"PSUBD", 0x66, 1, 0xFA, xmmRM, 0, noImm, 0, 0},
	PSUBQ:      {"PSUBQ", 0x66, 1, 0xFB, xmmRM, 0, noImm, 0, 0},
	PADDSB:     {"PADDSB", 0x66, 1, 0xEC, xmmRM, 0, noImm, 0, 0},
	PADDSW:     {"PADDSW", 0x66, 1, 0xED, xmmRM, 0, noImm, 0, 0},
	PADDUSB:    {"PADDUSB", 0x66, 1, 0xDC, xmmRM, 0, noImm, 0, 0},
	PADDUSW:    {"PADDUSW", 0x66, 1, 0xDD, xmmRM, 0, noImm, 0, 0},
	PSUBSB:     {"PSUBSB", 0x66, 1, 0xE8, xmmRM, 0, noImm, 0, 0},
	PSUBSW:     {"PSUBSW", 0x66, 1, 0xE9, xmmRM, 0, noImm, 0, 0},
	PSUBUSB:    {"PSUBUSB", 0x66, 1, 0xD8, xmmRM, 0, noImm, 0, 0},
	PSUBUSW:    {"PSUBUSW", 0x66, 1, 0xD9, xmmRM, 0, noImm, 0, 0},
	PAVGB:      {"PAVGB", 0x66, 1, 0xE0, xmmRM, 0, noImm, 0, 0},
	PAVGW:      {"PAVGW", 0x66, 1, 0xE3, xmmRM, 0, noImm, 0, 0},
	PMINUB:     {"PMINUB", 0x66, 1, 0xDA, xmmRM, 0, noImm, 0, 0},
	PMINSW:     {"PMINSW", 0x66, 1, 0xEA, xmmRM, 0, noImm, 0, 0},
	PMAXUB:     {"PMAXUB", 0x66, 1, 0xDE, xmmRM, 0, noImm, 0, 0},
	PMAXSW:     {"PMAXSW", 0x66, 1, 0xEE, xmmRM, 0, noImm, 0, 0},
	PCMPEQB:    {"PCMPEQB", 0x66, 1, 0x74, xmmRM, 0, noImm, 0, 0},
	PCMPEQW:    {"PCMPEQW", 0x66, 1, 0x75, xmmRM, 0, noImm, 0, 0},
	PCMPEQD:    {"PCMPEQD", 0x66, 1, 0x76, xmmRM, 0, noImm, 0, 0},
	PCMPGTB:    {"PCMPGTB", 0x66, 1, 0x64, xmmRM, 0, noImm, 0, 0},
	PCMPGTW:    {"PCMPGTW", 0x66, 1, 0x65, xmmRM, 0, noImm, 0, 0},
	PCMPGTD:    {"PCMPGTD", 0x66, 1, 0x66, xmmRM, 0, noImm, 0, 0},
	PMULLW:     {"PMULLW", 0x66, 1, 0xD5, xmmRM, 0, noImm, 0, 0},
	PMULHW:     {"PMULHW", 0x66, 1, 0xE5, xmmRM, 0, noImm, 0, 0},
	PMULHUW:    {"PMULHUW", 0x66, 1, 0xE4, xmmRM, 0, noImm, 0, 0},
	PMULUDQ:    {"PMULUDQ", 0x66, 1, 0xF4, xmmRM, 0, noImm, 0, 0},
	PMADDWD:    {"PMADDWD", 0x66, 1, 0xF5, xmmRM, 0, noImm, 0, 0},
	PSADBW:     {"PSADBW", 0x66, 1, 0xF6, xmmRM, 0, noImm, 0, 0},
	PSRLW:      {"PSRLW", 0x66, 1, 0xD1, xmmRM, 0, noImm, 0, 0},
	PSRLD:      {"PSRLD", 0x66, 1, 0xD2, xmmRM, 0, noImm, 0, 0},
	PSRLQ:      {"PSRLQ", 0x66, 1, 0xD3, xmmRM, 0, noImm, 0, 0},
	PSRAW:      {"PSRAW", 0x66, 1, 0xE1, xmmRM, 0, noImm, 0, 0},
	PSRAD:      {"PSRAD", 0x66, 1, 0xE2, xmmRM, 0, noImm, 0, 0},
	PSLLW:      {"PSLLW", 0x66, 1, 0xF1, xmmRM, 0, noImm, 0, 0},
	PSLLD:      {"PSLLD", 0x66, 1, 0xF2, xmmRM, 0, noImm, 0, 0},
	PSLLQ:      {"PSLLQ", 0x66, 1, 0xF3, xmmRM, 0, noImm, 0, 0},
	PUNPCKLBW:  {"PUNPCKLBW", 0x66, 1, 0x60, xmmRM, 0, noImm, 0, 0},
	PUNPCKLWD:  {"PUNPCKLWD", 0x66, 1, 0x61, xmmRM, 0, noImm, 0, 0},
	PUNPCKLDQ:  {"PUNPCKLDQ", 0x66, 1, 0x62, xmmRM, 0, noImm, 0, 0},
	PUNPCKLQDQ: {"PUNPCKLQDQ", 0x66, 1, 0x6C, xmmRM, 0, noImm, 0, 0},
	PUNPCKHBW:  {"PUNPCKHBW", 0x66, 1, 0x68, xmmRM, 0, noImm, 0, 0},
	PUNPCKHWD:  {"PUNPCKHWD", 0x66, 1, 0x69, xmmRM, 0, noImm, 0, 0},
	PUNPCKHDQ:  {"PUNPCKHDQ", 0x66, 1, 0x6A, xmmRM, 0, noImm, 0, 0},
	PUNPCKHQDQ: {"PUNPCKHQDQ", 0x66, 1, 0x6D, xmmRM, 0, noImm, 0, 0},
	PACKSSWB:   {"PACKSSWB", 0x66, 1, 0x63, xmmRM, 0, noImm, 0, 0},
	PACKSSDW:   {"PACKSSDW", 0x66, 1, 0x6B, xmmRM, 0, noImm, 0, 0},
	PACKUSWB:   {"PACKUSWB", 0x66, 1, 0x67, xmmRM, 0, noImm, 0, 0},
	PSRLWimm:   {"PSRLW", 0x66, 1, 0x71, xmmDigit, 2, imm8, 0, 0},
	PSRAWimm:   {"PSRAW", 0x66, 1, 0x71, xmmDigit, 4, imm8, 0, 0},
	PSLLWimm:   {"PSLLW", 0x66, 1, 0x71, xmmDigit, 6, imm8, 0, 0},
	PSRLDimm:   {"PSRLD", 0x66, 1, 0x72, xmmDigit, 2, imm8, 0, 0},
	PSRADimm:   {"PSRAD", 0x66, 1, 0x72, xmmDigit, 4, imm8, 0, 0},
	PSLLDimm:   {"PSLLD", 0x66, 1, 0x72, xmmDigit, 6, imm8, 0, 0},
	PSRLQimm:   {"PSRLQ", 0x66, 1, 0x73, xmmDigit, 2, imm8, 0, 0},
	PSLLQimm:   {"PSLLQ", 0x66, 1, 0x73, xmmDigit, 6, imm8, 0, 0},
	PSRLDQ:     {"PSRLDQ", 0x66, 1, 0x73, xmmDigit, 3, imm8, 0, 0},
	PSLLDQ:     {"PSLLDQ", 0x66, 1, 0x73, xmmDigit, 7, imm8, 0, 0},
	PSHUFD:     {"PSHUFD", 0x66, 1, 0x70, xmmRM, 0, imm8, 0, 0},
	PSHUFHW:    {"PSHUFHW", 0xF3, 1, 0x70, xmmRM, 0, imm8, 0, 0},
	PSHUFLW:    {"PSHUFLW", 0xF2, 1, 0x70, xmmRM, 0, imm8, 0, 0},
	SHUFPS:     {"SHUFPS", 0, 1, 0xC6, xmmRM, 0, imm8, 0, 0},
	SHUFPD:     {"SHUFPD", 0x66, 1, 0xC6, xmmRM, 0, imm8, 0, 0},

	PSHUFB:      {"PSHUFB", 0x66, 2, 0x00, xmmRM, 0, noImm, 0, 0},
	PHADDW:      {"PHADDW", 0x66, 2, 0x01, xmmRM, 0, noImm, 0, 0},
	PHADDD:      {"PHADDD", 0x66, 2, 0x02, xmmRM, 0, noImm, 0, 0},
	PHADDSW:     {"PHADDSW", 0x66, 2, 0x03, xmmRM, 0, noImm, 0, 0},
	PMADDUBSW:   {"PMADDUBSW", 0x66, 2, 0x04, xmmRM, 0, noImm, 0, 0},
	PHSUBW:      {"PHSUBW", 0x66, 2, 0x05, xmmRM, 0, noImm, 0, 0},
	PHSUBD:      {"PHSUBD", 0x66, 2, 0x06, xmmRM, 0, noImm, 0, 0},
	PHSUBSW:     {"PHSUBSW", 0x66, 2, 0x07, xmmRM, 0, noImm, 0, 0},
	PSIGNB:      {"PSIGNB", 0x66, 2, 0x08, xmmRM, 0, noImm, 0, 0},
	PSIGNW:      {"PSIGNW", 0x66, 2, 0x09, xmmRM, 0, noImm, 0, 0},
	PSIGND:      {"PSIGND", 0x66, 2, 0x0A, xmmRM, 0, noImm, 0, 0},
	PMULHRSW:    {"PMULHRSW", 0x66, 2, 0x0B, xmmRM, 0, noImm, 0, 0},
	PABSB:       {"PABSB", 0x66, 2, 0x1C, xmmRM, 0, noImm, 0, 0},
	PABSW:       {"PABSW", 0x66, 2, 0x1D, xmmRM, 0, noImm, 0, 0},
	PABSD:       {"PABSD", 0x66, 2, 0x1E, xmmRM, 0, noImm, 0, 0},
	PALIGNR:     {"PALIGNR", 0x66, 3, 0x0F, xmmRM, 0, imm8, 0, 0},
	PMULDQ:      {"PMULDQ", 0x66, 2, 0x28, xmmRM, 0, noImm, 0, 0},
	PCMPEQQ:     {"PCMPEQQ", 0x66, 2, 0x29, xmmRM, 0, noImm, 0, 0},
	PACKUSDW:    {"PACKUSDW", 0x66, 2, 0x2B, xmmRM, 0, noImm, 0, 0},
	PMINSB:      {"PMINSB", 0x66, 2, 0x38, xmmRM, 0, noImm, 0, 0},
	PMINSD:      {"PMINSD", 0x66, 2, 0x39, xmmRM, 0, noImm, 0, 0},
	PMINUW:      {"PMINUW", 0x66, 2, 0x3A, xmmRM, 0, noImm, 0, 0},
	PMINUD:      {"PMINUD", 0x66, 2, 0x3B, xmmRM, 0, noImm, 0, 0},
	PMAXSB:      {"PMAXSB", 0x66, 2, 0x3C, xmmRM, 0, noImm, 0, 0},
	PMAXSD:      {"PMAXSD", 0x66, 2, 0x3D, xmmRM, 0, noImm, 0, 0},
	PMAXUW:      {"PMAXUW", 0x66, 2, 0x3E, xmmRM, 0, noImm, 0, 0},
	PMAXUD:      {"PMAXUD", 0x66, 2, 0x3F, xmmRM, 0, noImm, 0, 0},
	PMULLD:      {"PMULLD", 0x66, 2, 0x40, xmmRM, 0, noImm, 0, 0},
	PHMINPOSUW:  {"PHMINPOSUW", 0x66, 2, 0x41, xmmRM, 0, noImm, 0, 0},
	PBLENDW:     {"PBLENDW", 0x66, 3, 0x0E, xmmRM, 0, imm8, 0, 0},
	BLENDPS:     {"BLENDPS", 0x66, 3, 0x0C, xmmRM, 0, imm8, 0, 0},
	BLENDPD:     {"BLENDPD", 0x66, 3, 0x0D, xmmRM, 0, imm8, 0, 0},
	PCMPGTQ:     {"PCMPGTQ", 0x66, 2, 0x37, xmmRM, 0, noImm, 0, 0},
	AESENC:      {"AESENC", 0x66, 2, 0xDC, xmmRM, 0, noImm, 0, 0},
	AESENCLAST:  {"AESENCLAST", 0x66, 2, 0xDD, xmmRM, 0, noImm, 0, 0},
	AESDEC:      {"AESDEC", 0x66, 2, 0xDE, xmmRM, 0, noImm, 0, 0},
	AESDECLAST:  {"AESDECLAST", 0x66, 2, 0xDF, xmmRM, 0, noImm, 0, 0},
	AESIMC:      {"AESIMC", 0x66, 2, 0xDB, xmmRM, 0, noImm, 0, 0},
	PCLMULQDQ:   {"PCLMULQDQ", 0x66, 3, 0x44, xmmRM, 0, imm8, 0, 0},
	SHA1NEXTE:   {"SHA1NEXTE", 0, 2, 0xC8, xmmRM, 0, noImm, 0, 0},
	SHA1MSG1:    {"SHA1MSG1", 0, 2, 0xC9, xmmRM, 0, noImm, 0, 0},
	SHA1MSG2:    {"SHA1MSG2", 0, 2, 0xCA, xmmRM, 0, noImm, 0, 0},
	SHA256RNDS2: {"SHA256RNDS2", 0, 2, 0xCB, xmmRM, 0, noImm, 0, 0},
	SHA256MSG1:  {"SHA256MSG1", 0, 2, 0xCC, xmmRM, 0, noImm, 0, 0},
	SHA256MSG2:  {"SHA256MSG2", 0, 2, 0xCD, xmmRM, 0, noImm, 0, 0},
	SHA1RNDS4:   {"SHA1RNDS4", 0, 3, 0xCC, xmmRM, 0, imm8, 0, 0},
}
