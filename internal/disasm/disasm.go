// Package disasm reads one instruction in 64-bit mode for those who look at code without executing it: diagnoses, which
// show it, and package inspect, which looks for calls and page acceptance in images.
//
// What the processor executes is read by package decode, which knows more instructions, and no names. That the two agree
// on how long each instruction is, is tested here: a reader that others have made is an oracle for the one that we have.
package disasm

import (
	"bytes"
	"math"
	"strings"

	"golang.org/x/arch/x86/x86asm"
)

// Names of the instructions that confidential guests execute and x86asm does not know ([Inst.Name]).
const (
	TDCALL    = "TDCALL"
	PVALIDATE = "PVALIDATE"
	RMPADJUST = "RMPADJUST"
	VMGEXIT   = "VMGEXIT"
)

// others are the instructions that x86asm does not know and kernels have (Intel SDM vol. 2; Intel CPU Architectural
// Extensions Specification, 2; AMD APM vol. 3).
var others = []struct{ bytes, name string }{
	{"\x66\x0F\x01\xCC", TDCALL},
	{"\xF2\x0F\x01\xFF", PVALIDATE},
	{"\xF3\x0F\x01\xFE", RMPADJUST},
	{"\xF3\x0F\x01\xD9", VMGEXIT},
	{"\xF2\x0F\x01\xD9", VMGEXIT},
	{"\xF3\x0F\x1E\xFA", "ENDBR64"},
	{"\xF3\x0F\x1E\xFB", "ENDBR32"},
	{"\x0F\x01\xC1", "VMCALL"},
	{"\x0F\x01\xD9", "VMMCALL"},
	{"\x0F\x01\xCA", "CLAC"},
	{"\x0F\x01\xCB", "STAC"},
}

// Longest is the architectural limit of an instruction's length in bytes (Intel SDM vol. 2, 2.3.11).
const Longest = 15

// An Inst is an instruction: one of x86asm's, or where Name is not empty, one that has nothing but that and Len.
type Inst struct {
	x86asm.Inst
	Name string
}

// Decode reads the instruction that b begins with; ok is false where there is none, or none that is known.
func Decode(b []byte) (in Inst, ok bool) {
	for _, o := range others {
		if bytes.HasPrefix(b, []byte(o.bytes)) {
			return Inst{x86asm.Inst{Len: len(o.bytes)}, o.name}, true
		}
	}
	inst, err := x86asm.Decode(b[:min(Longest, len(b))], 64)
	if err != nil || inst.Op == 0 || inst.Len == 0 {
		return Inst{}, false // a lone prefix, with Op 0, is what x86asm makes of bytes that it does not know
	}
	for i, arg := range inst.Args {
		// x86asm extends displacements of 32 bits by zeros; the processor extends their sign.
		if m, ok := arg.(x86asm.Mem); ok && m.Disp > math.MaxInt32 && m.Disp <= math.MaxUint32 {
			m.Disp = int64(int32(m.Disp))
			inst.Args[i] = m
		}
	}
	if n := bytes.IndexByte(b[:inst.Len], 0x0F) + 2; controlRegister(inst) && n < inst.Len {
		inst.Len = n + 1 // MOV to and from these registers has a register operand whatever ModRM.mod says; x86asm reads a displacement
	}
	return Inst{Inst: inst}, true
}

// controlRegister says whether an operand is a control or a debug register.
func controlRegister(in x86asm.Inst) bool {
	for _, arg := range in.Args {
		if r, ok := arg.(x86asm.Reg); ok && r >= x86asm.CR0 && r <= x86asm.DR15 {
			return true
		}
	}
	return false
}

// Text writes the instruction, which is at an address, in the GNU assembler's syntax. Symbol returns the symbol at or
// before an address and where that begins, or an empty name; it may be nil.
func (in Inst) Text(address uint64, symbol func(uint64) (name string, base uint64)) string {
	if in.Name != "" {
		return strings.ToLower(in.Name)
	}
	return x86asm.GNUSyntax(in.Inst, address, symbol)
}
