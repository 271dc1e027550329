package x86

// Forms of MMX instructions. Each is: look for a pending x87 exception, copy the operands to temporaries, operate,
// enter the MMX state, copy the result back. What can fault comes before what the guest can see.

// mmx begins an MMX instruction: it reads ModRM and looks for a pending exception.
func (d *decoder) mmx() {
	d.modrm()
	d.emit(Uop{Op: opX87Pending})
}

// sourceQ copies operand Q to xmmTmp.
func (d *decoder) sourceQ(a access) {
	if d.isReg() {
		d.emit(Uop{Op: opMMXGet, Dst: xmmTmp, Src: d.rm & 7})
	} else {
		d.emit(d.at(Uop{Op: xmmLoads[a], Dst: xmmTmp}))
	}
}

// operands copies P to mmxDst and Q to xmmTmp.
func (d *decoder) operands(a access) {
	d.sourceQ(a)
	d.emit(Uop{Op: opMMXGet, Dst: mmxDst, Src: d.reg & 7})
}

// result ends an MMX instruction: register n takes slot.
func (d *decoder) result(n, slot uint8) bool {
	d.emit(Uop{Op: opMMXEnter})
	d.emit(Uop{Op: opMMXPut, Dst: n & 7, Src: slot})
	return true
}

// pq is P = op(P, Q).
func pq(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.operands(in.memory)
	d.emit(Uop{Op: in.op, Dst: mmxDst, Src: xmmTmp})
	return d.result(d.reg, mmxDst)
}

// pqi is P = op(Q, imm8).
func pqi(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.sourceQ(in.memory)
	d.emit(Uop{Op: in.op, Dst: mmxDst, Src: xmmTmp, Imm: int64(d.imm8())})
	return d.result(d.reg, mmxDst)
}

// pqPair serves operations that make one half of their result of each operand: P and Q become the halves of the first.
func pqPair(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.operands(in.memory)
	d.emit(Uop{Op: opPUNPCKLQDQ, Dst: mmxDst, Src: xmmTmp})
	d.emit(Uop{Op: in.op, Dst: mmxDst, Src: xmmTmp})
	return d.result(d.reg, mmxDst)
}

// pqTwice serves PSHUFB: with P in both halves, bit 3 of an index has no effect.
func pqTwice(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.operands(in.memory)
	d.emit(Uop{Op: opMOVDDUP, Dst: mmxDst, Src: mmxDst})
	d.emit(Uop{Op: in.op, Dst: mmxDst, Src: xmmTmp})
	return d.result(d.reg, mmxDst)
}

// pqHigh serves PUNPCKH: the high halves of quadwords are what the low unpacking of XMM registers puts into its high
// quadword.
func pqHigh(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.operands(in.memory)
	d.emit(Uop{Op: in.op, Dst: mmxDst, Src: xmmTmp})
	d.emit(Uop{Op: opMOVHLPS, Dst: mmxDst, Src: mmxDst})
	return d.result(d.reg, mmxDst)
}

// pqAlign is PALIGNR: the 16 bytes P, Q shifted right by bytes.
func pqAlign(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.operands(in.memory)
	d.emit(Uop{Op: opPUNPCKLQDQ, Dst: xmmTmp, Src: mmxDst})
	d.emit(Uop{Op: opPSRLDQ, Dst: xmmTmp, Imm: int64(d.imm8())})
	return d.result(d.reg, xmmTmp)
}

// mmx is the form of a shift group on an MMX register.
func (g shiftGroup) mmx(d *decoder, _ *vectorInsn) bool {
	d.mmx()
	op := g[d.reg&7]
	if op == 0 || !d.isReg() {
		return false
	}
	d.emit(Uop{Op: opMMXGet, Dst: mmxDst, Src: d.rm & 7})
	d.emit(Uop{Op: op, Dst: mmxDst, Imm: int64(d.imm8())})
	return d.result(d.rm, mmxDst)
}

// pe and ep are MOVD and MOVQ between P and E.
func pe(d *decoder, _ *vectorInsn) bool {
	d.mmx()
	if d.isReg() {
		d.emit(Uop{Op: opMovXFromR32 + d.wide(), Dst: xmmTmp, Src: d.rm})
	} else {
		d.emit(d.at(Uop{Op: xmmLoads[d.dword()], Dst: xmmTmp}))
	}
	return d.result(d.reg, xmmTmp)
}

