//go:build linux || darwin

package codemem

import (
	"testing"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/x86/arm64"
)

// call calls code as a function without arguments, and returns what is in R0 then. A function's value is a pointer to where
// its code's address is, and R0 has a function's first result.
func call(code uintptr) uint64 {
	value := &code
	return (*(*func() uint64)(unsafe.Pointer(&value)))()
}

// What has been written last is what is executed, again and again at one address, and where only a part is patched.
func TestRewrittenCodeIsExecuted(t *testing.T) {
	m := newMemory(t, 1<<20)
	defer m.Close()
	var a arm64.Assembler
	for i := range uint64(2000) {
		at := Page + int(i%7)*0x3FF4 // pages' ends, too
		a.Reset()
		a.MovImm(0, i*0x1_0003_0005_0007)
		patched := len(a.Bytes)
		a.Imm12(arm64.ADDI, 8, 0, 0, 1)
		a.Ret()
		if err := m.Write(at, a.Bytes); err != nil {
			t.Fatal(err)
		}
		if got := call(m.Address(at)); got != i*0x1_0003_0005_0007+1 {
			t.Fatalf("round %d: %#x", i, got)
		}
		a.Reset()
		a.Imm12(arm64.SUBI, 8, 0, 0, i)
		if err := m.Write(at+patched, a.Bytes); err != nil {
			t.Fatal(err)
		}
		if got := call(m.Address(at)); got != i*0x1_0003_0005_0007-i {
			t.Fatalf("round %d, patched: %#x", i, got)
		}
	}
}
