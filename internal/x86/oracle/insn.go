package oracle

// An insn is one instruction of a case: a form with its operands and prefixes.
type insn struct {
	*form

	regN, rmN, vvvvN, opN int
	isMem                 bool
	lock                  bool
	rep                   uint8   // F2 or F3 where the form has none of its own
	extra                 []uint8 // prefixes that do nothing
	rex                   uint8   // bits that are set although nothing needs them; 0x40 for a REX of no use
	vexL                  bool
	imm                   []uint64
	disp                  int64 // of a branch

	// The memory operand.
	segment  uint8 // prefix, 0 for none
	addr32   bool
	base     int // register number, or one of the following
	index    int // none for none
	scale    int
	dispSize int // 0, 1, 4
	memDisp  uint64
	sib      bool // where none is needed

	target  uint64 // its linear address
	aimed   bool   // target is settled
	adjust  uint64 // what the instruction itself adds to the address (bit offsets)
	content []byte // what must be there
	stores  bool   // it stores elsewhere too: on the stack, through RDI
	invalid bool   // it is not defined; how many of its bytes are read is the model's

	skip int // for a branch: how many instructions after it are jumped over; none where it leaves the case
}

// aim settles the linear address of the memory operand.
func (x *insn) aim(target uint64) { x.target, x.aimed = target, true }

const (
	none   = -1
	ripRel = -2
)

// encode returns the instruction's bytes.
func (x *insn) encode() []byte {
	var b []byte
	prefix := func(p uint8, wanted bool) {
		if wanted {
			b = append(b, p)
		}
	}
	b = append(b, x.extra...)
	prefix(x.segment, x.segment != 0)
	prefix(0x67, x.addr32)
	prefix(0xF0, x.lock)
	prefix(0x66, x.data16)
	prefix(x.rep, x.rep != 0)

	rex := x.rex
	if x.rexW {
		rex |= 0x48
	}
	high := func(n int, c class, bit uint8) {
		if c.file == 'm' {
			return
		}
		if n&8 != 0 {
			rex |= 0x40 | bit
		}
		if c.bits == 8 && n >= 16 { // SPL, BPL, SIL, DIL
			rex |= 0x40
		}
	}
	high(x.regN, x.reg, 4)
	high(x.opN, x.opReg, 1)
	if x.isMem {
		if x.base >= 0 {
			high(x.base, class{'g', 64}, 1)
		}
		if x.index >= 0 {
			high(x.index, class{'g', 64}, 2)
		}
	} else {
		high(x.rmN, x.rm, 1)
	}

	if x.vex {
		b = x.appendVEX(b, rex)
		b = append(b, x.opcode...)
	} else {
		prefix(x.mandatory, x.mandatory != 0)
		prefix(rex, rex != 0)
		at := len(b)
		b = append(b, x.opcode...)
		if x.plus {
			at += len(x.opcode) - 1
			b[at] |= uint8(x.opN & 7)
		}
	}
	if x.modrm {
		b = x.appendModRM(b)
	}
	for i, size := range x.immediate {
		b = appendLittle(b, x.imm[i], size)
	}
	if x.moffs {
		size := 8
		if x.addr32 {
			size = 4
		}
		b = appendLittle(b, x.memDisp, size)
	}
	return appendLittle(b, uint64(x.disp), x.relative)
}

func appendLittle(b []byte, v uint64, size int) []byte {
	for range size {
		b = append(b, byte(v))
		v >>= 8
	}
	return b
}

// appendVEX appends the three-byte VEX prefix (SDM vol. 2, 2.3.5), which all maps but 0F need.
func (x *insn) appendVEX(b []byte, rex uint8) []byte {
	pp := map[uint8]uint8{0: 0, 0x66: 1, 0xF3: 2, 0xF2: 3}[x.mandatory]
	last := uint8(^x.vvvvN&15)<<3 | pp
	if rex&8 != 0 {
		last |= 0x80
	}
	if x.vexL {
		last |= 4
	}
	return append(b, 0xC4, ^rex&7<<5|x.vexMap, last)
}

func (x *insn) appendModRM(b []byte) []byte {
	reg := x.digit
	if reg < 0 {
		reg = x.regN
	}
	modrm := func(mod, rm int) { b = append(b, uint8(mod<<6|reg&7<<3|rm&7)) }
	if !x.isMem {
		modrm(3, x.rmN)
		return b
	}
	mod := map[int]int{0: 0, 1: 1, 4: 2}[x.dispSize]
	index, base := x.index, x.base
	switch {
	case base == ripRel:
		modrm(0, 5)
		return appendLittle(b, x.memDisp, 4)
	case base == none:
		mod, base, x.dispSize = 0, 5, 4
		fallthrough
	case index != none || x.sib || base&7 == rsp:
		if index == none {
			index = rsp
		}
		modrm(mod, 4)
		b = append(b, uint8(x.scale<<6|index&7<<3|base&7))
	default:
		modrm(mod, base)
	}
	return appendLittle(b, x.memDisp, x.dispSize)
}

// touched returns the general-purpose registers that an operand number of some class means, as a set.
func (c class) touched(n int) uint16 {
	switch {
	case c.file != 'g':
		return 0
	case c.bits == 8 && n >= 4 && n < 8:
		return 1<<n | 1<<(n-4) // without REX it is a high byte
	}
	return 1 << (n & 15)
}
