package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// The two-byte opcode map, after 0F (SDM vol. 2, table A-3).

// twoByteRows are the opcodes that are not instructions on XMM and MMX registers alone. Those have tables of their own
// (sse_0f.go).
var twoByteRows = []opcodeRow{
	{0x00, 0x00, 0, modRM, func(d *decoder, _ uint8) { d.group6() }},
	{0x01, 0x01, 0, modRM, func(d *decoder, _ uint8) { d.group7() }},
	{0x02, 0x03, 0, modRM, (*decoder).limits}, // LAR, LSL
	{0x05, 0x05, 0, 0, func(d *decoder, _ uint8) { d.control(uop.Uop{Op: uop.Syscall}) }},
	{0x06, 0x06, 0, 0, func(d *decoder, _ uint8) { d.privileged(); d.last(uop.Uop{Op: uop.Clts}) }},
	{0x07, 0x07, 0, 0, func(d *decoder, _ uint8) { d.control(uop.Uop{Op: uop.Sysret, Aux: uint32(d.operandSize())}) }},
	{0x08, 0x08, 0, 0, func(d *decoder, _ uint8) { d.privileged(); d.sensitive(uop.InsnINVD, uop.Uop{Op: uop.Clflush}) }},
	{0x09, 0x09, 0, 0, func(d *decoder, _ uint8) { d.privileged(); d.sensitive(uop.InsnWBINVD, uop.Uop{Op: uop.Clflush}) }},
	{0x0B, 0x0B, 0, 0, func(d *decoder, _ uint8) { d.undefined() }}, // UD2
	{0x0D, 0x0D, 0, modRM, func(*decoder, uint8) {}},                // PREFETCHW
	{0x18, 0x1F, 0, modRM, func(*decoder, uint8) {}},                // prefetches and hint NOPs, ENDBR64 among them

	{0x20, 0x20, 0, 0, (*decoder).moveControl}, // MOV Rd, Cd
	{0x21, 0x21, 0, 0, (*decoder).moveDebug},   // MOV Rd, Dd
	{0x22, 0x22, 0, 0, (*decoder).moveControl}, // MOV Cd, Rd
	{0x23, 0x23, 0, 0, (*decoder).moveDebug},   // MOV Dd, Rd

	{0x30, 0x30, 0, 0, func(d *decoder, _ uint8) { d.privileged(); d.sensitive(uop.InsnWRMSR, uop.Uop{Op: uop.Wrmsr}) }},
	{0x31, 0x31, 0, 0, func(d *decoder, _ uint8) { d.timestamp(uop.InsnRDTSC, uop.Uop{Op: uop.Rdtsc}) }},
	{0x32, 0x32, 0, 0, func(d *decoder, _ uint8) { d.privileged(); d.sensitive(uop.InsnRDMSR, uop.Uop{Op: uop.Rdmsr}) }},
	{0x33, 0x33, 0, 0, func(d *decoder, _ uint8) { d.sensitive(uop.InsnRDPMC, uop.Uop{Op: uop.Rdpmc}) }},
	{0x34, 0x34, 0, 0, func(d *decoder, _ uint8) { d.control(uop.Uop{Op: uop.Sysenter}) }},
	{0x35, 0x35, 0, 0, func(d *decoder, _ uint8) { d.control(uop.Uop{Op: uop.Sysexit, Aux: uint32(d.operandSize())}) }},
	{0x37, 0x37, 0, 0, func(d *decoder, _ uint8) { d.undefined() }}, // GETSEC: CR4.SMXE is never set
	{0x38, 0x38, 0, 0, func(d *decoder, _ uint8) { d.map38() }},
	{0x3A, 0x3A, 0, 0, func(d *decoder, _ uint8) { d.vector(3, d.imm8()) }},
	{0x40, 0x4F, 0, modRM, func(d *decoder, op uint8) { d.cmov(op & 15) }},

	{0x80, 0x8F, 0, 0, func(d *decoder, op uint8) { rel := int64(int32(d.imm32())); d.jcc(op&15, rel) }},
	{0x90, 0x9F, 0, modRM, func(d *decoder, op uint8) { d.setcc(op & 15) }},

	{0xA0, 0xA8, 8, 0, (*decoder).pushSegment}, // PUSH FS, GS
	{0xA1, 0xA9, 8, 0, (*decoder).popSegment},  // POP FS, GS
	{0xA2, 0xA2, 0, 0, func(d *decoder, _ uint8) { d.sensitive(uop.InsnCPUID, uop.Uop{Op: uop.Cpuid}) }},
	{0xA3, 0xA3, 0, modRM, (*decoder).bitTestRegister},        // BT Ev, Gv
	{0xA4, 0xA5, 0, modRM, (*decoder).doubleShift},            // SHLD
	{0xAB, 0xAB, 0, modRM | lock, (*decoder).bitTestRegister}, // BTS
	{0xAC, 0xAD, 0, modRM, (*decoder).doubleShift},            // SHRD
	{0xAE, 0xAE, 0, modRM, func(d *decoder, _ uint8) { d.group15() }},
	{0xAF, 0xAF, 0, modRM, func(d *decoder, _ uint8) { n := d.operandSize(); d.imul(n, d.loadRM(n), 0, false) }}, // IMUL Gv, Ev

	{0xB0, 0xB1, 0, modRM | lock, func(d *decoder, op uint8) { d.cmpxchg(d.byteOr(op)) }},
	{0xB2, 0xB2, 0, modRM, (*decoder).loadFarPointer},                                 // LSS
	{0xB3, 0xB3, 0, modRM | lock, (*decoder).bitTestRegister},                         // BTR
	{0xB4, 0xB5, 0, modRM, (*decoder).loadFarPointer},                                 // LFS, LGS
	{0xB6, 0xB7, 0, modRM, func(d *decoder, op uint8) { d.extend(1<<(op&1), false) }}, // MOVZX
	{0xB8, 0xB8, 0, 0, (*decoder).popcnt},
	{0xB9, 0xB9, 0, modRM, func(d *decoder, _ uint8) { d.undefined() }}, // UD1
	{0xBA, 0xBA, 0, modRM | lock, func(d *decoder, _ uint8) { d.group8() }},
	{0xBB, 0xBB, 0, modRM | lock, (*decoder).bitTestRegister},                        // BTC
	{0xBC, 0xBD, 0, modRM, (*decoder).bitScan},                                       // BSF, TZCNT, BSR, LZCNT
	{0xBE, 0xBF, 0, modRM, func(d *decoder, op uint8) { d.extend(1<<(op&1), true) }}, // MOVSX

	{0xC0, 0xC1, 0, modRM | lock, func(d *decoder, op uint8) { d.xadd(d.byteOr(op)) }},
	{0xC3, 0xC3, 0, 0, (*decoder).movnti},
	{0xC7, 0xC7, 0, modRM | lock, func(d *decoder, _ uint8) { d.group9() }},
	{0xC8, 0xCF, 0, 0, (*decoder).bswap},
	{0xFF, 0xFF, 0, modRM, func(d *decoder, _ uint8) { d.undefined() }}, // UD0
}

