package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/guesttest"
)

// A profile of processor time says where the time went, on each platform and on several processors, and is the same each time.
func TestGuestProfile(t *testing.T) {
	t.Parallel()
	executable := guesttest.Executable(t, "./testdata/profiled")
	for _, flags := range []string{"--platform tdx", "--platform snp", "--platform none", "--platform tdx --cpus 4"} {
		file := filepath.Join(t.TempDir(), "cpu")
		args := append([]string{"guest", "run", "--out", "/cpu=" + file}, strings.Fields(flags)...)
		if status, stdout, stderr := tacit(t.Context(), &fake{}, append(args, executable, "/cpu")...); status != 0 {
			t.Fatalf("%s: status %d, %s, %s", flags, status, stdout, stderr)
		}
		three, one := sampled(t, file, "main.three"), sampled(t, file, "main.one")
		// 160 million rounds of 4 instructions and some are 1.1 s of virtual time, of which the scheduler may take a little.
		if total := three + one; total < 900 || total > 1400 || three*10 < total*7 || three*10 > total*8 {
			t.Errorf("%s: %d ms are those of a function that has used three quarters, %d ms the other's", flags, three, one)
		}
		again := filepath.Join(t.TempDir(), "again")
		args[3] = "/cpu=" + again
		if status, _, stderr := tacit(t.Context(), &fake{}, append(args, executable, "/cpu")...); status != 0 {
			t.Fatal(stderr)
		}
		first, err1 := os.ReadFile(file)
		second, err2 := os.ReadFile(again)
		if err1 != nil || err2 != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: two runs are two profiles (%v, %v)", flags, err1, err2)
		}
	}
}

// sampled is the time in milliseconds that go tool pprof says a function has used itself.
func sampled(t *testing.T, file, function string) (ms int) {
	t.Helper()
	out, err := exec.Command("go", "tool", "pprof", "-top", "-unit=ms", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasSuffix(strings.TrimSpace(line), " "+function) {
			if _, err := fmt.Sscanf(line, "%dms", &ms); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
	}
	return ms
}
