package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Instructions outside 64-bit mode: in real, protected and compatibility mode (SDM vol. 2, tables ). Most are
// those of 64-bit mode, with operands of 16 or 32 bits and without REX; what differs is in the tables here.

// legacy decodes the instruction at d.pos.
func (d *decoder) legacy() {
	d.forced, d.baseSP = false, false
	if d.mode&ModeFlat == 0 {
		d.emit(uop.Uop{Op: uop.Fetch})
	}
	op := d.legacyPrefixes()
	if d.short {
		return
	}
	if r := legacyOneByte[op]; r != nil {
		d.row(r, op)
		return
	}
	d.opcode(op)
}

// legacyPrefixes reads prefixes, of which there is no REX, and returns the first opcode byte.
func (d *decoder) legacyPrefixes() uint8 {
	for {
		b := d.imm8()
		switch b {
		case 0x66:
			d.data16 = true
		case 0x67:
			d.addr32 = true
		case 0xF2, 0xF3:
			d.rep = b
		case 0xF0:
			d.lock = true
		case 0x26, 0x2E, 0x36, 0x3E:
			d.segment, d.forced = b>>3&3, true
		case 0x64, 0x65:
			d.segment, d.forced = uop.SegFS+b&1, true
		default:
			return b
		}
		if d.short || d.pos-d.start > MaxInstruction {
			return 0
		}
	}
}

var legacyRows = []opcodeRow{
	{0x06, 0x1E, 8, 0, func(d *decoder, op uint8) { d.pushLegacySegment(op >> 3) }}, // PUSH ES, CS, SS, DS
	{0x07, 0x07, 0, 0, func(d *decoder, op uint8) { d.popLegacySegment(op >> 3) }},  // POP ES
	{0x17, 0x1F, 8, 0, func(d *decoder, op uint8) { d.popLegacySegment(op >> 3) }},  // POP SS, DS
	{0x27, 0x3F, 8, 0, func(d *decoder, op uint8) { d.emit(uop.Uop{Op: uop.Decimal, Aux: uint32(op)}) }},

	{0x40, 0x4F, 0, 0, (*decoder).incDecRegister},
	{0x50, 0x5F, 0, 0, func(d *decoder, op uint8) { d.legacyPushPop(op < 0x58, op&7, op&7, 0) }},
	{0x60, 0x61, 0, 0, func(d *decoder, op uint8) {
		d.emit(uop.Uop{Op: uop.PushAll + uop.Op(op&1), Aux: uint32(d.operandSize())})
	}},
	{0x62, 0x62, 0, modRM, func(d *decoder, _ uint8) { d.bound() }},
	{0x63, 0x63, 0, modRM, func(d *decoder, _ uint8) { d.arpl() }},
	{0x68, 0x68, 0, 0, func(d *decoder, _ uint8) { d.legacyPushPop(true, 0, uop.Zero, d.immZ(d.operandSize())) }},
	{0x6A, 0x6A, 0, 0, func(d *decoder, _ uint8) { d.legacyPushPop(true, 0, uop.Zero, int64(int8(d.imm8()))) }},
	{0x6C, 0x6F, 0, 0, (*decoder).legacyIOString},
	{0x70, 0x7F, 0, 0, func(d *decoder, op uint8) { d.nearJump(op&15, int64(int8(d.imm8()))) }},
	{0x82, 0x82, 0, modRM | lock, func(d *decoder, _ uint8) { d.group1(0x80) }},
	{0x8F, 0x8F, 0, modRM, func(d *decoder, _ uint8) { d.legacyPopRM() }},
	{0x9A, 0x9A, 0, 0, func(d *decoder, _ uint8) { d.farImmediate(1) }},
	{0x9C, 0x9C, 0, 0, func(d *decoder, _ uint8) { d.emit(uop.Uop{Op: uop.Pushf, Aux: uint32(d.operandSize())}) }},
	{0x9D, 0x9D, 0, 0, func(d *decoder, _ uint8) { d.last(uop.Uop{Op: uop.Popf, Aux: uint32(d.operandSize())}) }},

	{0xA0, 0xA3, 0, 0, (*decoder).legacyMoveOffset},
	{0xA4, 0xA7, 0, 0, (*decoder).legacyString},
	{0xAA, 0xAF, 0, 0, (*decoder).legacyString},
	{0xC2, 0xC2, 0, 0, func(d *decoder, _ uint8) { d.nearRet(int64(d.imm16())) }},
	{0xC3, 0xC3, 0, 0, func(d *decoder, _ uint8) { d.nearRet(0) }},
	{0xC4, 0xC5, 0, 0, (*decoder).legacyVexed}, // LES, LDS where VEX would name memory
	{0xC8, 0xC8, 0, 0, func(d *decoder, _ uint8) { d.legacyEnter() }},
	{0xC9, 0xC9, 0, 0, func(d *decoder, _ uint8) { d.emit(uop.Uop{Op: uop.Leave, Aux: uint32(d.operandSize())}) }},
	{0xCE, 0xCE, 0, 0, func(d *decoder, _ uint8) { d.control(uop.Uop{Op: uop.Into}) }},
	{0xD4, 0xD5, 0, 0, func(d *decoder, op uint8) { d.emit(uop.Uop{Op: uop.Decimal, Aux: uint32(op), Imm: int64(d.imm8())}) }}, // AAM, AAD
	{0xD6, 0xD6, 0, 0, func(d *decoder, op uint8) { d.emit(uop.Uop{Op: uop.Decimal, Aux: uint32(op)}) }},                       // SALC
	{0xD7, 0xD7, 0, 0, func(d *decoder, _ uint8) {
		d.operandIn(uop.SegDS)
		d.emit(uop.Uop{Op: uop.Xlat, Seg: uop.Zero, Base: uop.RBX, Index: d.segment, Scale: d.addressForm() | uop.AddressLegacy})
	}},
	{0xE0, 0xE3, 0, 0, (*decoder).countJump},
	{0xE8, 0xE8, 0, 0, func(d *decoder, _ uint8) { d.nearCall(d.immZ(d.operandSize())) }},
	{0xE9, 0xE9, 0, 0, func(d *decoder, _ uint8) { d.nearJump(uop.Always, d.immZ(d.operandSize())) }},
	{0xEA, 0xEA, 0, 0, func(d *decoder, _ uint8) { d.farImmediate(0) }},
	{0xEB, 0xEB, 0, 0, func(d *decoder, _ uint8) { d.nearJump(uop.Always, int64(int8(d.imm8()))) }},
	{0xFF, 0xFF, 0, modRM | lock, func(d *decoder, _ uint8) { d.legacyGroup5() }},
}

