package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// XADD and the compare-and-exchange instructions.

// lockedMemory is uop.Locked: the instruction has locked memory, and another processor may be meant.
func lockedMemory(c *CPU, _ *uop.Uop) bool {
	if c.lockHint != nil {
		c.lockHint(c)
	}
	return true
}

// exchangeAdd leaves the sum of Tmp0 and R[Src] in Tmp1.
func exchangeAdd(c *CPU, u *uop.Uop) bool {
	a, b := c.R[uop.Tmp0], c.R[u.Src%uop.Slots]
	switch u.Aux {
	case 1:
		c.R[uop.Tmp1] = uint64(addCarry(&c.flags, uint8(a), uint8(b), 0))
	case 2:
		c.R[uop.Tmp1] = uint64(addCarry(&c.flags, uint16(a), uint16(b), 0))
	case 4:
		c.R[uop.Tmp1] = c.flags.add32(a, b)
	default:
		c.R[uop.Tmp1] = c.flags.add64(a, b)
	}
	return true
}

// compareExchange compares the accumulator with Tmp0. Dst says where the destination is: 0 memory, which is stored to
// from Tmp1 either way; 1 register Base; 2 its high byte.
func compareExchange(c *CPU, u *uop.Uop) bool {
	b := c.R[uop.Tmp0]
	if c.flags.compare(uint64(u.Aux), c.R[uop.RAX], b); !c.flags.zf() {
		c.R[uop.Tmp1] = b
		c.putSize(uop.RAX, u.Aux, b)
		return true
	}
	v := c.R[u.Src%uop.Slots]
	c.R[uop.Tmp1] = v
	switch u.Dst {
	case 1:
		c.putSize(u.Base, u.Aux, v)
	case 2:
		r := &c.R[u.Base%uop.Slots]
		*r = *r&^0xFF00 | v&0xFF<<8
	}
	return true
}

func compareExchange8(c *CPU, u *uop.Uop) bool {
	va := c.ea(u)
	if !c.natural(va, 8) || !c.claim(va, 8) {
		return false
	}
	old, ok := c.load64(va)
	if !ok {
		return false
	}
	equal := old == uint64(uint32(c.R[uop.RAX]))|c.R[uop.RDX]<<32
	if equal {
		ok = c.store64(va, uint64(uint32(c.R[uop.RBX]))|c.R[uop.RCX]<<32)
	} else {
		ok = c.store64(va, old)
		c.R[uop.RAX], c.R[uop.RDX] = uint64(uint32(old)), old>>32
	}
	c.setZF(equal)
	return ok
}

func compareExchange16(c *CPU, u *uop.Uop) bool {
	va := c.ea(u)
	if va&15 != 0 {
		return c.raise(uop.VectorGP, 0)
	}
	if !c.claim(va, 16) {
		return false
	}
	lo, ok := c.load64(va)
	if !ok {
		return false
	}
	hi, ok := c.load64(va + 8)
	if !ok {
		return false
	}
	equal := lo == c.R[uop.RAX] && hi == c.R[uop.RDX]
	if equal {
		ok = c.store64(va, c.R[uop.RBX]) && c.store64(va+8, c.R[uop.RCX])
	} else {
		ok = c.store64(va, lo) && c.store64(va+8, hi)
		c.R[uop.RAX], c.R[uop.RDX] = lo, hi
	}
	c.setZF(equal)
	return ok
}
