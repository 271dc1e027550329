package arm64

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// An Assembler collects instructions. Its zero value is ready.
type Assembler struct {
	Bytes  []byte
	labels []int // where each is, -1 if nowhere yet
	uses   []use
}

// Reset makes a ready to assemble other code.
func (a *Assembler) Reset() { a.Bytes, a.labels, a.uses = a.Bytes[:0], a.labels[:0], a.uses[:0] }

func (a *Assembler) word(w uint32) { a.Bytes = binary.LittleEndian.AppendUint32(a.Bytes, w) }

// row returns the word of a row that has to be of a form, for operands of size bytes, 4 or 8. Rows of one width do not look at it.
func (op Op) row(f form, size int) uint32 {
	e := &encodings[op]
	if e.form != f || e.sized && size != 4 && size != 8 {
		panic(fmt.Sprintf("BUG: %s does not have these operands of %d bytes", e.name, size))
	}
	if e.sized && size == 8 {
		return e.word | 1<<31
	}
	return e.word
}

func place(d, n, m Reg) uint32 { return uint32(d) | uint32(n)<<5 | uint32(m)<<16 }

// within wants v to be less than most.
func within(v, most uint64) uint32 {
	if v >= most {
		panic(fmt.Sprintf("BUG: an operand of %d, where less than %d fits", v, most))
	}
	return uint32(v)
}

// Shifted assembles d = n op m<<shift.
func (a *Assembler) Shifted(op Op, size int, d, n, m Reg, shift uint8) {
	a.word(op.row(shifted, size) | place(d, n, m) | within(uint64(shift), uint64(8*size))<<10)
}

// FitsImm12 says whether [Assembler.Imm12] takes v: twelve bits, or twelve bits shifted by twelve.
func FitsImm12(v uint64) bool { return v < 1<<12 || v < 1<<24 && v&0xFFF == 0 }

// Imm12 assembles d = n op v. Neither register is ZR, but d of an instruction that makes flags.
func (a *Assembler) Imm12(op Op, size int, d, n Reg, v uint64) {
	shift := uint32(0)
	if v >= 1<<12 && v&0xFFF == 0 {
		v, shift = v>>12, 1<<22
	}
	a.word(op.row(added, size) | place(d, n, 0) | shift | within(v, 1<<12)<<10)
}

// Bitmask assembles d = n op v, where v is one that [FitsBitmask] takes.
func (a *Assembler) Bitmask(op Op, size int, d, n Reg, v uint64) {
	m, ok := bitmaskOf(size, v)
	if !ok {
		panic(fmt.Sprintf("BUG: %#x is no mask of %d bytes", v, size))
	}
	a.word(op.row(bitmask, size) | place(d, n, 0) | m<<10)
}

// FitsBitmask says whether v is an immediate of logic on size bytes: ones in a row, gone round by some bits, in an element of
// 2, 4, 8, 16, 32 or 64 bits that repeats; not zero, and not all ones.
func FitsBitmask(size int, v uint64) bool {
	_, ok := bitmaskOf(size, v)
	return ok
}

// bitmaskOf returns N:immr:imms of a mask.
func bitmaskOf(size int, v uint64) (uint32, bool) {
	if size == 4 {
		if v != uint64(uint32(v)) {
			return 0, false
		}
		v |= v << 32
	}
	if v == 0 || ^v == 0 {
		return 0, false
	}
	width := 64
	for half := 32; half >= 2 && bits.RotateLeft64(v, half) == v; half /= 2 {
		width = half
	}
	element := v & (^uint64(0) >> (64 - width))
	ones := bits.OnesCount64(element)
	for turn := range width {
		// The element, gone round to the left by turn, is ones at the bottom: it is those, gone round to the right by turn.
		e := (element<<turn | element>>(width-turn)) & (^uint64(0) >> (64 - width))
		if e == 1<<ones-1 {
			imms := uint32(ones-1) | ^uint32(2*width-1)&0x3F
			return uint32(width>>6)<<12 | uint32(turn)<<6 | imms, true
		}
	}
	return 0, false
}

// Three assembles d = n op m.
func (a *Assembler) Three(op Op, size int, d, n, m Reg) { a.word(op.row(three, size) | place(d, n, m)) }

