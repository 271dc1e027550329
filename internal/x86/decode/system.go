package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// group6 decodes 0F 00: SLDT, STR, LLDT, LTR, VERR, VERW.
func (d *decoder) group6() {
	switch kind := d.reg & 7; kind {
	case 0, 1:
		d.emit(uop.Uop{Op: uop.Sldt + uop.Op(kind), Dst: uop.Tmp0})
		if d.isReg() {
			d.storeReg(d.operandSize(), d.rm, uop.Tmp0, 0)
			return
		}
		d.storeRM(2, uop.Tmp0, 0)
	case 2, 3:
		d.privileged()
		d.last(uop.Uop{Op: uop.Lldt + uop.Op(kind-2), Src: d.loadRM(2)})
	case 4, 5:
		d.emit(uop.Uop{Op: uop.Verr, Src: d.loadRM(2), Aux: uint32(kind - 4)})
	default:
		d.undefined()
	}
}

// group7 decodes 0F 01. Its register forms are instructions of their own, many of them those that platforms are made
// of.
func (d *decoder) group7() {
	if d.isReg() {
		d.group7Register(d.mod<<6 | d.reg&7<<3 | d.rm&7)
		return
	}
	switch d.reg & 7 {
	case 0, 1:
		d.emit(d.at(uop.Uop{Op: uop.Sgdt + uop.Op(d.reg&7)}))
	case 2, 3:
		d.privileged()
		d.last(d.at(uop.Uop{Op: uop.Lgdt + uop.Op(d.reg&7-2)}))
	case 4:
		d.emit(uop.Uop{Op: uop.Smsw, Dst: uop.Tmp0})
		d.storeRM(2, uop.Tmp0, 0)
	case 6:
		d.privileged()
		d.last(uop.Uop{Op: uop.Lmsw, Src: d.loadRM(2)})
	case 7:
		d.privileged()
		d.last(d.at(uop.Uop{Op: uop.Invlpg}))
	default:
		d.undefined()
	}
}

func (d *decoder) group7Register(modrm uint8) {
	if d.reg&7 == 4 {
		d.emit(uop.Uop{Op: uop.Smsw, Dst: uop.Tmp0})
		d.storeReg(d.operandSize(), d.rm, uop.Tmp0, 0)
		return
	}
	if d.reg&7 == 6 {
		d.privileged()
		d.last(uop.Uop{Op: uop.Lmsw, Src: d.rm})
		return
	}
	bare := d.rep == 0 && !d.data16 // where the manual has NP, a prefix makes another instruction
	switch {
	case modrm == 0xC1:
		d.sensitive(uop.InsnVMCALL, uop.Uop{Op: uop.Raise, Imm: uop.VectorUD})
	case modrm == 0xC8:
		d.sensitive(uop.InsnMONITOR, uop.Uop{Op: uop.Raise, Imm: uop.VectorUD})
	case modrm == 0xC9:
		d.sensitive(uop.InsnMWAIT, uop.Uop{Op: uop.Raise, Imm: uop.VectorUD})
	case modrm&^1 == 0xCA && bare: // CLAC, STAC
		d.emit(uop.Uop{Op: uop.Clac, Aux: uint32(modrm & 1)})
	case modrm == 0xCC && d.data16:
		d.sensitive(uop.InsnTDCALL, uop.Uop{Op: uop.Raise, Imm: uop.VectorUD})
	case modrm == 0xCF && d.data16:
		d.sensitive(uop.InsnSEAMCALL, uop.Uop{Op: uop.Raise, Imm: uop.VectorUD})
	case modrm == 0xC5 && bare:
		d.sensitive(uop.InsnPCONFIG, uop.Uop{Op: uop.Raise, Imm: uop.VectorUD})
	case modrm == 0xD0 && bare:
		d.emit(uop.Uop{Op: uop.Xgetbv})
	case modrm == 0xD1 && bare:
		d.privileged()
		d.sensitive(uop.InsnXSETBV, uop.Uop{Op: uop.Xsetbv})
	case modrm == 0xD9 && d.rep == 0:
		d.sensitive(uop.InsnVMMCALL, uop.Uop{Op: uop.Raise, Imm: uop.VectorUD})
	case modrm == 0xD9:
		d.sensitive(uop.InsnVMGEXIT, uop.Uop{Op: uop.Raise, Imm: uop.VectorUD})
	case modrm == 0xF8:
		d.privileged()
		d.last(uop.Uop{Op: uop.Swapgs})
	case modrm == 0xF9:
		d.timestamp(uop.InsnRDTSCP, uop.Uop{Op: uop.Rdtsc, Imm: 1})
	case modrm == 0xFE && d.rep == 0xF3:
		d.sensitive(uop.InsnRMPADJUST, uop.Uop{Op: uop.Raise, Imm: uop.VectorUD})
	case modrm == 0xFF && d.rep == 0xF2:
		d.sensitive(uop.InsnPVALIDATE, uop.Uop{Op: uop.Raise, Imm: uop.VectorUD})
	default:
		d.undefined()
	}
}

