package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/internal/x86"
)

// A loop runs on the host's own processor, too, where that is an amd64 one with Linux: as a program without a library, whose
// only segment lies at the loop's addresses. Its rate there is what an engine's is held against.

const (
	nativeBase  = codeAt  // what lies below it Linux does not let a program map
	nativeStart = 0x3F000 // sets the registers
	nativeStack = 0x60000
	nativeFile  = 0x40000 // where what the file has ends

	// nativeMore is how many more turns than an engine's a native run has, so that starting the process is little of it.
	nativeMore = 40
)

// errNotNative says why a loop cannot be a program.
var errNotNative = errors.New("it needs privileges that a program does not have")

// program returns the loop, n turns of it, as an ELF file. It begins with the code that is first, at whose end it goes on.
func (l *Loop) program(n uint64, first []byte) ([]byte, error) {
	if l.user || l.fault != nil {
		return nil, errNotNative
	}
	image := make([]byte, nativeFile-nativeBase)
	put := func(at uint64, b []byte) { copy(image[at-nativeBase:], b) }
	const end = 0xCC
	if l.code[len(l.code)-1] != end {
		return nil, fmt.Errorf("BUG: the loop %s does not end with INT3", l.Name)
	}
	put(codeAt, append(slices.Clone(l.code[:len(l.code)-1]), asm("B8 3C 00 00 00 31 FF 0F 05")...)) // mov eax, 60; xor edi, edi; syscall: exit(0)
	for at, b := range l.more {
		put(at, b)
	}
	for i, v := range l.table {
		put(tableAt+8*uint64(i), binary.LittleEndian.AppendUint64(nil, v))
	}
	var registers [16]uint64
	registers[x86.RSI], registers[x86.RDI] = sourceAt, targetAt
	for i, v := range l.registers {
		registers[i] = v
	}
	registers[x86.RSP], registers[x86.R15] = nativeStack, n
	start := slices.Clone(first)
	for i, v := range registers {
		start = binary.LittleEndian.AppendUint64(append(start, 0x48|byte(i>>3), 0xB8|byte(i&7)), v) // mov r64, imm64
	}
	start = append(start, 0xE9) // jmp codeAt
	start = binary.LittleEndian.AppendUint32(start, uint32(codeAt-(nativeStart+uint64(len(start))+4)))
	put(nativeStart, start)
	return elf(image), nil
}

// elf makes a program of an image at nativeBase, with zeros up to ramSize after it (System V ABI, chapter 4; amd64 supplement).
func elf(image []byte) []byte {
	const headers, align = 64 + 56, 0x1000
	le := binary.LittleEndian
	b := append([]byte("\x7fELF"), 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0) // 64 bits, little endian
	b = le.AppendUint16(b, 2)                                          // ET_EXEC
	b = le.AppendUint16(b, 62)                                         // EM_X86_64
	b = le.AppendUint32(b, 1)
	b = le.AppendUint64(b, nativeStart)
	b = le.AppendUint64(b, 64) // where program headers begin
	b = le.AppendUint64(b, 0)
	b = le.AppendUint32(b, 0)
	for _, v := range []uint16{64, 56, 1, 0, 0, 0} {
		b = le.AppendUint16(b, v)
	}
	b = le.AppendUint32(b, 1) // PT_LOAD
	b = le.AppendUint32(b, 7) // readable, writable, executable
	for _, v := range []uint64{align, nativeBase, nativeBase, uint64(len(image)), ramSize - nativeBase, align} {
		b = le.AppendUint64(b, v)
	}
	return append(append(b, make([]byte, align-headers)...), image...)
}
