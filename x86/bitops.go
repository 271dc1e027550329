package x86

import "math/bits"

// bitHandlers are bit tests, scans and counts, and BMI1 and BMI2.
var bitHandlers = map[Op]handler{
	opBit:        bitOperation,
	opBitAddress: bitAddress,
	opBitScan:    bitScan,
	opPopcnt:     populationCount,
	opBMI:        bmi,
}

// bitOperation is BT, BTS, BTR and BTC on a slot. Only CF is defined; the other flags stay.
func bitOperation(c *CPU, u *Uop) bool {
	n := u.Aux >> 8
	mask := uint64(1) << ((c.R[u.Src%slots] + uint64(u.Imm)) & uint64(8*n-1))
	v := c.R[u.Dst%slots]
	c.flags.setCarry(v&mask != 0)
	switch u.Aux & 0xFF {
	case bitTest:
		return true
	case bitSet:
		v |= mask
	case bitReset:
		v &^= mask
	case bitComplement:
		v ^= mask
	}
	c.putSize(u.Dst, n, v)
	return true
}

// bitAddress computes where the bit string's word that holds bit R[Src] lies.
func bitAddress(c *CPU, u *Uop) bool {
	n := u.Aux & 0xFF
	index := c.R[u.Src%slots]
	switch n {
	case 2:
		index = uint64(int16(index))
	case 4:
		index = uint64(int32(index))
	}
	shift := 3 + log2(int(n))
	v := *u
	v.Seg = Zero // the segment's base is added by the access
	va := c.ea(&v) + uint64(int64(index)>>shift)*uint64(n)
	if u.Aux>>8&1 != 0 {
		va = uint64(uint32(va))
	}
	c.R[u.Dst%slots] = va
	return true
}

// bitScan is BSF, BSR, TZCNT and LZCNT: Aux has the size in bits 7:0, bit 8 for the reverse direction, bit 9 for the counting form.
func bitScan(c *CPU, u *Uop) bool {
	n := u.Aux & 0xFF
	w := uint64(8 * n)
	v := c.R[u.Src%slots] << (64 - w) >> (64 - w)
	reverse, count := u.Aux>>8&1 != 0, u.Aux>>9&1 != 0
	if count {
		r := w
		if v != 0 {
			r = uint64(bits.TrailingZeros64(v))
		}
		if reverse {
			r = uint64(bits.LeadingZeros64(v)) - (64 - w)
		}
		c.putSize(u.Dst, n, r)
		var f uint64
		if v == 0 {
			f |= FlagCF
		}
		if r == 0 {
			f |= FlagZF
		}
		c.flags.set(f)
		return true
	}
	if v == 0 {
		c.setZF(true) // the destination is undefined; it stays, as it does on silicon
		if n == 4 {
			c.R[u.Dst%slots] = uint64(uint32(c.R[u.Dst%slots]))
		}
		return true
	}
	r := uint64(bits.TrailingZeros64(v))
	if reverse {
		r = uint64(63 - bits.LeadingZeros64(v))
	}
	c.setZF(false)
	c.putSize(u.Dst, n, r)
	return true
}

func populationCount(c *CPU, u *Uop) bool {
	w := 8 * u.Aux
	v := c.R[u.Src%slots] << (64 - w) >> (64 - w)
	c.putSize(u.Dst, u.Aux, uint64(bits.OnesCount64(v)))
	var f uint64
	if v == 0 {
		f = FlagZF
	}
	c.flags.set(f)
	return true
}

// A vexPrefix is what a VEX prefix says (SDM vol. 2, 2.3.5).
type vexPrefix struct {
	opcodeMap uint8 // 1: 0F, 2: 0F38, 3: 0F3A
	w, l      bool
	pp        uint8 // 0 none, 1: 66, 2: F3, 3: F2
	vvvv      uint8 // a register, already inverted
}

// vexed decodes C4 and C5. Of the instructions behind them only those on general-purpose registers are announced; AVX is not, and so undefined.
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

// Operations of opBMI.
const (
	bmiANDN = iota
	bmiBLSR
	bmiBLSMSK
	bmiBLSI
	bmiBZHI
	bmiPEXT
	bmiPDEP
	bmiMULX
	bmiBEXTR
	bmiSHLX
	bmiSARX
	bmiSHRX
	bmiRORX
	bmiGroup17 // BLSR, BLSMSK, BLSI by reg
)

