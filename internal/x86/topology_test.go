package x86

import (
	"strings"
	"testing"
)

// How Linux finds out what a processor is part of, from leaf 0xB or else from 1 and 4 (arch/x86/kernel/cpu/topology_ext.c,
// topology_common.c): both ways have to lead to the same package, and the first to the same core.
func TestTopologyByCPUID(t *testing.T) {
	for _, top := range []Topology{Flat(1), Flat(8), Flat(64), {2, 4, 2, 2}, {2, 3, 1, 1}, {3, 5, 2, 3}, {1, 1, 2, 1}} {
		if err := top.Check(); err != nil {
			t.Fatal(err)
		}
		smt, core := top.Level(0), top.Level(1)
		one, four := top.Features(1, 0), top.Features(4, 0)
		if top.Level(2)[2]>>8 != 0 {
			t.Errorf("%v: there is a third level", top)
		}
		if got := order(int(one[1] >> 16 & 0xFF)); uint32(got) > core[0] || one[3]&htt != 0 != (top.Cores*top.Threads > 1) {
			t.Errorf("%v: leaf 1 numbers %d bits, leaf 0xB %d", top, got, core[0])
		}
		if got := order(int(four[0]>>26 + 1)); uint32(got) != core[0]-smt[0] {
			t.Errorf("%v: leaf 4 numbers %d bits of cores, leaf 0xB %d", top, got, core[0]-smt[0])
		}
		seen := map[uint32]bool{}
		for i := range top.CPUs() {
			var v [4]uint32
			top.Place(&v, 0xB, i)
			id := v[3]
			back, ok := top.Index(id)
			if seen[id] || !ok || back != i {
				t.Errorf("%v: processor %d has APIC ID %d, which is %d's, %v", top, i, id, back, ok)
			}
			seen[id] = true
			if int(id>>core[0]) != i/top.Threads/top.Cores || int(id>>smt[0]&(1<<(core[0]-smt[0])-1)) != i/top.Threads%top.Cores {
				t.Errorf("%v: APIC ID %#x leads to another core than that of processor %d", top, id, i)
			}
			if top.Node(i) != i/top.Threads/top.Cores/(top.Sockets/top.Nodes) {
				t.Errorf("%v: processor %d is on node %d", top, i, top.Node(i))
			}
		}
		for id := range uint32(256) {
			if _, ok := top.Index(id); ok != seen[id] {
				t.Errorf("%v: APIC ID %d: %v", top, id, ok)
			}
		}
	}
}

func TestTopologiesThatCannotBe(t *testing.T) {
	for top, want := range map[Topology]string{
		{1, 0, 1, 1}:             "want 1 to 256 of each",
		Flat(256):                "extended destination IDs",
		{2, 65, 2, 1}:            "has APIC ID 385",
		{2, 2, 1, 3}:             "cannot be divided among 3 nodes",
		{1 << 40, 1 << 40, 1, 1}: "want 1 to 256",
	} {
		if err := top.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", top, err)
		}
	}
}
