package record

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/physical"
)

func TestAsked(t *testing.T) {
	for stack, want := range map[string]string{
		"__tdcall+0x1e accept_memory+0x1ad memblock_alloc_range_nid+0x165 swiotlb_init_remap+0xcb mem_init+0x14 mm_core_init+0xb5 start_kernel+0x51b": "swiotlb_init_remap ← mem_init ← mm_core_init",
		"github.com/tacit-vm/tacit/accept/tdx.tdcall+0x44 github.com/tacit-vm/tacit/guest/kernel.serveTrap+0x1f main.hold+0xc6 main.main+0x1":         "main.hold ← main.main",
		"accept_memory+0x1 __accept_page+0x2": "__accept_page", "f+0x1 f+0x2 g+0x3": "f ← g", "0xffff": "0xffff", "other": "other",
	} {
		if got := Stack(strings.Fields(stack)).Asked(); got != want {
			t.Errorf("%s: asked for by %q, want %q", stack, got, want)
		}
	}
}

// However many stacks a guest makes, the log tells only so many apart, and loses nothing.
func TestStacksAreBounded(t *testing.T) {
	l := NewLog(nil)
	var at uint64
	l.FindStacks(Stacks{Addresses: func() []uint64 { at++; return []uint64{at} }, Name: func(a uint64) string { return Address(a).String() }})
	for range 2 * maxStacks {
		l.Accept(Accepted{By: Running, Bytes: 4096, Size: physical.Size4K, NS: 3})
	}
	l.Accept(Accepted{By: Firmware, Bytes: 4096, Size: physical.Size4K})
	callers := l.Record().Acceptance.Callers
	var sum Count
	for _, c := range callers {
		sum.add(c.Bytes, c.Operations)
	}
	if len(callers) != maxStacks+1 || sum.Operations != 2*maxStacks || callers[0].Stack[0] != "other" || callers[0].VirtualNS != 3*maxStacks {
		t.Errorf("%d callers of %d operations, first %+v", len(callers), sum.Operations, callers[0])
	}
}
