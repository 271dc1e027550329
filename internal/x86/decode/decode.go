package decode

import (
	"slices"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A decoder turns the bytes of one instruction after another into micro-operations. It holds what the prefixes and the
// ModRM byte said of the current instruction.
type decoder struct {
	uops       []uop.Uop
	intercepts uop.InstructionSet

	offset int64  // of the block's first byte in its page
	bytes  []byte // from the block's first byte on
	pos    int    // of the next byte to read
	start  int    // of the current instruction
	short  bool   // the instruction goes on beyond bytes
	ord    uint8

	// The current instruction.
	rex     uint8      // 0 where there is none
	data16  bool       // 66
	addr32  bool       // 67
	rep     uint8      // 0, 0xF2 or 0xF3, whichever came last
	lock    bool       // F0, or XCHG with memory, which does without
	seg     uint8      // slot of the segment base: Zero, FSBase or GSBase
	vex     *vexPrefix // nil where there is none
	segment uint8      // outside 64-bit mode: the number of the memory operand's segment
	forced  bool       // a prefix says which
	baseSP  bool       // ESP is the memory operand's base
	mod     uint8
	reg     uint8   // extended by REX.R
	rm      uint8   // extended by REX.B; a register number where mod is 3
	memory  uop.Uop // Base, Index, Scale, Seg, Disp of the memory operand where mod is not 3
	ripBase bool    // the memory operand is relative to the end of the instruction, not yet known

	mode Mode
	end  bool   // the block ends after this instruction
	link uint32 // number of links that the block needs

	locks    bool // put uop.Locked at the end of instructions that lock memory
	busLocks bool // put uop.LockedAt in front of what they lock

	stop func(offset, n int) (uop.Uop, bool) // what goes in front of an instruction of n bytes, for debugging; nil where nothing does
}

// pageSize is what a block does not leave.
const pageSize = 4096

// MaxInstruction is the architectural limit of an instruction's length (SDM vol. 2, 2.3.11).
const MaxInstruction = 15

// REX bits.
const (
	rexB = 1 << iota
	rexX
	rexR
	rexW
)

// decodeOne reads the instruction at d.pos and appends its micro-operations. Where bytes end within it, d.short is set
// and nothing is appended.
func (d *decoder) decodeOne() {
	first, links := len(d.uops), d.link
	d.start = d.pos
	d.rex, d.data16, d.addr32, d.rep, d.lock, d.seg, d.vex = 0, false, false, 0, false, uop.Zero, nil
	d.ripBase, d.short = false, false
	if d.mode&ModeLegacy == 0 {
		if op := d.prefixes(); !d.short {
			d.opcode(op)
		}
	} else {
		d.legacy()
	}
	if d.pos-d.start > MaxInstruction && (!d.short || len(d.bytes)-d.start >= MaxInstruction) {
		// Too long is #GP, whatever follows (SDM vol. 3, 7.15); also where the bytes ended beyond the limit. Where they
		// end before it, it has to be reached first.
		d.short, d.pos = false, d.start+MaxInstruction
		d.uops = d.uops[:first]
		d.emit(uop.Uop{Op: uop.Raise, Imm: uop.VectorGP})
		d.end = true
	}
	if d.short {
		d.uops, d.link = d.uops[:first], links
		return
	}
	if d.lock && !d.end {
		if d.busLocks {
			d.showLocked(first)
		}
		if d.locks {
			d.emit(uop.Uop{Op: uop.Locked})
		}
	}
	if d.stop != nil {
		if u, ok := d.stop(d.start, d.pos-d.start); ok {
			d.uops = slices.Insert(d.uops, first, u)
		}
	}
	for i := first; i < len(d.uops); i++ {
		u := &d.uops[i]
		u.Ord, u.Off, u.Len = d.ord, uint16(d.start), uint8(d.pos-d.start)
		if d.ripBase && u.Base == uop.BlkRIP {
			u.Disp += int64(d.pos) // RIP-relative operands count from the end of the instruction
		}
	}
	d.ord++
}

// prefixes reads legacy and REX prefixes and returns the first opcode byte.
func (d *decoder) prefixes() uint8 {
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
		case 0x64:
			d.seg = uop.FSBase
		case 0x65:
			d.seg = uop.GSBase
		case 0x26, 0x2E, 0x36, 0x3E:
			d.seg = uop.Zero // ignored in 64-bit mode, but the last segment prefix wins
		case 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F:
			// REX counts only directly before the opcode.
			d.rex = b
			switch next := d.peek(); {
			case next&0xF0 == 0x40, next == 0x66, next == 0x67, next == 0xF2, next == 0xF3, next == 0xF0,
				next == 0x64, next == 0x65, next == 0x26, next == 0x2E, next == 0x36, next == 0x3E:
				d.rex = 0
			default:
				return d.imm8()
			}
		default:
			return b
		}
		if d.short || d.pos-d.start > MaxInstruction {
			return 0
		}
	}
}

func (d *decoder) peek() uint8 {
	if d.pos >= len(d.bytes) {
		d.short = true
		return 0
	}
	return d.bytes[d.pos]
}

func (d *decoder) imm8() uint8 {
	b := d.peek()
	d.pos++
	return b
}

