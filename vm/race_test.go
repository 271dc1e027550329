package vm_test

import (
	"context"
	"flag"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

var raceSeeds = flag.Uint64("race-seeds", 2, "with how many seeds TestAdversarialFindsRaces looks for races where there are none")

// Where two processors accept memory without a lock, the adversarial schedule finds it within a hundred seeds, and the seed
// repeats it; where they claim what they accept, it finds nothing.
func TestAdversarialFindsRaces(t *testing.T) {
	t.Parallel()
	const seeds = 100
	racing, claiming := programIn(t, "race.c", "races"), programIn(t, "race.c", "claims")
	for _, platform := range vm.ConfidentialPlatforms() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			cfg := vm.Config{Platform: platform, CPUs: 2, Memory: 2 * gib, FirmwareAccepts: 64 * mib, Schedule: "adversarial", FirmwarePolicy: "lazy", MaxInstructions: 500_000_000, Image: racing}
			found := false
			for cfg.ScheduleSeed = 1; cfg.ScheduleSeed <= seeds && !found; cfg.ScheduleSeed++ {
				r := ran(t, cfg)
				if found = r.Outcome == record.GuestPanic; !found {
					continue
				}
				t.Logf("found with seed %d", cfg.ScheduleSeed)
				for _, engine := range vm.Engines {
					if engine == vm.Lockstep {
						continue
					}
					again := cfg
					again.Engine = engine
					if a := ran(t, again); a.Outcome != r.Outcome || a.Instructions != r.Instructions || a.VirtualNS != r.VirtualNS {
						t.Errorf("%s: with seed %d it ends as %s after %d instructions, and as %s after %d before", engine, cfg.ScheduleSeed, a.Outcome, a.Instructions, r.Outcome, r.Instructions)
					}
				}
			}
			if !found {
				t.Errorf("not found with %d seeds", seeds)
			}
			cfg.Image = claiming
			for cfg.ScheduleSeed = 1; cfg.ScheduleSeed <= *raceSeeds; cfg.ScheduleSeed++ {
				if r := ran(t, cfg); r.Outcome != record.PowerOff {
					t.Fatalf("with claims, and seed %d: %s, %+v", cfg.ScheduleSeed, r.Outcome, r.Diagnosis)
				}
			}
		})
	}
}

func ran(t *testing.T, cfg vm.Config) *record.Record {
	t.Helper()
	r, err := vm.Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
