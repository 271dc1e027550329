package x86

// Decoding of moves, conditional ones among them, exchanges and LEA.

func (d *decoder) moveImmediate8(op uint8) {
	reg := op & 7
	if d.rex&rexB != 0 {
		reg |= 8
	}
	d.storeReg(1, reg, Zero, int64(d.imm8()))
}

func (d *decoder) moveImmediate(op uint8) {
	reg := op & 7
	if d.rex&rexB != 0 {
		reg |= 8
	}
	var imm int64
	n := d.operandSize()
	switch n {
	case 8:
		imm = int64(d.imm64())
	case 4:
		imm = int64(d.imm32())
	default:
		imm = int64(d.imm16())
	}
	d.storeReg(n, reg, Zero, imm)
}

func (d *decoder) moveOffset(op uint8) {
	var off int64
	if d.addr32 {
		off = int64(d.imm32())
	} else {
		off = int64(d.imm64())
	}
	n := d.byteOr(op)
	u := Uop{Base: Zero, Index: Zero, Seg: d.seg, Disp: off}
	if op >= 0xA2 {
		u.Op, u.Src = storeOps[sizeLog(n)], RAX
		d.emit(u)
		return
	}
	u.Op, u.Dst, u.Src = loadOps[sizeLog(n)][0], Tmp0, Zero
	d.emit(u)
	d.storeReg(n, RAX, Tmp0, 0)
}

// extend emits MOVZX or MOVSX from n bytes to the operand size.
func (d *decoder) extend(n int, sign bool) {
	to := d.operandSize()
	load, move := extendOps(n, to, sign)
	if to == 2 {
		// A 16-bit destination keeps its upper bits.
		src := d.loadRM(n)
		d.move(move, Tmp1, src)
		d.storeReg(2, d.reg, Tmp1, 0)
		return
	}
	if !d.isReg() {
		d.emit(d.at(Uop{Op: load, Dst: d.reg, Src: Zero}))
		return
	}
	d.move(move, d.reg, d.loadRM(n))
}

// extendOps returns the load and the register move that extend n bytes to the given size.
func extendOps(n, to int, sign bool) (load, move Op) {
	switch {
	case !sign && n == 1:
		return OpLoad8, OpZX8
	case !sign:
		return OpLoad16, OpZX16
	case n == 4 && to == 8:
		return OpLoadS32x64, OpSX32x64
	case n == 4 && to == 4:
		return OpLoad32, OpMov32
	case n == 4:
		return OpLoad16, OpMov32
	case n == 1 && to == 8:
		return OpLoadS8x64, OpSX8x64
	case n == 1:
		return OpLoadS8x32, OpSX8x32
	case to == 8:
		return OpLoadS16x64, OpSX16x64
	}
	return OpLoadS16x32, OpSX16x32
}

// exchange emits XCHG between the ModRM operand and the register.
func (d *decoder) exchange(n int) {
	if !d.checkLock(false) {
		return
	}
	if d.isReg() {
		src := d.loadRM(n) // Tmp0 for a high byte
		d.move(OpMov64, Tmp1, src)
		if n == 1 {
			d.storeRM(1, d.gpr8(d.reg), 0)
		} else {
			d.storeRM(n, d.reg, 0)
		}
		d.storeReg(n, d.reg, Tmp1, 0)
		return
	}
	d.emit(d.at(Uop{Op: loadOps[sizeLog(n)][1], Dst: Tmp0, Src: Zero}))
	src := d.reg
	if n == 1 {
		src = d.gpr8(d.reg)
	}
	d.emit(d.at(Uop{Op: storeOps[sizeLog(n)], Src: src}))
	d.storeReg(n, d.reg, Tmp0, 0)
}

func (d *decoder) exchangeAccumulator(op uint8) {
	reg := op & 7
	if d.rex&rexB != 0 {
		reg |= 8
	}
	if reg == RAX || op == 0x90 && d.rep == 0xF3 {
		return // NOP; with F3 PAUSE, whatever REX says, which has nothing to wait for here
	}
	n := d.operandSize()
	d.move(OpMov64, Tmp1, RAX)
	d.storeReg(n, RAX, reg, 0)
	d.storeReg(n, reg, Tmp1, 0)
}

