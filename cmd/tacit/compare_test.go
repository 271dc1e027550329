package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/guest"
)

// small is a comparison of tacit's own guest that takes a moment.
func small(more ...string) []string {
	return append([]string{"compare", "--platform", "tdx", "--memory", "512M", "--with", "lazy,eager-kernel", "--append", "hold=300M"}, more...)
}

func TestCompareStatuses(t *testing.T) {
	_, help, _ := tacit(t.Context(), &fake{}, "compare", "--help")
	for _, c := range []struct {
		args []string
		want int
		says string
	}{
		{small(), 0, "eager : lazy"},
		{small("--fail-if", "init > 100x,end>100x", "--fail-if", "accepted < 0.5x"), 0, "conditions: 3 judged, 0 met, 0 could not be told"},
		{small("--fail-if", "init > 1.05x"), 3, "FAILED  init > 1.05x: demo.efi, eager-kernel: tdx, 512 MiB: init is"},
		{small("--base", "eager-kernel", "--fail-if", "init < 0.9x"), 3, "FAILED  init < 0.9x: demo.efi, lazy: "},
		{small("--append", "touch"), 0, "violation"},
		{small("--max-virtual-time", "1ns"), 4, "it did not get to its init"},
		{small("--fail-if", "end > 1x", "--timeout", "1ns"), 4, "UNKNOWN  end > 1x"},
		{small("--json", "/nonexistent/c.json"), 1, ""},
		{small("/nonexistent"), 1, ""},
		{small("/dev/null"), 1, ""},
		{small("--resume", "/dev/null"), 1, ""},
		{small("--fail-if", "?"), 2, ""},
	} {
		status, stdout, stderr := tacit(t.Context(), &fake{}, c.args...)
		if status != c.want || !strings.Contains(stdout, c.says) || (c.says == "") != (stdout == "") {
			t.Errorf("%q: status %d, want %d with %q\n%s%s", c.args, status, c.want, c.says, stdout, stderr)
		}
		if !strings.Contains(help, fmt.Sprintf("\n  %3d  ", c.want)) {
			t.Errorf("--help does not explain status %d", c.want)
		}
	}
}

// A file may say what events cost: the ratio has a range by its numbers, and one model for a platform is enough.
func TestCompareByOtherCosts(t *testing.T) {
	model := fileWith(t, "m.yaml", "name: dear\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 100000, source: 'estimate: a test'}\n")
	_, before, _ := tacit(t.Context(), &fake{}, small()...)
	status, stdout, stderr := tacit(t.Context(), &fake{}, small("--cost", model)...)
	if status != 0 || !strings.Contains(stdout, "dear@") || strings.Contains(stdout, "no cost model") || stdout == before {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	for want, args := range map[string][]string{
		"is the second one for platform tdx":                            {"--cost", "tdx-estimate-1", "--cost", model},
		"is for platform snp, on which nothing is to be run":            {"--cost", "snp-estimate-1"},
		"--cost: no cost model \"x\"":                                   {"--cost", "x"},
		"snp-estimate-1 is for platform snp, on which nothing is to be": {"--cost", model, "--cost", "snp-estimate-1"},
	} {
		if status, _, stderr := tacit(t.Context(), &fake{}, small(args...)...); status != int(statusUsage) || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d, %s", args, status, stderr)
		}
	}
}

// Files and streams get what is asked for, and what ran is told of.
func TestCompareOutputs(t *testing.T) {
	dir := t.TempDir()
	html, svg := filepath.Join(dir, "c.html"), filepath.Join(dir, "c.svg")
	status, stdout, stderr := tacit(t.Context(), &fake{}, small("--html", html, "--svg", svg, "--json", "-")...)
	var got struct {
		Schema, Tool string
		Boots        []struct{ With, Outcome string }
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || status != 0 || got.Tool != versionText() || len(got.Boots) != 2 || got.Boots[1].Outcome != "poweroff" {
		t.Errorf("status %d, %v, %+v", status, err, got)
	}
	for _, want := range []string{" of 2  demo.efi  tdx  512 MiB  lazy  poweroff\n", " of 2  demo.efi  tdx  512 MiB  eager-kernel  poweroff\n"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q lacks %q", stderr, want)
		}
	}
	for path, end := range map[string]string{html: "</html>\n", svg: "</svg>\n"} {
		if b, err := os.ReadFile(path); err != nil || !strings.HasSuffix(string(b), end) {
			t.Errorf("%s: %d bytes, %v", path, len(b), err)
		}
	}
	nothingElseIn(t, dir, "c.html", "c.svg")
}

