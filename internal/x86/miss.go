package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Loads and stores that the TLB does not serve, for an engine.

// miss does a load or a store of the interpreter's switch. It returns false where it does not complete.
func (c *CPU) miss(u *uop.Uop) bool {
	va := c.ea(u)
	switch op := u.Op; {
	case op >= uop.Store8:
		return c.missStore(u, va, 1<<(op-uop.Store8), c.R[u.Src%uop.Slots]+uint64(u.Imm))
	case op >= uop.LoadW8:
		return c.missClaim(u, va, 1<<(op-uop.LoadW8))
	case op <= uop.Load64:
		return c.missLoad(u, va, 1<<(op-uop.Load8))
	}
	return c.missSigned(u, va)
}

// missSigned is missLoad with the sign extended.
func (c *CPU) missSigned(u *uop.Uop, va uint64) bool {
	n := 1
	switch u.Op {
	case uop.LoadS16x32, uop.LoadS16x64:
		n = 2
	case uop.LoadS32x64:
		n = 4
	}
	if !c.missLoad(u, va, n) {
		return false
	}
	to := &c.R[u.Dst%uop.Slots]
	unused := 64 - 8*n
	*to = uint64(int64(*to<<unused) >> unused)
	if u.Op == uop.LoadS8x32 || u.Op == uop.LoadS16x32 {
		*to = uint64(uint32(*to))
	}
	return true
}

// missLoad is a load into R[Dst] that the TLB does not serve.
func (c *CPU) missLoad(u *uop.Uop, va uint64, n int) bool {
	c.slow(u)
	v, ok := c.slowLoad(va, n)
	if ok {
		c.R[u.Dst%uop.Slots] = v
	}
	return ok
}

// missClaim is missLoad for an operand that will be stored to.
func (c *CPU) missClaim(u *uop.Uop, va uint64, n int) bool {
	c.slow(u)
	return c.natural(va, n) && c.claim(va, n) && c.missLoad(u, va, n)
}

// missStore is a store that the TLB does not serve.
func (c *CPU) missStore(u *uop.Uop, va uint64, n int, v uint64) bool {
	if v<<(64-8*n) == 0 && c.zerosOverZeros(va, n) {
		return true
	}
	c.slow(u)
	return c.slowStore(va, n, v)
}
