package x86

// A vectorInsn is a row of the tables of instructions on XMM and MMX registers (decode_sse_0f.go, decode_sse_0f38.go, decode_sse_0f3a.go).
type vectorInsn struct {
	opcode uint8
	prefix mandatory
	op     Op
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
	xmmLoads  = [...]Op{m8: opLoadX8, m16: opLoadX16, m32: opLoadX32, m64: opLoadX64, m128: opLoadX128A, m128u: opLoadX128}
	xmmStores = [...]Op{m8: opStoreX8, m16: opStoreX16, m32: opStoreX32, m64: opStoreX64, m128: opStoreX128A, m128u: opStoreX128}
	gprLoads  = [...]Op{m8: OpLoad8, m16: OpLoad16, m32: OpLoad32, m64: OpLoad64}
	gprStores = [...]Op{m8: OpStore8, m16: OpStore16, m32: OpStore32, m64: OpStore64}
)

// A vectorForm says what an instruction's operands are and emits its micro-operations. It returns false where these operands are undefined.
// The letters are those of the manual's opcode maps (SDM vol. 2, A.2): V and P are the XMM and MMX register in ModRM.reg, W and Q the register or memory operand, G and E
// the general-purpose ones.
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

// sse decodes an instruction of map 0F (1), 0F38 (2) or 0F3A (3) whose ModRM byte has not been read. It returns false where there is none.
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

