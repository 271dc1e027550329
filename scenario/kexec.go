package scenario

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A kernel that starts another one, which finds memory as the first has left it. tacit's init does it where its initramfs has a
// directory next (guest/init/next.go).

// another is a machine whose kernel starts a second one of the same package: in its place, or after it has crashed.
func another(c vm.Config, name string) func(*shelf) (vm.Config, error) {
	return func(s *shelf) (_ vm.Config, err error) {
		c := c
		if c.Image, err = s.kernel(name); err != nil {
			return c, err
		}
		second, err := initrd()
		if err != nil {
			return c, err
		}
		c.Initrd, err = initrd(
			image.File{Name: "next", Mode: fs.ModeDir | 0o755},
			image.File{Name: "next/vmlinuz", Mode: 0o644, Data: c.Image.Data},
			image.File{Name: "next/initrd", Mode: 0o644, Data: second},
			image.File{Name: "next/cmdline", Mode: 0o644, Data: []byte(consoles)},
		)
		return c, err
	}
}

// begun is how many kernels have begun.
func begun(b Boot) int { return strings.Count(b.Console, "] Linux version ") }

// second says what came of the second kernel.
func second(b Boot) string { return fmt.Sprintf("%d kernels began, %s", begun(b), ended(b)) }

// cameUp says whether the second kernel came to its init, which switched the machine off.
func cameUp(b Boot) bool { return begun(b) == 2 && b.Record.Outcome == record.PowerOff }

// A dump is what the second kernel has read of the crashed one's memory, as its init says it (guest/init/core.go).
type dump struct {
	mib    uint64
	zeros  uint64 // MiB of pages of zeros
	marked int    // pages that the first kernel's init has filled with what only they have, found whole
}

// marked is how many pages it fills.
const marked = 256

// dumped is that; nothing where the second kernel has not come so far.
func dumped(b Boot) (d dump) {
	_, after, _ := strings.Cut(b.Console, "tacit: vmcore read, MiB: ")
	if _, err := fmt.Sscanf(after, "%d, zeros: %d, marked pages: %d", &d.mib, &d.zeros, &d.marked); err != nil {
		return dump{}
	}
	return d
}

// whole says whether a dump has all memory but the second kernel's own: what was written is there, and what was never accepted
// is zeros. How many of the latter are in the second kernel's own memory is not known.
func (d dump) whole(memory, own, unaccepted uint64) bool {
	const lost = 64 // MiB, that neither kernel has: firmware's, and holes
	return d.mib+own+lost >= memory && d.marked == marked && d.zeros+own >= unaccepted
}

func ofKexec() []*Scenario {
	return []*Scenario{
		{
			Name:     "canonical/tdx#204",
			Long:     true,
			What:     "kexec -e freezes a TD",
			Source:   "https://github.com/canonical/tdx/issues/204",
			Expected: "no second kernel before Linux 6.11, which makes shared memory private again before it jumps (arch/x86/coco/tdx/tdx.c, tdx_kexec_finish); with it one comes up",
			Known:    NotReproduced,
			Needs:    []string{"trixie-cloud"},
			boots:    []boot{{"kexec", another(vm.Config{Platform: vm.TDX}, "trixie-cloud")}},
			judge:    func(b []Boot) (string, bool) { return second(b[0]), !cameUp(b[0]) },
		},
		{
			Name:     "kexec-on-snp",
			Long:     true,
			What:     "a second kernel finds memory that the first has left shared, and an SEV-SNP guest dies of it",
			Source:   "https://git.kernel.org/torvalds/c/3074152e56c9b",
			Expected: "it does in Linux 6.12: what makes shared memory private again before the jump (snp_kexec_finish) came with 6.13",
			Needs:    []string{"trixie-cloud"},
			boots:    []boot{{"kexec", another(vm.Config{Platform: vm.SNP}, "trixie-cloud")}},
			judge: func(b []Boot) (string, bool) {
				return second(b[0]), begun(b[0]) >= 1 && strings.Contains(b[0].Console, "tacit: starting the next kernel") && !cameUp(b[0])
			},
		},
		{
			Name:     "kdump",
			Long:     true,
			What:     "a kernel that is started after a crash reads all of the crashed one's memory, of which some was never accepted",
			Source:   "https://docs.kernel.org/admin-guide/kdump/kdump.html",
			Expected: "the second kernel reads it all, more than the first had accepted: what was not accepted is read as zeros (Linux, drivers/firmware/efi/unaccepted_memory.c, its callback for vmcore)",
			Known:    NotReproduced,
			Needs:    []string{"trixie-cloud"},
			boots: []boot{
				{"tdx", another(vm.Config{Platform: vm.TDX, Memory: 2 << 30, Append: "crashkernel=512M tacit.crash"}, "trixie-cloud")},
			},
			judge: func(b []Boot) (string, bool) {
				d, left := dumped(b[0]), unaccepted(b[0])
				seen := fmt.Sprintf("%s, %d MiB read, of which %d are zeros and %d of %d marked pages are whole; %s not accepted", second(b[0]), d.mib, d.zeros, d.marked, marked, record.FormatBytes(left))
				return seen, !d.whole(b[0].Record.MemoryBytes>>20, 512, left>>20)
			},
		},
	}
}
