package vm

import (
	"encoding/hex"

	"github.com/tacit-vm/tacit/internal/disasm"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// instructionAt returns the bytes at rip, as many as an instruction may have; fewer where the next page is not mapped,
// none where nothing is.
func instructionAt(c *x86.CPU, rip uint64) []byte {
	const longest, page = disasm.Longest, mem.PageSize
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

// disassembleAt decodes the instruction at the beginning of b, which is at rip, so that it can name where a branch goes.
func disassembleAt(b []byte, rip uint64, name func(uint64) (string, uint64)) *record.Instruction {
	in, ok := disasm.Decode(b)
	if !ok {
		return &record.Instruction{Bytes: hex.EncodeToString(b)}
	}
	return &record.Instruction{Bytes: hex.EncodeToString(b[:in.Len]), Text: in.Text(rip, name)}
}
