package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// twoByte decodes the instructions after 0F (SDM vol. 2, table A-3).
func (d *decoder) twoByte() {
	op := d.imm8()
	if d.lock && !lockable0F(op) {
		d.undefined()
		return
	}
	switch {
	case op == 0x38:
		d.map38()
	case op == 0x3A:
		if !d.sse(3, d.imm8()) {
			d.undefined()
		}
	case op >= 0x40 && op < 0x50:
		d.modrm()
		d.cmov(op & 15)
	case op >= 0x80 && op < 0x90:
		rel := int64(int32(d.imm32()))
		d.jcc(op&15, rel)
	case op >= 0x90 && op < 0xA0:
		d.modrm()
		d.setcc(op & 15)
	case op >= 0xC8 && op < 0xD0:
		reg := op & 7
		if d.rex&rexB != 0 {
			reg |= 8
		}
		d.emit(uop.Uop{Op: uop.Bswap, Dst: reg, Aux: uint32(d.operandSize())})
	case op >= 0x18 && op < 0x20: // prefetches and hint NOPs, ENDBR64 among them
		d.modrm()
	default:
		if !d.twoByteOther(op) && !d.sse(1, op) {
			d.undefined()
		}
	}
}

func lockable0F(op uint8) bool {
	switch op {
	case 0xAB, 0xB3, 0xBA, 0xBB, 0xB0, 0xB1, 0xC0, 0xC1, 0xC7:
		return true
	}
	return false
}

// twoByteOther decodes single opcodes; it returns false for those that it does not know.
func (d *decoder) twoByteOther(op uint8) bool {
	switch op {
	case 0x00:
		d.modrm()
		d.group6()
	case 0x01:
		d.modrm()
		d.group7()
	case 0x02, 0x03: // LAR, LSL
		d.modrm()
		d.emit(uop.Uop{Op: uop.Lar + uop.Op(op-2), Dst: d.reg, Src: d.loadRM(2), Aux: uint32(d.operandSize())})
	case 0x05:
		d.control(uop.Uop{Op: uop.Syscall})
	case 0x06:
		d.privileged()
		d.last(uop.Uop{Op: uop.Clts})
	case 0x07:
		d.control(uop.Uop{Op: uop.Sysret, Aux: uint32(d.operandSize())})
	case 0x08:
		d.privileged()
		d.sensitive(uop.InsnINVD, uop.Uop{Op: uop.Clflush})
	case 0x09:
		d.privileged()
		d.sensitive(uop.InsnWBINVD, uop.Uop{Op: uop.Clflush})
	case 0x0B:
		d.undefined()
	case 0x0D: // PREFETCHW
		d.modrm()
	case 0x20, 0x22: // MOV r, CR; CR, r
		d.modrmRegister()
		if d.reg != 0 && (d.reg < 2 || d.reg > 4) && d.reg != 8 {
			d.undefined()
			break
		}
		d.privileged()
		if op == 0x20 {
			d.emit(uop.Uop{Op: uop.MovFromCR, Dst: d.rm, Aux: uint32(d.reg)})
		} else {
			d.last(uop.Uop{Op: uop.MovToCR, Src: d.rm, Aux: uint32(d.reg)})
		}
	case 0x21, 0x23:
		d.modrmRegister()
		if d.reg > 7 {
			d.undefined() // before privilege is looked at
			break
		}
		d.privileged()
		if op == 0x21 {
			d.sensitive(uop.InsnDR, uop.Uop{Op: uop.MovFromDR, Dst: d.rm, Imm: int64(d.reg)})
		} else {
			d.sensitive(uop.InsnDR, uop.Uop{Op: uop.MovToDR, Src: d.rm, Imm: int64(d.reg)})
		}
	case 0x30:
		d.privileged()
		d.sensitive(uop.InsnWRMSR, uop.Uop{Op: uop.Wrmsr})
	case 0x31:
		d.timestamp(uop.InsnRDTSC, uop.Uop{Op: uop.Rdtsc})
	case 0x32:
		d.privileged()
		d.sensitive(uop.InsnRDMSR, uop.Uop{Op: uop.Rdmsr})
	case 0x33:
		d.sensitive(uop.InsnRDPMC, uop.Uop{Op: uop.Rdpmc})
	case 0x34:
		d.control(uop.Uop{Op: uop.Sysenter})
	case 0x35:
		d.control(uop.Uop{Op: uop.Sysexit, Aux: uint32(d.operandSize())})
	case 0x37: // GETSEC: CR4.SMXE is never set
		d.undefined()
	case 0xA0, 0xA8: // PUSH FS, GS
		d.emit(uop.Uop{Op: uop.MovSeg, Dst: uop.Tmp0, Aux: uint32(uop.SegFS + op>>3&1)})
		d.pushPopSlot(true, 0, uop.Tmp0)
	case 0xA1, 0xA9:
		d.last(uop.Uop{Op: uop.PopSeg, Dst: uint8(d.stackSize()), Aux: uint32(uop.SegFS + op>>3&1)})
	case 0xA2:
		d.sensitive(uop.InsnCPUID, uop.Uop{Op: uop.Cpuid})
	case 0xA3, 0xAB, 0xB3, 0xBB:
		d.modrm()
		d.bitTest(op>>3&3, d.reg, 0)
	case 0xBA:
		d.modrm()
		if d.reg&7 < 4 {
			d.undefined()
			break
		}
		kind := d.reg & 3
		d.bitTest(kind, uop.Zero, int64(d.imm8()))
	case 0xA4, 0xA5, 0xAC, 0xAD:
		d.modrm()
		d.doubleShift(op)
	case 0xAE:
		d.modrm()
		d.group15()
	case 0xAF:
		d.modrm()
		n := d.operandSize()
		d.imul(n, d.loadRM(n), 0, false)
	case 0xB0, 0xB1:
		d.modrm()
		d.cmpxchg(d.byteOr(op))
	case 0xB2, 0xB4, 0xB5:
		d.modrm()
		if d.isReg() {
			d.undefined()
			break
		}
		seg := [...]uint32{2: uop.SegSS, 4: uop.SegFS, 5: uop.SegGS}[op&7]
		d.last(d.at(uop.Uop{Op: uop.Lfs, Dst: d.reg, Aux: seg | uint32(d.operandSize())<<8}))
	case 0xB6, 0xB7:
		d.modrm()
		d.extend(1<<(op&1), false)
	case 0xB8:
		if d.rep != 0xF3 {
			return false
		}
		d.modrm()
		n := d.operandSize()
		d.emit(uop.Uop{Op: uop.Popcnt, Dst: d.reg, Src: d.loadRM(n), Aux: uint32(n)})
	case 0xB9, 0xFF: // UD1, UD0
		d.modrm()
		d.undefined()
	case 0xBC, 0xBD:
		d.modrm()
		n := d.operandSize()
		d.emit(uop.Uop{Op: uop.BitScan, Dst: d.reg, Src: d.loadRM(n), Aux: uint32(n) | uint32(op&1)<<8 | uint32(bitOf(d.rep == 0xF3))<<9})
	case 0xBE, 0xBF:
		d.modrm()
		d.extend(1<<(op&1), true)
	case 0xC0, 0xC1:
		d.modrm()
		d.xadd(d.byteOr(op))
	case 0xC3: // MOVNTI
		if d.data16 || d.rep != 0 {
			return false
		}
		d.modrm()
		if d.isReg() {
			d.undefined()
			break
		}
		d.storeRM(d.operandSize(), d.reg, 0)
	case 0xC7:
		d.modrm()
		d.group9()
	default:
		return false
	}
	return true
}

