package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Bitwise logic. ANDPS, ANDPD and so on are the same operations.
var xmmLogicHandlers = map[uop.Op]handler{
	uop.PAND:  pand,
	uop.PANDN: pandn,
	uop.POR:   por,
	uop.PXOR:  pxor,
	uop.PTEST: ptest,
}

func pand(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	d[0] &= s[0]
	d[1] &= s[1]
	return true
}

func pandn(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	d[0] = s[0] &^ d[0]
	d[1] = s[1] &^ d[1]
	return true
}

func por(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	d[0] |= s[0]
	d[1] |= s[1]
	return true
}

func pxor(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	d[0] ^= s[0]
	d[1] ^= s[1]
	return true
}

// ptest sets ZF where the source has no bit of the destination, and CF where it has none beyond; the other flags are
// cleared.
func ptest(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	var f uint64
	if d[0]&s[0]|d[1]&s[1] == 0 {
		f |= FlagZF
	}
	if s[0]&^d[0]|s[1]&^d[1] == 0 {
		f |= FlagCF
	}
	c.flags.set(f)
	return true
}
