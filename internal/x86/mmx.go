package x86

import (
	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// MMX instructions are the XMM operations on temporaries: registers and memory are copied there, and the result back.
// MMX registers are the significands of the x87 registers, and every instruction that uses one changes the x87 state
// (SDM vol. 1, 9.5.1).
var mmxHandlers = map[uop.Op]handler{
	uop.MMXGet: func(c *CPU, u *uop.Uop) bool {
		c.X[u.Dst&uop.XMMMask] = XMM{c.fpu.reg[u.Src&7].M}
		return true
	},
	uop.MMXPut: func(c *CPU, u *uop.Uop) bool {
		c.fpu.reg[u.Dst&7] = softfloat.Float80{M: c.X[u.Src&uop.XMMMask][0], SE: 0xFFFF}
		return true
	},
	uop.MMXEnter: func(c *CPU, _ *uop.Uop) bool {
		c.fpu.top, c.fpu.full = 0, 0xFF
		return true
	},
	uop.MMXTop: func(c *CPU, _ *uop.Uop) bool { // before a store: one that faults has already moved the top of the stack
		c.fpu.top = 0
		return true
	},
	uop.EMMS: func(c *CPU, _ *uop.Uop) bool {
		c.fpu.top, c.fpu.full = 0, 0
		return true
	},
}