func ep(d *decoder, _ *vectorInsn) bool {
	d.mmx()
	d.emit(Uop{Op: opMMXGet, Dst: xmmTmp, Src: d.reg & 7})
	if d.isReg() {
		d.emit(Uop{Op: opMovRFromX32 + d.wide(), Dst: d.rm, Src: xmmTmp})
	} else {
		d.emit(Uop{Op: opMMXTop})
		d.emit(d.at(Uop{Op: xmmStores[d.dword()], Src: xmmTmp}))
	}
	d.emit(Uop{Op: opMMXEnter})
	return true
}

// pqLoad and qpStore are MOVQ.
func pqLoad(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.sourceQ(in.memory)
	return d.result(d.reg, xmmTmp)
}

func qpStore(d *decoder, in *vectorInsn) bool {
	d.mmx()
	d.emit(Uop{Op: opMMXGet, Dst: xmmTmp, Src: d.reg & 7})
	if d.isReg() {
		return d.result(d.rm, xmmTmp)
	}
	d.emit(Uop{Op: opMMXTop})
	d.emit(d.at(Uop{Op: xmmStores[in.memory], Src: xmmTmp}))
	d.emit(Uop{Op: opMMXEnter})
	return true
}

// movntq is MOVNTQ, which has no register form.
func movntq(d *decoder, in *vectorInsn) bool { return !d.nextIsReg() && qpStore(d, in) }

// pei is PINSRW; gni and gn are PEXTRW and PMOVMSKB. An MMX register has four words.
func pei(d *decoder, in *vectorInsn) bool {
	d.mmx()
	s := d.general(in.memory)
	d.emit(Uop{Op: opMMXGet, Dst: mmxDst, Src: d.reg & 7})
	d.emit(Uop{Op: in.op, Dst: mmxDst, Src: s, Imm: int64(d.imm8() & 3)})
	return d.result(d.reg, mmxDst)
}

func gni(d *decoder, in *vectorInsn) bool {
	d.mmx()
	if !d.isReg() {
		return false
	}
	d.sourceQ(nomem)
	d.emit(Uop{Op: in.op, Dst: d.reg, Src: xmmTmp, Imm: int64(d.imm8() & 3)})
	d.emit(Uop{Op: opMMXEnter})
	return true
}

func gn(d *decoder, in *vectorInsn) bool {
	d.mmx()
	if !d.isReg() {
		return false
	}
	d.sourceQ(nomem)
	d.emit(Uop{Op: in.op, Dst: d.reg, Src: xmmTmp})
	d.emit(Uop{Op: opMMXEnter})
	return true
}

// movq2dq and movdq2q move between an MMX and an XMM register.
func movq2dq(d *decoder, _ *vectorInsn) bool {
	d.mmx()
	if !d.isReg() {
		return false
	}
	d.emit(Uop{Op: opMMXEnter})
	d.emit(Uop{Op: opMMXGet, Dst: d.reg, Src: d.rm & 7})
	return true
}

func movdq2q(d *decoder, _ *vectorInsn) bool {
	d.mmx()
	return d.isReg() && d.result(d.reg, d.rm)
}

// vq is V = op(V, Q): conversions from integers. With a memory operand they have nothing to do with MMX.
func vq(d *decoder, in *vectorInsn) bool {
	if d.nextIsReg() {
		d.mmx()
		d.sourceQ(in.memory)
		d.emit(Uop{Op: opMMXEnter}) // also where the conversion then raises #XM
	} else {
		d.modrm()
		d.sourceQ(in.memory)
	}
	d.emit(Uop{Op: in.op, Dst: d.reg, Src: xmmTmp})
	return true
}

// pw is P = op(W): conversions to integers. The MMX state is entered also where they raise #XM.
func pw(d *decoder, in *vectorInsn) bool {
	d.mmx()
	src := d.source(in.memory)
	d.emit(Uop{Op: opMMXEnter})
	d.emit(Uop{Op: in.op, Dst: mmxDst, Src: src})
	d.emit(Uop{Op: opMMXPut, Dst: d.reg & 7, Src: mmxDst})
	return true
}

// maskmovq is MASKMOVQ, whose memory operand is [RDI].
func maskmovq(d *decoder, in *vectorInsn) bool {
	d.mmx()
	if !d.isReg() {
		return false
	}
	d.operands(nomem)
	u := d.implicit(RDI)
	u.Op, u.Dst, u.Src, u.Imm = in.op, mmxDst, xmmTmp, 8
	d.emit(Uop{Op: opMMXEnter}) // also where the store then faults
	d.emit(u)
	return true
}

func emms(d *decoder, _ *vectorInsn) bool {
	d.emit(Uop{Op: opX87Pending})
	d.emit(Uop{Op: opEMMS})
	return true
}
