package x86

import (
	"slices"
	"testing"
)

// Each instruction that locks memory says so once, in the same place under every engine and cut of blocks, and can have Run
// return after it; others say nothing.
func TestLockHints(t *testing.T) {
	code, _ := assemble(asm(
		"B9 03 00 00 00",                // mov ecx, 3
		"F0 FF 04 25 00 00 02 00",       // again: lock inc dword [0x20000], the 1st of a round, from 0
		"FF 04 25 00 00 02 00",          // inc dword [0x20000]
		"87 04 25 08 00 02 00",          // xchg [0x20008], eax: the 3rd
		"87 D8",                         // xchg eax, ebx
		"F0 0F B1 14 25 00 00 02 00",    // lock cmpxchg [0x20000], edx: the 5th
		"0F B1 14 25 00 00 02 00",       // cmpxchg
		"F0 48 0F C7 0C 25 10 00 02 00", // lock cmpxchg16b [0x20010]: the 7th
		"E2 CB",                         // loop again
		"F4",                            // hlt
	))
	var want []uint64
	for round := range uint64(3) {
		for _, at := range []uint64{1, 3, 5, 7} {
			want = append(want, at+8*round)
		}
	}
	for _, engine := range []string{"interpreter", "translator"} {
		if engine == "translator" && TranslatorAvailable() != nil {
			continue
		}
		for _, limit := range []int{0, 1, 2, 5} {
			was := *engineFlag
			*engineFlag = engine
			b := newBare(t, limit, code)
			*engineFlag = was
			var heard, returned []uint64
			b.code.locks = true
			b.lockHint = func(c *CPU) {
				heard = append(heard, c.Instructions())
				c.Shorten(c.Now())
			}
			for e := b.Run(1000); e.Kind != ExitHalted; e = b.Run(1000) {
				if e.Kind != ExitDeadline {
					t.Fatalf("%s, blocks of %d: exit %v", engine, limit, e)
				}
				returned = append(returned, b.Instructions()-1)
			}
			if !slices.Equal(heard, want) || !slices.Equal(returned, want) {
				t.Errorf("%s, blocks of %d: heard after %v, returned after %v, want %v", engine, limit, heard, returned, want)
			}
		}
	}
}
