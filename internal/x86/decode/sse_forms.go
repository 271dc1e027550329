package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// The forms of instructions on XMM registers.

// vw is V = op(V, W).
func vw(d *decoder, in *vectorInsn) bool {
	d.modrm()
	d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: d.source(in.memory)})
	return true
}

// vwi is V = op(V, W, imm8).
func vwi(d *decoder, in *vectorInsn) bool {
	d.modrm()
	s := d.source(in.memory)
	d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: s, Imm: int64(d.imm8())})
	return true
}

// vu is V = op(V, U): W, but only a register.
func vu(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if !d.isReg() {
		return false
	}
	d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: d.rm})
	return true
}

// load is a move to V: op between registers, a plain load from memory.
func load(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if d.isReg() {
		d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: d.rm})
	} else {
		d.emit(d.at(uop.Uop{Op: xmmLoads[in.memory], Dst: d.reg}))
	}
	return true
}

// store is a move from V: op between registers, a plain store to memory.
func store(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if d.isReg() {
		d.emit(uop.Uop{Op: in.op, Dst: d.rm, Src: d.reg})
	} else {
		d.emit(d.at(uop.Uop{Op: xmmStores[in.memory], Src: d.reg}))
	}
	return true
}

// loadOnly and storeOnly are moves for which there is no register form.
func loadOnly(d *decoder, in *vectorInsn) bool  { return !d.nextIsReg() && load(d, in) }
func storeOnly(d *decoder, in *vectorInsn) bool { return !d.nextIsReg() && store(d, in) }

// nextIsReg says whether the ModRM byte that comes next names a register.
func (d *decoder) nextIsReg() bool { return d.peek()>>6 == 3 }

// half returns the form of moves that load a quadword into one half of V: onReg is what the opcode means on a register,
// 0 for nothing.
func half(onReg uop.Op) vectorForm {
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
	d.emit(uop.Uop{Op: uop.MOVHLPS, Dst: uop.XMMTmp, Src: d.reg})
	d.emit(d.at(uop.Uop{Op: uop.StoreX64, Src: uop.XMMTmp}))
	return true
}

// gw is G = op(W, imm8); gu is the same with a register only. Where REX.W is set the operation is the one after op.
func gw(d *decoder, in *vectorInsn) bool {
	d.modrm()
	d.emit(uop.Uop{Op: in.op + d.wide(), Dst: d.reg, Src: d.source(in.memory)})
	return true
}

func gu(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if !d.isReg() {
		return false
	}
	d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: d.rm})
	return true
}

func gui(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if !d.isReg() {
		return false
	}
	d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: d.rm, Imm: int64(d.imm8())})
	return true
}

// wide is 1 where REX.W is set. Operations with a 32-bit and a 64-bit form stand in this order.
func (d *decoder) wide() uop.Op { return uop.Op(d.rex >> 3 & 1) }

// dword returns m32, or m64 where REX.W is set.
func (d *decoder) dword() access { return m32 + access(d.wide()) }

// general returns the slot of operand E, zero-extended where it is memory.
func (d *decoder) general(a access) uint8 {
	if d.isReg() {
		return d.rm
	}
	d.emit(d.at(uop.Uop{Op: gprLoads[a], Dst: uop.Tmp0}))
	return uop.Tmp0
}

// ve is V = op(V, E), E being 32 or, with REX.W, 64 bits wide.
func ve(d *decoder, in *vectorInsn) bool {
	d.modrm()
	s := d.general(d.dword())
	d.emit(uop.Uop{Op: in.op + d.wide(), Dst: d.reg, Src: s})
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
	d.emit(uop.Uop{Op: op, Dst: d.reg, Src: s, Imm: int64(d.imm8())})
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
		d.emit(uop.Uop{Op: op, Dst: d.rm, Src: d.reg, Imm: int64(d.imm8())})
		return true
	}
	d.emit(uop.Uop{Op: op, Dst: uop.Tmp0, Src: d.reg, Imm: int64(d.imm8())})
	d.emit(d.at(uop.Uop{Op: gprStores[a], Src: uop.Tmp0}))
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
		d.emit(uop.Uop{Op: uop.MovXFromR32 + d.wide(), Dst: d.reg, Src: d.rm})
	} else {
		d.emit(d.at(uop.Uop{Op: xmmLoads[d.dword()], Dst: d.reg}))
	}
	return true
}

// movdStore is MOVD and MOVQ from V to E.
func movdStore(d *decoder, _ *vectorInsn) bool {
	d.modrm()
	if d.isReg() {
		d.emit(uop.Uop{Op: uop.MovRFromX32 + d.wide(), Dst: d.rm, Src: d.reg})
	} else {
		d.emit(d.at(uop.Uop{Op: xmmStores[d.dword()], Src: d.reg}))
	}
	return true
}

// movnti stores a general-purpose register.
func movnti(d *decoder, _ *vectorInsn) bool {
	d.modrm()
	if d.isReg() {
		return false
	}
	d.emit(d.at(uop.Uop{Op: gprStores[d.dword()], Src: d.reg}))
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
	d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: s, Imm: imm})
	return true
}

// maskmov is MASKMOVDQU, whose memory operand is [RDI], or [EDI] with 67.
func maskmov(d *decoder, in *vectorInsn) bool {
	d.modrm()
	if !d.isReg() {
		return false
	}
	u := d.implicit(uop.RDI, 16)
	u.Op, u.Dst, u.Src, u.Imm = uop.MASKMOVDQU, d.reg, d.rm, 16
	d.emit(u)
	return true
}

// implicit returns a micro-operation whose memory operand of n bytes is at the address in a register.
func (d *decoder) implicit(base uint8, n uint32) uop.Uop {
	if d.mode&ModeLegacy != 0 {
		return d.legacyImplicit(base, n)
	}
	u := uop.Uop{Base: base, Index: uop.Zero, Seg: d.seg}
	if d.addr32 {
		d.emit(uop.Uop{Op: uop.Lea32, Dst: addrTmp, Base: base, Index: uop.Zero, Seg: uop.Zero})
		u.Base = addrTmp
	}
	return u
}

// shiftGroup is groups 12, 13 and 14: ModRM.reg selects the operation, by an immediate, on a register.
type shiftGroup [8]uop.Op

func (g shiftGroup) form(d *decoder, _ *vectorInsn) bool {
	d.modrm()
	op := g[d.reg&7]
	if op == 0 || !d.isReg() {
		return false
	}
	d.emit(uop.Uop{Op: op, Dst: d.rm, Imm: int64(d.imm8())})
	return true
}

// stringCompare is the form of the string comparisons of SSE4.2. Aux says that the explicit lengths have 64 bits.
func stringCompare(d *decoder, in *vectorInsn) bool {
	d.modrm()
	s := d.source(in.memory)
	d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: s, Imm: int64(d.imm8()), Aux: uint32(d.wide())})
	return true
}
