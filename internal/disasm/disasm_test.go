package disasm_test

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/tacit-vm/tacit/internal/disasm"
	"github.com/tacit-vm/tacit/internal/x86/decode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

var seed = flag.Uint64("disasm-seed", 1, "seed of the random instructions")

func TestText(t *testing.T) {
	symbol := func(a uint64) (string, uint64) {
		if a >= 0x2000 {
			return "accept_memory", 0x2000
		}
		return "", 0
	}
	for code, want := range map[string]string{
		"660f01cc":         "tdcall",
		"f20f01ff":         "pvalidate",
		"f30f1efa":         "endbr64",
		"e8fb0f0000":       "callq accept_memory",
		"48898424f0ffffff": "mov %rax,-0x10(%rsp)",
	} {
		b, err := hex.DecodeString(code)
		if err != nil {
			t.Fatal(err)
		}
		in, ok := disasm.Decode(b)
		if got := in.Text(0x1000, symbol); !ok || in.Len != len(b) || got != want {
			t.Errorf("%s is %q of %d bytes, want %q", code, got, in.Len, want)
		}
	}
	for _, b := range [][]byte{nil, {0x66}, {0x06}, bytes.Repeat([]byte{0x66}, 20)} {
		if in, ok := disasm.Decode(b); ok {
			t.Errorf("% x is %q", b, in.Text(0, nil))
		}
	}
}

// executed returns how long the processor takes the first instruction of b for, or 0 where it raises #UD.
func executed(b []byte) int {
	block, ok := decode.Instructions(&decode.Request{Bytes: b, Limit: 1, Mode: decode.ModeSSE | decode.ModeX87})
	if !ok {
		return 0
	}
	for _, u := range block.Uops {
		if u.Op == uop.Raise {
			return 0
		}
	}
	return block.Size
}

// differ says that the two readers take an instruction for differently long, unless one does not know it.
func differ(t *testing.T, b []byte) (both bool) {
	b = b[:min(len(b), disasm.Longest)]
	in, ok := disasm.Decode(b)
	n := executed(b)
	if !ok || n == 0 {
		return false
	}
	if in.Len != n {
		t.Errorf("% x: %q has %d bytes, and the processor takes %d", b, in.Text(0, nil), in.Len, n)
	}
	return true
}

// All of this program's own code is read alike.
func TestLengthsOfThisProgram(t *testing.T) {
	f, err := elf.Open("/proc/self/exe")
	if err != nil || f.Machine != elf.EM_X86_64 {
		t.Skip("this is no Linux program for amd64")
	}
	defer f.Close()
	text, err := f.Section(".text").Data()
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for at := 0; at < len(text) && !t.Failed(); {
		if differ(t, text[at:]) {
			read++
		}
		at += max(executed(text[at:min(len(text), at+disasm.Longest)]), 1)
	}
	if read < 100_000 {
		t.Errorf("%d instructions only", read)
	}
	t.Logf("%d instructions", read)
}

// So are instructions that no compiler makes: prefixes in any order before any opcode.
func TestLengthsOfRandomInstructions(t *testing.T) {
	t.Logf("-disasm-seed=%d", *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	prefixes := []byte{0x66, 0x67, 0xF2, 0xF3, 0xF0, 0x2E, 0x64, 0x65, 0x40, 0x41, 0x48, 0x4F}
	read := 0
	for range 300_000 {
		b := make([]byte, 0, 2*disasm.Longest)
		for range r.IntN(3) {
			b = append(b, prefixes[r.IntN(len(prefixes))])
		}
		if escape := r.IntN(6); escape > 0 {
			b = append(b, [][]byte{{}, {0x0F}, {0x0F, 0x38}, {0x0F, 0x3A}, {0x0F}}[escape-1]...)
		}
		for range disasm.Longest {
			b = append(b, byte(r.Uint32()))
		}
		if differ(t, b) {
			read++
		}
	}
	if read < 30_000 {
		t.Errorf("%d instructions only", read)
	}
	t.Logf("%d instructions", read)
}
