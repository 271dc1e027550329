package bench

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// asm returns the machine code that lines of hexadecimal digits stand for.
func asm(lines ...string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(lines, ""), " ", ""))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return b
}

// turns returns body, repeated as often as R15 says, and the end of the program.
func turns(body []byte) []byte {
	const decrement, jump, end = "49 FF CF", "0F 85", "CC" // dec r15; jnz rel32; int3
	code := append(body[:len(body):len(body)], asm(decrement, jump)...)
	back := -int32(len(code) + 4)
	code = binary.LittleEndian.AppendUint32(code, uint32(back))
	return append(code, asm(end)...)
}
