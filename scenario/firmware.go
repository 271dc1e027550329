package scenario

import (
	"fmt"

	"github.com/tacit-vm/tacit/vm"
)

// What firmware does. Mistakes that were in EDK2's own code cannot be had here: firmware is another one, in Go, and stock
// OVMF does not run on this machine.

// packaged is a machine that boots a kernel of a package directly.
func packaged(name string, c vm.Config) func(*shelf) (vm.Config, error) {
	return func(s *shelf) (_ vm.Config, err error) {
		c := c
		c.Image, err = s.kernel(name)
		return c, err
	}
}

func ofFirmware() []*Scenario {
	return []*Scenario{
		{
			Name:     "old-kernel-upstream-tdx",
			What:     "a kernel that does not know unaccepted memory loses all above 4 GiB in a TD under upstream firmware, which does not ask",
			Source:   "https://github.com/tianocore/edk2/tree/master/OvmfPkg/TdxDxe",
			Expected: "the EFI stub tells the kernel of what lies below 4 GiB alone (OvmfPkg/TdxDxe installs no protocol; Linux before 6.5, setup_e820: unknown types are left out); all of it where firmware accepts it. Debian's 6.1 is no TDX guest, so it dies later, of something else",
			Needs:    []string{"bookworm-cloud"},
			boots: []boot{
				{"upstream", packaged("bookworm-cloud", vm.Config{Platform: vm.TDX, FirmwarePolicy: "upstream"})},
				{"eager", packaged("bookworm-cloud", vm.Config{Platform: vm.TDX, FirmwarePolicy: "eager"})},
			},
			judge: func(b []Boot) (string, bool) {
				return fmt.Sprintf("upstream: %s; eager: %s", told(b[0]), told(b[1])), b[0].Record.Path.Kernel != nil && lost(b[0]) && !lost(b[1])
			},
		},
		{
			Name:     "edk2-f80a406aa9",
			What:     "GetMemoryMap writes past the caller's buffer where there is unaccepted memory",
			Source:   "https://github.com/tianocore/edk2/commit/f80a406aa9",
			Expected: "a map larger than GetMemoryMap said that it would be",
			Why: "the mistake was in EDK2's GetMemoryMap, of which firmware here has nothing; it counts unaccepted ranges as it writes them (go test ./internal/firmware -run MemoryMap), " +
				"and OVMF does not run here",
		},
		{
			Name:     "edk2#11525",
			What:     "a TD with an odd number of MiB below 2816 does not boot: its last MiB is never accepted",
			Source:   "https://github.com/tianocore/edk2/pull/11525",
			Expected: "firmware touches memory that it has not accepted",
			Why: "the mistake was in EDK2's acceptance by 2 MiB, before it hands over; memory here comes in multiples of 2 MiB. --misalign has ranges with odd ends handed to the operating system, " +
				"and stock kernels accept those",
		},
		{
			Name:     "edk2#12774",
			What:     "memory for a specific purpose becomes ordinary memory in an SEV-SNP guest",
			Source:   "https://github.com/tianocore/edk2/pull/12774",
			Expected: "the memory map has the range without EFI_MEMORY_SP",
			Why:      "the mistake was in EDK2's PEI, and no machine here has memory for a specific purpose (QEMU's sp-mem)",
		},
	}
}
