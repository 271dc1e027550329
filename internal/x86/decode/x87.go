package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of opcodes D8 to DF (SDM vol. 2, tables ).

// x87 decodes an instruction whose ModRM byte has not been read.
func (d *decoder) x87(opcode uint8) {
	if d.mode&ModeX87 == 0 {
		d.raise(uop.VectorNM)
		return
	}
	modrm := d.peek()
	d.modrm()
	fop := uint32(opcode&7)<<8 | uint32(modrm)
	var ok bool
	if d.isReg() {
		ok = d.x87Register(opcode, modrm, fop)
	} else {
		ok = d.x87Memory(opcode, d.reg&7, fop)
	}
	if !ok {
		d.undefined()
	}
}

// fwait decodes WAIT, also known as FWAIT.
func (d *decoder) fwait() {
	if d.mode&ModeWait != 0 {
		d.raise(uop.VectorNM)
		return
	}
	d.emit(uop.Uop{Op: uop.X87Pending})
}

// x87Op emits a waiting instruction on registers.
func (d *decoder) x87Op(u uop.Uop, fop uint32) bool {
	d.emit(uop.Uop{Op: uop.X87Pending})
	u.Aux = fop
	d.emit(u)
	return true
}

// x87Load and x87Direct emit a waiting instruction with a memory operand: one that is loaded into Tmp0 first, or that
// the operation accesses itself.
func (d *decoder) x87Load(u uop.Uop, fop uint32) bool {
	a := [...]access{uop.X87Single: m32, uop.X87Double: m64, uop.X87Int16: m16, uop.X87Int32: m32, uop.X87Int64: m64}[u.Src]
	d.emit(uop.Uop{Op: uop.X87Pending})
	d.emit(d.at(uop.Uop{Op: gprLoads[a], Dst: uop.Tmp0}))
	u.Aux = fop | uop.X87HasMemory
	d.emit(d.at(u))
	return true
}

func (d *decoder) x87Direct(u uop.Uop, fop uint32) bool {
	d.emit(uop.Uop{Op: uop.X87Pending})
	u.Aux = fop | uop.X87HasMemory
	d.emit(d.at(u))
	return true
}

// x87Control emits an instruction on the environment; Aux is the operand size.
func (d *decoder) x87Control(op uop.Op, wait bool) bool {
	if wait {
		d.emit(uop.Uop{Op: uop.X87Pending})
	}
	d.emit(d.at(uop.Uop{Op: op, Aux: uint32(min(d.operandSize(), 4))}))
	return true
}

