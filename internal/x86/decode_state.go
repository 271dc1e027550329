package x86

// Decoding of what saves and restores the state of x87 and SSE.

// fxsave decodes 0F AE /0 to /6 on memory; ModRM has been read.
func (d *decoder) fxsave() {
	if d.data16 || d.rep != 0 {
		d.undefined()
		return
	}
	u := d.at(Uop{Aux: uint32(d.wide())})
	switch d.reg & 7 {
	case 0:
		u.Op = opFXSAVE
	case 1:
		u.Op = opFXRSTOR
	case 2, 3:
		if !d.sseReady() {
			return
		}
		u.Op = opLDMXCSR + Op(d.reg&7-2)
	case 4:
		u.Op = opXSAVE
	case 5:
		u.Op = opXRSTOR
	case 6:
		u.Op = opXSAVEOPT
	default:
		d.undefined()
		return
	}
	d.emit(u)
}

// xsaves decodes 0F C7 /3 to /5 on memory; ModRM has been read. XSAVES and XRSTORS are not announced.
func (d *decoder) xsaves() {
	if d.reg&7 != 4 || d.data16 || d.rep != 0 {
		d.undefined()
		return
	}
	d.emit(d.at(Uop{Op: opXSAVEC, Aux: uint32(d.wide())}))
}
