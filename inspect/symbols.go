package inspect

import (
	"fmt"

	"github.com/tacit-vm/tacit/image"
)

// functions of Linux that exist where something is supported (arch/x86/coco/tdx/tdx.c, arch/x86/coco/sev/core.c,
// drivers/firmware/efi/unaccepted_memory.c). Their names are compared whole: MPTCP has functions with "unaccepted" in
// their names.
var functions = map[question][]string{
	guestTDX:   {"tdx_early_init"},
	acceptsTDX: {"tdx_accept_memory", "accept_memory"},
	guestSNP:   {"snp_set_memory_private"},
	acceptsSNP: {"snp_accept_memory", "accept_memory"},
	acceptsAny: {"accept_memory", "range_contains_unaccepted_memory"},
}

// readSymbols answers from the names of the unpacked kernel's functions.
func readSymbols(names *image.Symbols) map[question][]Evidence {
	found := map[question][]Evidence{}
	for q, all := range functions {
		var missing string
		var address uint64
		for _, name := range all {
			a, ok := names.Address(name)
			if !ok {
				missing = name
				break
			}
			if address == 0 {
				address = a
			}
		}
		says, what := Yes, fmt.Sprintf("function %s in the unpacked kernel, at address %#x", all[0], address)
		if missing != "" {
			says, what = No, fmt.Sprintf("no function %s in the unpacked kernel", missing)
		}
		found[q] = []Evidence{evidence(Symbols, says, what)}
	}
	return found
}
