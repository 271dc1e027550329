package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of what saves and restores the state of x87 and SSE.

// fxsave decodes 0F AE /0 to /6 on memory; ModRM has been read.
func (d *decoder) fxsave() {
	if d.data16 || d.rep != 0 {
		d.undefined()
		return
	}
	u := uop.Uop{Aux: uint32(d.wide())}
	switch d.reg & 7 {
	case 0:
		u.Op = uop.FXSAVE
	case 1:
		u.Op = uop.FXRSTOR
	case 2, 3:
		if !d.sseReady() {
			return
		}
		u.Op = uop.LDMXCSR + uop.Op(d.reg&7-2)
	case 4:
		u.Op = uop.XSAVE
	case 5:
		u.Op = uop.XRSTOR
	case 6:
		u.Op = uop.XSAVEOPT
	default:
		d.undefined()
		return
	}
	d.emit(d.at(u))
}

// xsaves decodes 0F C7 /3 to /5 on memory: XRSTORS, XSAVEC and XSAVES; ModRM has been read. With no supervisor state XSAVES
// does what XSAVEC does.
func (d *decoder) xsaves() {
	if d.data16 || d.rep != 0 {
		d.undefined()
		return
	}
	u := uop.Uop{Op: uop.XSAVEC, Aux: uint32(d.wide())}
	switch d.reg & 7 {
	case 3:
		u.Op = uop.XRSTORS
		d.privileged()
	case 5:
		d.privileged()
	}
	d.emit(d.at(u))
}
