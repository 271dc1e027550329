package x86_test

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
)

// On a plain machine, whose CPUID shows KVM's signature, either instruction for hypercalls says that there are none.
func TestHypercallsOnAPlainMachine(t *testing.T) {
	m, err := mem.New(2 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	p := &x86.Plain{Memory: m, RAM: func(uint64) bool { return true }}
	c := x86.New(x86.Config{Memory: m, Platform: p})
	for _, kind := range []x86.InstructionKind{x86.InsnVMCALL, x86.InsnVMMCALL} {
		if !p.Intercepts().Has(kind) {
			t.Errorf("%v is not intercepted", kind)
		}
		c.R[x86.RAX] = 5
		if a := p.Intercept(c, &x86.Instruction{Kind: kind}); a != x86.Done || int64(c.R[x86.RAX]) != -1000 {
			t.Errorf("%v: %v, RAX %d", kind, a, int64(c.R[x86.RAX]))
		}
	}
}
