package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Forms of MMX instructions. Each is: look for a pending x87 exception, copy the operands to temporaries, operate,
// enter the MMX state, copy the result back. What can fault comes before what the guest can see.

// mmx begins an MMX instruction: it reads ModRM and looks for a pending exception.
func (d *decoder) mmx() {
	d.modrm()
	d.emit(uop.Uop{Op: uop.X87Pending})
}

// sourceQ copies operand Q to uop.XMMTmp.
func (d *decoder) sourceQ(a access) {
	if d.isReg() {
		d.emit(uop.Uop{Op: uop.MMXGet, Dst: uop.XMMTmp, Src: d.rm & 7})
	} else {
		d.emit(d.at(uop.Uop{Op: xmmLoads[a], Dst: uop.XMMTmp}))
	}
}

// operands copies P to uop.MMXDst and Q to uop.XMMTmp.
func (d *decoder) operands(a access) {
	d.sourceQ(a)
	d.emit(uop.Uop{Op: uop.MMXGet, Dst: uop.MMXDst, Src: d.reg & 7})
}

// result ends an MMX instruction: register n takes slot.
func (d *decoder) Block(n, slot uint8) bool {
	d.emit(uop.Uop{Op: uop.MMXEnter})
	d.emit(uop.Uop{Op: uop.MMXPut, Dst: n & 7, Src: slot})
	return true
}

// pq is P = op(P, Q).
func pq(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.operands(in.memory)
	d.emit(uop.Uop{Op: in.op, Dst: uop.MMXDst, Src: uop.XMMTmp})
	return d.Block(d.reg, uop.MMXDst)
}

// pqi is P = op(Q, imm8).
func pqi(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.sourceQ(in.memory)
	d.emit(uop.Uop{Op: in.op, Dst: uop.MMXDst, Src: uop.XMMTmp, Imm: int64(d.imm8())})
	return d.Block(d.reg, uop.MMXDst)
}

// pqPair serves operations that make one half of their result of each operand: P and Q become the halves of the first.
func pqPair(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.operands(in.memory)
	d.emit(uop.Uop{Op: uop.PUNPCKLQDQ, Dst: uop.MMXDst, Src: uop.XMMTmp})
	d.emit(uop.Uop{Op: in.op, Dst: uop.MMXDst, Src: uop.XMMTmp})
	return d.Block(d.reg, uop.MMXDst)
}

// pqTwice serves PSHUFB: with P in both halves, bit 3 of an index has no effect.
func pqTwice(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.operands(in.memory)
	d.emit(uop.Uop{Op: uop.MOVDDUP, Dst: uop.MMXDst, Src: uop.MMXDst})
	d.emit(uop.Uop{Op: in.op, Dst: uop.MMXDst, Src: uop.XMMTmp})
	return d.Block(d.reg, uop.MMXDst)
}

// pqHigh serves PUNPCKH: the high halves of quadwords are what the low unpacking of XMM registers puts into its high
// quadword.
func pqHigh(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.operands(in.memory)
	d.emit(uop.Uop{Op: in.op, Dst: uop.MMXDst, Src: uop.XMMTmp})
	d.emit(uop.Uop{Op: uop.MOVHLPS, Dst: uop.MMXDst, Src: uop.MMXDst})
	return d.Block(d.reg, uop.MMXDst)
}

// pqAlign is PALIGNR: the 16 bytes P, Q shifted right by bytes.
func pqAlign(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.operands(in.memory)
	d.emit(uop.Uop{Op: uop.PUNPCKLQDQ, Dst: uop.XMMTmp, Src: uop.MMXDst})
	d.emit(uop.Uop{Op: uop.PSRLDQ, Dst: uop.XMMTmp, Imm: int64(d.imm8())})
	return d.Block(d.reg, uop.XMMTmp)
}

// mmx is the form of a shift group on an MMX register.
func (g shiftGroup) mmx(d *decoder, _ *vectorInsn) bool {
	d.mmx()
	op := g[d.reg&7]
	if op == 0 || !d.isReg() {
		return false
	}
	d.emit(uop.Uop{Op: uop.MMXGet, Dst: uop.MMXDst, Src: d.rm & 7})
	d.emit(uop.Uop{Op: op, Dst: uop.MMXDst, Imm: int64(d.imm8())})
	return d.Block(d.rm, uop.MMXDst)
}

// pe and ep are MOVD and MOVQ between P and E.
func pe(d *decoder, _ *vectorInsn) bool {
	d.mmx()
	if d.isReg() {
		d.emit(uop.Uop{Op: uop.MovXFromR32 + d.wide(), Dst: uop.XMMTmp, Src: d.rm})
	} else {
		d.emit(d.at(uop.Uop{Op: xmmLoads[d.dword()], Dst: uop.XMMTmp}))
	}
	return d.Block(d.reg, uop.XMMTmp)
}

