package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Loads and stores of XMM slots. Every other operation works on registers.
var xmmMemoryHandlers = map[uop.Op]handler{
	uop.LoadX8:     loadX8,
	uop.LoadX16:    loadX16,
	uop.LoadX32:    loadX32,
	uop.LoadX64:    loadX64,
	uop.LoadX128:   loadX128,
	uop.LoadX128A:  loadX128Aligned,
	uop.StoreX8:    func(c *CPU, u *uop.Uop) bool { return c.store8(c.ea(u), uint8(c.X[u.Src&uop.XMMMask][0])) },
	uop.StoreX16:   func(c *CPU, u *uop.Uop) bool { return c.store16(c.ea(u), uint16(c.X[u.Src&uop.XMMMask][0])) },
	uop.StoreX32:   func(c *CPU, u *uop.Uop) bool { return c.store32(c.ea(u), uint32(c.X[u.Src&uop.XMMMask][0])) },
	uop.StoreX64:   func(c *CPU, u *uop.Uop) bool { return c.store64(c.ea(u), c.X[u.Src&uop.XMMMask][0]) },
	uop.StoreX128:  storeX128,
	uop.StoreX128A: storeX128Aligned,
	uop.MASKMOVDQU: maskMove,
}

func loadX8(c *CPU, u *uop.Uop) bool {
	v, ok := c.load8(c.ea(u))
	if ok {
		c.X[u.Dst&uop.XMMMask] = XMM{uint64(v)}
	}
	return ok
}

func loadX16(c *CPU, u *uop.Uop) bool {
	v, ok := c.load16(c.ea(u))
	if ok {
		c.X[u.Dst&uop.XMMMask] = XMM{uint64(v)}
	}
	return ok
}

func loadX32(c *CPU, u *uop.Uop) bool {
	v, ok := c.load32(c.ea(u))
	if ok {
		c.X[u.Dst&uop.XMMMask] = XMM{uint64(v)}
	}
	return ok
}

func loadX64(c *CPU, u *uop.Uop) bool {
	v, ok := c.load64(c.ea(u))
	if ok {
		c.X[u.Dst&uop.XMMMask] = XMM{v}
	}
	return ok
}

func loadX128(c *CPU, u *uop.Uop) bool { return c.loadXMM(u.Dst, c.ea(u)) }

func storeX128(c *CPU, u *uop.Uop) bool { return c.storeXMM(u.Src, c.ea(u)) }

func loadX128Aligned(c *CPU, u *uop.Uop) bool {
	va := c.ea(u)
	return c.aligned(va) && c.loadXMM(u.Dst, va)
}

func storeX128Aligned(c *CPU, u *uop.Uop) bool {
	va := c.ea(u)
	return c.aligned(va) && c.storeXMM(u.Src, va)
}

// aligned raises #GP where a 16-byte operand does not lie on a 16-byte boundary (SDM vol. 3, 6.15, "Interrupt 13").
func (c *CPU) aligned(va uint64) bool { return va&15 == 0 || c.raise(uop.VectorGP, 0) }

// loadXMM and storeXMM access 16 bytes at any alignment. A store that fails has stored nothing.
func (c *CPU) loadXMM(slot uint8, va uint64) bool {
	x := &c.X[slot&uop.XMMMask]
	if p := c.readable(va, 15); p != nil {
		*x = *(*XMM)(p)
		return true
	}
	var b [16]byte
	if !c.readBytes(va, b[:]) {
		return false
	}
	*x = xmmOf(&b)
	return true
}

func (c *CPU) storeXMM(slot uint8, va uint64) bool {
	x := &c.X[slot&uop.XMMMask]
	if p := c.writable(va, 15); p != nil {
		*(*XMM)(p) = *x
		return true
	}
	b := x.bytes()
	return c.writeBytes(va, b[:])
}

// maskMove is MASKMOVDQU and MASKMOVQ: it stores the bytes of Dst whose mask byte in Src has its top bit set. Imm is
// the operand's size in bytes. The whole operand must be writable whatever the mask, as on silicon.
func maskMove(c *CPU, u *uop.Uop) bool {
	data, mask := c.xmm(u)
	chosen := mask.signBits()
	va := c.ea(u)
	if !c.natural(va, 8) || !c.claim(va, int(u.Imm)) {
		return false
	}
	for i := range int(u.Imm) {
		if chosen>>i&1 != 0 && !c.store8(va+uint64(i), data.byte(i)) {
			return false
		}
	}
	return true
}