// timestamp emits RDTSC or RDTSCP, which are frequent enough not to end blocks where nobody intercepts them.
func (d *decoder) timestamp(kind uop.InstructionKind, u uop.Uop) {
	if d.intercepts.Has(kind) {
		d.sensitive(kind, u)
		return
	}
	d.emit(u)
}

// map38 decodes the general-purpose instructions of 0F 38.
func (d *decoder) map38() {
	op := d.imm8()
	switch {
	case op&0xFE == 0xF0 && d.rep == 0xF2: // CRC32
		d.modrm()
		n := 1
		if op == 0xF1 {
			n = d.operandSize()
		}
		d.emit(uop.Uop{Op: uop.Crc32, Dst: d.reg, Src: d.loadRM(n), Aux: uint32(n) | uint32(bitOf(d.rex&rexW != 0))<<8})
	case op == 0xF0 && d.rep == 0: // MOVBE from memory
		d.modrm()
		if d.isReg() {
			d.undefined()
			return
		}
		n := d.operandSize()
		d.emit(uop.Uop{Op: uop.Movbe, Dst: uop.Tmp0, Src: d.loadRM(n), Aux: uint32(n)})
		d.storeReg(n, d.reg, uop.Tmp0, 0)
	case op == 0xF1 && d.rep == 0: // MOVBE to memory
		d.modrm()
		if d.isReg() {
			d.undefined()
			return
		}
		n := d.operandSize()
		d.emit(uop.Uop{Op: uop.Movbe, Dst: uop.Tmp0, Src: d.reg, Aux: uint32(n)})
		d.storeRM(n, uop.Tmp0, 0)
	case op == 0xF6 && (d.rep == 0xF3 || d.rep == 0 && d.data16): // ADOX, ADCX
		d.modrm()
		n := 4
		if d.rex&rexW != 0 {
			n = 8
		}
		u := uop.Uop{Op: uop.ADX32, Dst: d.reg, Src: d.loadRM(n), Aux: uint32(bitOf(d.rep == 0xF3)), Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}
		if n == 8 {
			u.Op = uop.Adcx64 + uop.Op(u.Aux)
		}
		d.emit(u)
	case op == 0x82 && d.data16 && d.rep == 0: // INVPCID
		d.modrm()
		if d.isReg() {
			d.undefined()
			return
		}
		d.privileged()
		d.last(d.at(uop.Uop{Op: uop.Invpcid, Src: d.reg}))
	default:
		if !d.sse(2, op) {
			d.undefined()
		}
	}
}
