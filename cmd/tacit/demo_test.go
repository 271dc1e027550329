package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/compare/demo"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// The text goes to standard output and the page to its file; both to where - sends them.
func TestDemo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "demo.html")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, text, stderr := tacit(t.Context(), &fake{}, "demo", "--memory", "512M", "--html", file)
	if status != 0 || stderr != "" || !strings.Contains(text, "5 too early") || strings.Contains(text, "\x1b") {
		t.Fatalf("status %d, stderr %q, stdout\n%s", status, stderr, text)
	}
	written, err := os.ReadFile(file)
	if err != nil || !strings.HasSuffix(string(written), "</html>\n") {
		t.Errorf("the page is %d bytes, %v", len(written), err)
	}
	nothingElseIn(t, filepath.Dir(file), "demo.html")

	status, page, stderr := tacit(t.Context(), &fake{}, "demo", "--memory", "512M", "--html", "-")
	if status != 0 || page != string(written) || stderr != text {
		t.Errorf("with --html -: status %d; the page is the same: %v, the text is: %v", status, page == string(written), stderr == text)
	}
}

// A demonstration that was cancelled leaves what there was.
func TestDemoCancelled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "demo.html")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(50*time.Millisecond, cancel).Stop()
	began := time.Now()
	status, _, stderr := tacit(ctx, &fake{}, "demo", "--memory", "4T", "--html", file)
	if took := time.Since(began); status != 130 || !oneLine(stderr) || took > 5*time.Second { // a second, and a slow host
		t.Errorf("status %d after %v, stderr %q", status, took, stderr)
	}
	if kept, err := os.ReadFile(file); err != nil || string(kept) != "old" {
		t.Errorf("the file is now %q, %v", kept, err)
	}
	nothingElseIn(t, filepath.Dir(file), "demo.html")

	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if status, _, stderr := tacit(ctx, &fake{}, "demo"); status != 130 || stderr != "tacit: cancelled\n" {
		t.Errorf("cancelled before it began: status %d, stderr %q", status, stderr)
	}
}

// What cannot become the page is known before anything runs.
func TestDemoWritesNowhere(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "no", "such", "page.html")} {
		if status, stdout, stderr := tacit(t.Context(), &fake{}, "demo", "--html", path); status != statusError || stdout != "" || !oneLine(stderr) {
			t.Errorf("%s: status %d, stdout %q, stderr %q", path, status, stdout, stderr)
		}
	}
	nothingElseIn(t, dir)
}

func nothingElseIn(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(names) {
		t.Errorf("%s has %v, want %v; %v", dir, entries, names, err)
	}
}

// What is drawn is as far as the slowest guest has come, and between two samples in proportion.
func TestRaceKnowsNoFuture(t *testing.T) {
	guests := []demo.Guest{{Name: "fast"}, {Name: "slow"}}
	var out bytes.Buffer
	r := newRace(guests, &out, demo.NoPaint, 1000<<20)
	for _, s := range []sample{{0, 0}, {100, 500 << 20}, {300, 1000 << 20}} {
		r.see(0, s.ns, s.accepted)
	}
	if n := r.known(); n != 0 {
		t.Errorf("known is %d before the second guest has begun", n)
	}
	r.see(1, 0, 0)
	r.see(1, 200, 0)
	if n := r.known(); n != 200 {
		t.Errorf("known is %d, want 200", n)
	}
	for at, want := range map[int64]uint64{0: 0, 50: 250 << 20, 100: 500 << 20, 200: 750 << 20, 300: 1000 << 20} {
		if s := r.tracks[0].at(at, 1000<<20); s.Accepted != want || s.End != "" {
			t.Errorf("at %d: %+v, want %d accepted", at, s, want)
		}
	}
	if r.draw(50) || r.draw(100) {
		t.Error("it is over before a guest has ended")
	}
	frames := strings.Split(out.String(), "\x1b[2A")
	if len(frames) != 2 || !strings.Contains(frames[0], "\r1 fast         ▓▓▓▓▓▓··················    250 MiB           -\x1b[K\n") || !strings.Contains(frames[1], "500 MiB") {
		t.Errorf("it draws %q", frames)
	}
}

// A race ends with the lines that are written where there is no terminal.
func TestRace(t *testing.T) {
	d := demo.Demonstration{Platform: vm.TDX, Memory: demo.MinMemory}
	guests := d.Guests()[3:4]
	var out bytes.Buffer
	results, err := newRace(guests, &out, demo.NoPaint, d.Memory).run(t.Context())
	if err != nil || len(results) != 1 || results[0].Record.Outcome != record.GuestPanic {
		t.Fatalf("%+v, %v", results, err)
	}
	s := results[0].Status()
	if want := "\r" + s.Line(0, &guests[0], demo.NoPaint) + "\x1b[K\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("the end is %q, want %q", out.String(), want)
	}
	guests[0].Config.Platform = "sgx"
	if _, err := newRace(guests, &out, demo.NoPaint, d.Memory).run(t.Context()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("a platform that there is not: %v", err)
	}
}

func TestColours(t *testing.T) {
	for noColour, want := range map[string]string{"": "\x1b[31mx\x1b[0m", "1": "x"} {
		t.Setenv("NO_COLOR", noColour)
		if got := paintFor(&display{})(demo.Lost, "x"); got != want {
			t.Errorf("with NO_COLOR=%q a terminal gets %q", noColour, got)
		}
		if got := paintFor(nil)(demo.Lost, "x"); got != "x" {
			t.Errorf("what is no terminal gets %q", got)
		}
	}
}
