package rom

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/tacit-vm/tacit/accept"
)

// imageOf makes an image that begins with a volume of variables of so many bytes.
func imageOf(size int, variables uint64) []byte {
	b := bytes.Repeat([]byte{0xFF}, size)
	copy(b[16:], volumeOfVariables[:])
	binary.LittleEndian.PutUint64(b[32:], variables)
	copy(b[40:], "_FVH")
	b[size-16] = 0xEA
	return b
}

// An image ends at 4 GiB. What is its volume of variables can be written to, and nothing else of it.
func TestWhereItLies(t *testing.T) {
	const size = 1 << 20
	for variables, want := range map[uint64]uint64{0x84000: 0x84000, 0x84001: 0, size: 0, 1 << 63: 0, 0: 0} {
		i, err := Parse(imageOf(size, variables))
		if err != nil {
			t.Fatal(err)
		}
		where, content := i.Variables()
		code, rest := i.Code()
		if where != (accept.Range{Start: 1<<32 - size, End: 1<<32 - size + want}) || code != (accept.Range{Start: where.End, End: 1 << 32}) {
			t.Errorf("%#x bytes of variables: at %v, and code at %v", variables, where, code)
		}
		if uint64(len(content)) != want || len(rest) != size-int(want) {
			t.Errorf("%#x bytes of variables: %#x and %#x", variables, len(content), len(rest))
		}
	}
}

func TestNoImage(t *testing.T) {
	for what, b := range map[string][]byte{
		"nothing": nil, "too short": imageOf(0xF000, 0), "too long": imageOf(MaxSize+4096, 0), "half a page": imageOf(1<<20+2048, 0),
		"zeros": make([]byte, 1<<20), "an erased chip": bytes.Repeat([]byte{0xFF}, 1<<20),
	} {
		if _, err := Parse(b); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
