package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestBench(t *testing.T) {
	tacit := func(args ...string) (status int, stdout, stderr string) {
		var out, errs bytes.Buffer
		status = execute(t.Context(), append([]string{"bench"}, args...), &out, &errs, nil)
		return status, out.String(), errs.String()
	}
	if status, out, _ := tacit("--list"); status != 0 || !strings.Contains(out, "carry") || !strings.Contains(out, "boot-tdx") {
		t.Errorf("--list: status %d\n%s", status, out)
	}
	if status, _, errs := tacit("nonsense"); status != statusUsage || !strings.Contains(errs, `no workload nonsense: there are integer, `) {
		t.Errorf("unknown name: status %d, %s", status, errs)
	}
	if status, _, errs := tacit("--runs", "0", "integer"); status != statusUsage || !strings.Contains(errs, "--runs") {
		t.Errorf("no runs: status %d, %s", status, errs)
	}
	if status, _, errs := tacit("--compare", filepath.Join(t.TempDir(), "none"), "integer"); status != statusError || errs == "" {
		t.Errorf("nothing to compare with: status %d, %s", status, errs)
	}
	file := filepath.Join(t.TempDir(), "report.json")
	if status, _, errs := tacit("--runs", "1", "--save", file, "string-short"); status != 0 || !strings.Contains(errs, "tacit: string-short, run 1 of 1\n") {
		t.Fatalf("status %d, %s", status, errs)
	}
	if status, out, _ := tacit("--runs", "1", "--compare", file, "string-short"); status != 0 || !strings.Contains(out, "ratio") || !strings.Contains(out, "MB/s") {
		t.Errorf("status %d\n%s", status, out)
	}
}
