package arm64

// A Reg is a general-purpose register. ZR is what number 31 is in every form here but the base of an address, and the
// first two operands of an addition with an immediate, where it would be SP: those do not take it.
type Reg uint8

// Registers by their numbers, those that have names of their own.
const (
	LR Reg = 30
	ZR Reg = 31
)

// A form says which operands an instruction has, and where.
type form uint8

const (
	shifted  form = iota // Rd, Rn, Rm, LSL #imm6
	added                // Rd, Rn, #imm12
	bitmask              // Rd, Rn, #mask
	three                // Rd, Rn, Rm
	four                 // Rd, Rn, Rm, Ra
	two                  // Rd, Rn
	field                // Rd, Rn, #immr, #imms
	extract              // Rd, Rn, Rm, #lsb
	selects              // Rd, Rn, Rm, condition
	wide                 // Rd, #imm16, LSL #shift
	memory               // Rt, [Rn, #offset], a multiple of the access's size
	register             // Rt, [Rn, Rm]
)

// An encoding is a row of the table. With sized, bit 31 says whether operands have 64 bits; other rows have one width.
type encoding struct {
	name  string
	form  form
	sized bool
	word  uint32
	scale uint8 // memory and register: the access's size, as a power of two
}

// An Op is a row of the table.
type Op uint8

// Instructions, with the names of the manual; -I takes an immediate, -X an index.
const (
	ADD Op = iota
	ADDS
	SUB
	SUBS
	AND
	ANDS
	ORR
	EOR
	BIC
	ORN
	EON
	ADDI
	ADDSI
	SUBI
	SUBSI
	ANDI
	ANDSI
	ORRI
	EORI
	ADC
	ADCS
	SBC
	SBCS
	LSL
	LSR
	ASR
	ROR
	UDIV
	SDIV
	MADD
	MSUB
	SMADDL
	UMADDL
	SMULH
	UMULH
	CLZ
	RBIT
	REV32 // of 32 bits
	REV64
	UBFM
	SBFM
	BFM
	EXTR
	CSEL
	CSINC
	CSINV
	CSNEG
	MOVZ
	MOVN
	MOVK
	LDRB
	LDRH
	LDRW // the upper half becomes zero
	LDR
	LDRSBW // to 32 bits
	LDRSB
	LDRSHW
	LDRSH
	LDRSW
	STRB
	STRH
	STRW
	STR
	LDRBX
	LDRHX
	LDRWX
	LDRX
	LDRSBWX
	LDRSBX
	LDRSHWX
	LDRSHX
	LDRSWX
	STRBX
	STRHX
	STRWX
	STRX
	ops
)

