package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/perfetto"
	"github.com/tacit-vm/tacit/vm"
)

// A fake machine notes what it was asked for, writes a console and ends as it is told.
type fake struct {
	settings settings
	calls    int
	outcome  record.Outcome
	err      error
}

func (f *fake) run(ctx context.Context, s settings) (*record.Record, error) {
	f.settings = s
	f.calls++
	if f.err != nil {
		return nil, f.err
	}
	l := record.NewLog(s.events)
	l.Mark(record.Marked{Phase: record.FirmwareStart, Unaccepted: s.memory})
	io.WriteString(s.console, "Linux version 6.12\n")
	s.progress(record.Progress{})
	l.Mark(record.Marked{Phase: record.End, Unaccepted: s.memory})
	r := l.Record()
	r.Outcome = f.outcome
	if ctx.Err() != nil {
		r.Outcome = record.Cancelled
	}
	return r, nil
}

func tacit(ctx context.Context, f *fake, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = execute(ctx, args, &out, &err, f.run)
	return status, out.String(), err.String()
}

func TestFlagsReachTheMachine(t *testing.T) {
	initrd := filepath.Join(t.TempDir(), "initrd")
	if err := os.WriteFile(initrd, []byte("070701"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &fake{outcome: record.PowerOff}
	if status, _, stderr := tacit(t.Context(), f, "boot", "bzImage"); status != 0 {
		t.Fatal(stderr)
	}
	s := f.settings
	if s.image != "bzImage" || s.platform != "tdx" || s.memory != 4<<30 || s.firmwareAccepts != 256<<20 ||
		s.firmwareAcceptsLikeOVMF || s.hostPage != 2<<20 || s.misalign || s.initrd != nil || s.commandLine != nil ||
		s.maxInstructions != 0 || s.maxWall != 0 || s.blockLimit != 0 || s.events != nil {
		t.Errorf("without flags: %+v", s)
	}
	if status, _, stderr := tacit(t.Context(), f, "boot", "--platform=snp", "--memory=64G", "--firmware-accepts=ovmf",
		"--misalign", "--host-page", "4K", "--host-attack", "lie:2", "--firmware-lie", "stale", "--unaccepted-table", "--append", "accept_memory=eager debug", "--cmdline=", "--initrd", initrd,
		"--max-instructions", "1000", "--timeout", "90s", "--seed", "7", "--symbols", "vmlinux", "--stub-symbols", "compressed",
		"--cpu-blocks", "3", "--engine", "interpreter", "--translate-after", "5", "k.deb"); status != 0 {
		t.Fatal(stderr)
	}
	s = f.settings
	if s.image != "k.deb" || s.platform != "snp" || s.memory != 64<<30 || !s.firmwareAcceptsLikeOVMF ||
		s.hostPage != 4<<10 || s.hostAttack != "lie:2" || s.firmwareLie != "stale" || !s.table || !s.misalign || s.append != "accept_memory=eager debug" || string(s.initrd) != "070701" ||
		s.commandLine == nil || *s.commandLine != "" || s.maxInstructions != 1000 ||
		s.maxWall.Seconds() != 90 || s.seed != 7 || s.symbols != "vmlinux" || s.stubSymbols != "compressed" || s.blockLimit != 3 || s.engine != vm.Interpreter || s.translateAfter != 5 {
		t.Errorf("with flags: %+v", s)
	}
	// To firmware 0 bytes are as little as can be, which is not the default.
	if status, _, stderr := tacit(t.Context(), f, "boot", "--touch", "2G", "--firmware-accepts", "0", "i"); status != 0 {
		t.Fatal(stderr)
	}
	if s = f.settings; s.touch != 2<<30 || s.firmwareAccepts == 0 || s.firmwareAccepts > 1<<20 {
		t.Errorf("touch %d, firmware accepts %d", s.touch, s.firmwareAccepts)
	}
}

// A wrong command line is told so in one line, and no machine runs.
func TestWrongCommandLines(t *testing.T) {
	for _, args := range [][]string{
		{"boot", "--platform", "sgx", "i"}, {"boot", "--memory", "4X", "i"}, {"boot", "--memory", "0", "i"},
		{"boot", "--memory", "-1", "i"}, {"boot", "--host-page", "1G", "i"}, {"boot", "--host-attack", "steal", "i"}, {"boot", "--firmware-accepts", "edk2", "i"},
		{"boot", "--timeout", "5", "i"}, {"boot", "--timeout", "-5s", "i"}, {"boot", "--seed", "x", "i"}, {"boot", "a", "b"},
		{"boot", "--nonesuch", "i"}, {"boot", "--cpu-blocks", "-1", "i"}, {"boot", "--engine", "jit", "i"}, {"boot", "--engine", "lockstep", "--gdb", ":0", "i"}, {"boot", "--lockstep-every", "5", "i"}, {"boot", "--engine", "lockstep", "--host-attack", "drop", "i"}, {"boot", "--translate-after", "-1", "i"}, {"certify", "--engine", "x", "i"}, {"boot", "--json", "-", "--events", "-", "i"},
		{"boot", "--memory", "1", "i"}, {"boot", "--memory", "1M", "i"}, {"boot", "--memory", "3M", "i"}, {"boot", "--memory", "4095M", "i"},
		{"boot", "--memory", "5T", "i"}, {"boot", "--memory", "18446744073709551615", "i"}, {"boot", "--memory", "16777216T", "i"},
		{"boot", "--platform", "none", "--host-attack", "swap", "i"}, {"boot", "--firmware-lie", "white", "i"}, {"boot", "--platform", "none", "--firmware-lie", "key", "i"}, {"boot", "--touch", "1M", "--initrd", "i", "i"},
		{"boot", "--touch", "5G", "i"}, {"boot", "--touch", "2G", "--memory", "1G", "i"}, {"boot", "--touch", "1M"},
		{"boot", "--json", "same", "--events", "same", "i"}, {"boot", "--interactive", "--quiet", "i"}, {"boot", "a", "b", "--memory", "0"},
		{"resume", "--trace", "t", "i"}, {"resume", "--report", "r", "i"}, {"resume"}, {"certify"}, {"certify", "--platform", "sgx", "i"}, {"certify", "--policy", "none", "i"}, {"certify", "--memory", "4G,0", "i"},
		{"certify", "--memory", "3M", "i"}, {"certify", "--memory", "4X", "i"}, {"certify", "--timeout", "-1s", "i"}, {"certify", "--jobs", "-1", "i"},
		{"certify", "--json", "-", "--junit", "-", "i"}, {"certify", "--require", "sev", "i"}, {"certify", "--require", "tdx", "--platform", "snp", "i"},
		{"certify", "--require", "lazy", "--policy", "eager", "i"}, {"certify", "--require", "negotiate", "--policy", "lazy", "--own-guest"},
		{"demo", "x"}, {"demo", "--platform", "none"}, {"demo", "--platform", "both"}, {"demo", "--memory", "256M"}, {"demo", "--memory", "4X"},
		{"demo", "--memory", "5T"}, {"demo", "--memory", "1073741825"}, {"demo", "--seed", "x"},
		{"nonesuch"}, {"version", "x"},
	} {
		f := &fake{outcome: record.PowerOff}
		status, stdout, stderr := tacit(t.Context(), f, args...)
		if status != statusUsage || stdout != "" || !oneLine(stderr) || f.calls != 0 {
			t.Errorf("%q: status %d, %d runs, stdout %q, stderr %q", args, status, f.calls, stdout, stderr)
		}
	}
}

// oneLine says whether stderr is one line of tacit's.
func oneLine(stderr string) bool {
	return strings.HasPrefix(stderr, "tacit: ") && strings.Count(stderr, "\n") == 1 && strings.HasSuffix(stderr, "\n")
}

// Every outcome has a status of its own, only poweroff has 0, and stopped, which was asked for; --help lists all of them.
func TestOutcomesHaveStatuses(t *testing.T) {
	_, help, _ := tacit(t.Context(), &fake{}, "boot", "--help")
	taken := map[int]string{statusError: "error", statusUsage: "usage"}
	for _, o := range record.Outcomes() {
		status, _, stderr := tacit(t.Context(), &fake{outcome: o.Outcome}, "boot", "i")
		asked := o.Outcome == record.Stopped
		if o.Outcome == record.Exit {
			continue // its status is the program's
		}
		if other, is := taken[status]; is && !asked {
			t.Errorf("%s and %s both give status %d", o.Outcome, other, status)
		}
		taken[status] = string(o.Outcome)
		if (status == 0) != (o.Outcome == record.PowerOff || asked) || status < 0 || status > 255 {
			t.Errorf("%s gives status %d", o.Outcome, status)
		}
		if !strings.Contains(stderr, string(o.Outcome)) {
			t.Errorf("the summary does not name %s:\n%s", o.Outcome, stderr)
		}
		line := ""
		for l := range strings.Lines(help) {
			if fields := strings.Fields(l); len(fields) > 1 && fields[1] == string(o.Outcome) {
				line = l
			}
		}
		if !strings.Contains(line, o.Meaning) {
			t.Errorf("--help does not explain %s", o.Outcome)
		}
	}
	page, err := os.ReadFile("../../docs/record.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range record.Outcomes() {
		if row := fmt.Sprintf("| `%s` | %d | %s |\n", o.Outcome, statusOf(o.Outcome), o.Meaning); !strings.Contains(string(page), row) {
			t.Errorf("docs/record.md does not have the row\n%s", row)
		}
	}
	if _, table, _ := strings.Cut(string(page), "\n## Outcomes\n"); strings.Count(strings.Split(table, "\n## ")[0], "\n| ") != len(record.Outcomes())+3 {
		t.Error("docs/record.md has rows of outcomes that there are not") // beside them a head and two statuses without outcome
	}
	if len(outcomeStatus) != len(record.Outcomes()) {
		t.Errorf("%d statuses for %d outcomes", len(outcomeStatus), len(record.Outcomes()))
	}
	if status, _, _ := tacit(t.Context(), &fake{outcome: "nonesuch"}, "boot", "i"); status == 0 {
		t.Error("an unknown outcome counts as success")
	}
}

// What goes where: the console to standard output, everything about the run to standard error.
func TestStreams(t *testing.T) {
	dir := t.TempDir()
	file, events := filepath.Join(dir, "record.json"), filepath.Join(dir, "events")
	f := &fake{outcome: record.PowerOff}
	_, stdout, stderr := tacit(t.Context(), f, "boot", "--json", file, "--events", events, "-v", "i")
	if stdout != "Linux version 6.12\n" {
		t.Errorf("stdout is %q", stdout)
	}
	if !strings.Contains(stderr, "poweroff") || !strings.Contains(stderr, "firmware-start") || strings.Contains(stderr, "\x1b") {
		t.Errorf("stderr is %q", stderr)
	}
	outcomeIn := func(text []byte) string {
		var r record.Record
		if err := json.Unmarshal(text, &r); err != nil {
			t.Errorf("%v in %q", err, text)
		}
		return string(r.Outcome)
	}
	if text, err := os.ReadFile(file); err != nil || outcomeIn(text) != "poweroff" {
		t.Errorf("the file has %q, %v", text, err)
	}
	if text, err := os.ReadFile(events); err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("the events are %q, %v", text, err)
	}

	_, stdout, stderr = tacit(t.Context(), f, "boot", "--json", "-", "i")
	if outcomeIn([]byte(stdout)) != "poweroff" || !strings.Contains(stderr, "Linux version") {
		t.Errorf("with --json -: stdout %q, stderr %q", stdout, stderr)
	}
	trace := filepath.Join(dir, "trace")
	for range 2 { // the second takes the place of the first
		if _, stdout, stderr = tacit(t.Context(), f, "boot", "--trace", trace, "i"); !strings.Contains(stdout, "Linux version") || f.settings.timeline == nil {
			t.Errorf("with --trace: stdout %q, stderr %q", stdout, stderr)
		}
	}
	if b, err := os.ReadFile(trace); err != nil || !perfetto.Is(b) {
		t.Errorf("the trace is %.100q, %v", b, err)
	}
	_, stdout, stderr = tacit(t.Context(), f, "boot", "--trace", "-", "i")
	if !perfetto.Is([]byte(stdout)) || !strings.Contains(stderr, "Linux version") {
		t.Errorf("with --trace -: stdout %q, stderr %q", stdout, stderr)
	}
	report := filepath.Join(dir, "report.html")
	for range 2 {
		if _, stdout, stderr = tacit(t.Context(), f, "boot", "--report", report, "i"); !strings.Contains(stdout, "Linux version") || f.settings.timeline == nil || !f.settings.callers {
			t.Errorf("with --report: stdout %q, stderr %q", stdout, stderr)
		}
	}
	whole := func(page string) bool {
		return strings.HasPrefix(page, "<!DOCTYPE html>") && strings.HasSuffix(page, "</html>\n") && strings.Contains(page, "(poweroff)")
	}
	if text, err := os.ReadFile(report); err != nil || !whole(string(text)) {
		t.Errorf("the report is %.100q, %v", text, err)
	}
	_, stdout, stderr = tacit(t.Context(), f, "boot", "--report", "-", "i")
	if !whole(stdout) || !strings.Contains(stderr, "Linux version") {
		t.Errorf("with --report -: stdout %.100q, stderr %q", stdout, stderr)
	}
	_, stdout, stderr = tacit(t.Context(), f, "boot", "--profile", "-", "i")
	if !strings.HasPrefix(stdout, "\x1f\x8b") || !strings.Contains(stderr, "Linux version") {
		t.Errorf("with --profile -: stdout %.100q, stderr %q", stdout, stderr)
	}
	// What a file says does not depend on what is shown, or on which other files are written.
	for _, flags := range []string{"--json", "--events", "--profile", "--trace", "--report", "--save-at init --save"} {
		args := append(append([]string{"boot", "-q"}, strings.Fields(flags)...), filepath.Join(t.TempDir(), "file"), "i")
		if status, _, stderr := tacit(t.Context(), f, args...); status != 0 || !f.settings.callers {
			t.Errorf("%q does not look at who asked: status %d, %s", args, status, stderr)
		}
	}
	_, stdout, stderr = tacit(t.Context(), f, "boot", "-q", "i")
	if f.settings.timeline != nil || f.settings.callers {
		t.Error("a timeline, or callers, that were not asked for")
	}
	if stdout != "" || !strings.Contains(stderr, "poweroff") || strings.Contains(stderr, "Linux version") {
		t.Errorf("with -q: stdout %q, stderr %q", stdout, stderr)
	}
}

func TestErrors(t *testing.T) {
	f := &fake{outcome: record.PowerOff}
	nowhere := filepath.Join(t.TempDir(), "no", "such", "directory")
	for _, args := range [][]string{
		{"boot", "--json", nowhere, "i"}, {"boot", "--events", nowhere, "i"}, {"boot", "--initrd", nowhere, "i"},
	} {
		if status, _, stderr := tacit(t.Context(), f, args...); status != statusError || f.calls != 0 || !strings.Contains(stderr, nowhere) {
			t.Errorf("%q: status %d after %d runs: %s", args, status, f.calls, stderr)
		}
	}
	big := filepath.Join(t.TempDir(), "big")
	if err := errors.Join(os.WriteFile(big, nil, 0o600), os.Truncate(big, 128<<20+1)); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := tacit(t.Context(), f, "boot", "--memory", "128M", "--initrd", big, "i"); status != statusError || f.calls != 0 {
		t.Errorf("an initrd larger than the memory: status %d: %s", status, stderr)
	}
	f.err = errors.New("i: not a kernel")
	if status, _, stderr := tacit(t.Context(), f, "boot", "i"); status != statusError || stderr != "tacit: i: not a kernel\n" {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// A cancelled run still says what was reached.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	status, _, stderr := tacit(ctx, &fake{outcome: record.PowerOff}, "boot", "i")
	if status != 130 || !strings.Contains(stderr, "not accepted") || !strings.Contains(stderr, "cancelled") {
		t.Errorf("status %d: %s", status, stderr)
	}
	damaged := fmt.Errorf("i: damaged package: %w", context.Canceled) // as it looks to a reader
	if status, _, stderr := tacit(ctx, &fake{err: damaged}, "boot", "i"); status != 130 || stderr != "tacit: cancelled\n" {
		t.Errorf("cancelled before it began: status %d, %q", status, stderr)
	}
}
