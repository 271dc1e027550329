package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Near transfers outside 64-bit mode. EIP is cut to the operand's size, and has to be within the limit of CS.

var nearHandlers = map[uop.Op]handler{
	uop.NearJump: func(c *CPU, u *uop.Uop) bool {
		if u.Src != uop.Always && !c.flags.holds(uop.Condition(u.Src)) {
			c.setNext(c.nextRIP())
			return true
		}
		return c.near(c.nextIP()+uint64(u.Imm), u.Aux)
	},
	uop.NearCall: func(c *CPU, u *uop.Uop) bool { return c.nearCall(c.nextIP()+uint64(u.Imm), u.Aux) },
	uop.NearIndirect: func(c *CPU, u *uop.Uop) bool {
		if to := c.R[u.Src%uop.Slots]; u.Dst != 0 {
			return c.nearCall(to, u.Aux)
		}
		return c.near(c.R[u.Src%uop.Slots], u.Aux)
	},
	uop.NearRet: func(c *CPU, u *uop.Uop) bool {
		to, ok := c.loadStack(c.R[uop.RSP], uint64(u.Aux))
		if !ok || !c.near(to, u.Aux) {
			return false
		}
		c.setSP(c.R[uop.RSP] + uint64(u.Aux) + uint64(u.Imm))
		return true
	},
	uop.CountJump: countJump,
}

// near goes to EIP of the code segment.
func (c *CPU) near(ip uint64, size uint32) bool {
	if size == 2 {
		ip &= 0xFFFF
	}
	rip, ok := c.startOf(&c.seg[uop.SegCS], ip)
	if !ok {
		return c.raise(uop.VectorGP, 0)
	}
	c.setNext(rip)
	return true
}

func (c *CPU) nearCall(ip uint64, size uint32) bool {
	if !c.near(ip, size) {
		return false
	}
	return c.pushStack(c.nextIP(), uint64(size))
}

// pushStack stores size bytes below the stack pointer, and moves it.
func (c *CPU) pushStack(v, size uint64) bool {
	sp := c.R[uop.RSP] - size
	if !c.storeStack(sp, size, v) {
		return false
	}
	c.setSP(sp)
	return true
}

// countJump is LOOPNE (Dst 0), LOOPE (1), LOOP (2) and JCXZ (3).
func countJump(c *CPU, u *uop.Uop) bool {
	mask := addressMask(u.Src)
	count := c.R[uop.RCX] & mask
	taken := count == 0
	if u.Dst != 3 {
		count = (count - 1) & mask
		taken = count != 0 && (u.Dst == 2 || c.flags.zf() == (u.Dst == 1))
	}
	c.setNext(c.nextRIP())
	if taken && !c.near(c.nextIP()+uint64(u.Imm), u.Aux) {
		return false
	}
	if u.Dst != 3 {
		c.putMasked(uop.RCX, mask, count)
	}
	return true
}

// addressMask is the mask of addresses and counts of a form.
func addressMask(form uint8) uint64 {
	switch form &^ uop.AddressLegacy {
	case uop.Address32:
		return low
	case uop.Address16:
		return 0xFFFF
	}
	return ^uint64(0)
}

// putMasked sets as much of a register as a mask has; a write of 32 bits clears those above.
func (c *CPU) putMasked(reg int, mask, v uint64) {
	if mask == 0xFFFF {
		c.R[reg] = c.R[reg]&^mask | v&mask
		return
	}
	c.R[reg] = v & mask
}
