package scenario

import (
	"fmt"
	"regexp"
	"strconv"

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

// crosses says whether a table at an address, of a header and a bit for each 2 MiB from what firmware has accepted up to the top,
// has its end in a page that its size, rounded up to pages from the start of its first page, does not reach.
func crosses(table, memory uint64) bool {
	const (
		page, header  = 4096, 32
		unit          = 8 * (2 << 20)
		low, fourGiB  = 2 << 30, 4 << 30 // the two ends of the hole below 4 GiB
		firmwareTakes = 256 << 20
	)
	top := memory - low + fourGiB
	size := header + (top-firmwareTakes+unit-1)/unit
	reserved := table&^(page-1) + (size+page-1)&^(page-1)
	return table+size > reserved
}

func ofSizes() []*Scenario {
	return []*Scenario{
		{
			Name:     "canonical/tdx#421",
			Long:     true,
			Known:    NotReproduced,
			What:     "TDs of certain sizes above 60 GiB panic in _find_next_bit: the end of the table of unaccepted memory is not reserved",
			Source:   "https://github.com/canonical/tdx/issues/421",
			Expected: "with 63008 MiB the table ends in a page that a kernel with the mistake does not reserve (Linux, drivers/firmware/efi/efi.c, reserve_unaccepted), and it panics; one with the correction of February 2026, as Debian's 6.12.118, boots",
			Needs:    []string{"trixie-cloud"},
			boots:    []boot{{"63008 MiB", packaged("trixie-cloud", vm.Config{Platform: vm.TDX, Memory: 63008 << 20})}},
			idle: func(b []Boot) string {
				if table := tableOf(b[0]); !crosses(table, b[0].Record.MemoryBytes) {
					return fmt.Sprintf("the table at %#x does not end where it would matter", table)
				}
				return ""
			},
			judge: func(b []Boot) (string, bool) {
				return fmt.Sprintf("the table at %#x ends in such a page, and the kernel ends with %s", tableOf(b[0]), ended(b[0])), b[0].Record.Outcome == record.GuestPanic
			},
		},
	}
}