var legacyTwoByteRows = []opcodeRow{
	{0x00, 0x00, 0, modRM, func(d *decoder, _ uint8) { d.protected(); d.group6() }},
	{0x01, 0x01, 0, modRM, func(d *decoder, _ uint8) { d.legacyGroup7() }},
	{0x02, 0x03, 0, modRM, func(d *decoder, op uint8) { d.protected(); d.limits(op) }},
	{0x20, 0x20, 0, 0, (*decoder).legacyMoveControl},
	{0x21, 0x21, 0, 0, (*decoder).legacyMoveControl},
	{0x22, 0x22, 0, 0, (*decoder).legacyMoveControl},
	{0x23, 0x23, 0, 0, (*decoder).legacyMoveControl},
	{0x80, 0x8F, 0, 0, func(d *decoder, op uint8) { d.nearJump(op&15, d.immZ(d.operandSize())) }},
	{0xA0, 0xA8, 8, 0, func(d *decoder, op uint8) { d.pushLegacySegment(uop.SegFS + op>>3&1) }},
	{0xA1, 0xA9, 8, 0, func(d *decoder, op uint8) { d.popLegacySegment(uop.SegFS + op>>3&1) }},
}

var legacyOneByte, legacyTwoBytes = byOpcode(legacyRows), byOpcode(legacyTwoByteRows)

// protected raises #UD in real and virtual-8086 mode.
func (d *decoder) protected() {
	if d.mode&ModeReal != 0 {
		d.emit(uop.Uop{Op: uop.Protected})
	}
}

func (d *decoder) incDecRegister(op uint8) {
	n := d.operandSize()
	kind := uop.UnaryINC + uint32(op>>3&1)
	u := uop.Uop{Op: uop.Unary16, Dst: op & 7, Aux: kind, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}
	if n == 4 {
		u.Op = uop.Inc32
		if kind == uop.UnaryDEC {
			u.Op = uop.Dec32
		}
	}
	d.emit(u)
}

