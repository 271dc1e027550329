package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of what works on single bits.

// bitTest emits BT and kin; the bit's number is R[index]+imm. With a register index, memory is addressed as a bit
// string.
func (d *decoder) bitTest(kind, index uint8, imm int64) {
	if !d.checkLock(kind == uop.BitTest) {
		return
	}
	n := d.operandSize()
	u := uop.Uop{Op: uop.Bit, Src: index, Imm: imm, Aux: uint32(kind) | uint32(n)<<8, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}
	if !d.isReg() && index != uop.Zero {
		seg := d.memory.Seg
		d.emit(d.at(uop.Uop{Op: uop.BitAddress, Dst: addrTmp, Src: index, Aux: uint32(n) | uint32(d.addressForm())<<8}))
		d.memory = uop.Uop{Base: addrTmp, Index: uop.Zero, Seg: seg}
	}
	if kind == uop.BitTest {
		u.Dst = d.loadRM(n)
		d.emit(u)
		return
	}
	d.modify(n, func(slot uint8) {
		u.Dst = slot
		d.emit(u)
	})
}

// bitTestRegister is BT and kin with the bit's number in a register.
func (d *decoder) bitTestRegister(op uint8) { d.bitTest(op>>3&3, d.reg, 0) }

// group8 is BT and kin with the bit's number as an immediate.
func (d *decoder) group8() {
	if d.reg&7 < 4 {
		d.undefined()
		return
	}
	kind := d.reg & 3
	d.bitTest(kind, uop.Zero, int64(d.imm8()))
}

// popcnt is POPCNT, which has F3.
func (d *decoder) popcnt(op uint8) {
	if d.rep != 0xF3 {
		d.vector(1, op)
		return
	}
	d.modrm()
	n := d.operandSize()
	d.emit(uop.Uop{Op: uop.Popcnt, Dst: d.reg, Src: d.loadRM(n), Aux: uint32(n)})
}

// bitScan is BSF and BSR, with F3 TZCNT and LZCNT.
func (d *decoder) bitScan(op uint8) {
	n := d.operandSize()
	d.emit(uop.Uop{Op: uop.BitScan, Dst: d.reg, Src: d.loadRM(n), Aux: uint32(n) | uint32(op&1)<<8 | uint32(bitOf(d.rep == 0xF3))<<9})
}
