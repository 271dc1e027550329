package hunt_test

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/compare/hunt"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// config is a hunt with one of the programs of vm/testdata/race.c, on two processors.
func config(t *testing.T, program string, seeds int) hunt.Config {
	t.Helper()
	img, err := image.Parse(program+".efi", imagetest.Program(t, "../../vm/testdata/race.c", program))
	if err != nil {
		t.Fatal(err)
	}
	return hunt.Config{Seeds: seeds, Machine: vm.Config{
		Platform: vm.TDX, CPUs: 2, Memory: 2 << 30, FirmwareAccepts: 64 << 20, FirmwarePolicy: "lazy", Image: img, Schedule: "adversarial", ScheduleSeed: 1,
	}}
}

func run(t *testing.T, cfg hunt.Config) *hunt.Result {
	t.Helper()
	r, err := hunt.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A planted race is found, and the seed repeats it.
func TestFindsRace(t *testing.T) {
	t.Parallel()
	cfg := config(t, "notes", 100)
	cfg.Workers = 1
	r := run(t, cfg)
	if r.Found == nil || r.Found.Seed == nil || r.Found.Record.Outcome != record.GuestPanic || r.Control.Outcome != record.PowerOff || !r.Complete() || r.Next != *r.Found.Seed {
		t.Fatalf("%+v", r)
	}
	m := cfg.Machine
	m.ScheduleSeed = *r.Found.Seed
	alone, err := vm.Run(t.Context(), m)
	if err != nil || alone.Outcome != r.Found.Record.Outcome || alone.Instructions != r.Found.Record.Instructions {
		t.Errorf("seed %d does not repeat it: %v, %+v", m.ScheduleSeed, err, alone)
	}
}

// Where pages are claimed, no seed is accused, and all are told of.
func TestFindsNothing(t *testing.T) {
	t.Parallel()
	cfg := config(t, "claims", 3)
	var told []string
	cfg.Progress = func(done int, b *hunt.Boot) { told = append(told, b.Order()+" "+b.Outcome) }
	cfg.Workers = 1
	r := run(t, cfg)
	if r.Found != nil || !r.Complete() || r.Next != 4 || len(r.Unjudged) > 0 {
		t.Errorf("%+v", r)
	}
	if want := []string{"round-robin poweroff", "seed 1 poweroff", "seed 2 poweroff", "seed 3 poweroff"}; !reflect.DeepEqual(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// Two processors that wait for each other for ever are found by the time they take, which is bounded without a flag; and as the
// lowest of the seeds that show it, however many boots there are at a time.
func TestFindsDeadlock(t *testing.T) {
	t.Parallel()
	cfg := config(t, "locks", 100)
	cfg.Workers = 1
	r := run(t, cfg)
	if r.Found == nil || r.Found.Record.Outcome != record.Limit || r.Control.Outcome != record.PowerOff {
		t.Fatalf("%+v", r)
	}
	if end := r.Found.Record.VirtualNS.Total; end > 10*r.Control.VirtualNS.Total+2e9 {
		t.Errorf("it took %d ns to find, where the plain order takes %d", end, r.Control.VirtualNS.Total)
	}
	cfg.Workers = 3
	if again := run(t, cfg); again.Found == nil || *again.Found.Seed != *r.Found.Seed || again.Next != r.Next {
		t.Errorf("with one boot at a time seed %d is found, and with three: %+v", *r.Found.Seed, again.Found)
	}
}

// What ends badly in the plain order, or not at all, needs no seed; what tacit ends says nothing.
func TestPlainOrder(t *testing.T) {
	t.Parallel()
	cfg := config(t, "races", 5)
	r := run(t, cfg)
	if r.Found == nil || r.Found.Seed != nil || r.Next != 1 {
		t.Errorf("%+v", r)
	}
	cfg.Machine.MaxVirtual = time.Millisecond
	if r := run(t, cfg); r.Found == nil || r.Found.Seed != nil || r.Found.Record.Outcome != record.Limit {
		t.Errorf("%+v", r)
	}
	cfg.Machine.MaxVirtual, cfg.Machine.MaxInstructions = 0, 1000
	if r, err := hunt.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "instructions") {
		t.Errorf("%+v, %v", r, err)
	}
}

// A hunt that is told to end says how far it came.
func TestCancelled(t *testing.T) {
	t.Parallel()
	cfg := config(t, "claims", 1000)
	cfg.Workers = 1
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cfg.Progress = func(_ int, b *hunt.Boot) {
		if b.Seed != nil && *b.Seed == 2 {
			cancel()
		}
	}
	r, err := hunt.Run(ctx, cfg)
	if err != nil || r.Found != nil || r.Complete() || r.Next != 3 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestText(t *testing.T) {
	seed := uint64(7)
	r := hunt.Result{
		Schedule: "random", First: 5, Next: 7, Seeds: 10, Unjudged: []hunt.Unjudged{{6, "memory"}},
		Found: &hunt.Finding{Seed: &seed, Record: &record.Record{Outcome: record.Violation, Diagnosis: &record.Diagnosis{Summary: "it\x1b[2J touched"}}},
		Again: []string{"tacit", "boot", "--append", "it's $HOME", "a.efi"},
	}
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"random        seeds 5 to 6: 1 ended so, of 1 nothing is known\n", "seed 7: violation after", "unjudged      seed 6: memory\n",
		`again         tacit boot --append 'it'\''s $HOME' a.efi` + "\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("want %q in\n%s", want, &b)
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("a guest's words reach the terminal as they are")
	}
}