// bmiOf finds the operation of a VEX-encoded opcode.
func bmiOf(v *vexPrefix, op uint8) (kind int, ok bool) {
	key := uint32(v.opcodeMap)<<16 | uint32(v.pp)<<8 | uint32(op)
	kind, ok = map[uint32]int{
		0x2_00_F2: bmiANDN,
		0x2_00_F3: bmiGroup17,
		0x2_00_F5: bmiBZHI,
		0x2_02_F5: bmiPEXT,
		0x2_03_F5: bmiPDEP,
		0x2_03_F6: bmiMULX,
		0x2_00_F7: bmiBEXTR,
		0x2_01_F7: bmiSHLX,
		0x2_02_F7: bmiSARX,
		0x2_03_F7: bmiSHRX,
		0x3_03_F0: bmiRORX,
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
	if kind == bmiGroup17 {
		r := d.reg & 7
		if r < 1 || r > 3 {
			d.undefined()
			return
		}
		kind, dst = bmiBLSR+int(r)-1, d.vex.vvvv
	}
	if kind == bmiRORX && d.vex.vvvv != 0 {
		d.undefined()
		return
	}
	src := d.loadRM(n)
	if kind == bmiMULX && n == 8 {
		d.emit(Uop{Op: OpMulx64, Dst: dst, Src: src, Aux: uint32(d.vex.vvvv), Base: Zero, Index: Zero, Seg: Zero})
		return
	}
	u := Uop{Op: opBMI, Dst: dst, Src: src, Index: d.vex.vvvv, Aux: uint32(kind), Scale: uint8(n)}
	if kind == bmiRORX {
		u.Imm = int64(d.imm8())
	}
	d.emit(u)
}

func bmi(c *CPU, u *Uop) bool {
	w := uint(u.Scale) * 8
	if w == 32 {
		bmiOn(c, u, uint32(c.R[u.Src%slots]), uint32(c.R[u.Index%slots]))
	} else {
		bmiOn(c, u, c.R[u.Src%slots], c.R[u.Index%slots])
	}
	return true
}

// bmiOn computes on the ModRM operand a and the VEX.vvvv operand b.
func bmiOn[T uint32 | uint64](c *CPU, u *Uop, a, b T) {
	w := widthOf[T]()
	count := uint(b) & (w - 1)
	var r T
	switch u.Aux {
	case bmiANDN:
		r = logic(&c.flags, ^b&a)
	case bmiBLSR:
		r = logic(&c.flags, a&(a-1))
		c.flags.setCarry(a == 0)
	case bmiBLSMSK:
		r = logic(&c.flags, a^(a-1))
		c.flags.setCarry(a == 0)
	case bmiBLSI:
		r = logic(&c.flags, a&-a)
		c.flags.setCarry(a != 0)
	case bmiBZHI:
		n := uint(uint8(b))
		r = a
		if n < w {
			r = a & (1<<n - 1)
		}
		logic(&c.flags, r)
		c.flags.setCarry(n > w-1)
	case bmiPEXT:
		r = extractBits(b, a)
	case bmiPDEP:
		r = depositBits(b, a)
	case bmiMULX: // of 32 bits
		p := uint64(uint32(c.R[RDX])) * uint64(a)
		c.R[u.Index%slots] = uint64(uint32(p))
		r = T(p >> 32)
	case bmiBEXTR:
		start, length := uint(uint8(b)), uint(uint8(b>>8))
		if start < w {
			r = a >> start
		}
		if length < w {
			r &= 1<<length - 1
		}
		logic(&c.flags, r)
	case bmiSHLX:
		r = a << count
	case bmiSARX:
		r = T(signed(a) >> count)
	case bmiSHRX:
		r = a >> count
	case bmiRORX:
		n := uint(u.Imm) & (w - 1)
		r = a>>n | a<<(w-n)
	}
	c.R[u.Dst%slots] = uint64(r)
}

// extractBits gathers the bits of v that mask selects at the bottom; depositBits scatters them.
func extractBits[T word](v, mask T) (r T) {
	for k := T(1); mask != 0; k <<= 1 {
		if v&(mask&-mask) != 0 {
			r |= k
		}
		mask &= mask - 1
	}
	return r
}

func depositBits[T word](v, mask T) (r T) {
	for k := T(1); mask != 0; k <<= 1 {
		if v&k != 0 {
			r |= mask & -mask
		}
		mask &= mask - 1
	}
	return r
}