// group9 decodes 0F C7: CMPXCHG8B and 16B, RDRAND, RDSEED, RDPID, XSAVEC and kin.
func (d *decoder) group9() {
	kind := d.reg & 7
	switch {
	case !d.isReg() && kind == 1:
		op := uop.Cmpxchg8b
		if d.rex&rexW != 0 {
			op = uop.Cmpxchg16b
		}
		d.emit(d.at(uop.Uop{Op: op}))
	case d.lock:
		d.undefined()
	case !d.isReg() && kind >= 3 && kind <= 5:
		d.xsaves()
	case d.isReg() && kind == 7 && d.rep == 0xF3:
		d.emit(uop.Uop{Op: uop.Rdpid, Dst: d.rm})
	case d.isReg() && kind >= 6 && d.rep == 0:
		d.emit(uop.Uop{Op: uop.Rdrand, Dst: d.rm, Aux: uint32(d.operandSize())})
	default:
		d.undefined()
	}
}

// group15 decodes 0F AE: fences, cache lines, FSGSBASE; the state of SSE and x87 is elsewhere.
func (d *decoder) group15() {
	kind := d.reg & 7
	switch {
	case d.isReg() && d.rep == 0xF3 && kind < 4 && d.mode&ModeLegacy != 0:
		d.undefined() // RDFSBASE and kin are for 64-bit mode
	case d.isReg() && d.rep == 0xF3 && kind < 4:
		d.emit(uop.Uop{Op: uop.FSGSBase, Dst: d.rm, Src: kind, Aux: uint32(bitOf(d.rex&rexW != 0))})
	case d.isReg() && d.rep == 0 && !d.data16 && kind >= 5: // LFENCE, MFENCE, SFENCE
	case d.isReg():
		d.undefined()
	case d.rep == 0 && (kind == 7 || kind == 6 && d.data16): // CLFLUSH, CLFLUSHOPT, CLWB
		d.emit(d.at(uop.Uop{Op: uop.ClflushLine}))
	default:
		d.fxsave()
	}
}

// limits is LAR and LSL.
func (d *decoder) limits(op uint8) {
	d.emit(uop.Uop{Op: uop.Lar + uop.Op(op-2), Dst: d.reg, Src: d.loadRM(2), Aux: uint32(d.operandSize())})
}

// moveControl is MOV from and to control registers.
func (d *decoder) moveControl(op uint8) {
	d.modrmRegister()
	if d.reg != 0 && (d.reg < 2 || d.reg > 4) && d.reg != 8 {
		d.undefined()
		return
	}
	d.privileged()
	if op == 0x20 {
		d.emit(uop.Uop{Op: uop.MovFromCR, Dst: d.rm, Aux: uint32(d.reg)})
	} else {
		d.last(uop.Uop{Op: uop.MovToCR, Src: d.rm, Aux: uint32(d.reg)})
	}
}

// moveDebug is MOV from and to debug registers.
func (d *decoder) moveDebug(op uint8) {
	d.modrmRegister()
	if d.reg > 7 {
		d.undefined() // before privilege is looked at
		return
	}
	d.privileged()
	if op == 0x21 {
		d.sensitive(uop.InsnDR, uop.Uop{Op: uop.MovFromDR, Dst: d.rm, Imm: int64(d.reg)})
	} else {
		d.sensitive(uop.InsnDR, uop.Uop{Op: uop.MovToDR, Src: d.rm, Imm: int64(d.reg)})
	}
}
