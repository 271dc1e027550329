package vm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A stock kernel starts all processors, accepts memory on them, and the books are equal. What it does does not depend on how
// the processors' work is cut: by blocks, or by saving and resuming;
// nor on whether rounds of a loop that changes nothing are executed or counted.
func TestManyProcessors(t *testing.T) {
	const processors = 4
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			cfg := vm.Config{Platform: platform, Memory: gib, CPUs: processors, Image: debian13(t), Callers: true}
			b := boot(t, cfg)
			b.powersOff(t)
			if platform != vm.None {
				b.booksAgree(t)
			}
			if waits := b.Costs.Contention; platform == vm.TDX && len(waits) == 0 || len(b.Costs.Total.Contended) > len(waits) {
				t.Errorf("processors waited for each other %+v, and by processor %+v", b.Costs.Total.Contended, waits)
			}
			if b.Config.CPUs != processors || !strings.Contains(b.console, fmt.Sprintf("smp: Brought up 1 node, %d CPUs", processors)) {
				t.Errorf("%d processors in the record; the console:\n%s", b.Config.CPUs, b.console)
			}
			cfg.Schedule, cfg.ScheduleSeed = "adversarial", 1
			want := uninterrupted(t, cfg)
			if bytes.Equal(want.record, recordOf(t, b)) {
				t.Error("another order of turns, and the same record")
			}
			want.same(t, resumed(t, cfg, somePlaces(t, *resumes/4, want.instructions)))
			cfg.BlockLimit = 3
			cfg.WithoutSpins()
			want.same(t, uninterrupted(t, cfg))
		})
	}
}

func recordOf(t *testing.T, b booted) []byte {
	t.Helper()
	b.Host = record.Host{}
	j, err := json.MarshalIndent(b.Record, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// Where a processor cannot be started, that is said before anything is done.
func TestProcessorsThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		cfg  vm.Config
		want string
	}{
		{vm.Config{CPUs: -1}, "want 1 to 255"},
		{vm.Config{CPUs: 256}, "want 1 to 255"},
	} {
		if err := c.cfg.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d on %q: %v", c.cfg.CPUs, c.cfg.Platform, err)
		}
	}
}

// Processors that nobody starts wait, and a guest that does not know of them is as ever.
func TestProcessorsThatNobodyStarts(t *testing.T) {
	line := "hold=32M"
	b := boot(t, vm.Config{Memory: gib, CPUs: 8, CommandLine: &line})
	if b.Outcome != record.PowerOff {
		t.Errorf("%s: %+v", b.Outcome, b.Diagnosis)
	}
}
