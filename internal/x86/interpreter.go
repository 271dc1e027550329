package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// An interpreter is the engine that every host has. It is one function with one switch because that is what the Go
// compiler turns into a jump table; what is not hot is under default, in the functions of the table.
type interpreter struct{}

// run implements engine.
func (interpreter) run(c *CPU) stop {
	c.interpret(c.lookup(), nil, false)
	return c.stopped()
}

// interpret executes from micro-operation u of block b, or from b's beginning where u is nil; RIP and the count of
// instructions are those of b's beginning. It goes on from block to block until it is to stop, and then returns nil: b is
// nil, too, where that is so at once.
//
// With one, it is at the service of another engine and returns early: with the next block in front of it, not entered; or,
// where c.finish says so, inside a block in front of the micro-operation returned.
func (c *CPU) interpret(b *block, u *uop.Uop, one bool) (*block, *uop.Uop) {
	var ok bool
	if u != nil {
		goto run
	}
	goto head
enter:
	if one {
		return b, nil
	}
head:
	if b == nil {
		return nil, nil
	}
	if c.icount+b.n > c.limit.Load() {
		if b = c.cut(b); b == nil {
			return nil, nil
		}
	}
	u = &b.uops[0]
run:
	for ; ; u = u.Next() {
		switch u.Op {
		case uop.End:
			c.R[uop.BlkRIP] += uint64(u.Imm)
			goto linked
		case uop.Goto:
			c.R[uop.BlkRIP] = c.target
			goto unlinked

		case uop.Jmp:
			c.R[uop.BlkRIP] += uint64(u.Imm)
			goto linked
		case uop.JmpReg:
			to := c.R[u.Src%uop.Slots]
			if !c.canonical(to) {
				c.slow(u)
				c.raise(uop.VectorGP, 0)
				goto stop
			}
			c.R[uop.BlkRIP] = to
			goto unlinked
		case uop.Call:
			if !c.push(u, c.R[uop.BlkRIP]+uint64(u.Off)+uint64(u.Len)) {
				goto stop
			}
			c.R[uop.BlkRIP] += uint64(u.Imm)
			goto linked
		case uop.CallReg:
			to := c.R[u.Src%uop.Slots]
			if !c.canonical(to) {
				c.callNowhere(u)
				goto stop
			}
			if !c.push(u, c.R[uop.BlkRIP]+uint64(u.Off)+uint64(u.Len)) {
				goto stop
			}
			c.R[uop.BlkRIP] = to
			goto unlinked
		case uop.Ret:
			var to uint64
			if p := c.readable(c.R[uop.RSP], 7); p != nil {
				to = *(*uint64)(p)
			} else {
				c.slowStack(u)
				if to, ok = c.slowLoad(c.R[uop.RSP], 8); !ok {
					goto stop
				}
			}
			if !c.canonical(to) {
				c.slow(u)
				c.raise(uop.VectorGP, 0)
				goto stop
			}
			c.R[uop.RSP] += 8 + uint64(u.Imm)
			c.R[uop.BlkRIP] = to
			goto unlinked

		case uop.Jo:
			if c.flags.of() {
				goto taken
			}
		case uop.Jno:
			if !c.flags.of() {
				goto taken
			}
		case uop.Jb:
			if c.flags.cf() {
				goto taken
			}
		case uop.Jae:
			if !c.flags.cf() {
				goto taken
			}
		case uop.Je:
			if c.flags.zf() {
				goto taken
			}
		case uop.Jne:
			if !c.flags.zf() {
				goto taken
			}
		case uop.Jbe:
			if c.flags.cf() || c.flags.zf() {
				goto taken
			}
		case uop.Ja:
			if !c.flags.cf() && !c.flags.zf() {
				goto taken
			}
		case uop.Js:
			if c.flags.sf() {
				goto taken
			}
		case uop.Jns:
			if !c.flags.sf() {
				goto taken
			}
		case uop.Jp:
			if c.flags.pf() {
				goto taken
			}
		case uop.Jnp:
			if !c.flags.pf() {
				goto taken
			}
		case uop.Jl:
			if c.flags.sf() != c.flags.of() {
				goto taken
			}
		case uop.Jge:
			if c.flags.sf() == c.flags.of() {
				goto taken
			}
		case uop.Jle:
			if c.flags.zf() || c.flags.sf() != c.flags.of() {
				goto taken
			}
		case uop.Jg:
			if !c.flags.zf() && c.flags.sf() == c.flags.of() {
				goto taken
			}

		case uop.Mov8:
			c.R[u.Dst%uop.Slots] = c.R[u.Dst%uop.Slots]&^0xFF | uint64(uint8(c.R[u.Src%uop.Slots]+uint64(u.Imm)))
		case uop.Mov16:
			c.R[u.Dst%uop.Slots] = c.R[u.Dst%uop.Slots]&^0xFFFF | uint64(uint16(c.R[u.Src%uop.Slots]+uint64(u.Imm)))
		case uop.Mov32:
			c.R[u.Dst%uop.Slots] = uint64(uint32(c.R[u.Src%uop.Slots]) + uint32(u.Imm))
		case uop.Mov64:
			c.R[u.Dst%uop.Slots] = c.R[u.Src%uop.Slots] + uint64(u.Imm)
		case uop.ZX8:
			c.R[u.Dst%uop.Slots] = uint64(uint8(c.R[u.Src%uop.Slots]))
		case uop.ZX16:
			c.R[u.Dst%uop.Slots] = uint64(uint16(c.R[u.Src%uop.Slots]))
		case uop.SX8x32:
			c.R[u.Dst%uop.Slots] = uint64(uint32(int8(c.R[u.Src%uop.Slots])))
		case uop.SX8x64:
			c.R[u.Dst%uop.Slots] = uint64(int8(c.R[u.Src%uop.Slots]))
		case uop.SX16x32:
			c.R[u.Dst%uop.Slots] = uint64(uint32(int16(c.R[u.Src%uop.Slots])))
		case uop.SX16x64:
			c.R[u.Dst%uop.Slots] = uint64(int16(c.R[u.Src%uop.Slots]))
		case uop.SX32x64:
			c.R[u.Dst%uop.Slots] = uint64(int32(c.R[u.Src%uop.Slots]))
		case uop.GetHigh:
			c.R[u.Dst%uop.Slots] = uint64(uint8(c.R[u.Src%uop.Slots] >> 8))
		case uop.PutHigh:
			c.R[u.Dst%uop.Slots] = c.R[u.Dst%uop.Slots]&^0xFF00 | uint64(uint8(c.R[u.Src%uop.Slots]+uint64(u.Imm)))<<8
		case uop.Lea32:
			c.R[u.Dst%uop.Slots] = uint64(uint32(c.ea(u)))
		case uop.Lea64:
			c.R[u.Dst%uop.Slots] = c.ea(u)

		case uop.Load8:
			if p := c.readable(c.ea(u), 0); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(*(*uint8)(p))
				continue
			}
			goto miss
		case uop.Load16:
			if p := c.readable(c.ea(u), 1); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(*(*uint16)(p))
				continue
			}
			goto miss
		case uop.Load32:
			if p := c.readable(c.ea(u), 3); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(*(*uint32)(p))
				continue
			}
			goto miss
		case uop.Load64:
			if p := c.readable(c.ea(u), 7); p != nil {
				c.R[u.Dst%uop.Slots] = *(*uint64)(p)
				continue
			}
			goto miss
		case uop.LoadS8x32:
			if p := c.readable(c.ea(u), 0); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(uint32(*(*int8)(p)))
				continue
			}
			goto miss
		case uop.LoadS8x64:
			if p := c.readable(c.ea(u), 0); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(*(*int8)(p))
				continue
			}
			goto miss
		case uop.LoadS16x32:
			if p := c.readable(c.ea(u), 1); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(uint32(*(*int16)(p)))
				continue
			}
			goto miss
		case uop.LoadS16x64:
			if p := c.readable(c.ea(u), 1); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(*(*int16)(p))
				continue
			}
			goto miss
		case uop.LoadS32x64:
			if p := c.readable(c.ea(u), 3); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(*(*int32)(p))
				continue
			}
			goto miss

		case uop.LoadW8:
			if p := c.writable(c.ea(u), 0); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(*(*uint8)(p))
				continue
			}
			goto miss
		case uop.LoadW16:
			if p := c.writable(c.ea(u), 1); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(*(*uint16)(p))
				continue
			}
			goto miss
		case uop.LoadW32:
			if p := c.writable(c.ea(u), 3); p != nil {
				c.R[u.Dst%uop.Slots] = uint64(*(*uint32)(p))
				continue
			}
			goto miss
		case uop.LoadW64:
			if p := c.writable(c.ea(u), 7); p != nil {
				c.R[u.Dst%uop.Slots] = *(*uint64)(p)
				continue
			}
			goto miss

		case uop.Store8:
			if p := c.writable(c.ea(u), 0); p != nil {
				*(*uint8)(p) = uint8(c.R[u.Src%uop.Slots] + uint64(u.Imm))
				continue
			}
			goto miss
		case uop.Store16:
			if p := c.writable(c.ea(u), 1); p != nil {
				*(*uint16)(p) = uint16(c.R[u.Src%uop.Slots] + uint64(u.Imm))
				continue
			}
			goto miss
		case uop.Store32:
			if p := c.writable(c.ea(u), 3); p != nil {
				*(*uint32)(p) = uint32(c.R[u.Src%uop.Slots] + uint64(u.Imm))
				continue
			}
			goto miss
		case uop.Store64:
			if p := c.writable(c.ea(u), 7); p != nil {
				*(*uint64)(p) = c.R[u.Src%uop.Slots] + uint64(u.Imm)
				continue
			}
			goto miss

		case uop.Push:
			if !c.push(u, c.R[u.Src%uop.Slots]+uint64(u.Imm)) {
				goto stop
			}
			if c.finish != finishNot {
				goto after
			}
		case uop.Pop:
			var v uint64
			if p := c.readable(c.R[uop.RSP], 7); p != nil {
				v = *(*uint64)(p)
			} else {
				c.slowStack(u)
				if v, ok = c.slowLoad(c.R[uop.RSP], 8); !ok {
					goto stop
				}
			}
			c.R[uop.RSP] += 8
			c.R[u.Dst%uop.Slots] = v
			if c.finish != finishNot {
				goto after
			}

		case uop.Add32:
			c.R[u.Dst%uop.Slots] = c.flags.add32(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Add64:
			c.R[u.Dst%uop.Slots] = c.flags.add64(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Or32:
			c.R[u.Dst%uop.Slots] = c.flags.logic32(uint32(c.R[u.Dst%uop.Slots] | (c.R[u.Src%uop.Slots] + uint64(u.Imm))))
		case uop.Or64:
			c.R[u.Dst%uop.Slots] = c.flags.logic64(c.R[u.Dst%uop.Slots] | (c.R[u.Src%uop.Slots] + uint64(u.Imm)))
		case uop.Adc32:
			c.R[u.Dst%uop.Slots] = c.flags.adc32(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Adc64:
			c.R[u.Dst%uop.Slots] = c.flags.adc64(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Sbb32:
			c.R[u.Dst%uop.Slots] = c.flags.sbb32(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Sbb64:
			c.R[u.Dst%uop.Slots] = c.flags.sbb64(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.And32:
			c.R[u.Dst%uop.Slots] = c.flags.logic32(uint32(c.R[u.Dst%uop.Slots] & (c.R[u.Src%uop.Slots] + uint64(u.Imm))))
		case uop.And64:
			c.R[u.Dst%uop.Slots] = c.flags.logic64(c.R[u.Dst%uop.Slots] & (c.R[u.Src%uop.Slots] + uint64(u.Imm)))
		case uop.Sub32:
			c.R[u.Dst%uop.Slots] = c.flags.sub32(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Sub64:
			c.R[u.Dst%uop.Slots] = c.flags.sub64(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Xor32:
			c.R[u.Dst%uop.Slots] = c.flags.logic32(uint32(c.R[u.Dst%uop.Slots] ^ (c.R[u.Src%uop.Slots] + uint64(u.Imm))))
		case uop.Xor64:
			c.R[u.Dst%uop.Slots] = c.flags.logic64(c.R[u.Dst%uop.Slots] ^ (c.R[u.Src%uop.Slots] + uint64(u.Imm)))
		case uop.Cmp8:
			subBorrow(&c.flags, uint8(c.R[u.Dst%uop.Slots]), uint8(c.R[u.Src%uop.Slots]+uint64(u.Imm)), 0)
		case uop.Cmp16:
			subBorrow(&c.flags, uint16(c.R[u.Dst%uop.Slots]), uint16(c.R[u.Src%uop.Slots]+uint64(u.Imm)), 0)
		case uop.Cmp32:
			c.flags.sub32(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Cmp64:
			c.flags.sub64(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Test8:
			logic(&c.flags, uint8(c.R[u.Dst%uop.Slots]&(c.R[u.Src%uop.Slots]+uint64(u.Imm))))
		case uop.Test32:
			c.flags.logic32(uint32(c.R[u.Dst%uop.Slots] & (c.R[u.Src%uop.Slots] + uint64(u.Imm))))
		case uop.Test64:
			c.flags.logic64(c.R[u.Dst%uop.Slots] & (c.R[u.Src%uop.Slots] + uint64(u.Imm)))
		case uop.Inc32:
			c.R[u.Dst%uop.Slots] = uint64(incDec(&c.flags, uint32(c.R[u.Dst%uop.Slots]), 1))
		case uop.Inc64:
			c.R[u.Dst%uop.Slots] = incDec(&c.flags, c.R[u.Dst%uop.Slots], 1)
		case uop.Dec32:
			c.R[u.Dst%uop.Slots] = uint64(incDec(&c.flags, uint32(c.R[u.Dst%uop.Slots]), ^uint32(0)))
		case uop.Dec64:
			c.R[u.Dst%uop.Slots] = incDec(&c.flags, c.R[u.Dst%uop.Slots], ^uint64(0))
		case uop.Neg32:
			c.R[u.Dst%uop.Slots] = c.flags.sub32(0, c.R[u.Dst%uop.Slots])
		case uop.Neg64:
			c.R[u.Dst%uop.Slots] = c.flags.sub64(0, c.R[u.Dst%uop.Slots])
		case uop.Not32:
			c.R[u.Dst%uop.Slots] = uint64(^uint32(c.R[u.Dst%uop.Slots]))
		case uop.Not64:
			c.R[u.Dst%uop.Slots] = ^c.R[u.Dst%uop.Slots]

		case uop.Shl32:
			c.R[u.Dst%uop.Slots] = c.flags.shl32(uint32(c.R[u.Dst%uop.Slots]), uint(u.Imm))
		case uop.Shl64:
			c.R[u.Dst%uop.Slots] = c.flags.shl64(c.R[u.Dst%uop.Slots], uint(u.Imm))
		case uop.Shr32:
			c.R[u.Dst%uop.Slots] = c.flags.shr32(uint32(c.R[u.Dst%uop.Slots]), uint(u.Imm))
		case uop.Shr64:
			c.R[u.Dst%uop.Slots] = c.flags.shr64(c.R[u.Dst%uop.Slots], uint(u.Imm))
		case uop.Sar32:
			c.R[u.Dst%uop.Slots] = c.flags.sar32(uint32(c.R[u.Dst%uop.Slots]), uint(u.Imm))
		case uop.Sar64:
			c.R[u.Dst%uop.Slots] = c.flags.sar64(c.R[u.Dst%uop.Slots], uint(u.Imm))
		case uop.Rol32:
			r := bits.RotateLeft32(uint32(c.R[u.Dst%uop.Slots]), int(u.Imm))
			c.flags.setCarryOverflow(r&1 != 0, (r>>31^r)&1 != 0)
			c.R[u.Dst%uop.Slots] = uint64(r)
		case uop.Rol64:
			r := bits.RotateLeft64(c.R[u.Dst%uop.Slots], int(u.Imm))
			c.flags.setCarryOverflow(r&1 != 0, (r>>63^r)&1 != 0)
			c.R[u.Dst%uop.Slots] = r

		case uop.Imul32:
			c.R[u.Dst%uop.Slots] = c.flags.imul32(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Imul64:
			c.R[u.Dst%uop.Slots] = c.flags.imul64(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots]+uint64(u.Imm))
		case uop.Mul64:
			hi, lo := bits.Mul64(c.R[uop.RAX], c.R[u.Src%uop.Slots])
			c.flags.product(int64(lo), hi != 0)
			c.R[uop.RAX], c.R[uop.RDX] = lo, hi
		case uop.Mulx64:
			hi, lo := bits.Mul64(c.R[uop.RDX], c.R[u.Src%uop.Slots])
			c.R[u.Aux%uop.Slots] = lo
			c.R[u.Dst%uop.Slots] = hi
		case uop.Adcx64:
			r, carry := bits.Add64(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots], c.flags.carry())
			c.flags.setCarry(carry != 0)
			c.R[u.Dst%uop.Slots] = r
		case uop.Adox64:
			var in uint64
			if c.flags.of() {
				in = 1
			}
			r, carry := bits.Add64(c.R[u.Dst%uop.Slots], c.R[u.Src%uop.Slots], in)
			c.flags.setCarryOverflow(c.flags.cf(), carry != 0)
			c.R[u.Dst%uop.Slots] = r

		case uop.Set:
			v := c.R[u.Dst%uop.Slots] &^ 0xFF
			if c.flags.holds(uop.Condition(u.Aux)) {
				v |= 1
			}
			c.R[u.Dst%uop.Slots] = v
		case uop.Cmov32:
			v := c.R[u.Dst%uop.Slots]
			if c.flags.holds(uop.Condition(u.Aux)) {
				v = c.R[u.Src%uop.Slots]
			}
			c.R[u.Dst%uop.Slots] = uint64(uint32(v))
		case uop.Cmov64:
			if c.flags.holds(uop.Condition(u.Aux)) {
				c.R[u.Dst%uop.Slots] = c.R[u.Src%uop.Slots]
			}

		default:
			c.slow(u)
			if !handlers[u.Op](c, u) {
				goto stop
			}
			if c.finish != finishNot {
				goto after
			}
		}
	}

taken:
	c.R[uop.BlkRIP] += uint64(u.Imm)
linked:
	c.icount += uint64(u.Ord) + 1
	if u.Aux < uint32(len(b.link)) {
		if to := b.link[u.Aux]; to != nil && to.valid {
			b = to
			goto enter
		}
		b = c.follow(b, u.Aux)
		goto enter
	}
	if !c.canonical(c.R[uop.BlkRIP]) && u.Op != uop.End {
		c.misdirected(u)
		return nil, nil
	}
	c.at = 0
	b = c.lookup()
	goto enter

unlinked:
	c.icount += uint64(u.Ord) + 1
	c.at = 0
	b = c.lookup()
	goto enter

miss:
	if !c.miss(u) {
		goto stop
	}
	if c.finish == finishNot {
		u = u.Next()
		goto run
	}
after:
	if c.finish == finishUop {
		return b, u.Next()
	}
	// Something wants the run loop's attention. The rest of this instruction is run from a copy that ends after it.
	u = c.restOf(u)
	goto run

stop:
	c.abandon(u)
	return nil, nil
}
