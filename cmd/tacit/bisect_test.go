package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
)

// The script that docs/debugging.md shows gives git bisect run the right verdict on every exit status.
func TestBisectScriptOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/debugging.md")
	if err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(string(page), "```sh\n")
	script, _, found := strings.Cut(script, "```")
	if !found {
		t.Fatal("the page has no script")
	}
	dir := t.TempDir()
	program := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program("bisect.sh", script)
	program("make", "#!/bin/sh\nexit ${MAKE_STATUS:-0}\n")
	program("tacit", "#!/bin/sh\nexit $TACIT_STATUS\n")
	program("jq", "#!/bin/sh\nexit ${JQ_STATUS:-0}\n")

	// git bisect run: 0 is good, 1 to 124 and 126, 127 are bad, 125 is skipped, anything else ends it.
	verdict := func(env ...string) string {
		t.Helper()
		cmd := exec.Command("sh", "./bisect.sh")
		cmd.Dir = dir
		cmd.Env = append([]string{"PATH=" + dir + ":" + os.Getenv("PATH")}, env...)
		out, err := cmd.CombinedOutput()
		switch status := cmd.ProcessState.ExitCode(); {
		case status < 0 || len(out) > 0:
			t.Fatalf("%v: %v: %s", env, err, out)
		case status == 0:
			return "good"
		case status == 125:
			return "skip"
		case status < 128:
			return "bad"
		}
		return "stop"
	}
	want := map[record.Outcome]string{record.PowerOff: "good", record.Stopped: "good", record.Unsupported: "skip", record.Cancelled: "stop"}
	for outcome, status := range outcomeStatus {
		if outcome == record.Exit {
			continue // only with --debug-exit, and the status is the guest's to choose
		}
		w := want[outcome]
		if w == "" {
			w = "bad"
		}
		if got := verdict("TACIT_STATUS=" + strconv.Itoa(int(status))); got != w {
			t.Errorf("%s: %s, want %s", outcome, got, w)
		}
	}
	for _, c := range []struct {
		want string
		env  []string
	}{
		{"stop", []string{"TACIT_STATUS=1"}},
		{"stop", []string{"TACIT_STATUS=2"}},
		{"skip", []string{"MAKE_STATUS=2", "TACIT_STATUS=0"}},
		{"bad", []string{"JQ_STATUS=1", "TACIT_STATUS=0"}},
	} {
		if got := verdict(c.env...); got != c.want {
			t.Errorf("%v: %s, want %s", c.env, got, c.want)
		}
	}
}