func (d *decoder) imm16() uint16 { return uint16(d.imm8()) | uint16(d.imm8())<<8 }
func (d *decoder) imm32() uint32 { return uint32(d.imm16()) | uint32(d.imm16())<<16 }
func (d *decoder) imm64() uint64 { return uint64(d.imm32()) | uint64(d.imm32())<<32 }

// modrm reads the ModRM byte, SIB and displacement into mod, reg, rm and memory (SDM vol. 2, 2.1.5 and 2.2.1).
func (d *decoder) modrm() {
	b := d.imm8()
	d.mod, d.reg, d.rm = b>>6, b>>3&7, b&7
	if d.mode&ModeLegacy != 0 {
		if d.mod != 3 {
			d.legacyAddress()
		}
		return
	}
	if d.rex&rexR != 0 {
		d.reg |= 8
	}
	if d.mod == 3 {
		if d.rex&rexB != 0 {
			d.rm |= 8
		}
		return
	}
	m := uop.Uop{Base: d.rm, Index: uop.Zero, Seg: d.seg}
	switch {
	case d.rm == 4:
		d.sib(&m)
	case d.rm == 5 && d.mod == 0:
		m.Base, d.ripBase = uop.BlkRIP, true
		m.Disp = int64(int32(d.imm32()))
	case d.rex&rexB != 0:
		m.Base |= 8
	}
	switch d.mod {
	case 1:
		m.Disp = int64(int8(d.imm8()))
	case 2:
		m.Disp = int64(int32(d.imm32()))
	}
	if m.Seg == uop.Zero && (m.Base == uop.RSP || m.Base == uop.RBP) {
		m.Seg = uop.StackSeg
	}
	d.memory = m
	if d.addr32 {
		// A 32-bit address is computed into a temporary, which then is the base.
		seg := m.Seg
		m.Op, m.Dst, m.Seg = uop.Lea32, addrTmp, uop.Zero
		d.emit(m)
		d.memory = uop.Uop{Base: addrTmp, Index: uop.Zero, Seg: seg}
	}
}

// modrmRegister reads a ModRM byte whose operand is a register whatever mod says: MOV to and from control and debug
// registers.
func (d *decoder) modrmRegister() {
	b := d.imm8()
	d.mod, d.reg, d.rm = 3, b>>3&7, b&7
	if d.rex&rexR != 0 {
		d.reg |= 8
	}
	if d.rex&rexB != 0 {
		d.rm |= 8
	}
}

// addrTmp holds a 32-bit address.
const addrTmp = uop.Tmp3

func (d *decoder) sib(m *uop.Uop) {
	b := d.imm8()
	m.Scale = b >> 6
	m.Index, m.Base = b>>3&7, b&7
	if d.rex&rexX != 0 {
		m.Index |= 8
	}
	if m.Index == uop.RSP {
		m.Index, m.Scale = uop.Zero, 0
	}
	if m.Base == 5 && d.mod == 0 {
		m.Base = uop.Zero
		m.Disp = int64(int32(d.imm32()))
		return
	}
	if d.rex&rexB != 0 {
		m.Base |= 8
	}
}

// isReg says whether the ModRM operand is a register.
func (d *decoder) isReg() bool { return d.mod == 3 }

// at returns u with the memory operand's address filled in.
func (d *decoder) at(u uop.Uop) uop.Uop {
	if d.mode&ModeLegacy != 0 {
		return d.legacyAt(u)
	}
	m := &d.memory
	u.Base, u.Index, u.Scale, u.Seg, u.Disp = m.Base, m.Index, m.Scale, m.Seg, m.Disp
	return u
}

// emit appends a micro-operation. Operands that are left out must be Zero slots where the operation reads them: see
// Uop.
func (d *decoder) emit(u uop.Uop) { d.uops = append(d.uops, u) }

// linkTo returns the link of an exit to target, an offset from the block's first byte. Only within the page is it known
// which block comes next: what follows the frame in one mapping may be another page in the next.
func (d *decoder) linkTo(target int64) uint32 {
	if target += d.offset; target < 0 || target >= pageSize {
		return uop.NoLink
	}
	d.link++
	return d.link - 1
}

// raise makes the current instruction raise an exception when it is reached.
func (d *decoder) raise(vector uint8) {
	d.emit(uop.Uop{Op: uop.Raise, Imm: int64(vector)})
	d.end = true
}

// undefined makes the current instruction raise #UD.
func (d *decoder) undefined() { d.raise(uop.VectorUD) }

// operandSize returns the operand size in bytes of instructions that take 66 and REX.W: 2, 4 or 8.
func (d *decoder) operandSize() int {
	switch {
	case d.rex&rexW != 0:
		return 8
	case d.data16 != (d.mode&Mode16 != 0):
		return 2
	}
	return 4
}

// addressForm is how many bits addresses have, as operations of the table are told: see uop.Address64.
func (d *decoder) addressForm() uint8 {
	switch {
	case d.mode&ModeLegacy == 0:
		return uop.Address64 + bitOf(d.addr32)
	case d.addr32 != (d.mode&Mode16 != 0):
		return uop.Address16
	}
	return uop.Address32
}
