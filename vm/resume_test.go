package vm_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// How often a run is saved and resumed at places that a seed chooses. scripts/soak resume takes many.
var (
	resumes     = flag.Int("resumes", quickResumes, "how often each run is saved and resumed")
	resumesSeed = flag.Uint64("resumes-seed", 0, "where that is; 0 takes another each time")
)

const quickResumes = 12

// A shown is all that a run shows.
type shown struct {
	console, events, trace bytes.Buffer
	record                 []byte
	instructions           uint64
}

// watch puts what takes all that into a configuration.
func (w *shown) watch(cfg vm.Config) (vm.Config, *record.Lines) {
	lines := record.NewLines(&w.events)
	cfg.Console, cfg.Events = &w.console, lines
	if cfg.Trace != nil {
		trace := *cfg.Trace
		trace.Writer = &w.trace
		cfg.Trace = &trace
	}
	return cfg, lines
}

// ended takes the record.
func (w *shown) ended(t testing.TB, m *vm.Machine, lines *record.Lines) {
	t.Helper()
	r, err := m.Record()
	if err != nil {
		t.Fatal(err)
	}
	r.Host = record.Host{}
	if w.record, err = json.MarshalIndent(r, "", " "); err != nil {
		t.Fatal(err)
	}
	w.instructions = r.Instructions
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
}

// later is the part of a configuration that is about the rest of a run.
func later(cfg vm.Config) vm.Config {
	return vm.Config{Console: cfg.Console, Events: cfg.Events, Trace: cfg.Trace, Symbols: cfg.Symbols, MaxHostMemory: cfg.MaxHostMemory, BlockLimit: cfg.BlockLimit}
}

func newMachine(t testing.TB, cfg vm.Config) *vm.Machine {
	t.Helper()
	m, err := vm.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func run(t testing.TB, m *vm.Machine, until vm.Event) bool {
	t.Helper()
	came, err := m.Run(t.Context(), until)
	if err != nil {
		t.Fatal(err)
	}
	return came
}

func save(t testing.TB, m *vm.Machine) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func load(t testing.TB, saved []byte, cfg vm.Config) *vm.Machine {
	t.Helper()
	m, err := vm.Load(bytes.NewReader(saved), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func uninterrupted(t testing.TB, cfg vm.Config) *shown {
	t.Helper()
	var w shown
	cfg, lines := w.watch(cfg)
	m := newMachine(t, cfg)
	defer m.Close()
	run(t, m, vm.Event{})
	w.ended(t, m, lines)
	return &w
}

// A place is where a run is saved: so many steps of its loop after so many instructions.
type place struct {
	instruction uint64
	steps       int
}

// resumed makes the same run, and saves and resumes it at each place. What is saved is saved again by the machine that it
// makes, and has to be the same.
func resumed(t testing.TB, cfg vm.Config, places []place) *shown {
	t.Helper()
	return resumedIn(t, cfg, []way{{blocks: cfg.BlockLimit}}, places)
}

// resumedIn is resumed, each time in the next of these ways.
func resumedIn(t testing.TB, cfg vm.Config, how []way, places []place) *shown {
	t.Helper()
	var w shown
	cfg, lines := w.watch(cfg)
	m := newMachine(t, cfg)
	for i, p := range places {
		if !run(t, m, vm.AtInstruction(p.instruction)) {
			break
		}
		if p.steps > 0 && !endsWithin(t, m, p.steps) {
			if err := m.Steps(t.Context(), p.steps); err != nil {
				t.Fatalf("%d steps after %d instructions: %v", p.steps, p.instruction, err)
			}
		}
		saved := save(t, m)
		m.Close()
		m = load(t, saved, how[(i+1)%len(how)].of(later(cfg)))
		if again := save(t, m); !bytes.Equal(saved, again) {
			t.Fatalf("saved at %+v, it is saved otherwise once it has been loaded", p)
		}
	}
	defer m.Close()
	run(t, m, vm.Event{})
	w.ended(t, m, lines)
	return &w
}

// endsWithin tries out on another machine whether so many steps are the rest of the run.
func endsWithin(t testing.TB, m *vm.Machine, steps int) bool {
	t.Helper()
	other := load(t, save(t, m), vm.Config{})
	defer other.Close()
	run(t, other, vm.AtInstruction(other.Instructions())) // comes at once; Steps does not see to limits that Run has not set up
	return other.Steps(t.Context(), steps) != nil
}

// same asserts that two runs have shown the same.
func (w *shown) same(t testing.TB, got *shown) {
	t.Helper()
	for _, c := range []struct {
		what      string
		want, got []byte
	}{
		{"record", w.record, got.record},
		{"console", w.console.Bytes(), got.console.Bytes()},
		{"events", w.events.Bytes(), got.events.Bytes()},
		{"trace", w.trace.Bytes(), got.trace.Bytes()},
	} {
		if bytes.Equal(c.want, c.got) {
			continue
		}
		want, got := strings.Split(string(c.want), "\n"), strings.Split(string(c.got), "\n")
		for i := range max(len(want), len(got)) {
			if i >= len(want) || i >= len(got) || want[i] != got[i] {
				line := func(all []string) string {
					if i < len(all) {
						return all[i]
					}
					return "(nothing)"
				}
				t.Errorf("the %s of the resumed run differ, first in line %d:\n%s\nwhere uninterrupted it is\n%s", c.what, i+1, line(got), line(want))
				break
			}
		}
	}
}

func somePlaces(t testing.TB, n int, end uint64) []place {
	t.Helper()
	seed := *resumesSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-resumes-seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var places []place
	for range n {
		p := place{r.Uint64N(end + 1), r.IntN(6)}
		switch r.IntN(8) {
		case 0:
			p.instruction %= 1000 // firmware has just started the image
		case 1:
			p.instruction = end - p.instruction%1000
		}
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int { return int(int64(a.instruction - b.instruction)) })
	return places
}

// resumes asserts that a run goes on as if nothing had happened, wherever it is saved.
func goesOn(t *testing.T, cfg vm.Config, n int) {
	t.Helper()
	want := uninterrupted(t, cfg)
	want.same(t, resumed(t, cfg, somePlaces(t, n, want.instructions)))
}

// The guest in Go: it accepts memory, takes exceptions, sleeps, and reports.
func TestResumeGoGuest(t *testing.T) {
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			line := "hold=64M"
			goesOn(t, vm.Config{Platform: platform, Memory: gib, CommandLine: &line, Callers: true, Seed: 7, Trace: &vm.Trace{From: 1_000_000, Count: 5000}}, *resumes)
		})
	}
}

