package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of VEX prefixes, and of BMI1 and BMI2, which are all that is announced after them.

// A vexPrefix is what a VEX prefix says (SDM vol. 2, 2.3.5).
type vexPrefix struct {
	opcodeMap uint8 // 1: 0F, 2: 0F38, 3: 0F3A
	w, l      bool
	pp        uint8 // 0 none, 1: 66, 2: F3, 3: F2
	vvvv      uint8 // a register, already inverted
}

// vexed decodes C4 and C5. Of the instructions after them only those on general-purpose registers are announced; AVX
// is not, and so undefined.
func (d *decoder) vexed(op uint8) {
	if d.rex != 0 || d.data16 || d.rep != 0 || d.lock {
		d.undefined()
		return
	}
	v := &vexPrefix{opcodeMap: 1}
	b := d.imm8()
	d.rex = 0x40
	if b&0x80 == 0 {
		d.rex |= rexR
	}
	if op == 0xC4 {
		if b&0x40 == 0 {
			d.rex |= rexX
		}
		if b&0x20 == 0 {
			d.rex |= rexB
		}
		v.opcodeMap = b & 31
		if b = d.imm8(); b&0x80 != 0 {
			v.w = true
			d.rex |= rexW
		}
	}
	v.vvvv, v.l, v.pp = ^b>>3&15, b&4 != 0, b&3
	if d.mode&ModeLegacy != 0 {
		d.rex, v.w = 0, false // eight registers, 32 bits (SDM vol. 2, 2.3.5)
		v.vvvv &= 7
	}
	d.vex = v
	opcode := d.imm8()
	kind, ok := bmiOf(v, opcode)
	if !ok || v.l {
		d.undefined()
		return
	}
	d.modrm()
	d.bmi(kind)
}

// bmiOf finds the operation of a VEX-encoded opcode.
func bmiOf(v *vexPrefix, op uint8) (kind int, ok bool) {
	key := uint32(v.opcodeMap)<<16 | uint32(v.pp)<<8 | uint32(op)
	kind, ok = map[uint32]int{
		0x2_00_F2: uop.BMIANDN,
		0x2_00_F3: uop.BMIGroup17,
		0x2_00_F5: uop.BMIBZHI,
		0x2_02_F5: uop.BMIPEXT,
		0x2_03_F5: uop.BMIPDEP,
		0x2_03_F6: uop.BMIMULX,
		0x2_00_F7: uop.BMIBEXTR,
		0x2_01_F7: uop.BMISHLX,
		0x2_02_F7: uop.BMISARX,
		0x2_03_F7: uop.BMISHRX,
		0x3_03_F0: uop.BMIRORX,
	}[key]
	return kind, ok
}

// bmi emits a BMI operation: Index is the register in VEX.vvvv.
func (d *decoder) bmi(kind int) {
	n := 4
	if d.vex.w {
		n = 8
	}
	dst := d.reg
	if kind == uop.BMIGroup17 {
		r := d.reg & 7
		if r < 1 || r > 3 {
			d.undefined()
			return
		}
		kind, dst = uop.BMIBLSR+int(r)-1, d.vex.vvvv
	}
	if kind == uop.BMIRORX && d.vex.vvvv != 0 {
		d.undefined()
		return
	}
	src := d.loadRM(n)
	if kind == uop.BMIMULX && n == 8 {
		d.emit(uop.Uop{Op: uop.Mulx64, Dst: dst, Src: src, Aux: uint32(d.vex.vvvv), Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
		return
	}
	u := uop.Uop{Op: uop.BMI, Dst: dst, Src: src, Index: d.vex.vvvv, Aux: uint32(kind), Scale: uint8(n)}
	if kind == uop.BMIRORX {
		u.Imm = int64(d.imm8())
	}
	d.emit(u)
}