func ep(d *decoder, _ *vectorInsn) bool {
	d.mmx()
	d.emit(uop.Uop{Op: uop.MMXGet, Dst: uop.XMMTmp, Src: d.reg & 7})
	if d.isReg() {
		d.emit(uop.Uop{Op: uop.MovRFromX32 + d.wide(), Dst: d.rm, Src: uop.XMMTmp})
	} else {
		d.emit(uop.Uop{Op: uop.MMXTop})
		d.emit(d.at(uop.Uop{Op: xmmStores[d.dword()], Src: uop.XMMTmp}))
	}
	d.emit(uop.Uop{Op: uop.MMXEnter})
	return true
}

// pqLoad and qpStore are MOVQ.
func pqLoad(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.sourceQ(in.memory)
	return d.Block(d.reg, uop.XMMTmp)
}

func qpStore(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.emit(uop.Uop{Op: uop.MMXGet, Dst: uop.XMMTmp, Src: d.reg & 7})
	if d.isReg() {
		return d.Block(d.rm, uop.XMMTmp)
	}
	d.emit(uop.Uop{Op: uop.MMXTop})
	d.emit(d.at(uop.Uop{Op: xmmStores[in.memory], Src: uop.XMMTmp}))
	d.emit(uop.Uop{Op: uop.MMXEnter})
	return true
}

// movntq is MOVNTQ, which has no register form.
func movntq(d *decoder, in *vectorInsn) bool { return !d.nextIsReg() && qpStore(d, in) }

// pei is PINSRW; gni and gn are PEXTRW and PMOVMSKB. An MMX register has four words.
func pei(d *decoder, in *vectorInsn) bool {
	d.mmx()
	s := d.general(in.memory)
	d.emit(uop.Uop{Op: uop.MMXGet, Dst: uop.MMXDst, Src: d.reg & 7})
	d.emit(uop.Uop{Op: in.op, Dst: uop.MMXDst, Src: s, Imm: int64(d.imm8() & 3)})
	return d.Block(d.reg, uop.MMXDst)
}

func gni(d *decoder, in *vectorInsn) bool {
	d.mmx()
	if !d.isReg() {
		return false
	}
	d.sourceQ(nomem)
	d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: uop.XMMTmp, Imm: int64(d.imm8() & 3)})
	d.emit(uop.Uop{Op: uop.MMXEnter})
	return true
}

func gn(d *decoder, in *vectorInsn) bool {
	d.mmx()
	if !d.isReg() {
		return false
	}
	d.sourceQ(nomem)
	d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: uop.XMMTmp})
	d.emit(uop.Uop{Op: uop.MMXEnter})
	return true
}

// movq2dq and movdq2q move between an MMX and an XMM register.
func movq2dq(d *decoder, _ *vectorInsn) bool {
	d.mmx()
	if !d.isReg() {
		return false
	}
	d.emit(uop.Uop{Op: uop.MMXEnter})
	d.emit(uop.Uop{Op: uop.MMXGet, Dst: d.reg, Src: d.rm & 7})
	return true
}

func movdq2q(d *decoder, _ *vectorInsn) bool {
	d.mmx()
	return d.isReg() && d.Block(d.reg, d.rm)
}

// vq is V = op(V, Q): conversions from integers. With a memory operand they have nothing to do with MMX.
func vq(d *decoder, in *vectorInsn) bool {
	if d.nextIsReg() {
		d.mmx()
		d.sourceQ(in.memory)
		d.emit(uop.Uop{Op: uop.MMXEnter}) // also where the conversion then raises #XM
	} else {
		d.modrm()
		d.sourceQ(in.memory)
	}
	d.emit(uop.Uop{Op: in.op, Dst: d.reg, Src: uop.XMMTmp})
	return true
}

// pw is P = op(W): conversions to integers. The MMX state is entered also where they raise #XM.
func pw(d *decoder, in *vectorInsn) bool {
	d.mmx()
	src := d.source(in.memory)
	d.emit(uop.Uop{Op: uop.MMXEnter})
	d.emit(uop.Uop{Op: in.op, Dst: uop.MMXDst, Src: src})
	d.emit(uop.Uop{Op: uop.MMXPut, Dst: d.reg & 7, Src: uop.MMXDst})
	return true
}

// maskmovq is MASKMOVQ, whose memory operand is [RDI].
func maskmovq(d *decoder, in *vectorInsn) bool {
	d.mmx()
	if !d.isReg() {
		return false
	}
	d.operands(nomem)
	u := d.implicit(uop.RDI, 8)
	u.Op, u.Dst, u.Src, u.Imm = in.op, uop.MMXDst, uop.XMMTmp, 8
	d.emit(uop.Uop{Op: uop.MMXEnter}) // also where the store then faults
	d.emit(u)
	return true
}

func emms(d *decoder, _ *vectorInsn) bool {
	d.emit(uop.Uop{Op: uop.X87Pending})
	d.emit(uop.Uop{Op: uop.EMMS})
	return true
}
