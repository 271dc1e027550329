package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// A vectorInsn is a row of the tables of instructions on XMM and MMX registers (sse_0f.go, sse_0f38.go,
// sse_0f3a.go).
type vectorInsn struct {
	opcode uint8
	prefix mandatory
	op     uop.Op
	form   vectorForm
	memory access // what a memory operand is
}

// A mandatory prefix is part of the opcode. F2 and F3 win over 66.
type mandatory uint8

const (
	np mandatory = iota
	p66
	pF3
	pF2
	both // 66 and XMM registers, or none and MMX registers
	mandatories
)

// An access is the width of a memory operand.
type access uint8

const (
	nomem access = iota // no memory operand, or one that the form knows
	m8
	m16
	m32
	m64
	m128  // must be aligned to 16 bytes
	m128u // need not be
)

var (
	xmmLoads  = [...]uop.Op{m8: uop.LoadX8, m16: uop.LoadX16, m32: uop.LoadX32, m64: uop.LoadX64, m128: uop.LoadX128A, m128u: uop.LoadX128}
	xmmStores = [...]uop.Op{m8: uop.StoreX8, m16: uop.StoreX16, m32: uop.StoreX32, m64: uop.StoreX64, m128: uop.StoreX128A, m128u: uop.StoreX128}
	gprLoads  = [...]uop.Op{m8: uop.Load8, m16: uop.Load16, m32: uop.Load32, m64: uop.Load64}
	gprStores = [...]uop.Op{m8: uop.Store8, m16: uop.Store16, m32: uop.Store32, m64: uop.Store64}
)

// A vectorForm says what an instruction's operands are and emits its micro-operations. It returns false where these
// operands are undefined. The letters are those of the manual's opcode maps (SDM vol. 2, A.2): V and P are the XMM and
// MMX register in ModRM.reg, W and Q the register or memory operand, G and E the general-purpose ones.
type vectorForm func(d *decoder, in *vectorInsn) bool

// vectorMaps holds the rows of the maps 0F, 0F38 and 0F3A by number, opcode and prefix.
var vectorMaps = [4][256][both]*vectorInsn{1: indexed(map0F), 2: indexed(map0F38), 3: indexed(map0F3A)}

func indexed(rows []vectorInsn) (m [256][both]*vectorInsn) {
	for i := range rows {
		in := &rows[i]
		if in.prefix != both {
			m[in.opcode][in.prefix] = in
			continue
		}
		m[in.opcode][p66] = in
		m[in.opcode][np] = &vectorInsn{in.opcode, np, in.op, pq, m64}
	}
	return m
}

// sse decodes an instruction of map 0F (1), 0F38 (2) or 0F3A (3) whose ModRM byte has not been read. It returns false
// where there is none.
func (d *decoder) sse(mapNo int, opcode uint8) bool {
	prefix := np
	switch {
	case d.rep == 0xF2:
		prefix = pF2
	case d.rep == 0xF3:
		prefix = pF3
	case d.data16:
		prefix = p66
	}
	in := vectorMaps[mapNo][opcode][prefix]
	if in == nil || d.lock {
		return false
	}
	return !d.sseReady() || in.form(d, in)
}

// sseReady says whether SSE instructions are usable; where not, it makes the instruction raise what it raises then (SDM
// vol. 3, 14.1).
func (d *decoder) sseReady() bool {
	switch {
	case d.mode&ModeSSE != 0:
		return true
	case d.mode&ModeNM != 0:
		d.raise(uop.VectorNM)
	default:
		d.undefined()
	}
	return false
}

// source returns the slot of operand W: a register, or a temporary that a micro-operation loads.
func (d *decoder) source(a access) uint8 {
	if d.isReg() {
		return d.rm
	}
	d.emit(d.at(uop.Uop{Op: xmmLoads[a], Dst: uop.XMMTmp}))
	return uop.XMMTmp
}
