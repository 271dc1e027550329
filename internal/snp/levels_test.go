package snp

import (
	"reflect"
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/pagestate"
	"github.com/tacit-vm/tacit/internal/state"
)

// What 64 GiB take in the host's memory: next to nothing where they are treated alike, and little more than a byte for
// each page and level where no two neighbours are.
func TestPermissionsTakeLittleMemory(t *testing.T) {
	const pages = 64 << 30 / mem.PageSize
	p := &Platform{rmp: pagestate.New[pageState](), levels: newLevels()}
	var bytes, most int64
	p.OnGrowth(func(n int64) { bytes += n; most = max(most, bytes) })
	for vmpl := range uint8(len(p.levels)) {
		p.levels.set(vmpl+1, 0, pages, mayRead)
	}
	if bytes > 64<<10 {
		t.Errorf("uniform: %d bytes", bytes)
	}
	for page := uint64(0); page < pages/64; page += 2 {
		p.levels.set(1, page, page+1, mayWrite)
	}
	if limit := int64(pages / 64 * 5 / 4); bytes > limit+64<<10 {
		t.Errorf("1 GiB of pages that alternate: %d bytes, want at most %d", bytes, limit)
	}
	p.levels.clear(0, pages)
	if bytes != 0 || most == 0 {
		t.Errorf("with nothing left: %d bytes; %d at most", bytes, most)
	}
}

// What the RMP says of pages comes back from a saved state.
func TestSavedRMP(t *testing.T) {
	empty := func() *Platform { return &Platform{rmp: pagestate.New[pageState](), levels: newLevels()} }
	p := empty()
	p.rmp.Update(512, 1024, func(pageState) pageState { return validated | large })
	p.levels.set(1, 512, 600, mayRead|mayWrite)
	p.levels.set(3, 700, 701, mayExecuteUser)
	p.frames = []hostFrame{
		{used: true, at: 513}, {},
		{used: true, entry: validated | vmsa, gpa: 0x5000, levels: [3]permissions{1, 2, 3}, content: make([]byte, mem.PageSize)},
	}
	out := state.Out()
	p.Carry(out)
	q, in := empty(), state.In(out.Bytes())
	if q.Carry(in); in.End() != nil {
		t.Fatal(in.End())
	}
	if !reflect.DeepEqual(p.frames, q.frames) {
		t.Errorf("frames %+v, were %+v", q.frames, p.frames)
	}
	for page := range uint64(1200) {
		if p.rmp.At(page) != q.rmp.At(page) {
			t.Fatalf("page %d is %v, was %v", page, q.rmp.At(page), p.rmp.At(page))
		}
		for vmpl := uint8(1); vmpl <= 3; vmpl++ {
			if p.levels.at(vmpl, page) != q.levels.at(vmpl, page) {
				t.Fatalf("VMPL%d may do %#x with page %d, was %#x", vmpl, q.levels.at(vmpl, page), page, p.levels.at(vmpl, page))
			}
		}
	}
}
