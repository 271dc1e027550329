package vm_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// Processors in real mode take what they are sent by each way of naming them, in whatever order they take
// turns, under each engine, and in a machine that was saved meanwhile; and an end is found where none can go on.
func TestInterruptsBetweenProcessors(t *testing.T) {
	for _, c := range []struct {
		program string
		outcome record.Outcome
		says    string
	}{
		{"kinds", record.PowerOff, `started 10111
more start-up interrupts 10111
all others 10111
a cluster 10222
one 10232
none 10232
one of the others 10332
one of two 10342
NMI 10111
mine 0
all 10453
mine 2
not this 10553
mine 2
INIT to itself 10112
not then 10553
again 10554
leaks 0
`},
		{"resets", record.Reset, ""},
		{"sleeps", record.Halted, "asleep\n"},
	} {
		for _, schedule := range vm.SchedulePolicies {
			t.Run(c.program+"/"+schedule, func(t *testing.T) {
				t.Parallel()
				cfg := vm.Config{
					Platform: vm.None, CPUs: 4, Memory: 256 * mib, MaxVirtual: time.Second, Schedule: schedule, Engine: vm.Interpreter,
					Image: programIn(t, "ipis.c", c.program),
				}
				want := uninterrupted(t, cfg)
				var r record.Record
				if err := json.Unmarshal(want.record, &r); err != nil {
					t.Fatal(err)
				}
				if r.Outcome != c.outcome {
					t.Errorf("outcome %s: %+v", r.Outcome, r.Diagnosis)
				}
				if said := strings.ReplaceAll(want.console.String(), "\r", ""); said != c.says {
					t.Errorf("it says\n%s", said)
				}
				for _, way := range ways(1) {
					want.same(t, uninterrupted(t, way.of(cfg)))
				}
				want.same(t, resumed(t, cfg, somePlaces(t, *resumes/2, want.instructions)))
			})
		}
	}
}
