package record

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/physical"
)

func TestAsked(t *testing.T) {
	for stack, want := range map[string]string{
		"__tdcall+0x1e|accept_memory+0x1ad|memblock_alloc_range_nid+0x165|swiotlb_init_remap+0xcb|mem_init+0x14|mm_core_init+0xb5|start_kernel+0x51b":                                                                           "mm_core_init → mem_init → swiotlb_init_remap",
		"accept_memory+0x1|__kernfs_new_node+0x5b|kernfs_new_node+0x56|sysfs_add_file_mode_ns+0x72|memory_dev_init+0xf6|driver_init+0x42|kernel_init_freeable+0x155|kernel_init+0x1a|ret_from_fork+0x31|ret_from_fork_asm+0x1a": "driver_init → memory_dev_init → … → __kernfs_new_node",
		"accept_memory+0x1|deferred_init_maxorder+0x1cb|padata_do_multithreaded+0xad|deferred_init_memmap+0x182|kthread+0xcf|ret_from_fork+0x31":                                                                                "deferred_init_memmap → padata_do_multithreaded → deferred_init_maxorder",
		"accept_memory+0x1|pte_alloc_one+0x1a|do_huge_pmd_anonymous_page+0xd5|__handle_mm_fault+0xdfc|exc_page_fault+0x80|asm_exc_page_fault+0x26|process init":                                                                 "page fault of init → do_huge_pmd_anonymous_page → pte_alloc_one",
		"accept_memory+0x1|f+0xc3 [m]|f_init+0x490 [m]|do_one_initcall+0x58|do_init_module+0x60|__x64_sys_finit_module+0x5e|do_syscall_64+0x87|entry_SYSCALL_64_after_hwframe+0x76|process insmod":                              "finit_module of insmod → f_init [m] → f [m]",
		"accept_memory+0x1|irq+0x2|asm_sysvec+0x3|process sh": "sh → asm_sysvec → irq",
		"github.com/tacit-vm/tacit/accept/tdx.tdcall+0x44|github.com/tacit-vm/tacit/guest/kernel.serveTrap+0x1f|main.hold+0xc6|main.main+0x1|runtime.main+0x2": "main.main → main.hold",
		"accept_memory+0x1|__accept_page+0x2": "__accept_page", "f+0x1|f+0x2|g+0x3": "g → f", "0xffff": "0xffff", "other": "other", "process init": "init",
	} {
		if got := Stack(strings.Split(stack, "|")).Asked(); got != want {
			t.Errorf("%s: asked for by %q, want %q", stack, got, want)
		}
	}
	if got := (Stack{}).Asked(); got != "" {
		t.Errorf("without a question: %q", got)
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
