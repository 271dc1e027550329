package vm

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
)

// A maze is a platform that answers each access in the same way.
type maze struct {
	x86.Platform
	t x86.Translation
	r *x86.Refusal
}

func (m maze) Resolve(*x86.CPU, uint64, x86.Access) (x86.Translation, *x86.Refusal) { return m.t, m.r }

// What counts as touched is memory that an access of the guest's or a write of firmware's leads to, each page once.
func TestTouched(t *testing.T) {
	s := &sampler{}
	for _, c := range []struct {
		gpa   uint64
		kind  x86.AccessKind
		mmio  bool
		r     *x86.Refusal
		total uint64
	}{
		{0x5000, x86.Read, false, &x86.Refusal{}, 0},
		{0x5000, x86.Write, true, nil, 0},
		{0x5000, x86.ExternalRead, false, nil, 0},
		{0x5000, x86.Read, false, nil, 1},
		{0x5000, x86.Write, false, nil, 1},
		{0x6000, x86.Fetch, false, nil, 2},
		{0x7000, x86.Walk, false, nil, 3},
		{0x8000, x86.ExternalWrite, false, nil, 4},
		{1 << 42, x86.WalkWrite, false, nil, 5},
		{1 << 42, x86.WalkWrite, false, nil, 5},
	} {
		want := x86.Translation{GPA: c.gpa, MMIO: c.mmio}
		got, r := s.observe(maze{t: want, r: c.r}).Resolve(nil, c.gpa|1<<47, x86.Access{Kind: c.kind})
		if got != want || r != c.r || s.touched.n != c.total {
			t.Errorf("%+v: %+v, %v, %d pages", c, got, r, s.touched.n)
		}
	}
}
