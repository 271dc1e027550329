package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// bitHandlers are bit tests, scans and counts, and BMI1 and BMI2.
var bitHandlers = map[uop.Op]handler{
	uop.Bit:        bitOperation,
	uop.BitAddress: bitAddress,
	uop.BitScan:    bitScan,
	uop.Popcnt:     populationCount,
	uop.BMI:        bmi,
}

// bitOperation is BT, BTS, BTR and BTC on a slot. Only CF is defined; the other flags stay.
func bitOperation(c *CPU, u *uop.Uop) bool {
	n := u.Aux >> 8
	mask := uint64(1) << ((c.R[u.Src%uop.Slots] + uint64(u.Imm)) & uint64(8*n-1))
	v := c.R[u.Dst%uop.Slots]
	c.flags.setCarry(v&mask != 0)
	switch u.Aux & 0xFF {
	case uop.BitTest:
		return true
	case uop.BitSet:
		v |= mask
	case uop.BitReset:
		v &^= mask
	case uop.BitComplement:
		v ^= mask
	}
	c.putSize(u.Dst, n, v)
	return true
}

// bitAddress computes where the bit string's word that holds bit R[Src] lies.
func bitAddress(c *CPU, u *uop.Uop) bool {
	n := u.Aux & 0xFF
	index := c.R[u.Src%uop.Slots]
	switch n {
	case 2:
		index = uint64(int16(index))
	case 4:
		index = uint64(int32(index))
	}
	shift := 3 + bits.TrailingZeros32(uint32(n))
	v := *u
	v.Seg = uop.Zero // the segment's base is added by the access
	va := c.ea(&v) + uint64(int64(index)>>shift)*uint64(n)
	c.R[u.Dst%uop.Slots] = va & addressMask(uint8(u.Aux>>8))
	return true
}

// bitScan is BSF, BSR, TZCNT and LZCNT: Aux has the size in bits 7:0, bit 8 for the reverse direction, bit 9 for the
// counting form.
func bitScan(c *CPU, u *uop.Uop) bool {
	n := u.Aux & 0xFF
	w := uint64(8 * n)
	v := c.R[u.Src%uop.Slots] << (64 - w) >> (64 - w)
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
			c.R[u.Dst%uop.Slots] = uint64(uint32(c.R[u.Dst%uop.Slots]))
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

func populationCount(c *CPU, u *uop.Uop) bool {
	w := 8 * u.Aux
	v := c.R[u.Src%uop.Slots] << (64 - w) >> (64 - w)
	c.putSize(u.Dst, u.Aux, uint64(bits.OnesCount64(v)))
	var f uint64
	if v == 0 {
		f = FlagZF
	}
	c.flags.set(f)
	return true
}
