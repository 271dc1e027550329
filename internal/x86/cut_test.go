package x86

import (
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// The beginning of a block is what decoding so many instructions gives, wherever it ends: after and between instructions
// that no micro-operation is left of as well. Only where it goes on is looked up, and not linked.
func TestBeginningOfABlock(t *testing.T) {
	b := newBare(t, 0, []byte{
		0x90,                         // nop
		0xF3, 0x90, 0x0F, 0x1F, 0x00, // pause; nop dword [rax]
		0x48, 0x01, 0x05, 0x10, 0, 0, 0, // add [rip+16], rax
		0x90,       // nop
		0x75, 0x02, // jnz further
		0xF0, 0x48, 0xFF, 0x00, // lock inc qword [rax]
		0x48, 0x89, 0xD8, // further: mov rax, rbx
		0x90, 0x90, // nop; nop
		0xEB, 0x00, // jmp to what follows
	})
	const instructions = 11
	for size := 2; size <= instructions; size++ {
		b.limit.Store(nowhere)
		whole := b.decodeCut(size)
		if whole == nil || whole.n != uint64(size) {
			t.Fatalf("a block of %d instructions: %+v", size, whole)
		}
		for n := 1; n < size; n++ {
			b.limit.Store(b.icount + uint64(n))
			got, want := b.cut(whole), b.decodeCut(n)
			if got == nil || want == nil || got.n != want.n {
				t.Fatalf("%d instructions of %d: %+v, want %+v", n, size, got, want)
			}
			for _, uops := range [][]uop.Uop{got.uops, want.uops} {
				uops[len(uops)-1].Aux = uop.NoLink
			}
			if !slices.Equal(got.uops, want.uops) {
				t.Errorf("%d instructions of %d:\n%+v, want\n%+v", n, size, got.uops, want.uops)
			}
		}
		b.limit.Store(b.icount)
		if got := b.cut(whole); got != nil {
			t.Errorf("no instructions: %+v", got)
		}
	}
}
