package imagetest

import (
	"bytes"
	"encoding/binary"
)

// ELF makes a program for Linux out of machine code: an ELF header, one program header, and the code, with its entry first.
func ELF(code []byte) []byte {
	const base, headers = 0x400000, 64 + 56
	var b bytes.Buffer
	for _, v := range []any{
		[]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		uint16(2), uint16(62), uint32(1), uint64(base + headers), uint64(64), uint64(0), uint32(0), // executable, x86-64
		uint16(64), uint16(56), uint16(1), uint16(0), uint16(0), uint16(0),
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), // load it, readable and executable
		uint64(headers + len(code)), uint64(headers + len(code)), uint64(0x1000),
		code,
	} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err) // all have a fixed size
		}
	}
	return b.Bytes()
}

// Saying is a program for Linux that writes a text to its standard output, and then waits for ever.
func Saying(text string) []byte {
	const rest = 16 // bytes of code after LEA
	code := []byte{
		0xB8, 1, 0, 0, 0, //               mov eax, write
		0xBF, 1, 0, 0, 0, //               mov edi, standard output
		0x48, 0x8D, 0x35, rest, 0, 0, 0, // lea rsi, [the text]
		0xBA, 0, 0, 0, 0, //               mov edx, its length
		0x0F, 0x05, //                     syscall
		0xB8, 34, 0, 0, 0, //              mov eax, pause
		0x0F, 0x05, //                     syscall
		0xEB, 0xF7, //                     jmp to the last mov
	}
	binary.LittleEndian.PutUint32(code[18:], uint32(len(text)))
	return ELF(append(code, text...))
}
