package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// XADD, and CMPXCHG of 4 and 8 bytes on memory. Their operand is in Tmp0, and what is to be stored goes to Tmp1.

func (g *Generator) exchange(k int, u *uop.Uop) (result, bool) {
	if u.Op != uop.Xadd && u.Op != uop.Cmpxchg {
		return 0, false
	}
	n := int(u.Aux)
	if n != 4 && n != 8 || u.Op == uop.Cmpxchg && u.Dst != 0 {
		return leaves, true
	}
	old, s := g.get(uop.Tmp0, tmpA), g.get(u.Src, tmpB)
	if u.Op == uop.Xadd {
		g.mov(8, tmpA, old)
		g.add(k, n, sum{}, tmpA, tmpA, s)
		g.set(uop.Tmp1, tmpA)
		return goesOn, true
	}
	// Either value is taken by a condition, and so is the accumulator, whose upper half stays where the comparison succeeds.
	g.add(k, n, sum{sub: true}, arm64.ZR, acc, old)
	g.Select(arm64.CSEL, 8, tmpC, s, old, arm64.EQ)
	g.set(uop.Tmp1, tmpC)
	g.Select(arm64.CSEL, 8, acc, acc, old, arm64.EQ)
	return goesOn, true
}