// x87Memory decodes a memory operand; n is ModRM.reg.
func (d *decoder) x87Memory(opcode, n uint8, fop uint32) bool {
	switch opcode {
	case 0xD8, 0xDA, 0xDC, 0xDE:
		format := [...]uint8{uop.X87Single, uop.X87Int32, uop.X87Double, uop.X87Int16}[opcode>>1&3]
		switch n {
		case 2, 3:
			return d.x87Load(uop.Uop{Op: uop.FCOMm, Src: format, Imm: int64(n & 1)}, fop)
		}
		return d.x87Load(uop.Uop{Op: uop.FARITHm, Src: format, Dst: n}, fop)
	}
	switch uint16(opcode)<<8 | uint16(n) {
	case 0xD900:
		return d.x87Load(uop.Uop{Op: uop.FLD, Src: uop.X87Single}, fop)
	case 0xD902, 0xD903:
		return d.x87Direct(uop.Uop{Op: uop.FST, Dst: uop.X87Single, Imm: int64(n & 1)}, fop)
	case 0xD904:
		return d.x87Control(uop.FLDENV, true)
	case 0xD905:
		return d.x87Control(uop.FLDCW, true)
	case 0xD906:
		return d.x87Control(uop.FNSTENV, false)
	case 0xD907:
		return d.x87Control(uop.FNSTCW, false)

	case 0xDB00:
		return d.x87Load(uop.Uop{Op: uop.FLD, Src: uop.X87Int32}, fop)
	case 0xDB01:
		return d.x87Direct(uop.Uop{Op: uop.FISTT, Dst: uop.X87Int32, Imm: 1}, fop)
	case 0xDB02, 0xDB03:
		return d.x87Direct(uop.Uop{Op: uop.FIST, Dst: uop.X87Int32, Imm: int64(n & 1)}, fop)
	case 0xDB05:
		return d.x87Direct(uop.Uop{Op: uop.FLD80}, fop)
	case 0xDB07:
		return d.x87Direct(uop.Uop{Op: uop.FST80, Imm: 1}, fop)

	case 0xDD00:
		return d.x87Load(uop.Uop{Op: uop.FLD, Src: uop.X87Double}, fop)
	case 0xDD01:
		return d.x87Direct(uop.Uop{Op: uop.FISTT, Dst: uop.X87Int64, Imm: 1}, fop)
	case 0xDD02, 0xDD03:
		return d.x87Direct(uop.Uop{Op: uop.FST, Dst: uop.X87Double, Imm: int64(n & 1)}, fop)
	case 0xDD04:
		return d.x87Control(uop.FRSTOR, true)
	case 0xDD06:
		return d.x87Control(uop.FNSAVE, false)
	case 0xDD07:
		return d.x87Control(uop.FNSTSWm, false)

	case 0xDF00:
		return d.x87Load(uop.Uop{Op: uop.FLD, Src: uop.X87Int16}, fop)
	case 0xDF01:
		return d.x87Direct(uop.Uop{Op: uop.FISTT, Dst: uop.X87Int16, Imm: 1}, fop)
	case 0xDF02, 0xDF03:
		return d.x87Direct(uop.Uop{Op: uop.FIST, Dst: uop.X87Int16, Imm: int64(n & 1)}, fop)
	case 0xDF04:
		return d.x87Direct(uop.Uop{Op: uop.FBLD}, fop)
	case 0xDF05:
		return d.x87Load(uop.Uop{Op: uop.FLD, Src: uop.X87Int64}, fop)
	case 0xDF06:
		return d.x87Direct(uop.Uop{Op: uop.FBSTP}, fop)
	case 0xDF07:
		return d.x87Direct(uop.Uop{Op: uop.FIST, Dst: uop.X87Int64, Imm: 1}, fop)
	}
	return false
}

