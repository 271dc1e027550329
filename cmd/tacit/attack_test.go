package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/guest"
)

// A signal ends trials within a second, and what had come to its end is shown.
func TestAttackSignal(t *testing.T) {
	again(t, func() time.Duration {
		file := filepath.Join(t.TempDir(), "trials.json")
		var stdout bytes.Buffer
		read, stderr, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		cmd := command(t, "", "attack", "--own-guest", "--platform", "snp", "--attack", "ghcb-malformed,nmi", "--seeds", "2000", "--memory", "512M", "--jobs", "1", "--json", file)
		cmd.Stdout, cmd.Stderr = &stdout, stderr
		err = cmd.Start()
		_ = stderr.Close()
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for b := make([]byte, 4096); !strings.Contains(said, "tacit: 2 of 4000 "); {
			n, err := read.Read(b)
			if said += string(b[:n]); err != nil {
				t.Fatalf("it said %q, and then %v", said, err)
			}
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		rest := make(chan string)
		go func() {
			var b bytes.Buffer
			_, _ = b.ReadFrom(read) // to the end of the process
			rest <- b.String()
		}()
		status, took := ended(cmd)
		said += <-rest
		table := strings.Split(strings.TrimSuffix(stdout.String(), "\n"), "\n")
		if status != 130 || !strings.HasSuffix(said, "tacit: cancelled\n") || strings.Count(stdout.String(), "  held  ") < 2 || len(table) > 100 || !strings.HasPrefix(table[len(table)-1], "4000 trials: ") {
			t.Errorf("status %d, %d lines, the last %q; it said %.300q", status, len(table), table[len(table)-1], said)
		}
		if b, err := os.ReadFile(file); err != nil || !bytes.HasSuffix(b, []byte("}\n")) {
			t.Errorf("the report has %d bytes, %v", len(b), err)
		}
		return took
	})
}

// An image that cannot be read is said to be so once: it is an error where there is no other, and else a row.
func TestAttackOnWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	none, text := filepath.Join(dir, "none"), write(t, filepath.Join(dir, "text"), "no image")
	status, stdout, stderr := tacit(t.Context(), &fake{}, "attack", none)
	if status != statusError || stdout != "" || !oneLine(stderr) || !strings.Contains(stderr, none) { // twice in its row
		t.Errorf("none: status %d, %q, %q", status, stdout, stderr)
	}
	status, stdout, stderr = tacit(t.Context(), &fake{}, "attack", none, text)
	if status != statusError || stdout != "" || strings.Count(stderr, "\n") != 2 {
		t.Errorf("two: status %d, %q, %q", status, stdout, stderr)
	}
	demo := filepath.Join(dir, guest.DemoName)
	if err := os.WriteFile(demo, guest.Demo(), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr = tacit(t.Context(), &fake{}, "attack", "--platform", "tdx", "--attack", "refuse,registers,map-key", "--memory", "512M", none, demo)
	if status != int(statusUnknown) || strings.Count(stdout, none) != 2 || strings.Count(stdout, "  held  ") != 3 || strings.Contains(stderr, none) { // twice in its row
		t.Errorf("with one that can: status %d, %q, %q", status, stdout, stderr)
	}
}

// Help and lists that cannot be written are an error.
func TestFullStandardOutput(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /dev/full")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, line := range []string{"", "help", "help attack", "--help", "boot --help", "attack --list", "version", "--version", "man", "schema record", "cost", "completion bash"} {
		var stderr bytes.Buffer
		if status := execute(t.Context(), strings.Fields(line), full, &stderr, (&fake{}).run); status != statusError || !oneLine(stderr.String()) {
			t.Errorf("tacit %s: status %d, %q", line, status, &stderr)
		}
	}
}
