package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Registers that hold something all the time, and those that are free.
const (
	rCPU     arm64.Reg = 19
	rResult  arm64.Reg = 20 // the flags' two parts
	rCarries arm64.Reg = 21
	rRIP     arm64.Reg = 22 // the slot BlkRIP
	rMask    arm64.Reg = 24 // which bits of a vector of carries are kept
	rTLB     arm64.Reg = 26

	tmpA arm64.Reg = 16
	tmpB arm64.Reg = 17
	tmpC arm64.Reg = 25
	tmpD arm64.Reg = 27
)

// pinned returns the register that a slot is in, if it is in one.
func pinned(slot uint8) (arm64.Reg, bool) {
	switch s := slot % uop.Slots; {
	case s <= uop.R15:
		return arm64.Reg(s), true
	case s == uop.BlkRIP:
		return rRIP, true
	case s == uop.Tmp0:
		return 23, true
	}
	return 0, false
}

func isZero(slot uint8) bool { return hostcode.IsZero(slot) }

func (g *Generator) slotOffset(slot uint8) int32 { return g.layout.R + int32(slot%uop.Slots)*8 }

// get returns a register that holds a slot's value: its own, ZR, or tmp.
func (g *Generator) get(slot uint8, tmp arm64.Reg) arm64.Reg {
	if isZero(slot) {
		return arm64.ZR
	}
	if r, ok := pinned(slot); ok {
		return r
	}
	g.Memory(arm64.LDR, tmp, rCPU, g.slotOffset(slot))
	return tmp
}

// dst returns the register in which a slot's new value is to be made, and what puts it there: its own, or tmp. With load it
// holds the old value.
func (g *Generator) dst(slot uint8, tmp arm64.Reg, load bool) (arm64.Reg, func()) {
	if r, ok := pinned(slot); ok {
		return r, func() {}
	}
	if load {
		g.Memory(arm64.LDR, tmp, rCPU, g.slotOffset(slot))
	}
	return tmp, func() { g.Memory(arm64.STR, tmp, rCPU, g.slotOffset(slot)) }
}

// set sets a slot to a register's value.
func (g *Generator) set(slot uint8, r arm64.Reg) {
	if d, ok := pinned(slot); ok {
		g.mov(8, d, r)
		return
	}
	g.Memory(arm64.STR, r, rCPU, g.slotOffset(slot))
}

// src returns a register that holds R[Src]+Imm: a slot's own, ZR, or tmp. One of the two has to be zero.
func (g *Generator) src(u *uop.Uop, tmp arm64.Reg) (r arm64.Reg, ok bool) {
	switch {
	case !isZero(u.Src):
		return g.get(u.Src, tmp), u.Imm == 0
	case u.Imm == 0:
		return arm64.ZR, true
	}
	g.MovImm(tmp, uint64(u.Imm))
	return tmp, true
}

// load and store move what is at an offset of the processor's state. An offset may be farther away than an instruction
// reaches: a load goes by way of the register itself, a store by another.
func (g *Generator) load(op arm64.Op, t arm64.Reg, offset int32) {
	if arm64.FitsOffset(op, offset) {
		g.Memory(op, t, rCPU, offset)
		return
	}
	g.Imm12(arm64.ADDI, 8, t, rCPU, uint64(offset)&^0xFFF)
	g.Memory(op, t, t, offset&0xFFF)
}

func (g *Generator) store(op arm64.Op, t arm64.Reg, offset int32, by arm64.Reg) {
	if arm64.FitsOffset(op, offset) {
		g.Memory(op, t, rCPU, offset)
		return
	}
	g.Imm12(arm64.ADDI, 8, by, rCPU, uint64(offset)&^0xFFF)
	g.Memory(op, t, by, offset&0xFFF)
}

// What the manual has as aliases of other instructions.

// mov moves the lowest 4 bytes, and clears the others, or 8.
func (g *Generator) mov(n int, d, s arm64.Reg) {
	if n == 8 && d == s {
		return
	}
	g.Shifted(arm64.ORR, n, d, arm64.ZR, s, 0)
}

func (g *Generator) lsl(n int, d, s arm64.Reg, by int) {
	w := 8 * n
	g.Field(arm64.UBFM, n, d, s, uint8((w-by)%w), uint8(w-1-by))
}
func (g *Generator) lsr(n int, d, s arm64.Reg, by int) {
	g.Field(arm64.UBFM, n, d, s, uint8(by), uint8(8*n-1))
}
func (g *Generator) asr(n int, d, s arm64.Reg, by int) {
	g.Field(arm64.SBFM, n, d, s, uint8(by), uint8(8*n-1))
}

// bits sets d to so many bits of s from one on, zero-extended; signedBits sign-extends to n bytes.
func (g *Generator) bits(d, s arm64.Reg, from, many int) {
	g.Field(arm64.UBFM, 8, d, s, uint8(from), uint8(from+many-1))
}
func (g *Generator) signedBits(n int, d, s arm64.Reg, from, many int) {
	g.Field(arm64.SBFM, n, d, s, uint8(from), uint8(from+many-1))
}

// insert puts so many of s's lowest bits at bit to of d, whose other bits stay.
func (g *Generator) insert(d, s arm64.Reg, to, many int) {
	g.Field(arm64.BFM, 8, d, s, uint8((64-to)%64), uint8(many-1))
}

// extended sets d to the lowest n bytes of s, sign-extended to 8.
func (g *Generator) extended(d, s arm64.Reg, n int) {
	if n == 8 {
		g.mov(8, d, s)
		return
	}
	g.signedBits(8, d, s, 0, 8*n)
}

// addConst makes d = s + v. It may use by, which is neither.
func (g *Generator) addConst(d, s arm64.Reg, v int64, by arm64.Reg) {
	switch {
	case v == 0:
		g.mov(8, d, s)
	case arm64.FitsImm12(uint64(v)):
		g.Imm12(arm64.ADDI, 8, d, s, uint64(v))
	case arm64.FitsImm12(uint64(-v)):
		g.Imm12(arm64.SUBI, 8, d, s, uint64(-v))
	default:
		g.MovImm(by, uint64(v))
		g.Shifted(arm64.ADD, 8, d, s, by, 0)
	}
}

// compareConst compares n bytes of a register with v.
func (g *Generator) compareConst(n int, r arm64.Reg, v uint64) {
	g.Imm12(arm64.SUBSI, n, arm64.ZR, r, v)
}
