package x86

import "math/bits"

// exec runs blocks until the limit, a deadline that an event has moved, an exception, or the end of the run. RIP and
// the instruction count are exact when it returns.
//
// It is one function with one switch because that is what the Go compiler turns into a jump table; what is not hot is
// under default, in the functions of the table.
func (c *CPU) exec() {
	b := c.lookup()
	var (
		u  *Uop
		ok bool
	)
enter:
	if b == nil {
		return
	}
	if limit := c.limit.Load(); c.icount+b.n > limit {
		if c.icount >= limit {
			c.at = 0
			return
		}
		// The limit is inside the block: the last one before a deadline is cut short.
		if b = c.cut(int(limit - c.icount)); b == nil {
			return
		}
	}
	u = &b.uops[0]
run:
	for ; ; u = u.next() {
		switch u.Op {
		case OpEnd:
			c.R[BlkRIP] += uint64(u.Imm)
			goto linked
		case OpGoto:
			c.R[BlkRIP] = c.target
			goto unlinked

		case OpJmp:
			c.R[BlkRIP] += uint64(u.Imm)
			goto linked
		case OpJmpReg:
			to := c.R[u.Src%slots]
			if !canonical(to) {
				c.slow(u)
				c.raise(vectorGP, 0)
				goto stop
			}
			c.R[BlkRIP] = to
			goto unlinked
		case OpCall:
			if !c.push(u, c.R[BlkRIP]+uint64(u.Off)+uint64(u.Len)) {
				goto stop
			}
			c.R[BlkRIP] += uint64(u.Imm)
			goto linked
		case OpCallReg:
			to := c.R[u.Src%slots]
			if !canonical(to) {
				c.slowStack(u)
				if c.storeStack(c.R[RSP]-8, 8, c.nextRIP()) { // the push comes first, and RSP stays
					c.raise(vectorGP, 0)
				}
				goto stop
			}
			if !c.push(u, c.R[BlkRIP]+uint64(u.Off)+uint64(u.Len)) {
				goto stop
			}
			c.R[BlkRIP] = to
			goto unlinked
		case OpRet:
			var to uint64
			if p := c.readable(c.R[RSP], 7); p != nil {
				to = *(*uint64)(p)
			} else {
				c.slowStack(u)
				if to, ok = c.slowLoad(c.R[RSP], 8); !ok {
					goto stop
				}
			}
			if !canonical(to) {
				c.slow(u)
				c.raise(vectorGP, 0)
				goto stop
			}
			c.R[RSP] += 8 + uint64(u.Imm)
			c.R[BlkRIP] = to
			goto unlinked

		case OpJo:
			if c.flags.of() {
				goto taken
			}
		case OpJno:
			if !c.flags.of() {
				goto taken
			}
		case OpJb:
			if c.flags.cf() {
				goto taken
			}
		case OpJae:
			if !c.flags.cf() {
				goto taken
			}
		case OpJe:
			if c.flags.zf() {
				goto taken
			}
		case OpJne:
			if !c.flags.zf() {
				goto taken
			}
		case OpJbe:
			if c.flags.cf() || c.flags.zf() {
				goto taken
			}
		case OpJa:
			if !c.flags.cf() && !c.flags.zf() {
				goto taken
			}
		case OpJs:
			if c.flags.sf() {
				goto taken
			}
		case OpJns:
			if !c.flags.sf() {
				goto taken
			}
		case OpJp:
			if c.flags.pf() {
				goto taken
			}
		case OpJnp:
			if !c.flags.pf() {
				goto taken
			}
		case OpJl:
			if c.flags.sf() != c.flags.of() {
				goto taken
			}
		case OpJge:
			if c.flags.sf() == c.flags.of() {
				goto taken
			}
		case OpJle:
			if c.flags.zf() || c.flags.sf() != c.flags.of() {
				goto taken
			}
		case OpJg:
			if !c.flags.zf() && c.flags.sf() == c.flags.of() {
				goto taken
			}

		case OpMov8:
			c.R[u.Dst%slots] = c.R[u.Dst%slots]&^0xFF | uint64(uint8(c.R[u.Src%slots]+uint64(u.Imm)))
		case OpMov16:
			c.R[u.Dst%slots] = c.R[u.Dst%slots]&^0xFFFF | uint64(uint16(c.R[u.Src%slots]+uint64(u.Imm)))
		case OpMov32:
			c.R[u.Dst%slots] = uint64(uint32(c.R[u.Src%slots]) + uint32(u.Imm))
		case OpMov64:
			c.R[u.Dst%slots] = c.R[u.Src%slots] + uint64(u.Imm)
		case OpZX8:
			c.R[u.Dst%slots] = uint64(uint8(c.R[u.Src%slots]))
		case OpZX16:
			c.R[u.Dst%slots] = uint64(uint16(c.R[u.Src%slots]))
		case OpSX8x32:
			c.R[u.Dst%slots] = uint64(uint32(int8(c.R[u.Src%slots])))
		case OpSX8x64:
			c.R[u.Dst%slots] = uint64(int8(c.R[u.Src%slots]))
		case OpSX16x32:
			c.R[u.Dst%slots] = uint64(uint32(int16(c.R[u.Src%slots])))
		case OpSX16x64:
			c.R[u.Dst%slots] = uint64(int16(c.R[u.Src%slots]))
		case OpSX32x64:
			c.R[u.Dst%slots] = uint64(int32(c.R[u.Src%slots]))
		case OpGetHigh:
			c.R[u.Dst%slots] = uint64(uint8(c.R[u.Src%slots] >> 8))
		case OpPutHigh:
			c.R[u.Dst%slots] = c.R[u.Dst%slots]&^0xFF00 | uint64(uint8(c.R[u.Src%slots]+uint64(u.Imm)))<<8
		case OpLea32:
			c.R[u.Dst%slots] = uint64(uint32(c.ea(u)))
		case OpLea64:
			c.R[u.Dst%slots] = c.ea(u)

		case OpLoad8:
			va := c.ea(u)
			if p := c.readable(va, 0); p != nil {
				c.R[u.Dst%slots] = uint64(*(*uint8)(p))
			} else if !c.missLoad(u, va, 1) {
				goto stop
			} else if c.finish {
				goto after
			}
		case OpLoad16:
			va := c.ea(u)
			if p := c.readable(va, 1); p != nil {
				c.R[u.Dst%slots] = uint64(*(*uint16)(p))
			} else if !c.missLoad(u, va, 2) {
				goto stop
			} else if c.finish {
				goto after
			}
		case OpLoad32:
			va := c.ea(u)
			if p := c.readable(va, 3); p != nil {
				c.R[u.Dst%slots] = uint64(*(*uint32)(p))
			} else if !c.missLoad(u, va, 4) {
				goto stop
			} else if c.finish {
				goto after
			}
		case OpLoad64:
			va := c.ea(u)
			if p := c.readable(va, 7); p != nil {
				c.R[u.Dst%slots] = *(*uint64)(p)
			} else if !c.missLoad(u, va, 8) {
				goto stop
			} else if c.finish {
				goto after
			}
		case OpLoadS8x32:
			va := c.ea(u)
			if p := c.readable(va, 0); p != nil {
				c.R[u.Dst%slots] = uint64(uint32(*(*int8)(p)))
			} else if !c.missLoad(u, va, 1) {
				goto stop
			} else if c.R[u.Dst%slots] = uint64(uint32(int8(c.R[u.Dst%slots]))); c.finish {
				goto after
			}
		case OpLoadS8x64:
			va := c.ea(u)
			if p := c.readable(va, 0); p != nil {
				c.R[u.Dst%slots] = uint64(*(*int8)(p))
			} else if !c.missLoad(u, va, 1) {
				goto stop
			} else if c.R[u.Dst%slots] = uint64(int8(c.R[u.Dst%slots])); c.finish {
				goto after
			}
		case OpLoadS16x32:
			va := c.ea(u)
			if p := c.readable(va, 1); p != nil {
				c.R[u.Dst%slots] = uint64(uint32(*(*int16)(p)))
			} else if !c.missLoad(u, va, 2) {
				goto stop
			} else if c.R[u.Dst%slots] = uint64(uint32(int16(c.R[u.Dst%slots]))); c.finish {
				goto after
			}
		case OpLoadS16x64:
			va := c.ea(u)
			if p := c.readable(va, 1); p != nil {
				c.R[u.Dst%slots] = uint64(*(*int16)(p))
			} else if !c.missLoad(u, va, 2) {
				goto stop
			} else if c.R[u.Dst%slots] = uint64(int16(c.R[u.Dst%slots])); c.finish {
				goto after
			}
		case OpLoadS32x64:
			va := c.ea(u)
			if p := c.readable(va, 3); p != nil {
				c.R[u.Dst%slots] = uint64(*(*int32)(p))
			} else if !c.missLoad(u, va, 4) {
				goto stop
			} else if c.R[u.Dst%slots] = uint64(int32(c.R[u.Dst%slots])); c.finish {
				goto after
			}

		case OpLoadW8:
			va := c.ea(u)
			if p := c.writable(va, 0); p != nil {
				c.R[u.Dst%slots] = uint64(*(*uint8)(p))
			} else if !c.missClaim(u, va, 1) {
				goto stop
			} else if c.finish {
				goto after
			}
		case OpLoadW16:
			va := c.ea(u)
			if p := c.writable(va, 1); p != nil {
				c.R[u.Dst%slots] = uint64(*(*uint16)(p))
			} else if !c.missClaim(u, va, 2) {
				goto stop
			} else if c.finish {
				goto after
			}
		case OpLoadW32:
			va := c.ea(u)
			if p := c.writable(va, 3); p != nil {
				c.R[u.Dst%slots] = uint64(*(*uint32)(p))
			} else if !c.missClaim(u, va, 4) {
				goto stop
			} else if c.finish {
				goto after
			}
		case OpLoadW64:
			va := c.ea(u)
			if p := c.writable(va, 7); p != nil {
				c.R[u.Dst%slots] = *(*uint64)(p)
			} else if !c.missClaim(u, va, 8) {
				goto stop
			} else if c.finish {
				goto after
			}

		case OpStore8:
			va := c.ea(u)
			v := c.R[u.Src%slots] + uint64(u.Imm)
			if p := c.writable(va, 0); p != nil {
				*(*uint8)(p) = uint8(v)
			} else if !c.missStore(u, va, 1, v) {
				goto stop
			} else if c.finish {
				goto after
			}
		case OpStore16:
			va := c.ea(u)
			v := c.R[u.Src%slots] + uint64(u.Imm)
			if p := c.writable(va, 1); p != nil {
				*(*uint16)(p) = uint16(v)
			} else if !c.missStore(u, va, 2, v) {
				goto stop
			} else if c.finish {
				goto after
			}
		case OpStore32:
			va := c.ea(u)
			v := c.R[u.Src%slots] + uint64(u.Imm)
			if p := c.writable(va, 3); p != nil {
				*(*uint32)(p) = uint32(v)
			} else if !c.missStore(u, va, 4, v) {
				goto stop
			} else if c.finish {
				goto after
			}
		case OpStore64:
			va := c.ea(u)
			v := c.R[u.Src%slots] + uint64(u.Imm)
			if p := c.writable(va, 7); p != nil {
				*(*uint64)(p) = v
			} else if !c.missStore(u, va, 8, v) {
				goto stop
			} else if c.finish {
				goto after
			}

		case OpPush:
			if !c.push(u, c.R[u.Src%slots]+uint64(u.Imm)) {
				goto stop
			}
			if c.finish {
				goto after
			}
		case OpPop:
			var v uint64
			if p := c.readable(c.R[RSP], 7); p != nil {
				v = *(*uint64)(p)
			} else {
				c.slowStack(u)
				if v, ok = c.slowLoad(c.R[RSP], 8); !ok {
					goto stop
				}
			}
			c.R[RSP] += 8
			c.R[u.Dst%slots] = v
			if c.finish {
				goto after
			}

		case OpAdd32:
			c.R[u.Dst%slots] = c.flags.add32(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpAdd64:
			c.R[u.Dst%slots] = c.flags.add64(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpOr32:
			c.R[u.Dst%slots] = c.flags.logic32(uint32(c.R[u.Dst%slots] | (c.R[u.Src%slots] + uint64(u.Imm))))
		case OpOr64:
			c.R[u.Dst%slots] = c.flags.logic64(c.R[u.Dst%slots] | (c.R[u.Src%slots] + uint64(u.Imm)))
		case OpAdc32:
			c.R[u.Dst%slots] = c.flags.adc32(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpAdc64:
			c.R[u.Dst%slots] = c.flags.adc64(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpSbb32:
			c.R[u.Dst%slots] = c.flags.sbb32(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpSbb64:
			c.R[u.Dst%slots] = c.flags.sbb64(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpAnd32:
			c.R[u.Dst%slots] = c.flags.logic32(uint32(c.R[u.Dst%slots] & (c.R[u.Src%slots] + uint64(u.Imm))))
		case OpAnd64:
			c.R[u.Dst%slots] = c.flags.logic64(c.R[u.Dst%slots] & (c.R[u.Src%slots] + uint64(u.Imm)))
		case OpSub32:
			c.R[u.Dst%slots] = c.flags.sub32(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpSub64:
			c.R[u.Dst%slots] = c.flags.sub64(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpXor32:
			c.R[u.Dst%slots] = c.flags.logic32(uint32(c.R[u.Dst%slots] ^ (c.R[u.Src%slots] + uint64(u.Imm))))
		case OpXor64:
			c.R[u.Dst%slots] = c.flags.logic64(c.R[u.Dst%slots] ^ (c.R[u.Src%slots] + uint64(u.Imm)))
		case OpCmp8:
			subBorrow(&c.flags, uint8(c.R[u.Dst%slots]), uint8(c.R[u.Src%slots]+uint64(u.Imm)), 0)
		case OpCmp16:
			subBorrow(&c.flags, uint16(c.R[u.Dst%slots]), uint16(c.R[u.Src%slots]+uint64(u.Imm)), 0)
		case OpCmp32:
			c.flags.sub32(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpCmp64:
			c.flags.sub64(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpTest8:
			logic(&c.flags, uint8(c.R[u.Dst%slots]&(c.R[u.Src%slots]+uint64(u.Imm))))
		case OpTest32:
			c.flags.logic32(uint32(c.R[u.Dst%slots] & (c.R[u.Src%slots] + uint64(u.Imm))))
		case OpTest64:
			c.flags.logic64(c.R[u.Dst%slots] & (c.R[u.Src%slots] + uint64(u.Imm)))
		case OpInc32:
			c.R[u.Dst%slots] = uint64(incDec(&c.flags, uint32(c.R[u.Dst%slots]), 1))
		case OpInc64:
			c.R[u.Dst%slots] = incDec(&c.flags, c.R[u.Dst%slots], 1)
		case OpDec32:
			c.R[u.Dst%slots] = uint64(incDec(&c.flags, uint32(c.R[u.Dst%slots]), ^uint32(0)))
		case OpDec64:
			c.R[u.Dst%slots] = incDec(&c.flags, c.R[u.Dst%slots], ^uint64(0))
		case OpNeg32:
			c.R[u.Dst%slots] = c.flags.sub32(0, c.R[u.Dst%slots])
		case OpNeg64:
			c.R[u.Dst%slots] = c.flags.sub64(0, c.R[u.Dst%slots])
		case OpNot32:
			c.R[u.Dst%slots] = uint64(^uint32(c.R[u.Dst%slots]))
		case OpNot64:
			c.R[u.Dst%slots] = ^c.R[u.Dst%slots]

		case OpShl32:
			c.R[u.Dst%slots] = c.flags.shl32(uint32(c.R[u.Dst%slots]), uint(u.Imm))
		case OpShl64:
			c.R[u.Dst%slots] = c.flags.shl64(c.R[u.Dst%slots], uint(u.Imm))
		case OpShr32:
			c.R[u.Dst%slots] = c.flags.shr32(uint32(c.R[u.Dst%slots]), uint(u.Imm))
		case OpShr64:
			c.R[u.Dst%slots] = c.flags.shr64(c.R[u.Dst%slots], uint(u.Imm))
		case OpSar32:
			c.R[u.Dst%slots] = c.flags.sar32(uint32(c.R[u.Dst%slots]), uint(u.Imm))
		case OpSar64:
			c.R[u.Dst%slots] = c.flags.sar64(c.R[u.Dst%slots], uint(u.Imm))
		case OpRol32:
			r := bits.RotateLeft32(uint32(c.R[u.Dst%slots]), int(u.Imm))
			c.flags.setCarryOverflow(r&1 != 0, (r>>31^r)&1 != 0)
			c.R[u.Dst%slots] = uint64(r)
		case OpRol64:
			r := bits.RotateLeft64(c.R[u.Dst%slots], int(u.Imm))
			c.flags.setCarryOverflow(r&1 != 0, (r>>63^r)&1 != 0)
			c.R[u.Dst%slots] = r

		case OpImul32:
			c.R[u.Dst%slots] = c.flags.imul32(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpImul64:
			c.R[u.Dst%slots] = c.flags.imul64(c.R[u.Dst%slots], c.R[u.Src%slots]+uint64(u.Imm))
		case OpMul64:
			hi, lo := bits.Mul64(c.R[RAX], c.R[u.Src%slots])
			c.flags.product(int64(lo), hi != 0)
			c.R[RAX], c.R[RDX] = lo, hi
		case OpMulx64:
			hi, lo := bits.Mul64(c.R[RDX], c.R[u.Src%slots])
			c.R[u.Aux%slots] = lo
			c.R[u.Dst%slots] = hi
		case OpAdcx64:
			r, carry := bits.Add64(c.R[u.Dst%slots], c.R[u.Src%slots], c.flags.carry())
			c.flags.setCarry(carry != 0)
			c.R[u.Dst%slots] = r
		case OpAdox64:
			var in uint64
			if c.flags.of() {
				in = 1
			}
			r, carry := bits.Add64(c.R[u.Dst%slots], c.R[u.Src%slots], in)
			c.flags.setCarryOverflow(c.flags.cf(), carry != 0)
			c.R[u.Dst%slots] = r

		case OpSet:
			v := c.R[u.Dst%slots] &^ 0xFF
			if c.flags.holds(condition(u.Aux)) {
				v |= 1
			}
			c.R[u.Dst%slots] = v
		case OpCmov32:
			v := c.R[u.Dst%slots]
			if c.flags.holds(condition(u.Aux)) {
				v = c.R[u.Src%slots]
			}
			c.R[u.Dst%slots] = uint64(uint32(v))
		case OpCmov64:
			if c.flags.holds(condition(u.Aux)) {
				c.R[u.Dst%slots] = c.R[u.Src%slots]
			}

		default:
			c.slow(u)
			if !handlers[u.Op](c, u) {
				goto stop
			}
			if c.finish {
				goto after
			}
		}
	}

taken:
	c.R[BlkRIP] += uint64(u.Imm)
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
	if !canonical(c.R[BlkRIP]) && u.Op != OpEnd {
		c.misdirected(u)
		return
	}
	c.at = 0
	b = c.lookup()
	goto enter

unlinked:
	c.icount += uint64(u.Ord) + 1
	c.at = 0
	b = c.lookup()
	goto enter

after:
	// Something wants the run loop's attention. The rest of this instruction is run from a copy that ends after it.
	u = c.restOf(u)
	goto run

stop:
	c.abandon(u)
}
