package firmware

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// checkMap holds a map against what is true of every map: sorted, without overlap, alike neighbours merged, whole
// pages.
func checkMap(t testing.TB, regions []region) {
	t.Helper()
	for i, g := range regions {
		if g.start >= g.end || g.start%pageSize != 0 || g.end%pageSize != 0 {
			t.Fatalf("region %d is [%#x, %#x)", i, g.start, g.end)
		}
		if i == 0 {
			continue
		}
		before := regions[i-1]
		if before.end > g.start {
			t.Fatalf("region %d [%#x, %#x) overlaps [%#x, %#x)", i, g.start, g.end, before.start, before.end)
		}
		if before.end == g.start && before.kind == g.kind {
			t.Fatalf("regions %d and %d at %#x are both %v", i-1, i, g.start, g.kind)
		}
	}
	if len(regions) > maxRegions {
		t.Fatalf("%d regions", len(regions))
	}
}

// Random allocations and frees, against a model that has one type a page.
func TestMapAgainstPageModel(t *testing.T) {
	const pageCount, rounds = 512, 4000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))

	var m memoryMap
	model := make([]uefi.MemoryType, pageCount)
	for i := range model {
		model[i] = uefi.ConventionalMemory
	}
	const first = 0x100 * pageSize
	m.add(accept.Range{Start: first, End: first + pageCount/2*pageSize}, uefi.ConventionalMemory)
	m.add(accept.Range{Start: first + pageCount/2*pageSize, End: first + pageCount*pageSize}, uefi.ConventionalMemory)
	kinds := []uefi.MemoryType{uefi.ConventionalMemory, uefi.ConventionalMemory, uefi.LoaderData, uefi.BootServicesData, uefi.UnacceptedMemory}
	for range rounds {
		kind := kinds[r.IntN(len(kinds))]
		if r.IntN(3) == 0 {
			n := 1 + r.Uint64N(20)
			align := uint64(pageSize) << r.IntN(4)
			got, ok := m.highest(n*pageSize, first+r.Uint64N(pageCount*pageSize), align)
			if ok {
				free := func(k uefi.MemoryType) bool { return k == uefi.ConventionalMemory }
				if got.Start%align != 0 || got.Len() != n*pageSize || !m.covers(got, free) {
					t.Fatalf("highest gave %v", got)
				}
				m.set(got, kind)
				for p := got.Start; p < got.End; p += pageSize {
					model[(p-first)/pageSize] = kind
				}
			}
		} else {
			i, j := r.IntN(pageCount), r.IntN(pageCount)
			i, j = min(i, j), max(i, j)
			m.set(accept.Range{Start: first + uint64(i)*pageSize, End: first + uint64(j)*pageSize}, kind)
			for p := i; p < j; p++ {
				model[p] = kind
			}
		}
		checkMap(t, m.regions)
		var got []uefi.MemoryType
		for _, g := range m.regions {
			for p := g.start; p < g.end; p += pageSize {
				got = append(got, g.kind)
			}
		}
		if !slices.Equal(got, model) {
			t.Fatal("the map differs from the model")
		}
	}
}

func TestMapStaysWithinItsBound(t *testing.T) {
	var m memoryMap
	const n = 4 * maxRegions
	m.add(accept.Range{Start: 0, End: n * pageSize}, uefi.ConventionalMemory)
	refused := false
	for i := uint64(1); i < n; i += 2 {
		before := slices.Clone(m.regions)
		if !m.set(accept.Range{Start: i * pageSize, End: (i + 1) * pageSize}, uefi.LoaderData) {
			refused = true
			if !slices.Equal(before, m.regions) {
				t.Fatal("a change that was refused has changed the map")
			}
			break
		}
	}
	checkMap(t, m.regions)
	if !refused {
		t.Error("the map grows without bound")
	}
}

