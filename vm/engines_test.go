package vm_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/vm"
)

// againstInterpreter makes cfg a machine in lock-step: with the translator, which translates each block before it is
// entered first. Where the host has none, the interpreter with blocks of one instruction takes its place.
func againstInterpreter(t testing.TB, cfg *vm.Config) {
	t.Helper()
	if err := x86.TranslatorAvailable(); err != nil {
		t.Logf("blocks of one instruction instead of a translator: %v", err)
		cfg.AgainstInterpreter(1, nil)
		return
	}
	cfg.Engine, cfg.TranslateAfter = vm.Lockstep, 1
}

var (
	lockstepFirst = flag.Int("lockstep-first", -1, "boot one of TestLockstepKernels to its end, by its number, and no other")
	lockstepStop  = flag.Uint64("lockstep-instructions", 20_000_000, "how far TestLockstepKernels boots otherwise")
)

// Stock kernels in lock-step: as far as the time of an ordinary test run reaches. scripts/soak lockstep boots them to their
// end.
func TestLockstepKernels(t *testing.T) {
	t.Parallel()
	n := 0
	for _, every := range []uint64{0, 997} {
		for _, release := range []string{"6.1", "6.12"} {
			for _, platform := range vm.PlatformNames() {
				number := n
				n++
				if *lockstepFirst >= 0 && number != *lockstepFirst {
					continue
				}
				open := map[string]func(testing.TB) *image.Image{"6.1": debian12, "6.12": debian13}[release]
				t.Run(fmt.Sprintf("%s/%s/%d", release, platform, every), func(t *testing.T) {
					t.Parallel()
					cfg := vm.Config{Platform: platform, Image: open(t), LockstepEvery: every, MaxInstructions: *lockstepStop}
					if *lockstepFirst >= 0 {
						cfg.MaxInstructions = 0
					}
					againstInterpreter(t, &cfg)
					b := boot(t, cfg)
					t.Logf("ended with: %s after %d instructions", b.Outcome, b.Instructions)
				})
			}
		}
	}
}