// Programs that keep firmware and the processor at what is long, rare or under way in pieces. They have no end of their
// own.
func TestResumePrograms(t *testing.T) {
	for name, instructions := range map[string]uint64{ // a limit for firmware's work as well
		"sums": 30_000_000, "fills": 30_000_000, "copies": 3_000_000, "loads": 3_000_000, "waits": 300_000, "timers": 300_000, "paths": 300_000,
		"changes": 300_000, "forgets": 100_000, "faults": 300_000, "moves": 30_000, "prints": 1_000_000, "panics": 300_000, "sleeps": 300_000, "revives": 300_000, "fresh": 300_000,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			goesOn(t, vm.Config{Platform: vm.None, Memory: 256 * mib, Image: guestProgram(t, name), Initrd: []byte{}, MaxInstructions: instructions, MaxVirtual: time.Second}, *resumes)
		})
	}
}

// Hosts that attack and firmware that lies go on with it.
func TestResumeCheats(t *testing.T) {
	line := "hold=32M"
	for _, platform := range vm.ConfidentialPlatforms() {
		for _, attack := range []string{"drop:3", "replay:2", "lie:1"} {
			t.Run(platform+" "+attack, func(t *testing.T) {
				t.Parallel()
				goesOn(t, vm.Config{Platform: platform, Memory: gib, CommandLine: &line, HostAttack: attack}, *resumes/3)
			})
		}
		t.Run(platform+" lie", func(t *testing.T) {
			t.Parallel()
			goesOn(t, vm.Config{Platform: platform, Memory: gib, CommandLine: &line, FirmwareLie: "accepted"}, *resumes/3)
		})
	}
}

// The rest of a run may be another process's.
// A machine that has ended with a violation can be looked at later.
// What cannot be saved or resumed says why.
// A stock kernel, with what it has loaded, mapped and set up at each place.
func TestResumeKernel(t *testing.T) {
	platforms := []string{vm.TDX}
	if *resumes > quickResumes {
		platforms = vm.PlatformNames()
	}
	for _, platform := range platforms {
		t.Run(platform, func(t *testing.T) {
			goesOn(t, vm.Config{Platform: platform, Memory: gib, Image: debian13(t), Callers: true}, *resumes/4)
		})
	}
}

// What has been typed is in the serial port and in the record's checksum, and what is to be typed again comes still.
