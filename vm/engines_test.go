package vm_test

import (
	"bytes"
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

// A way is how a run can be executed. It must not matter.
type way struct {
	engine        string
	blocks, after int // Config.BlockLimit and Config.TranslateAfter
}

// ways returns the ways that this host has: the interpreter with blocks of these lengths, and the translator, which
// translates each block before it is entered first, or those that it finds hot.
func ways(blocks ...int) (all []way) {
	for _, n := range blocks {
		all = append(all, way{vm.Interpreter, n, 0})
	}
	if x86.TranslatorAvailable() == nil {
		all = append(all, way{vm.Translator, 0, 1}, way{vm.Translator, 0, 0}, way{vm.Translator, 3, 1})
	}
	return all
}

// engines returns the names of those that this host has.
func engines() []string {
	if x86.TranslatorAvailable() != nil {
		return []string{vm.Interpreter}
	}
	return []string{vm.Interpreter, vm.Translator}
}

// of returns a configuration to be run in this way.
func (w way) of(cfg vm.Config) vm.Config {
	cfg.Engine, cfg.BlockLimit, cfg.TranslateAfter = w.engine, w.blocks, w.after
	return cfg
}

func (w way) String() string {
	return fmt.Sprintf("%s, blocks of %d, translated after %d", w.engine, w.blocks, w.after)
}

// others returns the ways in which a run is repeated whose first one was the interpreter's own: where the host has no
// translator, with other blocks.
func others() []way {
	if all := ways(); len(all) > 0 {
		return all[:2]
	}
	return ways(7)
}

// Records and consoles are the same under each engine, whatever the configuration.
func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	line := "hold=64M"
	for name, cfg := range map[string]vm.Config{
		"a kernel as a TD":               {Image: debian13(t), Callers: true},
		"as an SEV-SNP guest":            {Platform: vm.SNP, Image: debian13(t), HostPage: 4 << 10, Memory: gib},
		"as neither":                     {Platform: vm.None, Image: debian12(t), Memory: gib},
		"6.1 as an SEV-SNP guest":        {Platform: vm.SNP, Image: debian12(t), Memory: gib},
		"6.1, which is no TDX guest":     {Image: debian12(t), Memory: gib},
		"the guest in Go, misaligned":    {Memory: gib, CommandLine: &line, Misalign: true, HostPage: 4 << 10},
		"… attacked":                     {Memory: gib, CommandLine: &line, HostAttack: "drop:3"},
		"… attacked as an SEV-SNP guest": {Platform: vm.SNP, Memory: gib, CommandLine: &line, HostAttack: "replay:2"},
		"… lied to":                      {Memory: gib, CommandLine: &line, FirmwareLie: "accepted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Engine = vm.Interpreter
			want := boot(t, cfg)
			for _, w := range others() {
				if got := boot(t, w.of(cfg)); !bytes.Equal(got.bytes(t), want.bytes(t)) {
					t.Errorf("%v: %s", w, firstDifference(jsonOf(t, want)+want.console, jsonOf(t, got)+got.console))
				}
			}
		})
	}
}

// A machine that was saved under one engine goes on under the other: at places that a seed chooses, in turn.
func TestResumeUnderAnotherEngine(t *testing.T) {
	t.Parallel()
	line := "hold=64M"
	for name, cfg := range map[string]vm.Config{
		vm.TDX: {CommandLine: &line, Memory: gib, Callers: true}, vm.SNP: {Platform: vm.SNP, CommandLine: &line, Memory: gib},
		vm.None: {Platform: vm.None, CommandLine: &line, Memory: gib}, "kernel": {Image: debian13(t), Memory: gib},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Engine = vm.Interpreter
			want := uninterrupted(t, cfg)
			n := *resumes / 3
			want.same(t, resumedIn(t, cfg, append(ways(0), others()...), somePlaces(t, n, want.instructions)))
		})
	}
}

var (
	lockstepFirst = flag.Int("lockstep-first", -1, "boot one of TestLockstepKernels to its end, by its number, and no other")
	lockstepStop  = flag.Uint64("lockstep-instructions", 20_000_000, "how far TestLockstepKernels boots otherwise")
)

// Stock kernels in lock-step: as far as the time of an ordinary test run reaches. scripts/soak lockstep boots them to their
// end, and 7.3 with them, which an ordinary run does not have. What is compared less often comes first, since it takes less.
func TestLockstepKernels(t *testing.T) {
	t.Parallel()
	type row struct {
		release, platform string
		cpus              int
		every             uint64
	}
	var rows []row
	for _, every := range []uint64{997, 0} {
		for _, release := range []string{"6.1", "6.12", "7.3"} {
			for _, platform := range vm.PlatformNames() {
				rows = append(rows, row{release, platform, 1, every})
			}
		}
		rows = append(rows, row{"6.12", vm.TDX, 4, every})
	}
	for number, r := range rows {
		if *lockstepFirst >= 0 && number != *lockstepFirst || *lockstepFirst < 0 && r.release == "7.3" {
			continue
		}
		name := fmt.Sprintf("%s as %s with processors: %d, compared every %d instructions (0: every block)", r.release, r.platform, r.cpus, r.every)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := map[string]func(testing.TB) *image.Image{"6.1": debian12, "6.12": debian13, "7.3": debianBackports}[r.release]
			cfg := vm.Config{Platform: r.platform, CPUs: r.cpus, Image: open(t), LockstepEvery: r.every, MaxInstructions: *lockstepStop}
			if *lockstepFirst >= 0 {
				cfg.MaxInstructions = 0
			}
			againstInterpreter(t, &cfg)
			b := boot(t, cfg)
			t.Logf("ended with: %s: %s after %d instructions", name, b.Outcome, b.Instructions)
		})
	}
}