// Four assembles d = x ± n*m.
func (a *Assembler) Four(op Op, size int, d, n, m, x Reg) {
	a.word(op.row(four, size) | place(d, n, m) | uint32(x)<<10)
}

// Two assembles d = op n.
func (a *Assembler) Two(op Op, size int, d, n Reg) { a.word(op.row(two, size) | place(d, n, 0)) }

// Field assembles a move of a bit field, with immr and imms as the manual has them.
func (a *Assembler) Field(op Op, size int, d, n Reg, immr, imms uint8) {
	w := op.row(field, size)
	most := uint64(8 * size)
	a.word(w | w>>31<<22 | place(d, n, 0) | within(uint64(immr), most)<<16 | within(uint64(imms), most)<<10)
}

// Extract assembles d = the bits of n:m from lsb on.
func (a *Assembler) Extract(op Op, size int, d, n, m Reg, lsb uint8) {
	w := op.row(extract, size)
	a.word(w | w>>31<<22 | place(d, n, m) | within(uint64(lsb), uint64(8*size))<<10)
}

// Select assembles d = n where the condition holds, else what op makes of m.
func (a *Assembler) Select(op Op, size int, d, n, m Reg, c Condition) {
	a.word(op.row(selects, size) | place(d, n, m) | uint32(c)<<12)
}

// Wide assembles a move of 16 bits, to bits shift and up; shift is a multiple of 16.
func (a *Assembler) Wide(op Op, size int, d Reg, v uint16, shift uint8) {
	if shift%16 != 0 {
		panic("BUG: 16 bits are moved to where they cannot go")
	}
	a.word(op.row(wide, size) | uint32(d) | uint32(v)<<5 | within(uint64(shift), uint64(8*size))>>4<<21)
}

// MovImm sets d to v, in as few moves as there are halfwords that differ from what most of them are.
func (a *Assembler) MovImm(d Reg, v uint64) {
	if v != 0 && FitsBitmask(8, v) {
		a.Bitmask(ORRI, 8, d, ZR, v)
		return
	}
	zeros, ones := 0, 0
	for s := 0; s < 64; s += 16 {
		switch uint16(v >> s) {
		case 0:
			zeros++
		case 0xFFFF:
			ones++
		}
	}
	first, same := MOVZ, uint16(0)
	if ones > zeros {
		first, same = MOVN, 0xFFFF
	}
	begun := false
	for s := uint8(0); s < 64; s += 16 {
		switch h := uint16(v >> s); {
		case h == same:
		case begun:
			a.Wide(MOVK, 8, d, h, s)
		default:
			a.Wide(first, 8, d, h^same, s)
			begun = true
		}
	}
	if !begun {
		a.Wide(first, 8, d, 0, 0)
	}
}

// FitsOffset says whether op reaches an offset.
func FitsOffset(op Op, offset int32) bool {
	s := encodings[op].scale
	return offset >= 0 && offset>>s<<s == offset && offset>>s < 1<<12
}

// Memory assembles a load or store of t at n + offset.
func (a *Assembler) Memory(op Op, t, n Reg, offset int32) {
	if !FitsOffset(op, offset) {
		panic(fmt.Sprintf("BUG: %s does not reach %d", encodings[op].name, offset))
	}
	a.word(op.row(memory, 8) | place(t, n, 0) | uint32(offset)>>encodings[op].scale<<10)
}

// Indexed assembles a load or store of t at n + m.
func (a *Assembler) Indexed(op Op, t, n, m Reg) { a.word(op.row(register, 8) | place(t, n, m)) }

// Page sets d to the address of the page of 4 KiB that is so many pages after the instruction's own, up to 4 GiB away.
func (a *Assembler) Page(d Reg, pages int64) {
	if pages != pages<<43>>43 {
		panic(fmt.Sprintf("BUG: a page %d pages away", pages))
	}
	v := uint32(pages)
	a.word(0x90000000 | v&3<<29 | v>>2&(1<<19-1)<<5 | uint32(d))
}

// ReadFlags and WriteFlags move NZCV from and to bits 31:28 of a register.
func (a *Assembler) ReadFlags(t Reg)  { a.word(0xD53B4200 | uint32(t)) }
func (a *Assembler) WriteFlags(t Reg) { a.word(0xD51B4200 | uint32(t)) }
