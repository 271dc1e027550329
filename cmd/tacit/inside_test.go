package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What the commands say in a confidential guest is for the guest to test (vm/inside_test.go). Here is what they say of the
// computer that runs the tests, and of wrong command lines.
func TestInsideCommands(t *testing.T) {
	for _, c := range []struct {
		args, says string
		status     int
	}{
		{"warm --rate 0", "--rate 0 would never end", statusUsage}, {"warm --rate 5x", `"5x" is not a size`, statusUsage},
		{"warm --until", "--until needs a value", statusUsage}, {"warm 1G", "takes no arguments", statusUsage}, {"status x", "takes no arguments", statusUsage},
		{"export x", "takes no arguments", statusUsage},
	} {
		status, stdout, stderr := tacit(t.Context(), &fake{}, strings.Fields(c.args)...)
		if status != c.status || stdout != "" || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: status %d, %q, %q; want %d, %q", c.args, status, stdout, stderr, c.status, c.says)
		}
	}
	if runtime.GOOS != "linux" {
		if status, _, stderr := tacit(t.Context(), &fake{}, "warm"); status != statusError || !strings.Contains(stderr, "Linux guest") {
			t.Errorf("warm: status %d, %q", status, stderr)
		}
		return
	}
	out := filepath.Join(t.TempDir(), "tacit.prom")
	if status, _, stderr := tacit(t.Context(), &fake{}, "export", "-o", out); status != 0 {
		t.Fatalf("export: status %d, %q", status, stderr)
	}
	written, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	status, printed, _ := tacit(t.Context(), &fake{}, "export")
	if status != 0 || !strings.Contains(string(written), "\ntacit_memory_total_bytes ") || !strings.Contains(printed, "\ntacit_memory_total_bytes ") {
		t.Errorf("status %d; the file has\n%s, and printed is\n%s", status, written, printed)
	}
	// What is no file of metrics, or of text at all, stays.
	if err := os.WriteFile(out, []byte("\x7fELF\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := tacit(t.Context(), &fake{}, "export", "-o", out); status != statusUsage {
		t.Errorf("over an ELF file: status %d, %q", status, stderr)
	}
	if status, stdout, stderr := tacit(t.Context(), &fake{}, "status"); status != 0 || !strings.HasPrefix(stdout, "platform ") {
		t.Errorf("status: status %d, %q, %q", status, stdout, stderr)
	}
}
