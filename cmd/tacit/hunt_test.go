package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/compare/hunt"
)

// A planted race is found, and the command that the hunt prints repeats it.
func TestHunt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	race, file := testProgram(t, "race.c", "notes"), filepath.Join(dir, "hunt.json")
	machine := []string{"--memory", "2G", "--firmware-policy", "lazy", "--firmware-accepts", "64M", "--append", "two words", race}
	status, stdout, stderr := really(t, append([]string{"hunt", "--json", file}, machine...)...)
	if status != int(statusNo) || !strings.Contains(stdout, "round-robin   poweroff") || !strings.Contains(stdout, "'two words' --cpus 2 --schedule adversarial --schedule-seed ") {
		t.Fatalf("status %d\n%s%s", status, stdout, stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r hunt.Result
	if err := json.Unmarshal(text, &r); err != nil || r.Tool != versionText() || r.Found == nil {
		t.Fatalf("%v, %+v", err, r)
	}
	again := filepath.Join(dir, "again.json")
	status, _, stderr = really(t, append(r.Again[1:], "-q", "--json", again)...)
	var record struct {
		Instructions uint64
		Config       struct {
			Seed uint64 `json:"schedule_seed"`
		}
	}
	if text, err = os.ReadFile(again); err != nil {
		t.Fatal(err, stderr)
	}
	if err := json.Unmarshal(text, &record); err != nil || status != 4 || record.Instructions != r.Found.Record.Instructions || record.Config.Seed != *r.Found.Seed {
		t.Errorf("%q: status %d, %v, %+v\n%s", r.Again, status, err, record, stderr)
	}
}

func TestHuntStatuses(t *testing.T) {
	t.Parallel()
	claims := testProgram(t, "race.c", "claims")
	machine := []string{"--memory", "2G", "--firmware-policy", "lazy", "--firmware-accepts", "64M"}
	_, help, _ := tacit(t.Context(), &fake{}, "hunt", "--help")
	for _, c := range []struct {
		status int
		says   string
		args   []string
	}{
		{0, "found         nothing", append(machine, "--seeds", "1", claims)},
		{3, "without a seed", append(machine, "--max-virtual-time", "1ms", claims)},
		{1, "", []string{"/dev/null"}},
		{1, "", []string{"--json", "/nonexistent/h.json", claims}},
	} {
		status, stdout, stderr := really(t, append([]string{"hunt"}, c.args...)...)
		if status != c.status || !strings.Contains(stdout, c.says) || (c.says == "") != (stdout == "") {
			t.Errorf("%q: status %d, want %d with %q\n%s%s", c.args, status, c.status, c.says, stdout, stderr)
		}
		if !strings.Contains(help, "\n  "+strings.Repeat(" ", 2)+string(rune('0'+c.status))+"  ") {
			t.Errorf("--help does not explain status %d", c.status)
		}
	}
}

// A signal ends a hunt within a second, and it says where to go on.
func TestHuntSignal(t *testing.T) {
	claims := testProgram(t, "race.c", "claims")
	again(t, func() time.Duration {
		var stdout, stderr bytes.Buffer
		cmd := command(t, "", "hunt", "--seeds", "1000000", "--jobs", "1", "--memory", "2G", "--firmware-policy", "lazy", "--firmware-accepts", "64M", claims)
		cmd.Stdout = &stdout
		pipe, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for one := make([]byte, 1); !strings.Contains(stderr.String(), "seed 2  poweroff\n"); {
			if _, err := pipe.Read(one); err != nil {
				t.Fatal(err, &stderr)
			}
			stderr.Write(one)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		_, _ = stderr.ReadFrom(pipe)
		status, _ := ended(cmd)
		took := time.Since(started)
		if status != 130 || !strings.Contains(stdout.String(), "seeds 1 to ") || !strings.Contains(stderr.String(), "goes on where it was\n") {
			t.Errorf("status %d\n%s%s", status, &stdout, &stderr)
		}
		return took
	})
}