// sseReady says whether SSE instructions are usable; where not, it makes the instruction raise what it raises then (SDM vol. 3, 14.1).
func (d *decoder) sseReady() bool {
	switch {
	case d.mode&modeSSE != 0:
		return true
	case d.mode&modeNM != 0:
		d.raise(vectorNM)
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
	d.emit(d.at(Uop{Op: xmmLoads[a], Dst: xmmTmp}))
	return xmmTmp
}

// vw is V = op(V, W).
func vw(d *decoder, in *vectorInsn) bool {
	d.modrm()
	d.emit(Uop{Op: in.op, Dst: d.reg, Src: d.source(in.memory)})
	return true
}

// vwi is V = op(V, W, imm8).
func vwi(d *decoder, in *vectorInsn) bool {
	d.modrm()
	s := d.source(in.memory)
	d.emit(Uop{Op: in.op, Dst: d.reg, Src: s, Imm: int64(d.imm8())})
	return true
}

// vu is V = op(V, U): W, but only a register.
func vu(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if !d.isReg() {
		return false
	}
	d.emit(Uop{Op: in.op, Dst: d.reg, Src: d.rm})
	return true
}

// load is a move to V: op between registers, a plain load from memory.
func load(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if d.isReg() {
		d.emit(Uop{Op: in.op, Dst: d.reg, Src: d.rm})
	} else {
		d.emit(d.at(Uop{Op: xmmLoads[in.memory], Dst: d.reg}))
	}
	return true
}

// store is a move from V: op between registers, a plain store to memory.
func store(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if d.isReg() {
		d.emit(Uop{Op: in.op, Dst: d.rm, Src: d.reg})
	} else {
		d.emit(d.at(Uop{Op: xmmStores[in.memory], Src: d.reg}))
	}
	return true
}

// loadOnly and storeOnly are moves for which there is no register form.
func loadOnly(d *decoder, in *vectorInsn) bool  { return !d.nextIsReg() && load(d, in) }
func storeOnly(d *decoder, in *vectorInsn) bool { return !d.nextIsReg() && store(d, in) }

// nextIsReg says whether the ModRM byte that comes next names a register.
func (d *decoder) nextIsReg() bool { return d.peek()>>6 == 3 }

// half returns the form of moves that load a quadword into one half of V: onReg is what the opcode means on a register, 0 for nothing.
func half(onReg Op) vectorForm {
	return func(d *decoder, in *vectorInsn) bool {
		if d.nextIsReg() {
			return onReg != 0 && vu(d, &vectorInsn{op: onReg})
		}
		return vw(d, in)
	}
}

// storeHigh stores the high quadword of V.
func storeHigh(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if d.isReg() {
		return false
	}
	d.emit(Uop{Op: opMOVHLPS, Dst: xmmTmp, Src: d.reg})
	d.emit(d.at(Uop{Op: opStoreX64, Src: xmmTmp}))
	return true
}

// gw is G = op(W, imm8); gu is the same with a register only. Where REX.W is set the operation is the one behind op.
func gw(d *decoder, in *vectorInsn) bool {
	d.modrm()
	d.emit(Uop{Op: in.op + d.wide(), Dst: d.reg, Src: d.source(in.memory)})
	return true
}

func gu(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if !d.isReg() {
		return false
	}
	d.emit(Uop{Op: in.op, Dst: d.reg, Src: d.rm})
	return true
}

func gui(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if !d.isReg() {
		return false
	}
	d.emit(Uop{Op: in.op, Dst: d.reg, Src: d.rm, Imm: int64(d.imm8())})
	return true
}

// wide is 1 where REX.W is set. Operations with a 32-bit and a 64-bit form stand in this order.
func (d *decoder) wide() Op { return Op(d.rex >> 3 & 1) }

// dword returns m32, or m64 where REX.W is set.
func (d *decoder) dword() access { return m32 + access(d.wide()) }

// general returns the slot of operand E, zero-extended where it is memory.
func (d *decoder) general(a access) uint8 {
	if d.isReg() {
		return d.rm
	}
	d.emit(d.at(Uop{Op: gprLoads[a], Dst: Tmp0}))
	return Tmp0
}

// ve is V = op(V, E), E being 32 or, with REX.W, 64 bits wide.
func ve(d *decoder, in *vectorInsn) bool {
	d.modrm()
	s := d.general(d.dword())
	d.emit(Uop{Op: in.op + d.wide(), Dst: d.reg, Src: s})
	return true
}

// vei is V = op(V, E, imm8); with in.memory being m32 the width follows REX.W.
func vei(d *decoder, in *vectorInsn) bool {
	d.modrm()
	a, op := in.memory, in.op
	if a == m32 {
		a, op = d.dword(), op+d.wide()
	}
	s := d.general(a)
	d.emit(Uop{Op: op, Dst: d.reg, Src: s, Imm: int64(d.imm8())})
	return true
}

// evi is E = op(V, imm8): a general-purpose register in full, or as many bytes of memory as in.memory says.
func evi(d *decoder, in *vectorInsn) bool {
	d.modrm()
	a, op := in.memory, in.op
	if a == m32 {
		a, op = d.dword(), op+d.wide()
	}
	if d.isReg() {
		d.emit(Uop{Op: op, Dst: d.rm, Src: d.reg, Imm: int64(d.imm8())})
		return true
	}
	d.emit(Uop{Op: op, Dst: Tmp0, Src: d.reg, Imm: int64(d.imm8())})
	d.emit(d.at(Uop{Op: gprStores[a], Src: Tmp0}))
	return true
}

// extractps is evi without a 64-bit form.
func extractps(d *decoder, in *vectorInsn) bool {
	d.rex &^= rexW
	return evi(d, in)
}

// movdLoad is MOVD and MOVQ to V from E.
func movdLoad(d *decoder, _ *vectorInsn) bool {
	d.modrm()
	if d.isReg() {
		d.emit(Uop{Op: opMovXFromR32 + d.wide(), Dst: d.reg, Src: d.rm})
	} else {
		d.emit(d.at(Uop{Op: xmmLoads[d.dword()], Dst: d.reg}))
	}
	return true
}

// movdStore is MOVD and MOVQ from V to E.
func movdStore(d *decoder, _ *vectorInsn) bool {
	d.modrm()
	if d.isReg() {
		d.emit(Uop{Op: opMovRFromX32 + d.wide(), Dst: d.rm, Src: d.reg})
	} else {
		d.emit(d.at(Uop{Op: xmmStores[d.dword()], Src: d.reg}))
	}
	return true
}

// movnti stores a general-purpose register.
func movnti(d *decoder, _ *vectorInsn) bool {
	d.modrm()
	if d.isReg() {
		return false
	}
	d.emit(d.at(Uop{Op: gprStores[d.dword()], Src: d.reg}))
	return true
}

// insertpsForm is INSERTPS: a memory operand is one doubleword, whatever imm[7:6] says.
func insertpsForm(d *decoder, in *vectorInsn) bool {
	d.modrm()
	s := d.source(m32)
	imm := int64(d.imm8())
	if !d.isReg() {
		imm &= 0x3F
	}
	d.emit(Uop{Op: in.op, Dst: d.reg, Src: s, Imm: imm})
	return true
}

// maskmov is MASKMOVDQU, whose memory operand is [RDI], or [EDI] with 67.
func maskmov(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if !d.isReg() {
		return false
	}
	u := d.implicit(RDI)
	u.Op, u.Dst, u.Src, u.Imm = opMASKMOVDQU, d.reg, d.rm, 16
	d.emit(u)
	return true
}

// implicit returns a micro-operation whose memory operand is at the address in a register.
func (d *decoder) implicit(base uint8) Uop {
	u := Uop{Base: base, Index: Zero, Seg: d.seg}
	if d.addr32 {
		d.emit(Uop{Op: OpLea32, Dst: addrTmp, Base: base, Index: Zero, Seg: Zero})
		u.Base = addrTmp
	}
	return u
}

// shiftGroup is groups 12, 13 and 14: ModRM.reg selects the operation, by an immediate, on a register.
type shiftGroup [8]Op

func (g shiftGroup) form(d *decoder, _ *vectorInsn) bool {
	d.modrm()
	op := g[d.reg&7]
	if op == 0 || !d.isReg() {
		return false
	}
	d.emit(Uop{Op: op, Dst: d.rm, Imm: int64(d.imm8())})
	return true
}
