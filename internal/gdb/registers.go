package gdb

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
)

// Registers are those of one processor, in the order in which gdb numbers them here, without gaps: packet g is this
// structure in little endian. The x87 registers are in the order of the stack, and the parts of their environment as
// FSAVE stores them.
type Registers struct {
	RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15, RIP uint64

	RFLAGS                 uint32
	CS, SS, DS, ES, FS, GS uint32

	ST                                                  [8][10]byte
	FCTRL, FSTAT, FTAG, FISEG, FIOFF, FOSEG, FOOFF, FOP uint32

	XMM   [16][16]byte
	MXCSR uint32

	FSBase, GSBase uint64

	KernelGSBase, CR0, CR2, CR3, CR4, CR8, EFER uint64
}

func (r *Registers) encode() []byte {
	b, err := binary.Append(nil, binary.LittleEndian, r)
	if err != nil {
		panic("BUG: " + err.Error()) // it has a fixed size
	}
	return b
}

func (r *request) readRegisters() string {
	all := r.t.Registers(r.s.cpu)
	return hex.EncodeToString(all.encode())
}

func (r *request) writeRegisters() string {
	b, err := hex.DecodeString(r.args)
	if err != nil {
		return replyInvalid
	}
	return r.setRegisters(b)
}

func (r *request) setRegisters(b []byte) string {
	var all Registers
	if n, err := binary.Decode(b, binary.LittleEndian, &all); err != nil || n != len(b) {
		return replyInvalid
	}
	if r.t.SetRegisters(r.s.cpu, &all) != nil {
		return replyInvalid
	}
	return replyOK
}

// registerAt returns where the register of a number is in the encoded ones.
func registerAt(number string) (start, end int, ok bool) {
	n, err := strconv.ParseUint(number, 16, 16)
	if err != nil {
		return 0, 0, false
	}
	for _, feature := range features {
		for _, g := range feature.registers {
			for range g.names {
				if n == 0 {
					return start, start + g.bits/8, true
				}
				start += g.bits / 8
				n--
			}
		}
	}
	return 0, 0, false
}

func (r *request) readRegister() string {
	start, end, ok := registerAt(r.args)
	if !ok {
		return replyInvalid
	}
	all := r.t.Registers(r.s.cpu)
	return hex.EncodeToString(all.encode()[start:end])
}

// writeRegister is P: "number=value", the value's bytes in the target's order.
func (r *request) writeRegister() string {
	number, value, _ := strings.Cut(r.args, "=")
	start, end, ok := registerAt(number)
	b, err := hex.DecodeString(value)
	if !ok || err != nil || len(b) != end-start {
		return replyInvalid
	}
	all := r.t.Registers(r.s.cpu)
	encoded := all.encode()
	copy(encoded[start:end], b)
	return r.setRegisters(encoded)
}
