package confidential

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
)

// This file is the part of firmware's handlers that reaches devices by their addresses. The exception does not say what the
// instruction is, so the handler reads it. It knows the instructions that EDK2's knows (OvmfPkg/Library/CcExitLib), which are
// those that compilers make of a volatile access: MOV, MOVZX, MOVSX. Unlike EDK2's it extends the sign of what was read, and
// takes addresses of segments FS and GS and the registers AH to BH, as the processor would.

// An mmioAccess is an instruction that reads or writes one place in memory.
type mmioAccess struct {
	length  int // bytes
	address uint64
	size    int // bytes of memory: 1, 2, 4, 8
	write   bool
	value   uint64 // to be written

	register int  // that is read into; 4 to 7 are AH to BH where high is set
	high     bool // bits 15:8
	width    int  // bytes of the register
	signed   bool // the sign fills it
}

// ServeMMIO does the access to a device that the instruction at rip makes, and returns the instruction's length. at returns
// where in guest-physical memory a guest-virtual address leads, without shared bit or C-bit, and whether devices may be
// reached there. ok is false where it is another kind of instruction or address.
func ServeMMIO(c *x86.CPU, h Host, rip uint64, at func(va uint64, write bool) (gpa uint64, ok bool)) (length uint64, ok bool) {
	a, ok := decodeMMIO(c, rip)
	if !ok {
		return 0, false
	}
	gpa, ok := at(a.address, a.write)
	if !ok {
		return 0, false
	}
	if a.write {
		h.Store(c, gpa, a.size, a.value&sized(a.size))
	} else {
		a.store(c, h.Load(c, gpa, a.size)&sized(a.size))
	}
	return uint64(a.length), true
}

// store puts what was read into the register.
func (a *mmioAccess) store(c *x86.CPU, v uint64) {
	if unused := 64 - 8*a.size; a.signed {
		v = uint64(int64(v<<unused) >> unused)
	}
	r, shift := a.register, 0
	if a.high {
		r, shift = r-4, 8
	}
	keep := ^(sized(a.width) << shift)
	if a.width == 4 {
		keep = 0
	}
	c.R[r] = c.R[r]&keep | v&sized(a.width)<<shift
}

// sized has the bits of n bytes set.
func sized(n int) uint64 { return ^uint64(0) >> (64 - 8*n) }

// An mmioReader is on its way through the bytes of an instruction in 64-bit mode.
type mmioReader struct {
	c      *x86.CPU
	b      []byte // what is left
	used   int
	failed bool // there are not as many bytes, or it is no instruction that could be a device's

	rex       byte // 0 where there is none
	operand16 bool
	address32 bool
	segment   uint64 // its base

	register int // the ModRM byte's field, extended
	address  uint64
	relative bool // the address is counted from the next instruction
}

// Bits of a REX prefix (Intel SDM vol. 2, table 2-4).
const (
	rexB = 1 << iota
	rexX
	rexR
	rexW
)

// take reads n bytes as a number, its sign extended.
func (r *mmioReader) take(n int) uint64 {
	if len(r.b) < n {
		r.failed = true
		return 0
	}
	var v [8]byte
	copy(v[:], r.b[:n])
	r.b, r.used = r.b[n:], r.used+n
	unused := 64 - 8*n
	return uint64(int64(binary.LittleEndian.Uint64(v[:])<<unused) >> unused)
}

