package snp_test

import (
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/physical"
)

// What RMPUPDATE costs goes by RMP entries: one for a large page that is added or taken away whole, 512 where it is in
// pieces.
func TestRMPUpdatesAreCharged(t *testing.T) {
	m := newMachine(t)
	const at = 8 << 20
	one := cost.SNP().NS(cost.RMPUpdate)
	charged := func(what string, n int64, do func() error) {
		t.Helper()
		began := m.cpu.Now()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if took := m.cpu.Now() - began; took != n*one {
			t.Errorf("%s: %d ns, want %d times %d", what, took, n, one)
		}
	}
	add := func(gpa uint64, size physical.PageSize) func() error {
		return func() error { return m.AddPage(m.cpu, gpa, size) }
	}
	remove := func(start, end uint64) func() error {
		return func() error { return m.RemovePages(m.cpu, start, end) }
	}
	charged("a large page", 1, add(at, physical.Size2M))
	charged("a large page taken away", 1, remove(at, at+2<<20))
	charged("nothing taken away", 0, remove(at, at+2<<20))
	charged("a small page", 1, add(at+0x3000, physical.Size4K))
	charged("the small page among nothing", 1, remove(at, at+2<<20))
	charged("a large page, once more", 1, add(at, physical.Size2M))
	charged("a large page after it", 1, add(at+2<<20, physical.Size2M))
	began := m.cpu.Now()
	if err := m.RemovePages(m.cpu, at+2<<20-0x2000, at+4<<20); err != nil {
		t.Fatal(err)
	}
	split := m.cpu.Now() - began - 3*one // two small pages, and the large one whole
	if split < 0 || split%one != 0 {
		t.Errorf("a large page and the end of another: %d ns, of which %d for splitting", m.cpu.Now()-began, split)
	}
	charged("the rest", 510, remove(at, at+4<<20))
}

// What is no stretch of the guest's whole pages cannot be shared or taken away, whichever way it is wrong.
func TestRangesAreChecked(t *testing.T) {
	m := newMachine(t)
	for what, r := range map[string][2]uint64{
		"empty": {page, page}, "backwards": {page + 0x1000, page}, "half a page": {page, page + 0x800}, "between pages": {page + 0x800, page + 0x1800},
		"no memory": {holeStart, holeStart + 0x1000}, "partly no memory": {holeStart - 0x1000, holeStart + 0x1000},
	} {
		if m.Share(m.cpu, r[0], r[1]) == nil || m.Unshare(m.cpu, r[0], r[1]) == nil || m.RemovePages(m.cpu, r[0], r[1]) == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
