package accept_test

import (
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/accept"
)

const top = 1<<64 - 1

func TestRange(t *testing.T) {
	type r = accept.Range
	same := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	a := r{0x1000, 0x5000}
	same("Len", a.Len(), uint64(0x4000))
	same("Len of nothing", r{5, 5}.Len(), uint64(0))
	same("Len of less", r{5, 4}.Len(), uint64(0))
	same("Empty", [3]bool{r{4, 5}.Empty(), r{5, 5}.Empty(), r{5, 4}.Empty()}, [3]bool{false, true, true})

	same("overlap", a.Intersect(r{0x4000, 0x9000}), r{0x4000, 0x5000})
	same("inside", a.Intersect(r{0, top}), a)
	same("neighbours", a.Intersect(r{0x5000, 0x6000}), r{})
	same("apart", a.Intersect(r{0x7000, 0x8000}), r{})

	same("union over a gap", a.Union(r{0x8000, 0x9000}), r{0x1000, 0x9000})
	same("union downward", a.Union(r{0, 0x10}), r{0, 0x5000})
	same("union with nothing", a.Union(r{0x9000, 0x9000}), a)
	same("nothing with a range", r{0x9000, 0x9000}.Union(a), a)
	same("nothing with nothing", r{9, 8}.Union(r{7, 6}), r{})

	same("in itself", a.In(a), true)
	same("too far up", a.In(r{0x1000, 0x4fff}), false)
	same("too far down", a.In(r{0x1001, 0x5000}), false)
	same("nothing in nothing", r{}.In(r{}), true)

	same("AlignIn", r{0x1001, 0x4fff}.AlignIn(0x1000), r{0x2000, 0x4000})
	same("AlignIn, aligned", a.AlignIn(0x1000), a)
	same("AlignIn to nothing", r{0x1001, 0x2fff}.AlignIn(0x2000), r{})
	same("AlignIn at the top", r{top - 0x800, top}.AlignIn(0x1000), r{})
	same("AlignOut", r{0x1001, 0x4001}.AlignOut(0x1000), r{0x1000, 0x5000})
	same("AlignOut, aligned", a.AlignOut(0x1000), a)
	same("AlignOut of nothing", r{0x1001, 0x1001}.AlignOut(0x1000), r{})
	same("AlignOut at the top", r{1, top}.AlignOut(0x1000), r{0, top &^ 0xfff})
	same("AlignOut of the last page", r{top - 1, top}.AlignOut(0x1000), r{})

	same("String", fmt.Sprint(r{0, 0x180000000}), "[0x0, 0x180000000)")
	same("String at the top", fmt.Sprint(r{0xfedcba9876543210, top}), "[0xfedcba9876543210, 0xffffffffffffffff)")
}

func TestContains(t *testing.T) {
	ram := []accept.Range{{0x1000, 0x3000}, {0x3000, 0x4000}, {0x8000, 1<<64 - 1}}
	for _, c := range []struct {
		addr, n uint64
		want    bool
	}{
		{0, 1, false}, {0xFFF, 2, false}, {0x1000, 0x2000, true}, {0x1000, 0x2001, false}, {0x2FFF, 1, true}, {0x3000, 0x1000, true}, {0x3FFF, 2, false},
		{0x4000, 1, false}, {0x4000, 0, false}, {0x8000, 1, true}, {1<<64 - 2, 1, true}, {1<<64 - 2, 2, false}, {1<<64 - 1, 1, false}, {0x9000, 1<<64 - 1, false},
	} {
		if got := accept.Contains(ram, c.addr, c.n); got != c.want {
			t.Errorf("%#x bytes from %#x: %v", c.n, c.addr, got)
		}
	}
}
