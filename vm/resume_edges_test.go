package vm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
	"github.com/tacit-vm/tacit/vm"
)

func TestResumeElsewhere(t *testing.T) {
	const child = "TACIT_TEST_RESUME"
	if path := os.Getenv(child); path != "" {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var w shown
		cfg, lines := w.watch(vm.Config{})
		m, err := vm.Load(f, cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		run(t, m, vm.Event{})
		w.ended(t, m, lines)
		if err := os.WriteFile(path+".rest", slices.Concat(w.record, w.console.Bytes(), w.events.Bytes()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			line, path := "hold=32M", t.TempDir()+"/saved"
			cfg := vm.Config{Platform: platform, Memory: gib, CommandLine: &line}
			want := uninterrupted(t, cfg)

			var first shown
			cfg, lines := first.watch(cfg)
			m := newMachine(t, cfg)
			defer m.Close()
			if !run(t, m, vm.AtInit()) {
				t.Fatal("there was no init")
			}
			if err := errors.Join(os.WriteFile(path, save(t, m), 0o600), lines.Close()); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestResumeElsewhere$")
			cmd.Env = append(os.Environ(), child+"="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			rest, err := os.ReadFile(path + ".rest")
			if err != nil {
				t.Fatal(err)
			}
			console := want.console.Bytes()[first.console.Len():]
			events := want.events.Bytes()[first.events.Len():]
			if all := slices.Concat(want.record, console, events); !bytes.Equal(rest, all) {
				t.Errorf("the rest of the run is\n%s\nwhere uninterrupted it is\n%s", rest, all)
			}
		})
	}
}

func TestResumeViolation(t *testing.T) {
	line := "hold=32M touch"
	for _, platform := range vm.ConfidentialPlatforms() {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			cfg := vm.Config{Platform: platform, Memory: gib, CommandLine: &line}
			want := uninterrupted(t, cfg)
			m := newMachine(t, cfg)
			defer m.Close()
			if !run(t, m, vm.AtViolation()) {
				t.Fatal("there was no violation")
			}
			saved := save(t, m)
			again := load(t, saved, vm.Config{})
			defer again.Close()
			if run(t, again, vm.Event{}) {
				t.Error("it goes on")
			}
			r, err := again.Record()
			if err != nil {
				t.Fatal(err)
			}
			r.Host = record.Host{}
			if got, _ := json.MarshalIndent(r, "", " "); !bytes.Equal(got, want.record) {
				t.Errorf("%s\nwant\n%s", got, want.record)
			}
			if !bytes.Equal(save(t, again), saved) {
				t.Error("it is saved otherwise")
			}
		})
	}
}

func TestResumeRefuses(t *testing.T) {
	line := "hold=32M"
	m := newMachine(t, vm.Config{Memory: 256 * mib, CommandLine: &line})
	defer m.Close()
	if err := m.Save(io.Discard); err == nil {
		t.Error("a machine was saved that had not been started")
	}
	run(t, m, vm.AtInstruction(100_000))
	saved := save(t, m)
	if !run(t, m, vm.AtAcceptance(1)) || m.Instructions() != 100_000 {
		t.Error("an event that has been does not come at once")
	}
	run(t, m, vm.Event{})
	if err := m.Save(io.Discard); err == nil {
		t.Error("a machine was saved that had ended")
	}
	if _, err := vm.Load(bytes.NewReader(saved), vm.Config{Timeline: new(timeline.Recorder)}); err == nil || !strings.Contains(err.Error(), "timeline") {
		t.Errorf("half a timeline: %v", err)
	}
	for name, cfg := range map[string]vm.Config{"platform": {Platform: vm.SNP}, "memory": {Memory: gib}, "seed": {Seed: 1}, "touch": {Touch: 1}, "attack": {HostAttack: "no"}} {
		if _, err := vm.Load(bytes.NewReader(saved), cfg); err == nil {
			t.Errorf("another %s was taken", name)
		}
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "text": []byte("#!/bin/sh\necho\n"), "cut off": saved[:len(saved)/2], "one byte short": saved[:len(saved)-1], "too long": append(slices.Clone(saved), 0),
	} {
		if _, err := vm.Load(bytes.NewReader(b), vm.Config{}); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		at, bit := r.IntN(len(saved)), byte(1)<<r.IntN(8)
		saved[at] ^= bit
		if m, err := vm.Load(bytes.NewReader(saved), vm.Config{}); err == nil {
			t.Errorf("with bit %#x of byte %d turned it is taken", bit, at)
			m.Close()
		}
		saved[at] ^= bit
	}
}

func TestResumeTyped(t *testing.T) {
	var typed []vm.Typed
	cfg := vm.Config{Platform: vm.None, Memory: 256 * mib, Image: guestProgram(t, "spins"), Initrd: []byte{}, MaxInstructions: 200_000, Typed: func(t vm.Typed) { typed = append(typed, t) }}
	finish := func(m *vm.Machine) string {
		t.Helper()
		defer m.Close()
		run(t, m, vm.Event{})
		r, err := m.Record()
		if err != nil {
			t.Fatal(err)
		}
		return r.Config.InputSHA256
	}
	m := newMachine(t, cfg)
	run(t, m, vm.AtInstruction(100_000))
	if n, err := m.Type("hello"); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	again := load(t, save(t, m), vm.Config{})
	want := finish(m)
	if got := finish(again); got != want || want == "" {
		t.Errorf("saved after it was typed: %q, want %q", got, want)
	}
	cfg.Typed, cfg.Replay = nil, typed
	for _, at := range []uint64{50_000, 150_000} {
		m := newMachine(t, cfg)
		defer m.Close()
		run(t, m, vm.AtInstruction(at))
		saved := save(t, m)
		if got := finish(load(t, saved, vm.Config{})); got != want {
			t.Errorf("saved after %d instructions, to be typed again: %q, want %q", at, got, want)
		}
		if got := finish(load(t, saved, vm.Config{Replay: typed})); got != want {
			t.Errorf("saved after %d instructions, told again what to type: %q, want %q", at, got, want)
		}
	}
}
