package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of moves, conditional ones among them, exchanges and LEA.

func (d *decoder) moveImmediate8(op uint8) {
	reg := op & 7
	if d.rex&rexB != 0 {
		reg |= 8
	}
	d.storeReg(1, reg, uop.Zero, int64(d.imm8()))
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
	d.storeReg(n, reg, uop.Zero, imm)
}

func (d *decoder) moveOffset(op uint8) {
	var off int64
	if d.addr32 {
		off = int64(d.imm32())
	} else {
		off = int64(d.imm64())
	}
	n := d.byteOr(op)
	u := uop.Uop{Base: uop.Zero, Index: uop.Zero, Seg: d.seg, Disp: off}
	if op >= 0xA2 {
		u.Op, u.Src = storeOps[sizeLog(n)], uop.RAX
		d.emit(u)
		return
	}
	u.Op, u.Dst, u.Src = loadOps[sizeLog(n)][0], uop.Tmp0, uop.Zero
	d.emit(u)
	d.storeReg(n, uop.RAX, uop.Tmp0, 0)
}

// extend emits MOVZX or MOVSX from n bytes to the operand size.
func (d *decoder) extend(n int, sign bool) {
	to := d.operandSize()
	load, move := extendOps(n, to, sign)
	if to == 2 {
		// A 16-bit destination keeps its upper bits.
		src := d.loadRM(n)
		d.move(move, uop.Tmp1, src)
		d.storeReg(2, d.reg, uop.Tmp1, 0)
		return
	}
	if !d.isReg() {
		d.emit(d.at(uop.Uop{Op: load, Dst: d.reg, Src: uop.Zero}))
		return
	}
	d.move(move, d.reg, d.loadRM(n))
}

// extendOps returns the load and the register move that extend n bytes to the given size.
func extendOps(n, to int, sign bool) (load, move uop.Op) {
	switch {
	case !sign && n == 1:
		return uop.Load8, uop.ZX8
	case !sign:
		return uop.Load16, uop.ZX16
	case n == 4 && to == 8:
		return uop.LoadS32x64, uop.SX32x64
	case n == 4 && to == 4:
		return uop.Load32, uop.Mov32
	case n == 4:
		return uop.Load16, uop.Mov32
	case n == 1 && to == 8:
		return uop.LoadS8x64, uop.SX8x64
	case n == 1:
		return uop.LoadS8x32, uop.SX8x32
	case to == 8:
		return uop.LoadS16x64, uop.SX16x64
	}
	return uop.LoadS16x32, uop.SX16x32
}

// exchange emits XCHG between the ModRM operand and the register.
func (d *decoder) exchange(n int) {
	if !d.checkLock(false) {
		return
	}
	if d.isReg() {
		src := d.loadRM(n) // Tmp0 for a high byte
		d.move(uop.Mov64, uop.Tmp1, src)
		if n == 1 {
			d.storeRM(1, d.gpr8(d.reg), 0)
		} else {
			d.storeRM(n, d.reg, 0)
		}
		d.storeReg(n, d.reg, uop.Tmp1, 0)
		return
	}
	d.lock = true // SDM vol. 3, 10.1.2.1
	d.emit(d.at(uop.Uop{Op: loadOps[sizeLog(n)][1], Dst: uop.Tmp0, Src: uop.Zero}))
	src := d.reg
	if n == 1 {
		src = d.gpr8(d.reg)
	}
	d.emit(d.at(uop.Uop{Op: storeOps[sizeLog(n)], Src: src}))
	d.storeReg(n, d.reg, uop.Tmp0, 0)
}

func (d *decoder) exchangeAccumulator(op uint8) {
	reg := op & 7
	if d.rex&rexB != 0 {
		reg |= 8
	}
	if reg == uop.RAX || op == 0x90 && d.rep == 0xF3 {
		return // NOP; with F3 PAUSE, whatever REX says, which has nothing to wait for here
	}
	n := d.operandSize()
	d.move(uop.Mov64, uop.Tmp1, uop.RAX)
	d.storeReg(n, uop.RAX, reg, 0)
	d.storeReg(n, reg, uop.Tmp1, 0)
}

func (d *decoder) lea() {
	if d.isReg() {
		d.undefined()
		return
	}
	u := d.at(uop.Uop{Dst: d.reg, Src: uop.Zero})
	u.Seg = uop.Zero
	switch d.operandSize() {
	case 8:
		u.Op = uop.Lea64
		d.emit(u)
	case 4:
		u.Op = uop.Lea32
		d.emit(u)
	default:
		u.Op, u.Dst = uop.Lea64, uop.Tmp0
		d.emit(u)
		d.storeReg(2, d.reg, uop.Tmp0, 0)
	}
}