var twoBytes = byOpcode(twoByteRows)

// twoByte decodes the instructions after 0F.
func (d *decoder) twoByte() {
	op := d.imm8()
	r := twoBytes[op]
	if d.mode&ModeLegacy != 0 && legacyTwoBytes[op] != nil {
		r = legacyTwoBytes[op]
	}
	switch {
	case r != nil:
		d.row(r, op)
	case d.lock:
		d.undefined()
	default:
		d.vector(1, op)
	}
}

// vector decodes what the tables of instructions on XMM and MMX registers have.
func (d *decoder) vector(opcodeMap int, op uint8) {
	if !d.sse(opcodeMap, op) {
		d.undefined()
	}
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
	case op&0xFE == 0xF8 && d.rep == 0 && d.data16 == (op == 0xF8): // MOVDIR64B, MOVDIRI
		d.modrm()
		switch {
		case d.isReg() || d.lock:
			d.undefined()
		case op == 0xF8:
			d.emit(d.at(uop.Uop{Op: uop.Movdir64b, Src: d.reg, Aux: uint32(d.addressForm())}))
		default:
			n := 4
			if d.rex&rexW != 0 {
				n = 8
			}
			d.storeRM(n, d.reg, 0)
		}
	case op == 0x82 && d.data16 && d.rep == 0: // INVPCID
		d.modrm()
		if d.isReg() {
			d.undefined()
			return
		}
		d.privileged()
		kind := d.reg
		if d.mode&ModeLegacy != 0 {
			d.move(uop.Mov32, uop.Tmp0, d.reg)
			kind = uop.Tmp0
		}
		d.last(d.at(uop.Uop{Op: uop.Invpcid, Src: kind}))
	default:
		if !d.sse(2, op) {
			d.undefined()
		}
	}
}
