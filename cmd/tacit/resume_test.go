package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/vm"
)

// The two commands together are the one.
func TestSaveAndResume(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	run := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		var out, err bytes.Buffer
		if status := execute(t.Context(), args, &out, &err, boot); status != want {
			t.Fatalf("tacit %s: status %d, want %d\n%s", strings.Join(args, " "), status, want, err.String())
		}
		return out.String(), err.String()
	}
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	host := regexp.MustCompile(`(?s)"host": \{.*?\}`)
	guest := []string{"boot", "--memory", "1G", "--append", "hold=300M"}

	console, _ := run(0, append(guest, "--json", in("json"), "--events", in("events"))...)
	first, summary := run(0, append(guest, "--save-at", "init", "--save", in("saved"), "--events", in("events1"))...)
	if !strings.Contains(summary, "stopped") {
		t.Errorf("the summary does not say that the run was stopped:\n%s", summary)
	}
	then, _ := run(0, "resume", "--json", in("json2"), "--events", in("events2"), in("saved"))
	if first+then != console {
		t.Errorf("the consoles are\n%s%s\nwant\n%s", first, then, console)
	}
	if a, b := host.ReplaceAllString(read("json"), ""), host.ReplaceAllString(read("json2"), ""); a != b {
		t.Errorf("the record is\n%s\nwant\n%s", b, a)
	}
	if read("events1")+read("events2") != read("events") {
		t.Error("the events are others")
	}

	// Saved again on the way, over a saved machine but over nothing else. The host can begin to cheat.
	for range 2 {
		run(0, "resume", "-q", "--save-at", "instruction:2000000", "--save", in("again"), in("saved"))
	}
	if _, summary = run(3, "resume", "-q", "--host-attack", "drop:1", in("again")); !strings.Contains(summary, "took the page away") {
		t.Errorf("the summary of the resumed run is\n%s", summary)
	}
	if _, said := run(2, "boot", "--save-at", "init", "--save", in("json")); !oneLine(said) {
		t.Errorf("a text is replaced: %s", said)
	}
	if _, said := run(1, append(guest, "-q", "--save-at", "violation", "--save", in("never"))...); !strings.Contains(said, "nothing was saved") {
		t.Errorf("an event that never comes: %s", said)
	}
	// Reading ends when the run is told to, however much there is to read.
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := load(cancelled, in("saved"), vm.Config{}); err != context.Canceled {
		t.Errorf("cancelled, and reading gives %v", err)
	}
	if _, err := io.Copy(untilDone{cancelled, nil, io.Discard}, strings.NewReader("x")); err != context.Canceled {
		t.Errorf("cancelled, and writing gives %v", err)
	}
	if _, err := os.Stat(in("never")); err == nil {
		t.Error("a file was written all the same")
	}
}

// What is not a saved machine, and what is the saved machine's, is refused in one line.
func TestResumeRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no machine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"resume"}, {"resume", "a", "b"}, {"resume", "--memory", "1G", "a"}, {"resume", "--append", "x", "a"}, {"resume", "--save", "x", "a"},
		{"resume", "--save-at", "init", "a"}, {"resume", "--save-at", "accept:0", "--save", "x", "a"}, {"resume", "--save-at", "reboot", "--save", "x", "a"},
		{"resume", "--host-attack", "steal", "a"}, {"boot", "--save-at", "init", "--save", "-"}, {"boot", "--save", "x", "--json", "x", "--save-at", "init"},
	} {
		if status, _, stderr := tacit(t.Context(), &fake{}, args...); status != statusUsage || !oneLine(stderr) {
			t.Errorf("%q: status %d, %s", args, status, stderr)
		}
	}
	for _, path := range []string{text, "/nonesuch", t.TempDir()} {
		var out, stderr bytes.Buffer
		if status := execute(t.Context(), []string{"resume", path}, &out, &stderr, boot); status == 0 || !oneLine(stderr.String()) {
			t.Errorf("%s: status %d, %s", path, status, stderr.String())
		}
	}
}

// Told to end while a saved machine is read, nothing is run, and while one is written, nothing is left.
func TestSaveAndResumeAreCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m, err := vm.New(vm.Config{Memory: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Run(t.Context(), vm.AtInstruction(1000)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "saved")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(untilDone{ctx: ctx, w: file}); !errors.Is(err, context.Canceled) {
		t.Errorf("writing: %v", err)
	}
	if err := errors.Join(m.Save(file), file.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := load(ctx, path, vm.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("reading: %v", err)
	}
}
