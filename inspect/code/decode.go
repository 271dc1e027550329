package code

import (
	"bytes"
	"math"

	"golang.org/x/arch/x86/x86asm"
)

// specials are instructions that the disassembler does not know. Those with a name belong to confidential guests: Intel
// TDX Module specification, "TDCALL"; AMD64 Architecture Programmer's Manual, volume 3, "PVALIDATE", "RMPADJUST" and
// "VMGEXIT".
var specials = []struct {
	bytes, name string
}{
	{"\x66\x0f\x01\xcc", TDCALL},
	{"\xf2\x0f\x01\xff", PVALIDATE},
	{"\xf3\x0f\x01\xfe", RMPADJUST},
	{"\xf3\x0f\x01\xd9", VMGEXIT},
	{"\xf2\x0f\x01\xd9", VMGEXIT},
	{"\xf3\x0f\x1e\xfa", ""}, // ENDBR64
	{"\xf3\x0f\x1e\xfb", ""}, // ENDBR32
	{"\x0f\x01\xc1", ""},     // VMCALL
	{"\x0f\x01\xd9", ""},     // VMMCALL
	{"\x0f\x01\xca", ""},     // CLAC
	{"\x0f\x01\xcb", ""},     // STAC
}

// Names of instructions in [Special].
const (
	TDCALL    = "TDCALL"
	PVALIDATE = "PVALIDATE"
	RMPADJUST = "RMPADJUST"
	VMGEXIT   = "VMGEXIT"
)

// instruction is one that x86asm decodes, or one of specials, whose Op is 0.
type instruction struct {
	x86asm.Inst
	special string
}

// decode reads the instruction that b begins with; ok is false if there is none.
func decode(b []byte) (in instruction, ok bool) {
	for _, s := range specials {
		if bytes.HasPrefix(b, []byte(s.bytes)) {
			return instruction{x86asm.Inst{Len: len(s.bytes)}, s.name}, true
		}
	}
	const longest = 15 // bytes, Intel SDM volume 2, 2.3.11
	inst, err := x86asm.Decode(b[:min(longest, len(b))], 64)
	// A lone prefix is what the disassembler makes of bytes that it does not know.
	if err != nil || inst.Op == 0 || inst.Len == 0 {
		return instruction{}, false
	}
	for i, arg := range inst.Args {
		// The disassembler extends displacements of 32 bits by zeros; the processor extends their sign.
		if m, ok := arg.(x86asm.Mem); ok && m.Disp > math.MaxInt32 && m.Disp <= math.MaxUint32 {
			m.Disp = int64(int32(m.Disp))
			inst.Args[i] = m
		}
	}
	return instruction{Inst: inst}, true
}
