package scenario

import (
	"fmt"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// What kernels do with memory that is not accepted, by words of their command line or by how much of it there is.

func ofKernels() []*Scenario {
	return []*Scenario{
		{
			Name:     "add_efi_memmap",
			What:     "the kernel's parameter add_efi_memmap takes unaccepted memory away",
			Source:   "https://docs.kernel.org/admin-guide/kernel-parameters.html",
			Expected: "what was unaccepted is reserved: the parameter adds firmware's map to the stub's, type 15 as one that is not known (Linux, arch/x86/platform/efi/efi.c, do_add_efi_memmap), and reserved wins over usable; without the parameter nothing is lost",
			Needs:    []string{"trixie-cloud"},
			boots: []boot{
				{"add_efi_memmap", packaged("trixie-cloud", vm.Config{Platform: vm.TDX, Append: "add_efi_memmap"})},
				{"without", packaged("trixie-cloud", vm.Config{Platform: vm.TDX})},
			},
			judge: func(b []Boot) (string, bool) {
				return fmt.Sprintf("with it: %s; without: %s", told(b[0]), told(b[1])), total(b[0]) < b[0].Record.MemoryBytes/2 && total(b[1]) > b[1].Record.MemoryBytes/2
			},
		},
		{
			Name:     "memtest=",
			What:     "the kernel's parameter memtest= writes to memory that it has not accepted",
			Source:   "https://docs.kernel.org/admin-guide/kernel-parameters.html",
			Expected: "the guest dies in early_memtest (Linux, mm/memtest.c, tests what memblock calls free, and accepts none of it)",
			Needs:    []string{"trixie-generic"},
			boots: []boot{
				{"tdx", packaged("trixie-generic", vm.Config{Platform: vm.TDX, Append: "memtest=1"})},
				{"snp", packaged("trixie-generic", vm.Config{Platform: vm.SNP, Append: "memtest=1"})},
			},
			judge: func(b []Boot) (string, bool) {
				return fmt.Sprintf("tdx: %s; snp: %s", ended(b[0]), ended(b[1])), b[0].Record.Outcome == record.Violation && b[1].Record.Outcome == record.Violation
			},
		},
	}
}

// total is how much memory the kernel says that it has; 0 where it did not come so far.
func total(b Boot) uint64 {
	if m := b.Record.Guest.MemInfo; m != nil {
		return m.MemTotal
	}
	return 0
}

// unaccepted is how much memory was not accepted at the end.
func unaccepted(b Boot) uint64 {
	if n := b.Record.Acceptance.UnacceptedAtEnd; n != nil {
		return *n
	}
	return 0
}
