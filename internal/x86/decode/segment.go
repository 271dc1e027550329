package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of moves from and to segment registers.

func (d *decoder) storeSegment() {
	if d.reg&7 > uop.SegGS {
		d.undefined()
		return
	}
	d.emit(uop.Uop{Op: uop.MovSeg, Dst: uop.Tmp0, Aux: uint32(d.reg & 7)})
	if d.isReg() {
		d.storeReg(d.operandSize(), d.rm, uop.Tmp0, 0)
		return
	}
	d.storeRM(2, uop.Tmp0, 0)
}

// loadSegment is MOV to a segment register.
func (d *decoder) loadSegment() {
	reg := d.reg & 7
	if reg == uop.SegCS || reg > uop.SegGS {
		d.undefined()
		return
	}
	d.last(uop.Uop{Op: uop.LoadSeg, Src: d.loadRM(2), Aux: uint32(reg)})
}

// loadFarPointer is LSS, LFS and LGS.
func (d *decoder) loadFarPointer(op uint8) {
	if d.isReg() {
		d.undefined()
		return
	}
	seg := [...]uint32{2: uop.SegSS, 4: uop.SegFS, 5: uop.SegGS}[op&7]
	d.last(d.at(uop.Uop{Op: uop.Lfs, Dst: d.reg, Aux: seg | uint32(d.operandSize())<<8}))
}