var encodings = [ops]encoding{
	ADD: {"ADD", shifted, true, 0x0B000000, 0}, ADDS: {"ADDS", shifted, true, 0x2B000000, 0},
	SUB: {"SUB", shifted, true, 0x4B000000, 0}, SUBS: {"SUBS", shifted, true, 0x6B000000, 0},
	AND: {"AND", shifted, true, 0x0A000000, 0}, ANDS: {"ANDS", shifted, true, 0x6A000000, 0},
	ORR: {"ORR", shifted, true, 0x2A000000, 0}, EOR: {"EOR", shifted, true, 0x4A000000, 0},
	BIC: {"BIC", shifted, true, 0x0A200000, 0}, ORN: {"ORN", shifted, true, 0x2A200000, 0}, EON: {"EON", shifted, true, 0x4A200000, 0},

	ADDI: {"ADD", added, true, 0x11000000, 0}, ADDSI: {"ADDS", added, true, 0x31000000, 0},
	SUBI: {"SUB", added, true, 0x51000000, 0}, SUBSI: {"SUBS", added, true, 0x71000000, 0},
	ANDI: {"AND", bitmask, true, 0x12000000, 0}, ANDSI: {"ANDS", bitmask, true, 0x72000000, 0},
	ORRI: {"ORR", bitmask, true, 0x32000000, 0}, EORI: {"EOR", bitmask, true, 0x52000000, 0},

	ADC: {"ADC", three, true, 0x1A000000, 0}, ADCS: {"ADCS", three, true, 0x3A000000, 0},
	SBC: {"SBC", three, true, 0x5A000000, 0}, SBCS: {"SBCS", three, true, 0x7A000000, 0},
	LSL: {"LSL", three, true, 0x1AC02000, 0}, LSR: {"LSR", three, true, 0x1AC02400, 0},
	ASR: {"ASR", three, true, 0x1AC02800, 0}, ROR: {"ROR", three, true, 0x1AC02C00, 0},
	UDIV: {"UDIV", three, true, 0x1AC00800, 0}, SDIV: {"SDIV", three, true, 0x1AC00C00, 0},
	MADD: {"MADD", four, true, 0x1B000000, 0}, MSUB: {"MSUB", four, true, 0x1B008000, 0},
	SMADDL: {"SMADDL", four, false, 0x9B200000, 0}, UMADDL: {"UMADDL", four, false, 0x9BA00000, 0},
	SMULH: {"SMULH", three, false, 0x9B407C00, 0}, UMULH: {"UMULH", three, false, 0x9BC07C00, 0},
	CLZ: {"CLZ", two, true, 0x5AC01000, 0}, RBIT: {"RBIT", two, true, 0x5AC00000, 0},
	REV32: {"REV", two, false, 0x5AC00800, 0}, REV64: {"REV", two, false, 0xDAC00C00, 0},

	UBFM: {"UBFM", field, true, 0x53000000, 0}, SBFM: {"SBFM", field, true, 0x13000000, 0}, BFM: {"BFM", field, true, 0x33000000, 0},
	EXTR: {"EXTR", extract, true, 0x13800000, 0},
	CSEL: {"CSEL", selects, true, 0x1A800000, 0}, CSINC: {"CSINC", selects, true, 0x1A800400, 0},
	CSINV: {"CSINV", selects, true, 0x5A800000, 0}, CSNEG: {"CSNEG", selects, true, 0x5A800400, 0},
	MOVZ: {"MOVZ", wide, true, 0x52800000, 0}, MOVN: {"MOVN", wide, true, 0x12800000, 0}, MOVK: {"MOVK", wide, true, 0x72800000, 0},

	LDRB: {"LDRB", memory, false, 0x39400000, 0}, LDRH: {"LDRH", memory, false, 0x79400000, 1},
	LDRW: {"LDR", memory, false, 0xB9400000, 2}, LDR: {"LDR", memory, false, 0xF9400000, 3},
	LDRSBW: {"LDRSB", memory, false, 0x39C00000, 0}, LDRSB: {"LDRSB", memory, false, 0x39800000, 0},
	LDRSHW: {"LDRSH", memory, false, 0x79C00000, 1}, LDRSH: {"LDRSH", memory, false, 0x79800000, 1},
	LDRSW: {"LDRSW", memory, false, 0xB9800000, 2},
	STRB:  {"STRB", memory, false, 0x39000000, 0}, STRH: {"STRH", memory, false, 0x79000000, 1},
	STRW: {"STR", memory, false, 0xB9000000, 2}, STR: {"STR", memory, false, 0xF9000000, 3},
	LDRBX: {"LDRB", register, false, 0x38606800, 0}, LDRHX: {"LDRH", register, false, 0x78606800, 1},
	LDRWX: {"LDR", register, false, 0xB8606800, 2}, LDRX: {"LDR", register, false, 0xF8606800, 3},
	LDRSBWX: {"LDRSB", register, false, 0x38E06800, 0}, LDRSBX: {"LDRSB", register, false, 0x38A06800, 0},
	LDRSHWX: {"LDRSH", register, false, 0x78E06800, 1}, LDRSHX: {"LDRSH", register, false, 0x78A06800, 1},
	LDRSWX: {"LDRSW", register, false, 0xB8A06800, 2},
	STRBX:  {"STRB", register, false, 0x38206800, 0}, STRHX: {"STRH", register, false, 0x78206800, 1},
	STRWX: {"STR", register, false, 0xB8206800, 2}, STRX: {"STR", register, false, 0xF8206800, 3},
}