// x87Register decodes an operand in a register. The aliases that the manual does not list are among them, as silicon
// has them.
func (d *decoder) x87Register(opcode, modrm uint8, fop uint32) bool {
	n, i := modrm>>3&7, modrm&7
	switch uint16(opcode)<<8 | uint16(n) {
	case 0xD802, 0xDC02: // FCOM
		return d.x87Op(uop.Uop{Op: uop.FCOM, Src: i}, fop)
	case 0xD803, 0xDC03, 0xDE02: // FCOMP
		return d.x87Op(uop.Uop{Op: uop.FCOM, Src: i, Imm: 1}, fop)
	case 0xD900:
		return d.x87Op(uop.Uop{Op: uop.FLDst, Src: i}, fop)
	case 0xD901, 0xDD01, 0xDF01: // FXCH
		return d.x87Op(uop.Uop{Op: uop.FXCH, Src: i}, fop)
	case 0xD903: // FSTP
		return d.x87Op(uop.Uop{Op: uop.FSTst, Dst: i, Scale: 1, Imm: 1}, fop)
	case 0xDD03, 0xDF02, 0xDF03: // FSTP
		return d.x87Op(uop.Uop{Op: uop.FSTst, Dst: i, Imm: 1}, fop)
	case 0xDD00: // FFREE
		return d.x87Op(uop.Uop{Op: uop.FFREE, Dst: i}, fop)
	case 0xDF00: // FFREEP
		return d.x87Op(uop.Uop{Op: uop.FFREE, Dst: i, Imm: 1}, fop)
	case 0xDD02: // FST
		return d.x87Op(uop.Uop{Op: uop.FSTst, Dst: i}, fop)
	case 0xDD04, 0xDD05: // FUCOM, FUCOMP
		return d.x87Op(uop.Uop{Op: uop.FUCOM, Src: i, Imm: int64(n & 1)}, fop)
	case 0xDA00, 0xDA01, 0xDA02, 0xDA03, 0xDB00, 0xDB01, 0xDB02, 0xDB03: // FCMOV
		cc := [...]uop.Condition{uop.CondB, uop.CondE, uop.CondBE, uop.CondP}[n]
		return d.x87Op(uop.Uop{Op: uop.FCMOV, Src: i, Scale: uint8(cc) | opcode&1}, fop)
	case 0xDB05, 0xDF05: // FUCOMI, FUCOMIP
		return d.x87Op(uop.Uop{Op: uop.FUCOMI, Src: i, Imm: int64(opcode >> 2 & 1)}, fop)
	case 0xDB06, 0xDF06: // FCOMI, FCOMIP
		return d.x87Op(uop.Uop{Op: uop.FCOMI, Src: i, Imm: int64(opcode >> 2 & 1)}, fop)
	}
	switch opcode {
	case 0xD8:
		return d.x87Op(uop.Uop{Op: uop.FARITH, Src: i, Scale: n}, fop)
	case 0xDC:
		return d.x87Op(uop.Uop{Op: uop.FARITH, Dst: i, Src: i, Scale: n}, fop)
	case 0xDE:
		if n != 3 {
			return d.x87Op(uop.Uop{Op: uop.FARITH, Dst: i, Src: i, Scale: n, Imm: 1}, fop)
		}
	}
	if u, ok := x87Fixed[uint16(opcode)<<8|uint16(modrm)]; ok {
		return d.x87Op(u, fop)
	}
	switch uint16(opcode)<<8 | uint16(modrm) {
	case 0xDBE0, 0xDBE1, 0xDBE4: // FNENI, FNDISI, FNSETPM: no operations since the 387
		return true
	case 0xDBE2:
		d.emit(uop.Uop{Op: uop.FNCLEX})
		return true
	case 0xDBE3:
		d.emit(uop.Uop{Op: uop.FNINIT})
		return true
	case 0xDFE0:
		d.emit(uop.Uop{Op: uop.FNSTSW})
		return true
	}
	return false
}

// x87Fixed holds the waiting instructions whose opcode is two bytes altogether.
var x87Fixed = map[uint16]uop.Uop{
	0xD9D0: {Op: uop.FNOP},
	0xD9E0: {Op: uop.FCHS},
	0xD9E1: {Op: uop.FABS},
	0xD9E4: {Op: uop.FTST},
	0xD9E5: {Op: uop.FXAM},
	0xD9E8: {Op: uop.FLDConst, Src: 0}, // FLD1
	0xD9E9: {Op: uop.FLDConst, Src: 1}, // FLDL2T
	0xD9EA: {Op: uop.FLDConst, Src: 2}, // FLDL2E
	0xD9EB: {Op: uop.FLDConst, Src: 3}, // FLDPI
	0xD9EC: {Op: uop.FLDConst, Src: 4}, // FLDLG2
	0xD9ED: {Op: uop.FLDConst, Src: 5}, // FLDLN2
	0xD9EE: {Op: uop.FLDConst, Src: 6}, // FLDZ
	0xD9F0: {Op: uop.F2XM1},
	0xD9F1: {Op: uop.FYL2X},
	0xD9F2: {Op: uop.FPTAN},
	0xD9F3: {Op: uop.FPATAN},
	0xD9F4: {Op: uop.FXTRACT},
	0xD9F5: {Op: uop.FPREM1},
	0xD9F6: {Op: uop.FDECSTP},
	0xD9F7: {Op: uop.FINCSTP},
	0xD9F8: {Op: uop.FPREM},
	0xD9F9: {Op: uop.FYL2XP1},
	0xD9FA: {Op: uop.FSQRT},
	0xD9FB: {Op: uop.FSINCOS},
	0xD9FC: {Op: uop.FRNDINT},
	0xD9FD: {Op: uop.FSCALE},
	0xD9FE: {Op: uop.FSIN},
	0xD9FF: {Op: uop.FCOS},
	0xDAE9: {Op: uop.FUCOM, Src: 1, Imm: 2}, // FUCOMPP
	0xDED9: {Op: uop.FCOM, Src: 1, Imm: 2},  // FCOMPP
}
