package x86

import (
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Run comes back for another goroutine, wherever the processor is, and what it was asked to in between does not matter.
func TestYield(t *testing.T) {
	t.Parallel()
	code := []byte{
		0x31, 0xC0, // xor eax, eax
		0xB9, 0x40, 0x42, 0x0F, 0, // mov ecx, 1000000
		0x01, 0xC8, // add eax, ecx
		0xFF, 0xC9, // dec ecx
		0x75, 0xFA, // jnz -6
		0xF4, // hlt
	}
	for _, limit := range []int{0, 1, 7} {
		b := newBare(t, limit, code)
		b.Yield() // asked for before Run: not lost either
		done := make(chan struct{})
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-done:
					return
				default:
					b.Yield()
				}
			}
		}()
		yields := 0
		e := b.Run(10_000_000)
		for ; e.Kind == ExitYield; e = b.Run(10_000_000) {
			yields++
		}
		close(done)
		<-stopped
		if e.Kind != ExitHalted || uint32(b.R[uop.RAX]) != 1784293664 || b.Instructions() != 3_000_003 {
			t.Errorf("limit %d: exit %v, rax %d, %d instructions", limit, e, uint32(b.R[uop.RAX]), b.Instructions())
		}
		if yields == 0 {
			t.Errorf("limit %d: it never came back", limit)
		}
	}
}

// What is dear for the host and does not take virtual time does not keep Run from coming back.
func TestYieldComesSoon(t *testing.T) {
	t.Parallel()
	for name, code := range map[string][]byte{
		"a loop":          {0xEB, 0xFE},
		"no translations": {0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8, 0xEB, 0xFB},                   // mov rax, cr3; 1: mov cr3, rax; jmp 1
		"many digits":     {0xDB, 0xE3, 0xD9, 0xE8, 0xD9, 0xFB, 0xD9, 0xF3, 0xEB, 0xFA},       // fninit; fld1; 1: fsincos; fpatan; jmp 1
		"new code":        {0xC6, 0x05, 0x02, 0x00, 0x00, 0x00, 0x90, 0xEB, 0xF7, 0x90, 0x90}, // 1: mov byte [rip+2], 0x90; jmp 1; nop
		"halted":          {0xF4, 0xEB, 0xFD},
	} {
		b := newBare(t, 0, code)
		time.AfterFunc(50*time.Millisecond, b.Yield)
		began := time.Now()
		var e Exit
		for e.Kind != ExitYield {
			e = b.Run(MaxTime)
			if e.Kind != ExitYield && e.Kind != ExitHalted {
				t.Fatalf("%s: %v", name, e)
			}
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
		if b.Yielding() {
			t.Errorf("%s: still asked for", name)
		}
	}
}
