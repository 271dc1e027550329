package x86

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// adder adds bit by bit, as the manual defines the flags (SDM vol. 1, 3.4.3.1): carries out of the highest bit and of bit
// 3, and overflow where the carries into and out of the highest differ.
func adder(n int, a, b, carry uint64) (r, flags uint64) {
	var into uint64
	for i := range n {
		x, y := a>>i&1, b>>i&1
		r |= (x ^ y ^ carry) << i
		into, carry = carry, x&y|x&carry|y&carry
		if i == 3 && carry != 0 {
			flags |= FlagAF
		}
	}
	if carry != 0 {
		flags |= FlagCF
	}
	if into != carry {
		flags |= FlagOF
	}
	return r, flags | resultFlags(n, r)
}

// subtractor is an adder of the complement; what it carries is what is not borrowed.
func subtractor(n int, a, b, borrow uint64) (r, flags uint64) {
	r, flags = adder(n, a, ^b, borrow^1)
	return r, flags ^ FlagCF ^ FlagAF
}

func resultFlags(n int, r uint64) (flags uint64) {
	if r == 0 {
		flags |= FlagZF
	}
	if r>>(n-1)&1 != 0 {
		flags |= FlagSF
	}
	if bits.OnesCount8(uint8(r))%2 == 0 {
		flags |= FlagPF
	}
	return flags
}

// Addition and subtraction in all sizes, and all ways of computing them, give the result and all six flags.
func TestArithmeticFlags(t *testing.T) {
	type operation struct {
		name string
		n    int
		want func(a, b, carry uint64) (uint64, uint64)
		got  func(f *lazyFlags, a, b uint64) uint64
	}
	var operations []operation
	add := func(name string, n int, subtract, carries bool, got func(f *lazyFlags, a, b uint64) uint64) {
		operations = append(operations, operation{fmt.Sprint(name, " ", n), n, func(a, b, carry uint64) (uint64, uint64) {
			if !carries {
				carry = 0
			}
			if subtract {
				return subtractor(n, a, b, carry)
			}
			return adder(n, a, b, carry)
		}, got})
	}
	add("add", 32, false, false, (*lazyFlags).add32)
	add("add", 64, false, false, (*lazyFlags).add64)
	add("adc", 32, false, true, (*lazyFlags).adc32)
	add("adc", 64, false, true, (*lazyFlags).adc64)
	add("sub", 32, true, false, (*lazyFlags).sub32)
	add("sub", 64, true, false, (*lazyFlags).sub64)
	add("sbb", 32, true, true, (*lazyFlags).sbb32)
	add("sbb", 64, true, true, (*lazyFlags).sbb64)
	for _, n := range []uint64{8, 16, 32, 64} {
		add("compare", int(n), true, false, func(f *lazyFlags, a, b uint64) uint64 {
			f.compare(n/8, a, b)
			return (a - b) & (1<<(n-1)<<1 - 1)
		})
	}
	add("addCarry", 8, false, true, func(f *lazyFlags, a, b uint64) uint64 {
		return uint64(addCarry(f, uint8(a), uint8(b), uint8(f.carry())))
	})
	add("addCarry", 16, false, true, func(f *lazyFlags, a, b uint64) uint64 {
		return uint64(addCarry(f, uint16(a), uint16(b), uint16(f.carry())))
	})
	add("subBorrow", 8, true, true, func(f *lazyFlags, a, b uint64) uint64 {
		return uint64(subBorrow(f, uint8(a), uint8(b), uint8(f.carry())))
	})
	add("subBorrow", 16, true, true, func(f *lazyFlags, a, b uint64) uint64 {
		return uint64(subBorrow(f, uint16(a), uint16(b), uint16(f.carry())))
	})

	dice := rand.New(rand.NewPCG(1, 2))
	for _, o := range operations {
		edges := []uint64{0, 1, 7, 8, 15, 16, 1<<(o.n-1) - 1, 1 << (o.n - 1), ^uint64(0)}
		for range 2000 {
			a, b := dice.Uint64(), dice.Uint64()
			if dice.IntN(2) == 0 {
				a = edges[dice.IntN(len(edges))]
			}
			if dice.IntN(2) == 0 {
				b = edges[dice.IntN(len(edges))]
			}
			mask := uint64(1)<<(o.n-1)<<1 - 1
			a, b = a&mask, b&mask
			var f lazyFlags
			before := dice.Uint64() & arithmeticFlags
			f.set(before)
			want, flags := o.want(a, b, before&FlagCF)
			if got := o.got(&f, a, b); got != want || f.get() != flags {
				t.Fatalf("%s of %#x and %#x, flags %#x before: %#x with flags %#x, want %#x with %#x", o.name, a, b, before, got, f.get(), want, flags)
			}
		}
	}
}

// Every combination of flags can be set, and changed in part.
func TestSetFlags(t *testing.T) {
	for v := range uint64(1 << 12) {
		if v&^arithmeticFlags != 0 {
			continue
		}
		var f lazyFlags
		f.set(v)
		if f.get() != v {
			t.Errorf("%#x set, %#x read", v, f.get())
		}
		for _, cf := range []bool{false, true} {
			f.set(v)
			f.setCarry(cf)
			want := v &^ FlagCF
			if cf {
				want |= FlagCF
			}
			if f.get() != want {
				t.Errorf("%#x, carry %t: %#x", v, cf, f.get())
			}
		}
		for _, mask := range []uint64{FlagZF, FlagSF | FlagPF, FlagCF | FlagOF | FlagAF} {
			f.set(v)
			f.update(mask, ^v)
			if f.get() != v^mask {
				t.Errorf("%#x, %#x changed: %#x", v, mask, f.get())
			}
		}
	}
}
