package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// stackHandlers are the stack operations that are not in the switch, and the software control transfers.
var stackHandlers = map[uop.Op]handler{
	uop.Push16: func(c *CPU, u *uop.Uop) bool {
		sp := c.R[uop.RSP] - 2
		if !c.storeStack(sp, 2, c.R[u.Src%uop.Slots]+uint64(u.Imm)) {
			return false
		}
		c.R[uop.RSP] = sp
		return true
	},
	uop.Pop16: func(c *CPU, u *uop.Uop) bool {
		v, ok := c.loadStack(c.R[uop.RSP], 2)
		if !ok {
			return false
		}
		c.R[uop.RSP] += 2
		put(c, u.Dst, uint16(v))
		return true
	},
	uop.PopMem: popMemory,
	uop.Pushf:  pushFlags,
	uop.Popf:   popFlags,
	uop.Enter:  enterFrame,
	uop.Leave:  leaveFrame,
	uop.Loop:   loop,
	uop.Xlat:   translateByte,
	uop.Int:    softwareInterrupt,
	uop.Int1: func(c *CPU, u *uop.Uop) bool {
		c.Raise(Exception{Vector: uop.VectorDB, trap: true, back: u.Len})
		return false
	},
	uop.Iret:     func(c *CPU, u *uop.Uop) bool { return c.iret(uint64(u.Aux)) },
	uop.RetFar:   func(c *CPU, u *uop.Uop) bool { return c.retFar(uint64(u.Aux), uint64(u.Imm)) },
	uop.JmpFar:   farPointer,
	uop.Syscall:  func(c *CPU, _ *uop.Uop) bool { return c.syscall() },
	uop.Sysret:   func(c *CPU, u *uop.Uop) bool { return c.sysret(u.Aux == 8) },
	uop.Sysenter: func(c *CPU, _ *uop.Uop) bool { return c.sysenter() },
	uop.Sysexit:  func(c *CPU, u *uop.Uop) bool { return c.sysexit(u.Aux == 8) },
}

func popMemory(c *CPU, u *uop.Uop) bool {
	stack := c.stackRef
	v, ok := c.loadStack(c.R[uop.RSP], uint64(u.Aux))
	if !ok {
		return false
	}
	c.stackRef = stack
	if u.Aux == 2 {
		ok = c.store16(c.ea(u), uint16(v))
	} else {
		ok = c.store64(c.ea(u), v)
	}
	if ok {
		c.R[uop.RSP] += uint64(u.Aux)
	}
	return ok
}

// enterFrame is ENTER (SDM vol. 2). Src is the operand size, Imm the frame's, Aux the nesting level.
func enterFrame(c *CPU, u *uop.Uop) bool {
	n := uint64(u.Src)
	sp := c.R[uop.RSP] - n
	if !c.storeStack(sp, n, c.R[uop.RBP]) {
		return false
	}
	frame := sp
	if u.Aux > 0 {
		bp := c.R[uop.RBP]
		for range u.Aux - 1 {
			bp -= n
			v, ok := c.loadStack(bp, n)
			if !ok {
				return false
			}
			sp -= n
			if !c.storeStack(sp, n, v) {
				return false
			}
		}
		sp -= n
		if !c.storeStack(sp, n, frame) {
			return false
		}
	}
	// The new top of the stack must be one that can be stored to.
	sp -= uint64(u.Imm)
	top, ok := c.stackAddress(sp, 1, true)
	if !ok || !c.natural(top, int(n)) || !c.claim(top, 1) {
		return false
	}
	c.putSize(uop.RBP, uint32(n), frame)
	c.setSP(sp)
	return true
}

func leaveFrame(c *CPU, u *uop.Uop) bool {
	v, ok := c.loadStack(c.R[uop.RBP], uint64(u.Aux))
	if !ok {
		return false
	}
	c.setSP(c.R[uop.RBP] + uint64(u.Aux))
	c.putSize(uop.RBP, u.Aux, v)
	return true
}

// loop is LOOPNE (Aux 0), LOOPE (1), LOOP (2) and JRCXZ (3); Src says that the count is ECX.
func loop(c *CPU, u *uop.Uop) bool {
	count := c.R[uop.RCX]
	if u.Src != 0 {
		count = uint64(uint32(count))
	}
	taken := count == 0
	if u.Aux != 3 {
		count--
		if u.Src != 0 {
			count = uint64(uint32(count))
		}
		taken = count != 0 && (u.Aux == 2 || c.flags.zf() == (u.Aux == 1))
	}
	to := c.nextRIP()
	if taken {
		if to = c.R[uop.BlkRIP] + uint64(u.Imm); !c.canonical(to) {
			return c.raise(uop.VectorGP, 0)
		}
	}
	if u.Aux != 3 {
		c.R[uop.RCX] = count
	}
	c.setNext(to)
	return true
}

func translateByte(c *CPU, u *uop.Uop) bool {
	if u.Scale&uop.AddressLegacy != 0 {
		va, ok := c.linear(int(u.Index), (c.R[uop.RBX]+uint64(uint8(c.R[uop.RAX])))&addressMask(u.Scale), 1, false)
		if !ok {
			return false
		}
		v, ok := c.load8(va)
		if ok {
			put(c, uop.RAX, v)
		}
		return ok
	}
	va := c.R[uop.RBX] + uint64(uint8(c.R[uop.RAX]))
	if u.Aux != 0 {
		va = uint64(uint32(va))
	}
	v, ok := c.load8(va + c.R[u.Seg%uop.Slots])
	if ok {
		put(c, uop.RAX, v)
	}
	return ok
}

// softwareInterrupt is INT3, and INT n where Imm is 1.
func softwareInterrupt(c *CPU, u *uop.Uop) bool {
	if u.Imm != 0 && c.virtual8086() {
		if done, ok := c.interrupt8086(uint8(u.Aux)); done {
			return ok
		}
	}
	c.Raise(Exception{Vector: uint8(u.Aux), trap: true, soft: true, back: u.Len})
	return false
}

// farPointer is JMP or CALL (Aux 1) through a far pointer in memory; Dst is the operand size.
func farPointer(c *CPU, u *uop.Uop) bool {
	va, n := c.ea(u), uint64(u.Dst)
	var b [10]byte
	if !c.readBytes(va, b[:n+2]) {
		return false
	}
	var rip uint64
	for i := range n {
		rip |= uint64(b[i]) << (8 * i)
	}
	return c.jumpFar(uint16(b[n])|uint16(b[n+1])<<8, rip, n, u.Aux != 0)
}
