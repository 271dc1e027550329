package vm

import (
	"encoding/hex"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// instructionAt returns the bytes at rip, as many as an instruction may have; fewer where the next page is not mapped,
// none where nothing is.
func instructionAt(c *x86.CPU, rip uint64) []byte {
	const longest, page = 15, 4096
	b := make([]byte, longest)
	if c.ReadVirtual(rip, b) == nil {
		return b
	}
	b = b[:min(longest, page-rip%page)]
	if c.ReadVirtual(rip, b) != nil {
		return nil
	}
	return b
}

// others are instructions that x86asm does not know, and that confidential guests and their kernels execute (Intel SDM
// vol. 2; Intel CPU Architectural Extensions Specification, 2; AMD APM vol. 3).
var others = map[string]string{
	"660f01cc": "tdcall",
	"f20f01ff": "pvalidate",
	"f30f01fe": "rmpadjust",
	"f30f01d9": "vmgexit",
	"0f01d9":   "vmmcall",
	"f30f1efa": "endbr64",
	"0f01ca":   "clac",
	"0f01cb":   "stac",
}

// other returns the length and the name of the instruction at the beginning of b where it is one of the others.
func other(b []byte) (length int, text string) {
	for n := 3; n <= 4 && n <= len(b); n++ {
		if text := others[hex.EncodeToString(b[:n])]; text != "" {
			return n, text
		}
	}
	return 0, ""
}

// disassembleAt decodes the instruction at the beginning of b, which is at rip, so that it can name where a branch goes.
func disassembleAt(b []byte, rip uint64, name func(uint64) (string, uint64)) *record.Instruction {
	if n, text := other(b); n > 0 {
		return &record.Instruction{Bytes: hex.EncodeToString(b[:n]), Text: text}
	}
	in, err := x86asm.Decode(b, 64)
	if err != nil || in.Len == 0 {
		return &record.Instruction{Bytes: hex.EncodeToString(b)}
	}
	return &record.Instruction{Bytes: hex.EncodeToString(b[:in.Len]), Text: x86asm.GNUSyntax(in, rip, name)}
}