// The services, called by a guest: random sequences conserve pages, and every change changes the key.
func TestAllocationServicesConservePages(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	m := newMachine(t, func(c *Config) { c.TotalMemory, c.Unaccepted = 512<<20, true })
	at := m.room(1)
	var total uint64
	list, _ := m.memoryMap()
	for _, d := range list {
		total += d.NumberOfPages
	}
	type owned struct{ start, pages uint64 }
	var mine []owned
	var pools []uint64
	for range 3000 {
		key := m.memory.key
		regions := slices.Clone(m.memory.regions)
		switch r.IntN(5) {
		case 0, 1:
			how, n := r.Uint64N(3), 1+r.Uint64N(64)
			want := r.Uint64N(512 << 20)
			if how == uefi.AllocateAddress {
				want &^= pageMask
			}
			m.putWord(at, want)
			switch s := m.boots(uefi.BSAllocatePages, how, uint64(uefi.LoaderData), n, at); s {
			case uefi.Success:
				got := m.word(at)
				if how == uefi.AllocateMaxAddress && got+n*pageSize-1 > want || how == uefi.AllocateAddress && got != want {
					t.Fatalf("AllocatePages(%d, %d pages, %#x) gave %#x", how, n, want, got)
				}
				for _, o := range mine {
					if got < o.start+o.pages*pageSize && o.start < got+n*pageSize {
						t.Fatalf("%#x was given out twice", got)
					}
				}
				for page := got; page < got+n*pageSize; page += pageSize {
					if !m.accepted[page] {
						t.Fatalf("%#x was given out unaccepted", page)
					}
				}
				mine = append(mine, owned{got, n})
			case uefi.NotFound, uefi.OutOfResources:
			default:
				t.Fatalf("AllocatePages: %v", s)
			}
		case 2:
			if len(mine) == 0 {
				continue
			}
			i := r.IntN(len(mine))
			m.wants(uefi.Success, uefi.BSFreePages, mine[i].start, mine[i].pages)
			mine = slices.Delete(mine, i, i+1)
		case 3:
			if m.boots(uefi.BSAllocatePool, uint64(uefi.BootServicesData), r.Uint64N(100_000), at) == uefi.Success {
				pools = append(pools, m.word(at))
			}
		case 4:
			if len(pools) == 0 {
				continue
			}
			i := r.IntN(len(pools))
			m.wants(uefi.Success, uefi.BSFreePool, pools[i])
			m.wants(uefi.InvalidParameter, uefi.BSFreePool, pools[i]) // only once
			pools = slices.Delete(pools, i, i+1)
		}
		checkMap(t, m.memory.regions)
		if slices.Equal(regions, m.memory.regions) != (key == m.memory.key) {
			t.Fatal("the key and the map do not change together")
		}
	}
	for _, o := range mine {
		m.wants(uefi.Success, uefi.BSFreePages, o.start, o.pages)
	}
	for _, p := range pools {
		m.wants(uefi.Success, uefi.BSFreePool, p)
	}
	list, _ = m.memoryMap()
	for _, d := range list {
		total -= d.NumberOfPages
	}
	if total != 0 {
		t.Errorf("%d pages are missing from the map", int64(total))
	}
}

func TestAllocatePagesRefuses(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Unaccepted = true })
	at := m.room(1)
	for _, c := range []struct {
		how, kind, pages, address uint64
		want                      uefi.Status
	}{
		{uefi.AllocateAnyPages, uint64(uefi.ConventionalMemory), 1, 0, uefi.InvalidParameter},
		{uefi.AllocateAnyPages, uint64(uefi.PersistentMemory), 1, 0, uefi.InvalidParameter},
		{uefi.AllocateAnyPages, uint64(uefi.UnacceptedMemory), 1, 0, uefi.InvalidParameter},
		{uefi.AllocateAnyPages, uint64(uefi.MaxMemoryType), 1, 0, uefi.InvalidParameter},
		{uefi.AllocateAnyPages, 0x6FFF_FFFF, 1, 0, uefi.InvalidParameter},
		{uefi.AllocateAnyPages, 0x8000_0000, 1, 0, uefi.Success}, // an OS loader's own
		{3, uint64(uefi.LoaderData), 1, 0, uefi.InvalidParameter},
		{uefi.AllocateAnyPages, uint64(uefi.LoaderData), 0, 0, uefi.InvalidParameter},
		{uefi.AllocateAnyPages, uint64(uefi.LoaderData), 1 << 60, 0, uefi.OutOfResources},
		{uefi.AllocateAnyPages, uint64(uefi.LoaderData), 1 << 52, 0, uefi.OutOfResources},
		{uefi.AllocateAddress, uint64(uefi.LoaderData), 1, 0x1001, uefi.NotFound},
		{uefi.AllocateAddress, uint64(uefi.LoaderData), 1, 0, uefi.NotFound}, // page 0 is never handed out
		{uefi.AllocateAddress, uint64(uefi.LoaderData), 1, 0xA_0000, uefi.NotFound},
		{uefi.AllocateAddress, uint64(uefi.LoaderData), 2, ^uint64(0) &^ pageMask, uefi.NotFound},
		{uefi.AllocateAddress, uint64(uefi.LoaderData), 1, 255 << 20, uefi.NotFound}, // unaccepted
		{uefi.AllocateMaxAddress, uint64(uefi.LoaderData), 1, 0x1FFE, uefi.OutOfResources},
		{uefi.AllocateMaxAddress, uint64(uefi.LoaderData), 1, 0x1FFF, uefi.Success},
		{uefi.AllocateMaxAddress, uint64(uefi.LoaderData), 1, ^uint64(0), uefi.Success},
	} {
		m.putWord(at, c.address)
		m.wants(c.want, uefi.BSAllocatePages, c.how, c.kind, c.pages, at)
	}
	// Memory cannot be made accepted by freeing it.
	m.wants(uefi.NotFound, uefi.BSFreePages, 255<<20, 1)
	m.wants(uefi.NotFound, uefi.BSFreePages, 0xA_0000, 1)
	m.wants(uefi.InvalidParameter, uefi.BSFreePages, 0x1001, 1)
	m.wants(uefi.InvalidParameter, uefi.BSFreePages, 0x1000, 0)
	m.wants(uefi.NotFound, uefi.BSFreePages, 0x1000, 1<<52)
}