func (d *decoder) lea() {
	if d.isReg() {
		d.undefined()
		return
	}
	u := d.at(Uop{Dst: d.reg, Src: Zero})
	u.Seg = Zero
	switch d.operandSize() {
	case 8:
		u.Op = OpLea64
		d.emit(u)
	case 4:
		u.Op = OpLea32
		d.emit(u)
	default:
		u.Op, u.Dst = OpLea64, Tmp0
		d.emit(u)
		d.storeReg(2, d.reg, Tmp0, 0)
	}
}

func (d *decoder) storeSegment() {
	if d.reg&7 > segGS {
		d.undefined()
		return
	}
	d.emit(Uop{Op: opMovSeg, Dst: Tmp0, Aux: uint32(d.reg & 7)})
	if d.isReg() {
		d.storeReg(d.operandSize(), d.rm, Tmp0, 0)
		return
	}
	d.storeRM(2, Tmp0, 0)
}

func (d *decoder) cmov(cc uint8) {
	n := d.operandSize()
	src := d.loadRM(n) // the operand is read whatever the condition
	op := [...]Op{2: opCmov16, 4: OpCmov32, 8: OpCmov64}[n]
	d.emit(Uop{Op: op, Dst: d.reg, Src: src, Aux: uint32(cc), Base: Zero, Index: Zero, Seg: Zero})
}

func (d *decoder) setcc(cc uint8) {
	if d.isReg() {
		if _, high := d.high(d.rm); !high {
			d.emit(Uop{Op: OpSet, Dst: d.rm, Aux: uint32(cc), Base: Zero, Index: Zero, Seg: Zero})
			return
		}
	}
	d.emit(Uop{Op: OpSet, Dst: Tmp0, Aux: uint32(cc), Base: Zero, Index: Zero, Seg: Zero})
	d.storeRM(1, Tmp0, 0)
}

// cmpxchg: the function of the table compares the accumulator with Tmp0 and leaves what is to be stored in Tmp1.
func (d *decoder) cmpxchg(n int) {
	if !d.checkLock(false) {
		return
	}
	src := d.reg
	if n == 1 {
		src = d.gpr8(d.reg)
	}
	u := Uop{Op: opCmpxchg, Src: src, Aux: uint32(n)}
	if d.isReg() {
		slot := d.loadRM(n)
		d.move(OpMov64, Tmp0, slot)
		u.Dst = bitOf(true) // a register destination is not written where the comparison fails
		u.Base = d.rm
		if h, high := d.high(d.rm); n == 1 && high {
			u.Base, u.Dst = h, 2
		}
		d.emit(u)
		return
	}
	if m := &d.memory; m.Base == RAX || m.Index == RAX {
		// A comparison that fails loads the accumulator before the store, which must not find another address then.
		d.emit(Uop{Op: OpLea64, Dst: addrTmp, Base: m.Base, Index: m.Index, Scale: m.Scale, Seg: Zero, Disp: m.Disp})
		d.memory = Uop{Base: addrTmp, Index: Zero, Seg: m.Seg}
	}
	d.emit(d.at(Uop{Op: loadOps[sizeLog(n)][1], Dst: Tmp0, Src: Zero}))
	d.emit(u)
	d.emit(d.at(Uop{Op: storeOps[sizeLog(n)], Src: Tmp1}))
}

func (d *decoder) xadd(n int) {
	if !d.checkLock(false) {
		return
	}
	src := d.reg
	if n == 1 {
		src = d.gpr8(d.reg)
	}
	if d.isReg() {
		// The register gets the old value of the operand first, then the operand gets the sum: with the same register
		// twice the sum stays.
		d.move(OpMov64, Tmp0, d.loadRM(n))
		d.emit(Uop{Op: opXadd, Src: src, Aux: uint32(n)})
		d.storeReg(n, d.reg, Tmp0, 0)
		d.storeReg(n, d.rm, Tmp1, 0)
		return
	}
	d.emit(d.at(Uop{Op: loadOps[sizeLog(n)][1], Dst: Tmp0, Src: Zero}))
	d.emit(Uop{Op: opXadd, Src: src, Aux: uint32(n)})
	d.emit(d.at(Uop{Op: storeOps[sizeLog(n)], Src: Tmp1}))
	d.storeReg(n, d.reg, Tmp0, 0)
}
