package scenario

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// What depends on how much memory there is.

// tableAt is where the kernel's EFI stub has put the table of unaccepted memory, as the kernel says it.
var tableAt = regexp.MustCompile(`Unaccepted=0x([0-9a-f]+)`)

// tableOf is where that is; 0 where the kernel has not said so.
func tableOf(b Boot) uint64 {
	m := tableAt.FindStringSubmatch(b.Console)
	if m == nil {
		return 0
	}
	at, err := strconv.ParseUint(m[1], 16, 64)
	if err != nil {
		return 0 // more digits than an address has
	}
	return at
}

const fourGiB = 4 << 30

// crosses says whether a table at an address, of a header and a bit for each 2 MiB from the lowest that firmware has not accepted
// up to the top, has its end in a page that its size, rounded up to pages from the start of its first page, does not reach.
func crosses(table, memory, lowest uint64) bool {
	const (
		page, header = 4096, 32
		unit         = 8 * (2 << 20)
		low          = 2 << 30 // below the hole that ends at 4 GiB
	)
	top := memory - low + fourGiB
	size := header + (top-lowest+unit-1)/unit
	reserved := table&^(page-1) + (size+page-1)&^(page-1)
	return table+size > reserved
}

func ofSizes() []*Scenario {
	sized := func(kernel string) boot {
		return boot{kernel, packaged(kernel, vm.Config{Platform: vm.TDX, FirmwarePolicy: "upstream", Memory: 67000 << 20})}
	}
	return []*Scenario{
		{
			Name:     "canonical/tdx#421",
			Long:     true,
			Known:    NotReproduced,
			What:     "TDs of certain sizes above 60 GiB panic in _find_next_bit: the end of the table of unaccepted memory is not reserved",
			Source:   "https://github.com/canonical/tdx/issues/421",
			Expected: "with 67000 MiB, as in the thread, the table ends in a page that a kernel with the mistake does not reserve, and it panics (Linux, drivers/firmware/efi/efi.c: reserve_unaccepted rounds the table's size up to pages and not its end, since commit 8dbe33956d96 of 2023); one with commit 0862438c9048 of February 2026, or its backport, boots",
			Needs:    []string{"trixie-cloud", "backports-cloud"},
			boots:    []boot{sized("trixie-cloud"), sized("backports-cloud")},
			idle: func(boots []Boot) string {
				for _, b := range boots {
					if table := tableOf(b); !crosses(table, b.Record.MemoryBytes, fourGiB) {
						return fmt.Sprintf("%s: the table at %#x does not end where it would matter", b.Label, table)
					}
				}
				return ""
			},
			judge: func(boots []Boot) (string, bool) {
				var seen []string
				panics := false
				for _, b := range boots {
					seen = append(seen, fmt.Sprintf("%s: the table at %#x ends in such a page, and the kernel ends with %s", b.Label, tableOf(b), ended(b)))
					panics = panics || b.Record.Outcome == record.GuestPanic
				}
				return strings.Join(seen, "; "), panics
			},
		},
	}
}