// decodeMMIO reads the instruction at rip; ok is false where it is none of those that firmware knows.
func decodeMMIO(c *x86.CPU, rip uint64) (a mmioAccess, ok bool) {
	r := mmioReader{c: c, b: code(c, rip)}
	op := r.prefixes()
	a.size = r.operandSize()
	two := op == 0x0F
	if two {
		op = byte(r.take(1))
	}
	a.width = a.size
	if op&1 == 0 {
		a.size = 1
	}
	switch {
	case two && (op&0xFE == 0xB6 || op&0xFE == 0xBE): // MOVZX, MOVSX
		if op&1 != 0 {
			a.size = 2
		}
		a.signed = op&0xFE == 0xBE
		r.modRM()
		a.register = r.register
	case two:
		return a, false
	case op&0xFC == 0x88: // MOV to or from memory
		a.write = op&2 == 0
		r.modRM()
		a.register, a.width = r.register, a.size
		if a.size == 1 && r.rex == 0 {
			a.high = a.register >= 4
		}
	case op&0xFC == 0xA0: // MOV of the accumulator, the address in the instruction
		a.write, a.width = op&2 != 0, a.size
		if r.address = r.take(8); r.address32 {
			return a, false // the address has 4 bytes then: compilers do not make it
		}
		r.address += r.segment
	case op&0xFE == 0xC6: // MOV of a number
		a.write = true
		r.modRM()
		if r.register&7 != 0 {
			return a, false // not assigned, or XABORT and XBEGIN
		}
		a.value = r.take(min(a.size, 4))
	default:
		return a, false
	}
	if r.failed || a.register == x86.RSP && !a.high {
		return a, false // the handler has a stack of its own, so the program's is not there to be changed
	}
	if r.relative {
		r.address += rip + uint64(r.used)
	}
	if op&0xFE != 0xC6 && a.write {
		if a.value = c.R[a.register]; a.high {
			a.value = c.R[a.register-4] >> 8
		}
	}
	a.address, a.length = r.address, r.used
	return a, true
}

// prefixes reads up to the first byte of the opcode, which it returns.
func (r *mmioReader) prefixes() byte {
	for !r.failed {
		switch p := byte(r.take(1)); {
		case p == 0x66:
			r.operand16 = true
		case p == 0x67:
			r.address32 = true
		case p == 0x64 || p == 0x65:
			r.segment = r.c.State().Seg[int(p-0x64)+4].Base
		case p == 0x2E || p == 0x36 || p == 0x3E || p == 0x26: // of no effect in 64-bit mode
		case p&0xF0 == 0x40:
			r.rex = p
			return byte(r.take(1))
		default:
			return p
		}
	}
	return 0
}

func (r *mmioReader) operandSize() int {
	switch {
	case r.rex&rexW != 0:
		return 8
	case r.operand16:
		return 2
	}
	return 4
}

// extended is a register's number with its bit of the REX prefix.
func (r *mmioReader) extended(low byte, bit byte) int {
	if r.rex&bit != 0 {
		return int(low&7) | 8
	}
	return int(low & 7)
}

// modRM reads the ModRM byte and what belongs to it: SIB byte and displacement (Intel SDM vol. 2, 2.1.5 and 2.2.1).
func (r *mmioReader) modRM() {
	m := byte(r.take(1))
	mode, low := m>>6, m&7
	r.register = r.extended(m>>3, rexR)
	base, index, scale := r.extended(low, rexB), x86.RSP, uint(0)
	switch {
	case mode == 3:
		r.failed = true // both are registers: nothing that a device could be asked for
		return
	case low == 4:
		sib := byte(r.take(1))
		base, index, scale = r.extended(sib, rexB), r.extended(sib>>3, rexX), uint(sib>>6)
		low = sib & 7
		if low == 5 && mode == 0 {
			base, mode = -1, 2
		}
	case low == 5 && mode == 0:
		base, mode, r.relative = -1, 2, true
	}
	switch {
	case base == x86.RSP:
		r.failed = true // the handler has a stack of its own
		return
	case base >= 0:
		r.address = r.c.R[base]
	}
	if index != x86.RSP { // which stands for none
		r.address += r.c.R[index] << scale
	}
	switch mode {
	case 1:
		r.address += r.take(1)
	case 2:
		r.address += r.take(4)
	}
	if r.address32 {
		r.address &= 0xFFFF_FFFF
	}
	r.address += r.segment
}
