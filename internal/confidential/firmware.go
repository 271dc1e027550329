package confidential

import (
	"github.com/tacit-vm/tacit/internal/x86"
)

// This file is what firmware's exception handlers of both architectures do for a program that executes what is the
// hypervisor's: its image is executed on firmware's interrupt table until an operating system has one of its own.
// They decode in 64-bit mode, which is what images of firmware are executed in, and ask the host as a guest does.

// An Exit is an instruction that the host has to do something about, as its bytes say.
type Exit struct {
	Length int // bytes
	Kind   ExitKind

	// Of port I/O.
	Port            uint16
	Size            int // bytes: 1, 2, 4
	In, String, Rep bool

	// Of MOV to and from a debug register: the general-purpose register that is the other operand.
	Register int
}

// An ExitKind is what an instruction does.
type ExitKind uint8

// Kinds of exits.
const (
	OtherExit ExitKind = iota
	IOExit
	ReadMSRExit
	WriteMSRExit
	CPUIDExit
	HaltExit
	NothingExit // INVD, WBINVD, MONITOR, MWAIT: there are no caches to write back, and no one to wait for
	HypercallExit
	CounterExit    // RDPMC
	ReadDebugExit  // MOV from a debug register
	WriteDebugExit // MOV to one
)

// longestInstruction is the architectural limit, in bytes (Intel SDM vol. 2, 2.3.11).
const longestInstruction = 15

// DecodeExit reads the instruction at an address; ok is false where it is none of those that exit. [ServeMMIO] is about those
// that reach devices by their addresses.
func DecodeExit(c *x86.CPU, rip uint64) (e Exit, ok bool) {
	var b [longestInstruction + 3]byte // and zeros, for who looks at an opcode that is cut off
	n := copy(b[:], code(c, rip))
	e.Size = 4
	at := 0
	for ; at < n; at++ {
		switch p := b[at]; {
		case p == 0x66:
			e.Size = 2
		case p == 0xF2 || p == 0xF3:
			e.Rep = true
		case p == 0x67 || p == 0x2E || p == 0x36 || p == 0x3E || p == 0x26 || p == 0x64 || p == 0x65:
		case p&0xF0 == 0x40:
			at++
			return e.opcode(c, b[at:], at, p)
		default:
			return e.opcode(c, b[at:], at, 0)
		}
	}
	return e, false
}

// opcode reads on after n bytes of prefixes, of which the last is rex; 0 where there is none.
func (e Exit) opcode(c *x86.CPU, b []byte, n int, rex byte) (Exit, bool) {
	e.Length = n + 1
	switch op := b[0]; op {
	case 0xE4, 0xE5, 0xE6, 0xE7, 0xEC, 0xED, 0xEE, 0xEF, 0x6C, 0x6D, 0x6E, 0x6F:
		e.Kind, e.String, e.In = IOExit, op < 0x70, op&2 == 0
		e.Rep = e.Rep && e.String
		if op&1 == 0 {
			e.Size = 1
		}
		e.Port = uint16(c.R[x86.RDX])
		if op&0xF8 == 0xE0 {
			e.Port = uint16(b[1])
			e.Length++
		}
		return e, true
	case 0xF4:
		e.Kind = HaltExit
		return e, true
	case 0x0F:
	default:
		return e, false
	}
	e.Length++
	switch b[1] {
	case 0x30:
		e.Kind = WriteMSRExit
	case 0x32:
		e.Kind = ReadMSRExit
	case 0x33:
		e.Kind = CounterExit
	case 0x21, 0x23: // the ModRM byte names two registers, whatever its mode says (Intel SDM vol. 2, MOV DR)
		e.Length++
		if e.Kind = ReadDebugExit; b[1] == 0x23 {
			e.Kind = WriteDebugExit
		}
		if e.Register = int(b[2] & 7); rex&rexB != 0 {
			e.Register |= 8
		}
	case 0xA2:
		e.Kind = CPUIDExit
	case 0x08, 0x09:
		e.Kind = NothingExit
	case 0x01:
		e.Length++
		switch b[2] {
		case 0xC8, 0xC9:
			e.Kind = NothingExit
		case 0xC1, 0xD9:
			e.Kind = HypercallExit
		default:
			return e, false
		}
	default:
		return e, false
	}
	return e, true
}

// code returns the bytes at an address, as many as an instruction can have or as are mapped.
func code(c *x86.CPU, rip uint64) []byte {
	b := make([]byte, longestInstruction)
	if c.ReadVirtual(rip, b) == nil {
		return b
	}
	b = b[:min(-rip&0xFFF, longestInstruction)] // it may be the last on a page
	if c.ReadVirtual(rip, b) != nil {
		return nil
	}
	return b
}

// mostElements bounds how many elements of a string are moved before the machine looks at its limits.
const mostElements = 4096

// ServeIO does port I/O. It returns the length of the instruction; 0 where it is to be executed again, for what is left of
// a string. ok is false where a string is in memory that is not mapped.
func ServeIO(c *x86.CPU, h Host, e Exit) (length uint64, ok bool) {
	mask := uint64(1)<<(8*e.Size) - 1
	switch {
	case !e.String && e.In:
		v, keep := uint64(h.In(c, e.Port, e.Size))&mask, c.R[x86.RAX]&^mask
		if e.Size == 4 {
			keep = 0
		}
		c.R[x86.RAX] = keep | v
		return uint64(e.Length), true
	case !e.String:
		h.Out(c, e.Port, e.Size, uint32(c.R[x86.RAX]&mask))
		return uint64(e.Length), true
	}
	const flagDF = 1 << 10
	by := uint64(e.Size)
	if c.Flags()&flagDF != 0 {
		by = -by
	}
	count := uint64(1)
	if e.Rep {
		count = c.R[x86.RCX]
	}
	for n := min(count, mostElements); n > 0; n-- {
		var b [8]byte
		if e.In {
			v := h.In(c, e.Port, e.Size)
			for i := range e.Size {
				b[i] = byte(v >> (8 * i))
			}
			if c.WriteVirtual(c.R[x86.RDI], b[:e.Size]) != nil {
				return 0, false
			}
			c.R[x86.RDI] += by
		} else {
			if c.ReadVirtual(c.R[x86.RSI], b[:e.Size]) != nil {
				return 0, false
			}
			var v uint32
			for i := range e.Size {
				v |= uint32(b[i]) << (8 * i)
			}
			h.Out(c, e.Port, e.Size, v)
			c.R[x86.RSI] += by
		}
		if count--; e.Rep {
			c.R[x86.RCX] = count
		}
	}
	if count > 0 {
		return 0, true
	}
	return uint64(e.Length), true
}

// ServeMSR does RDMSR or WRMSR. ok is false where the host does not know the register: firmware gives up then.
func ServeMSR(c *x86.CPU, h Host, e Exit) (length uint64, ok bool) {
	index := uint32(c.R[x86.RCX])
	if e.Kind == WriteMSRExit {
		return uint64(e.Length), h.WriteMSR(c, index, c.R[x86.RAX]&0xFFFF_FFFF|c.R[x86.RDX]<<32)
	}
	v, ok := h.ReadMSR(c, index)
	if ok {
		c.R[x86.RAX], c.R[x86.RDX] = v&0xFFFF_FFFF, v>>32
	}
	return uint64(e.Length), ok
}
