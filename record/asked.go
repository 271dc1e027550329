package record

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Function returns the function of a place in a Stack: the place without the offset. Of "function+0x12 [module]" that
// is "function [module]".
func Function(place string) string {
	i := strings.LastIndex(place, "+0x")
	if i <= 0 {
		return place
	}
	offset := place[i+len("+0x"):]
	return place[:i] + strings.TrimLeft(offset, "0123456789abcdef")
}

// machinery are functions through which every acceptance comes: those that accept, and allocators above them. They say
// nothing about who wanted memory. A name counts if it begins with one of these, or for Go with the package.
var machinery = []string{
	// Linux
	"__tdcall", "try_accept_one", "tdx_accept_memory", "pvalidate", "__pi_pvalidate", "set_pages_state", "snp_accept_memory",
	"arch_accept_memory", "accept_memory", "__accept_page", "accept_page", "try_to_accept_memory", "cond_accept_memory",
	"range_contains_unaccepted_memory", "memblock_alloc", "memblock_phys_alloc", "memblock_free", "get_page_from_freelist", "rmqueue",
	"prep_new_page", "post_alloc_hook", "__alloc_pages", "alloc_pages", "__get_free_pages", "get_free_pages", "get_zeroed_page",
	"folio_alloc", "__folio_alloc", "vma_alloc_folio", "alloc_frozen_pages", "__alloc_frozen_pages", "alloc_slab_page",
	"allocate_slab", "new_slab", "___slab_alloc", "__slab_alloc", "slab_alloc", "refill_objects", "__pcs_replace", "__refill_objects",
	"kmem_cache_alloc", "__kmalloc", "kmalloc", "kzalloc", "kvmalloc", "__kvmalloc", "__vmalloc", "vmalloc", "vzalloc",
	"execmem_alloc", "module_alloc",
	// Go on guest/kernel
	"github.com/tacit-vm/tacit/accept", "github.com/tacit-vm/tacit/guest/kernel.(*kernel).takeMemory",
	"github.com/tacit-vm/tacit/guest/kernel.(*kernel).fault", "github.com/tacit-vm/tacit/guest/kernel.(*kernel).trap",
	"github.com/tacit-vm/tacit/guest/kernel.serveTrap",
}

// scaffolding are the functions that threads begin with, and through which the kernel is entered. They say nothing either.
var scaffolding = []string{
	// Linux
	"common_startup_64", "secondary_startup_64", "x86_64_start_kernel", "x86_64_start_reservations", "start_kernel",
	"ret_from_fork_asm", "ret_from_fork", "kthread", "worker_thread", "process_one_work", "kernel_init", "kernel_init_freeable",
	"do_one_initcall", "do_initcalls", "do_init_module", "init_module_from_file", "idempotent_init_module",
	"entry_SYSCALL_64_after_hwframe", "do_syscall_64", "x64_sys_call", "asm_exc_page_fault", "exc_page_fault", "do_user_addr_fault",
	"handle_mm_fault", "__handle_mm_fault",
	// Go
	"runtime.goexit", "runtime.main",
}

// IsMachinery says whether a place in a Stack is in a function that only hands the wish for memory on: one that accepts, or
// an allocator above it.
func IsMachinery(place string) bool {
	f := Function(place)
	return slices.ContainsFunc(machinery, func(m string) bool { return strings.HasPrefix(f, m) })
}

func isScaffolding(place string) bool { return slices.Contains(scaffolding, Function(place)) }

// Asked returns who asked, in few words and in the order in which they called: which process entered the kernel and how,
// where one did, then the first two functions that say something, and the last.
func (s Stack) Asked() string {
	entry, rest := s.entry()
	last := slices.IndexFunc(rest, func(place string) bool { return !IsMachinery(place) && !isScaffolding(place) })
	if last < 0 {
		last = max(len(rest)-1, 0)
	}
	var names []string
	for _, place := range rest[min(last, len(rest)):] {
		// Of a path to a package its last part is enough.
		name := Function(place)
		name = name[strings.LastIndexByte(name, '/')+1:]
		if len(names) == 0 || !isScaffolding(place) && names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	slices.Reverse(names)
	if len(names) > 3 {
		names = []string{names[0], names[1], "…", names[len(names)-1]}
	}
	if entry != "" {
		names = append([]string{entry}, names...)
	}
	return strings.Join(names, " → ")
}

// entry says how a process has entered the kernel, and returns the stack without that. It is empty where none has.
func (s Stack) entry() (how string, rest Stack) {
	if len(s) == 0 {
		return "", s
	}
	process, entered := strings.CutPrefix(s[len(s)-1], "process ")
	if !entered {
		return "", s
	}
	rest = s[:len(s)-1]
	if len(rest) > 0 && Function(rest[len(rest)-1]) == "asm_exc_page_fault" {
		return "page fault of " + process, rest
	}
	for i, place := range rest {
		if call, is := strings.CutPrefix(Function(place), "__x64_sys_"); is {
			return call + " of " + process, rest[:i]
		}
	}
	return process, rest
}

// An AskedFor is what was accepted for those who asked in the same few words.
type AskedFor struct {
	Asked string // as Stack.Asked has it
	Count
	VirtualNS int64 // that it took
	AfterInit Count // of it, after the first instruction at privilege level 3
	Stack     Stack // for which most of it was accepted
}

// AskedFor returns what was accepted by who asked, most first; nothing where that was not found out.
func (r *Record) AskedFor() []AskedFor {
	var rows []AskedFor
	at := map[string]int{}
	for _, c := range r.Acceptance.Callers { // the largest first
		asked := c.Stack.Asked()
		i, known := at[asked]
		if !known {
			i = len(rows)
			at[asked], rows = i, append(rows, AskedFor{Asked: asked, Stack: c.Stack})
		}
		rows[i].add(c.Bytes, c.Operations)
		rows[i].VirtualNS = addNS(rows[i].VirtualNS, c.VirtualNS)
		if c.AfterInit {
			rows[i].AfterInit.add(c.Bytes, c.Operations)
		}
	}
	slices.SortStableFunc(rows, func(a, b AskedFor) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Asked, b.Asked))
	})
	return rows
}

// askedTable says who in the guest asked for most, where that was found out.
func (r *Record) askedTable(w io.Writer) {
	rows := r.AskedFor()
	if len(rows) == 0 {
		return
	}
	const most = 5
	for i, row := range rows[:min(most, len(rows))] {
		name := ""
		if i == 0 {
			name = "asked for by"
		}
		line(w, name, FormatBytes(row.Bytes), row.Asked)
	}
	if len(rows) > most {
		var rest uint64
		for _, row := range rows[most:] {
			rest += row.Bytes
		}
		line(w, "", FormatBytes(rest), fmt.Sprintf("%d others", len(rows)-most))
	}
	fmt.Fprintln(w)
}