// A caller whose buffer is one descriptor short is told the size that all need, those of type 15 included (edk2
// f80a406aa9), and its buffer is not touched.
func TestGetMemoryMapSizes(t *testing.T) {
	m := newMachine(t, func(c *Config) {
		c.TotalMemory, c.Unaccepted, c.Misalign = 4<<30, true, true
	})
	list, _ := m.memoryMap()
	kinds := map[uefi.MemoryType]int{}
	for _, d := range list {
		kinds[d.Type]++
	}
	if kinds[uefi.UnacceptedMemory] != 4 {
		t.Errorf("%d unaccepted descriptors, want 4", kinds[uefi.UnacceptedMemory])
	}
	args := m.room(4)
	buffer := m.alloc(slices.Repeat([]byte{0xAA}, len(list)*descriptorSize+512))
	list, key := m.memoryMap()
	full := uint64(len(list)) * descriptorSize
	for _, c := range []struct {
		size uint64
		want uefi.Status
	}{
		{0, uefi.BufferTooSmall}, {full - 1, uefi.BufferTooSmall}, {full - descriptorSize, uefi.BufferTooSmall},
		{full, uefi.Success}, {full + 100, uefi.Success},
	} {
		m.poke(args, make([]byte, 32))
		m.putWord(args, c.size)
		m.wants(c.want, uefi.BSGetMemoryMap, args, buffer, args+8, args+16, args+24)
		if m.word(args) != full || m.word(args+16) != descriptorSize || m.word(args+24) != uefi.MemoryDescriptorVersion {
			t.Errorf("size %d: told %d bytes of %d each, version %d", c.size, m.word(args), m.word(args+16), m.word(args+24))
		}
		switch {
		case c.want == uefi.BufferTooSmall && m.word(buffer) != 0xAAAA_AAAA_AAAA_AAAA:
			t.Errorf("size %d: the buffer was written to", c.size)
		case c.want == uefi.Success && m.word(args+8) != key:
			t.Errorf("the key is %#x, was %#x, and nothing has changed", m.word(args+8), key)
		}
	}
	if m.word(buffer+full) != 0xAAAA_AAAA_AAAA_AAAA {
		t.Error("written after the end of the map")
	}
	m.putWord(args, full)
	m.wants(uefi.InvalidParameter, uefi.BSGetMemoryMap, 0, buffer, args+8, args+16, args+24)
	m.wants(uefi.InvalidParameter, uefi.BSGetMemoryMap, args, 0, args+8, args+16, args+24)
	m.wants(uefi.InvalidParameter, uefi.BSGetMemoryMap, args, buffer, 0, args+16, args+24)
}

// Memory comes from below 4 GiB as long as there is some, and then from above.
func TestAllocationPrefersLowMemory(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.TotalMemory = 3 * gib })
	at := m.room(1)
	take := func(pages uint64) uint64 {
		m.wants(uefi.Success, uefi.BSAllocatePages, uefi.AllocateAnyPages, uint64(uefi.LoaderData), pages, at)
		return m.word(at)
	}
	if got := take(256 * mib / pageSize); got >= physical.HighStart {
		t.Errorf("the first 256 MiB are at %#x", got)
	}
	take(gib / pageSize)
	if got := take(gib / pageSize); got != physical.HighStart {
		t.Errorf("a GiB that does not fit below is at %#x", got)
	}
}
