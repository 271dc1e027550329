package vm_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// Forks go on as the run would have, the machine that they come of as well, and none notices what another does.
func TestFork(t *testing.T) {
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			line := "hold=300M"
			cfg := vm.Config{Platform: platform, Memory: gib, CommandLine: &line, Seed: 3, Callers: true}
			want := uninterrupted(t, cfg)

			var before shown
			first, lines := before.watch(cfg)
			m := newMachine(t, first)
			defer m.Close()
			if !run(t, m, vm.AtInit()) {
				t.Fatal("there was no init")
			}
			if err := lines.Close(); err != nil {
				t.Fatal(err)
			}
			goesOn := func(name string, m *vm.Machine, after *shown, lines *record.Lines) {
				t.Helper()
				run(t, m, vm.Event{})
				after.ended(t, m, lines)
				if !bytes.Equal(after.record, want.record) || before.console.String()+after.console.String() != want.console.String() ||
					before.events.String()+after.events.String() != want.events.String() {
					t.Errorf("%s goes on otherwise: %s\nwant %s", name, after.record, want.record)
				}
			}
			fork := func(change func(*vm.Config)) (*vm.Machine, *shown, *record.Lines) {
				t.Helper()
				after := &shown{}
				cfg, lines := after.watch(vm.Config{})
				change(&cfg)
				f, err := m.Fork(cfg)
				if err != nil {
					t.Fatal(err)
				}
				return f, after, lines
			}
			same := func(*vm.Config) {}
			early, earlyAfter, earlyLines := fork(same)
			defer early.Close()
			late, lateAfter, lateLines := fork(same)
			defer late.Close()
			goesOn("a fork", early, earlyAfter, earlyLines)
			if platform != vm.None {
				attacked, _, _ := fork(func(c *vm.Config) { c.HostAttack = "drop:1" })
				defer attacked.Close()
				run(t, attacked, vm.Event{})
				if r, err := attacked.Record(); err != nil || r.Outcome != record.Violation && r.Outcome != record.GuestPanic {
					t.Errorf("a fork that is attacked ends with %v, %v", r.Outcome, err)
				}
			}
			goesOn("a later fork", late, lateAfter, lateLines)

			var rest shown
			saved := save(t, m)
			cfg, lines = rest.watch(vm.Config{})
			again := load(t, saved, cfg)
			defer again.Close()
			goesOn("the machine itself, saved", again, &rest, lines)
			run(t, m, vm.Event{})
			if before.console.String() != want.console.String() {
				t.Errorf("the machine itself goes on otherwise:\n%s", before.console.String())
			}
			if _, err := m.Fork(vm.Config{}); err == nil {
				t.Error("a run that has ended was forked")
			}
		})
	}
}

func TestExpect(t *testing.T) {
	line := "hold=32M"
	cfg := vm.Config{Memory: gib, CommandLine: &line}
	m := newMachine(t, cfg)
	defer m.Close()
	if err := m.ExpectString(t.Context(), "MiB unacc"); err != nil {
		t.Fatal(err)
	}
	at := m.Instructions()
	found, err := m.ExpectRE(t.Context(), regexp.MustCompile(`(?m)^hold (\d+) MiB`))
	if err != nil || len(found) != 2 || found[1] != "4" && found[1] != "2" {
		t.Fatalf("%q, %v", found, err)
	}
	if err := m.ExpectString(t.Context(), "MiB unacc"); err == nil {
		t.Error("what was found before is found again")
	} else if e := (*vm.ExpectError)(nil); !errors.As(err, &e) || e.Outcome != record.PowerOff || !strings.Contains(e.Shown, "take again") {
		t.Errorf("%v", err)
	}

	// The place is the same in every run, and whatever the processor decodes at once.
	cfg.BlockLimit = 3
	again := newMachine(t, cfg)
	defer again.Close()
	if err := again.ExpectString(t.Context(), "MiB unacc"); err != nil || again.Instructions() != at {
		t.Errorf("it stands after %d instructions, and stood after %d: %v", again.Instructions(), at, err)
	}
	fork, err := again.Fork(vm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer fork.Close()
	if err := fork.ExpectString(t.Context(), "epted; "); err != nil {
		t.Errorf("a fork, in the middle of a line: %v", err)
	}
}

// The figures of docs/resume.md: a TDX guest with 4 GiB at init.
func atInit(b *testing.B) *vm.Machine {
	b.Helper()
	m := newMachine(b, vm.Config{Memory: 4 * gib, Image: debian13(b)})
	b.Cleanup(m.Close)
	if came, err := m.Run(b.Context(), vm.AtInit()); !came || err != nil {
		b.Fatal(came, err)
	}
	return m
}

func BenchmarkSaveResumeFork(b *testing.B) {
	m := atInit(b)
	saved := save(b, m)
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			if err := m.Save(io.Discard); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(saved))/mib, "MiB")
	})
	b.Run("resume", func(b *testing.B) {
		for b.Loop() {
			load(b, saved, vm.Config{}).Close()
		}
	})
	b.Run("fork", func(b *testing.B) {
		first, err := m.Fork(vm.Config{})
		if err != nil {
			b.Fatal(err)
		}
		first.Close()
		for b.Loop() {
			f, err := m.Fork(vm.Config{})
			if err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
}