// Two images: what differs, by whom it was asked for. The same program twice differs in nothing.
func TestCompareImages(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for _, name := range []string{"old.efi", "new.efi"} {
		paths = append(paths, filepath.Join(dir, name))
		if err := os.WriteFile(paths[len(paths)-1], guest.Demo(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	status, stdout, stderr := tacit(t.Context(), &fake{}, append([]string{"compare", "--platform", "tdx", "--memory", "512M", "--with", "lazy", "--fail-if", "init > 1x"}, paths...)...)
	if status != 0 || !strings.Contains(stdout, "new.efi : old.efi: the same in all that is compared") || !strings.Contains(stdout, "image    init") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	if status, _, stderr := tacit(t.Context(), &fake{}, small("--resume", paths[0], paths[0])...); status != statusUsage || !strings.Contains(stderr, "is the same file as") {
		t.Errorf("boots are kept in an image: status %d, %s", status, stderr)
	}
	if status, _, stderr := tacit(t.Context(), &fake{}, small("--resume", paths[0])...); status != statusUsage || !strings.Contains(stderr, "would replace a file that is not text") {
		t.Errorf("boots are kept in an image: status %d, %s", status, stderr)
	}
}

// What was run is not run again, and a file that is not whole is told of and not believed.
func TestCompareResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "boots.jsonl")
	again := func(more ...string) (stdout, stderr string) {
		t.Helper()
		status, stdout, stderr := tacit(t.Context(), &fake{}, small(append([]string{"--resume", path}, more...)...)...)
		if status != 0 {
			t.Fatalf("status %d: %s", status, stderr)
		}
		return stdout, stderr
	}
	first, _ := again()
	second, told := again()
	if first != second || strings.Count(told, "poweroff  (kept)") != 2 {
		t.Errorf("the second time:\n%s", told)
	}
	if _, told := again("--with", "negotiate"); strings.Count(told, "(kept)") != 2 || strings.Count(told, "poweroff") != 3 {
		t.Errorf("with one more:\n%s", told)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(b, []byte(`"outcome":"poweroff"`), []byte(`"outcome":"poweroof"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	third, told := again()
	if third != first || strings.Count(told, "(kept)") != 1 || !strings.Contains(told, "not whole, or not tacit's: 1;") {
		t.Errorf("after a line was changed:\n%s", told)
	}

	other, err := openKept(t.Context(), path, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	if status, _, stderr := tacit(t.Context(), &fake{}, small("--resume", path)...); status != statusError || !strings.Contains(stderr, "another tacit keeps its boots there") {
		t.Errorf("two at a time: status %d, %s", status, stderr)
	}
}

// A signal ends a comparison within a second, and what had come to its end is shown, and kept.
func TestCompareSignal(t *testing.T) {
	again(t, func() time.Duration {
		dir := t.TempDir()
		boots, page := filepath.Join(dir, "boots.jsonl"), filepath.Join(dir, "c.html")
		var stdout, stderr bytes.Buffer
		// The second would take hours.
		cmd := command(t, "", "compare", "--platform", "tdx", "--memory", "512M,4T", "--with", "eager-kernel+host-page-4K", "--jobs", "1", "--max-virtual-time", "0",
			"--resume", boots, "--html", page)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for range 600 { // the first has come to its end
			if b, _ := os.ReadFile(boots); bytes.HasSuffix(b, []byte("\n")) {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(300 * time.Millisecond)
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		status, took := ended(cmd)
		written, err := os.ReadFile(page)
		if status != 130 || strings.Count(stdout.String(), "poweroff\n") != 1 || strings.Count(stdout.String(), "cancelled\n") != 1 ||
			err != nil || !strings.HasSuffix(string(written), "</html>\n") || !strings.HasSuffix(stderr.String(), "tacit: cancelled\n") {
			t.Errorf("status %d, page of %d bytes, %v\n%s%s", status, len(written), err, &stdout, &stderr)
		}
		return took
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if status, _, stderr := tacit(ctx, &fake{}, small("x.deb")...); status != 130 && status != statusError {
		t.Errorf("cancelled before it began: status %d, %q", status, stderr)
	}
}
