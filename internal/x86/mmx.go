package x86

import "github.com/tacit-vm/tacit/internal/softfloat"

// MMX instructions are the XMM operations on temporaries: registers and memory are copied there, and the result back.
// MMX registers are the significands of the x87 registers, and every instruction that uses one changes the x87 state
// (SDM vol. 1, 9.5.1).
var mmxHandlers = map[Op]handler{
	opMMXGet: func(c *CPU, u *Uop) bool {
		c.X[u.Dst&xmmMask] = XMM{c.fpu.reg[u.Src&7].M}
		return true
	},
	opMMXPut: func(c *CPU, u *Uop) bool {
		c.fpu.reg[u.Dst&7] = softfloat.Float80{M: c.X[u.Src&xmmMask][0], SE: 0xFFFF}
		return true
	},
	opMMXEnter: func(c *CPU, _ *Uop) bool {
		c.fpu.top, c.fpu.full = 0, 0xFF
		return true
	},
	opMMXTop: func(c *CPU, _ *Uop) bool { // before a store: one that faults has already moved the top of the stack
		c.fpu.top = 0
		return true
	},
	opEMMS: func(c *CPU, _ *Uop) bool {
		c.fpu.top, c.fpu.full = 0, 0
		return true
	},
}
