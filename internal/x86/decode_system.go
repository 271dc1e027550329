package x86

// group6 decodes 0F 00: SLDT, STR, LLDT, LTR, VERR, VERW.
func (d *decoder) group6() {
	switch kind := d.reg & 7; kind {
	case 0, 1:
		d.emit(Uop{Op: opSldt + Op(kind), Dst: Tmp0})
		if d.isReg() {
			d.storeReg(d.operandSize(), d.rm, Tmp0, 0)
			return
		}
		d.storeRM(2, Tmp0, 0)
	case 2, 3:
		d.privileged()
		d.last(Uop{Op: opLldt + Op(kind-2), Src: d.loadRM(2)})
	case 4, 5:
		d.emit(Uop{Op: opVerr, Src: d.loadRM(2), Aux: uint32(kind - 4)})
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
		d.emit(d.at(Uop{Op: opSgdt + Op(d.reg&7)}))
	case 2, 3:
		d.privileged()
		d.last(d.at(Uop{Op: opLgdt + Op(d.reg&7-2)}))
	case 4:
		d.emit(Uop{Op: opSmsw, Dst: Tmp0})
		d.storeRM(2, Tmp0, 0)
	case 6:
		d.privileged()
		d.last(Uop{Op: opLmsw, Src: d.loadRM(2)})
	case 7:
		d.privileged()
		d.last(d.at(Uop{Op: opInvlpg}))
	default:
		d.undefined()
	}
}

func (d *decoder) group7Register(modrm uint8) {
	if d.reg&7 == 4 {
		d.emit(Uop{Op: opSmsw, Dst: Tmp0})
		d.storeReg(d.operandSize(), d.rm, Tmp0, 0)
		return
	}
	if d.reg&7 == 6 {
		d.privileged()
		d.last(Uop{Op: opLmsw, Src: d.rm})
		return
	}
	bare := d.rep == 0 && !d.data16 // where the manual has NP, a prefix makes another instruction
	switch {
	case modrm == 0xC1:
		d.sensitive(InsnVMCALL, Uop{Op: opRaise, Imm: vectorUD})
	case modrm == 0xC8:
		d.sensitive(InsnMONITOR, Uop{Op: opRaise, Imm: vectorUD})
	case modrm == 0xC9:
		d.sensitive(InsnMWAIT, Uop{Op: opRaise, Imm: vectorUD})
	case modrm&^1 == 0xCA && bare: // CLAC, STAC
		d.emit(Uop{Op: opClac, Aux: uint32(modrm & 1)})
	case modrm == 0xCC && d.data16:
		d.sensitive(InsnTDCALL, Uop{Op: opRaise, Imm: vectorUD})
	case modrm == 0xCF && d.data16:
		d.sensitive(InsnSEAMCALL, Uop{Op: opRaise, Imm: vectorUD})
	case modrm == 0xC5 && bare:
		d.sensitive(InsnPCONFIG, Uop{Op: opRaise, Imm: vectorUD})
	case modrm == 0xD0 && bare:
		d.emit(Uop{Op: opXgetbv})
	case modrm == 0xD1 && bare:
		d.privileged()
		d.sensitive(InsnXSETBV, Uop{Op: opXsetbv})
	case modrm == 0xD9 && d.rep == 0:
		d.sensitive(InsnVMMCALL, Uop{Op: opRaise, Imm: vectorUD})
	case modrm == 0xD9:
		d.sensitive(InsnVMGEXIT, Uop{Op: opRaise, Imm: vectorUD})
	case modrm == 0xF8:
		d.privileged()
		d.last(Uop{Op: opSwapgs})
	case modrm == 0xF9:
		d.timestamp(InsnRDTSCP, Uop{Op: opRdtsc, Imm: 1})
	case modrm == 0xFE && d.rep == 0xF3:
		d.sensitive(InsnRMPADJUST, Uop{Op: opRaise, Imm: vectorUD})
	case modrm == 0xFF && d.rep == 0xF2:
		d.sensitive(InsnPVALIDATE, Uop{Op: opRaise, Imm: vectorUD})
	default:
		d.undefined()
	}
}

// group9 decodes 0F C7: CMPXCHG8B and 16B, RDRAND, RDSEED, RDPID, XSAVEC and kin.
func (d *decoder) group9() {
	kind := d.reg & 7
	switch {
	case !d.isReg() && kind == 1:
		op := opCmpxchg8b
		if d.rex&rexW != 0 {
			op = opCmpxchg16b
		}
		d.emit(d.at(Uop{Op: op}))
	case d.lock:
		d.undefined()
	case !d.isReg() && kind >= 3 && kind <= 5:
		d.xsaves()
	case d.isReg() && kind == 7 && d.rep == 0xF3:
		d.emit(Uop{Op: opRdpid, Dst: d.rm})
	case d.isReg() && kind >= 6 && d.rep == 0:
		d.emit(Uop{Op: opRdrand, Dst: d.rm, Aux: uint32(d.operandSize())})
	default:
		d.undefined()
	}
}

// group15 decodes 0F AE: fences, cache lines, FSGSBASE; the state of SSE and x87 is elsewhere.
func (d *decoder) group15() {
	kind := d.reg & 7
	switch {
	case d.isReg() && d.rep == 0xF3 && kind < 4:
		d.emit(Uop{Op: opFSGSBase, Dst: d.rm, Src: kind, Aux: uint32(bitOf(d.rex&rexW != 0))})
	case d.isReg() && d.rep == 0 && !d.data16 && kind >= 5: // LFENCE, MFENCE, SFENCE
	case d.isReg():
		d.undefined()
	case d.rep == 0 && (kind == 7 || kind == 6 && d.data16): // CLFLUSH, CLFLUSHOPT, CLWB
		d.emit(d.at(Uop{Op: opClflushLine}))
	default:
		d.fxsave()
	}
}