func (d *decoder) cmov(cc uint8) {
	n := d.operandSize()
	src := d.loadRM(n) // the operand is read whatever the condition
	op := [...]uop.Op{2: uop.Cmov16, 4: uop.Cmov32, 8: uop.Cmov64}[n]
	d.emit(uop.Uop{Op: op, Dst: d.reg, Src: src, Aux: uint32(cc), Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
}

func (d *decoder) setcc(cc uint8) {
	if d.isReg() {
		if _, high := d.high(d.rm); !high {
			d.emit(uop.Uop{Op: uop.Set, Dst: d.rm, Aux: uint32(cc), Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
			return
		}
	}
	d.emit(uop.Uop{Op: uop.Set, Dst: uop.Tmp0, Aux: uint32(cc), Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
	d.storeRM(1, uop.Tmp0, 0)
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
	u := uop.Uop{Op: uop.Cmpxchg, Src: src, Aux: uint32(n)}
	if d.isReg() {
		slot := d.loadRM(n)
		d.move(uop.Mov64, uop.Tmp0, slot)
		u.Dst = bitOf(true) // a register destination is not written where the comparison fails
		u.Base = d.rm
		if h, high := d.high(d.rm); n == 1 && high {
			u.Base, u.Dst = h, 2
		}
		d.emit(u)
		return
	}
	if m := &d.memory; m.Base == uop.RAX || m.Index == uop.RAX {
		// A comparison that fails loads the accumulator before the store, which must not find another address then.
		d.emit(uop.Uop{Op: uop.Lea64, Dst: addrTmp, Base: m.Base, Index: m.Index, Scale: m.Scale, Seg: uop.Zero, Disp: m.Disp})
		d.memory = uop.Uop{Base: addrTmp, Index: uop.Zero, Seg: m.Seg}
	}
	d.emit(d.at(uop.Uop{Op: loadOps[sizeLog(n)][1], Dst: uop.Tmp0, Src: uop.Zero}))
	d.emit(u)
	d.emit(d.at(uop.Uop{Op: storeOps[sizeLog(n)], Src: uop.Tmp1}))
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
		d.move(uop.Mov64, uop.Tmp0, d.loadRM(n))
		d.emit(uop.Uop{Op: uop.Xadd, Src: src, Aux: uint32(n)})
		d.storeReg(n, d.reg, uop.Tmp0, 0)
		d.storeReg(n, d.rm, uop.Tmp1, 0)
		return
	}
	d.emit(d.at(uop.Uop{Op: loadOps[sizeLog(n)][1], Dst: uop.Tmp0, Src: uop.Zero}))
	d.emit(uop.Uop{Op: uop.Xadd, Src: src, Aux: uint32(n)})
	d.emit(d.at(uop.Uop{Op: storeOps[sizeLog(n)], Src: uop.Tmp1}))
	d.storeReg(n, d.reg, uop.Tmp0, 0)
}

// moveEG is MOV to the ModRM operand from a register.
func (d *decoder) moveEG(op uint8) {
	if n := d.byteOr(op); n == 1 {
		d.storeRM(1, d.gpr8(d.reg), 0)
	} else {
		d.storeRM(n, d.reg, 0)
	}
}

// moveGE is MOV to a register from the ModRM operand.
func (d *decoder) moveGE(op uint8) {
	n := d.byteOr(op)
	if n >= 4 && !d.isReg() {
		d.emit(d.at(uop.Uop{Op: loadOps[sizeLog(n)][0], Dst: d.reg, Src: uop.Zero}))
		return
	}
	d.storeReg(n, d.reg, d.loadRM(n), 0)
}

// group11 is MOV of an immediate to the ModRM operand.
func (d *decoder) group11(op uint8) {
	if d.reg&7 != 0 {
		d.undefined()
		return
	}
	n := d.byteOr(op)
	if n == 1 {
		d.storeRM(1, uop.Zero, int64(d.imm8()))
		return
	}
	d.storeRM(n, uop.Zero, d.immZ(n))
}

// movnti is MOVNTI, which has no prefixes.
func (d *decoder) movnti(op uint8) {
	if d.data16 || d.rep != 0 {
		d.vector(1, op)
		return
	}
	d.modrm()
	if d.isReg() {
		d.undefined()
		return
	}
	d.storeRM(d.operandSize(), d.reg, 0)
}

func (d *decoder) bswap(op uint8) {
	reg := op & 7
	if d.rex&rexB != 0 {
		reg |= 8
	}
	d.emit(uop.Uop{Op: uop.Bswap, Dst: reg, Aux: uint32(d.operandSize())})
}