func (d *decoder) bound() {
	if d.isReg() {
		d.undefined() // EVEX
		return
	}
	d.emit(d.at(uop.Uop{Op: uop.Bound, Dst: d.reg, Aux: uint32(d.operandSize())}))
}

func (d *decoder) arpl() {
	d.protected()
	d.modify(2, func(slot uint8) { d.emit(uop.Uop{Op: uop.Arpl, Dst: slot, Src: d.reg}) })
}

// legacyMoveOffset is MOV between the accumulator and an offset that is as long as addresses are.
func (d *decoder) legacyMoveOffset(op uint8) {
	u := uop.Uop{Op: uop.Mov32, Dst: addrTmp, Src: uop.Zero, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}
	if d.addressForm() == uop.Address16 {
		u.Imm = int64(d.imm16())
	} else {
		u.Imm = int64(d.imm32())
	}
	d.operandIn(uop.SegDS)
	d.emit(u)
	n := d.byteOr(op)
	if op >= 0xA2 {
		d.emit(d.at(uop.Uop{Op: storeOps[sizeLog(n)], Src: uop.RAX}))
		return
	}
	d.emit(d.at(uop.Uop{Op: loadOps[sizeLog(n)][0], Dst: uop.Tmp0, Src: uop.Zero}))
	d.storeReg(n, uop.RAX, uop.Tmp0, 0)
}

func (d *decoder) legacyString(op uint8) {
	d.operandIn(uop.SegDS)
	d.control(uop.Uop{Op: uop.String, Dst: stringKind(op), Src: uint8(d.byteOr(op)), Scale: d.addressForm() | uop.AddressLegacy, Seg: uop.Zero, Base: uop.Zero, Index: d.segment, Aux: uint32(d.rep)})
}

// legacyVexed decodes C4 and C5: VEX where ModRM would name a register, which LES and LDS have not. VEX is not for real
// and virtual-8086 mode, and knows eight registers.
func (d *decoder) legacyVexed(op uint8) {
	switch b := d.peek(); {
	case d.short:
	case b>>6 != 3:
		d.modrm()
		if d.lock {
			d.undefined()
			return
		}
		segment := [...]uint32{4: uop.SegES, 5: uop.SegDS}[op&7]
		d.last(d.at(uop.Uop{Op: uop.Lfs, Dst: d.reg, Aux: segment | uint32(d.operandSize())<<8}))
	case d.mode&ModeReal != 0:
		d.undefined()
	default:
		d.vexed(op)
	}
}

// legacyMoveControl is MOV from and to control and debug registers, of which there are eight each, with 32 bits.
func (d *decoder) legacyMoveControl(op uint8) {
	debug := op&1 != 0
	d.modrmRegister()
	if !debug && d.reg != 0 && (d.reg < 2 || d.reg > 4) {
		d.undefined()
		return
	}
	d.privileged()
	if op < 0x22 {
		if debug {
			d.sensitive(uop.InsnDR, uop.Uop{Op: uop.MovFromDR, Dst: d.rm, Imm: int64(d.reg)})
			return
		}
		d.emit(uop.Uop{Op: uop.MovFromCR, Dst: d.rm, Aux: uint32(d.reg)})
		d.move(uop.Mov32, d.rm, d.rm)
		return
	}
	d.move(uop.Mov32, uop.Tmp0, d.rm)
	if debug {
		d.sensitive(uop.InsnDR, uop.Uop{Op: uop.MovToDR, Src: uop.Tmp0, Imm: int64(d.reg)})
		return
	}
	d.last(uop.Uop{Op: uop.MovToCR, Src: uop.Tmp0, Aux: uint32(d.reg)})
}

// legacyGroup7 is group7 with tables whose bases have 24 or 32 bits.
func (d *decoder) legacyGroup7() {
	switch kind := d.reg; {
	case d.isReg() && kind == 7 && d.rm == 0: // SWAPGS
		d.undefined()
	case d.isReg() && kind == 6:
		d.privileged()
		d.last(uop.Uop{Op: uop.Lmsw, Src: d.rm})
	case d.isReg() || kind > 3:
		d.group7()
	case kind < 2:
		d.emit(d.at(uop.Uop{Op: uop.Sgdt + uop.Op(kind), Aux: uint32(d.operandSize())}))
	default:
		d.privileged()
		d.last(d.at(uop.Uop{Op: uop.Lgdt + uop.Op(kind-2), Aux: uint32(d.operandSize())}))
	}
}
