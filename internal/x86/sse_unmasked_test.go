package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Unmasked exceptions raise #XM and leave the destination alone. Those found before computing keep the later ones of
// other lanes back (all values: a Sapphire Rapids).
func TestUnmaskedSSE(t *testing.T) {
	divps, mulps := []byte{0x0F, 0x5E, 0xCA}, []byte{0x0F, 0x59, 0xCA}
	one := uint64(0x3F8000003F800000)
	for _, c := range []struct {
		name     string
		code     []byte
		unmasked uint32
		a, b     uint64 // the low lanes; the others are 1
		want     int
		flags    uint32
	}{
		{"1/0 and 1/3, ZE", divps, softfloat.ZE, one, 0x4040000000000000, uop.VectorXM, softfloat.ZE},
		{"1/0 and 1/3, PE", divps, softfloat.PE, one, 0x4040000000000000, uop.VectorXM, softfloat.ZE | softfloat.PE},
		{"1/0 and 1/3", divps, 0, one, 0x4040000000000000, noVector, softfloat.ZE | softfloat.PE},
		{"1/0 and 1/denormal, ZE", divps, softfloat.ZE, one, 0x000116C200000000, uop.VectorXM, softfloat.ZE | softfloat.DE},
		{"tiny but exact, UE", mulps, softfloat.UE, 0x3F80000000800000, 0x3F8000003F000000, uop.VectorXM, softfloat.UE},
		{"tiny but exact", mulps, 0, 0x3F80000000800000, 0x3F8000003F000000, noVector, 0},
		{"overflow and underflow, OE", mulps, softfloat.OE, 0x0DA242607F61B1E6, 0x1E3CE5087F61B1E6, uop.VectorXM, softfloat.OE | softfloat.UE | softfloat.PE},
	} {
		m := newVectorMachine(t)
		m.X[1], m.X[2] = XMM{c.a, one}, XMM{c.b, one}
		m.mxcsr = mxcsrDefault &^ (c.unmasked << mxcsrMaskShift)
		got := m.do(c.code...)
		if got != c.want || m.mxcsr&softfloat.AllExceptions != c.flags {
			t.Errorf("%s: vector %d, exceptions %#x; want %d, %#x", c.name, got, m.mxcsr&softfloat.AllExceptions, c.want, c.flags)
		}
		if got == uop.VectorXM && m.X[1] != (XMM{c.a, one}) {
			t.Errorf("%s: the destination changed", c.name)
		}
	}
	m := newVectorMachine(t)
	m.cr4 &^= CR4OSXMMEXCPT
	m.mxcsr = 0
	m.X[1], m.X[2] = XMM{one, one}, XMM{}
	if got := m.do(divps...); got != uop.VectorUD {
		t.Errorf("without OSXMMEXCPT: vector %d, want #UD", got)
	}
}
