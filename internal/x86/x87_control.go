package x86

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Control instructions, the environment, and the state as the 8087 saved it.
var x87ControlHandlers = map[uop.Op]handler{
	uop.FNINIT: func(c *CPU, _ *uop.Uop) bool {
		c.fpu = x87State{reg: c.fpu.reg, cw: x87Initial}
		return true
	},
	uop.FNCLEX: func(c *CPU, _ *uop.Uop) bool {
		c.fpu.sw &= x87Codes | x87C1
		return true
	},
	uop.FNSTSW: func(c *CPU, _ *uop.Uop) bool {
		c.R[uop.RAX] = c.R[uop.RAX]&^0xFFFF | uint64(c.fpu.status())
		return true
	},
	uop.FNSTSWm: func(c *CPU, u *uop.Uop) bool { return c.store16(c.ea(u), c.fpu.status()) },
	uop.FNSTCW:  func(c *CPU, u *uop.Uop) bool { return c.store16(c.ea(u), c.fpu.cw) },
	uop.FLDCW: func(c *CPU, u *uop.Uop) bool {
		v, ok := c.load16(c.ea(u))
		if ok {
			c.fpu.setControl(v)
		}
		return ok
	},
	uop.FNSTENV: fnstenv,
	uop.FLDENV:  fldenv,
	uop.FNSAVE:  fnsave,
	uop.FRSTOR:  frstor,
}

// Sizes in bytes. The environment is seven words; each takes a doubleword unless the operand size is 16 bits (SDM vol.
// 1, figures 8-9 to 8-12).
const (
	envWords = 7
	env16    = 2 * envWords
	env32    = 4 * envWords
	saveRegs = 8 * 10
)

// tags returns the full tag word: two bits a register for valid, zero, special and empty (SDM vol. 1, 8.1.7).
func (f *x87State) tags() (w uint16) {
	for i, r := range f.reg {
		tag := uint16(2)
		switch {
		case f.full>>i&1 == 0:
			tag = 3
		case r.SE&softfloat.MaxExp80 == 0 && r.M == 0:
			tag = 1
		case r.SE&softfloat.MaxExp80 != 0 && r.SE&softfloat.MaxExp80 != softfloat.MaxExp80 && r.M>>63 != 0:
			tag = 0
		}
		w |= tag << (2 * i)
	}
	return w
}

func (f *x87State) setTags(w uint16) {
	f.full = 0
	for i := range 8 {
		if w>>(2*i)&3 != 3 {
			f.full |= 1 << i
		}
	}
}

// putEnvironment stores the environment, in 16-bit or 32-bit form by the length of b. In the latter the upper halves of
// words have all bits set where they mean nothing; there is no 64-bit form.
func (f *x87State) putEnvironment(b []byte) {
	le := binary.LittleEndian
	words := [envWords]uint32{uint32(f.cw), uint32(f.status()), uint32(f.tags()), uint32(f.fip), 0, uint32(f.fdp), 0}
	if len(b) == env16 {
		for i, w := range words {
			le.PutUint16(b[2*i:], uint16(w))
		}
		return
	}
	for _, i := range []int{0, 1, 2, 6} {
		words[i] |= 0xFFFF0000
	}
	words[4] = uint32(f.fop) << 16
	for i, w := range words {
		le.PutUint32(b[4*i:], w)
	}
}

func (f *x87State) environment(b []byte) {
	le := binary.LittleEndian
	var words [envWords]uint32
	for i := range words {
		if len(b) == env16 {
			words[i] = uint32(le.Uint16(b[2*i:]))
		} else {
			words[i] = le.Uint32(b[4*i:])
		}
	}
	f.setControl(uint16(words[0]))
	f.setStatus(uint16(words[1]))
	f.setTags(uint16(words[2]))
	f.fip, f.fdp = uint64(words[3]), uint64(words[5])
	f.fop = uint16(words[4] >> 16 & 0x7FF)
}

// environmentSize is the size that the operand size in Aux gives the environment.
func environmentSize(u *uop.Uop) int {
	if u.Aux == 2 {
		return env16
	}
	return env32
}

// fnstenv stores the environment and masks all exceptions.
func fnstenv(c *CPU, u *uop.Uop) bool {
	var b [env32]byte
	n := environmentSize(u)
	c.fpu.putEnvironment(b[:n])
	if va := c.ea(u); !c.natural(va, environmentAlign(u)) || !c.writeBytes(va, b[:n]) {
		return false
	}
	c.fpu.setControl(c.fpu.cw | softfloat.AllExceptions)
	return true
}

func fldenv(c *CPU, u *uop.Uop) bool {
	var b [env32]byte
	n := environmentSize(u)
	if va := c.ea(u); !c.natural(va, environmentAlign(u)) || !c.readBytes(va, b[:n]) {
		return false
	}
	c.fpu.environment(b[:n])
	return true
}

// fnsave stores environment and registers and initialises.
func fnsave(c *CPU, u *uop.Uop) bool {
	var b [env32 + saveRegs]byte
	n := environmentSize(u)
	c.fpu.putEnvironment(b[:n])
	for i := range 8 {
		r := c.fpu.st(uint8(i))
		binary.LittleEndian.PutUint64(b[n+10*i:], r.M)
		binary.LittleEndian.PutUint16(b[n+10*i+8:], r.SE)
	}
	if va := c.ea(u); !c.natural(va, environmentAlign(u)) || !c.writeBytes(va, b[:n+saveRegs]) {
		return false
	}
	c.fpu = x87State{reg: c.fpu.reg, cw: x87Initial}
	return true
}

func frstor(c *CPU, u *uop.Uop) bool {
	var b [env32 + saveRegs]byte
	n := environmentSize(u)
	if va := c.ea(u); !c.natural(va, environmentAlign(u)) || !c.readBytes(va, b[:n+saveRegs]) {
		return false
	}
	c.fpu.environment(b[:n])
	for i := range 8 {
		*c.fpu.st(uint8(i)) = softfloat.Float80{M: binary.LittleEndian.Uint64(b[n+10*i:]), SE: binary.LittleEndian.Uint16(b[n+10*i+8:])}
	}
	return true
}

// environmentAlign is the alignment of the areas of FLDENV, FNSTENV, FRSTOR and FNSAVE, where alignment is checked:
// that of the environment's words.
func environmentAlign(u *uop.Uop) int {
	if u.Aux == 2 {
		return 2
	}
	return 4
}
