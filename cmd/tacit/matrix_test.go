package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/certify/matrix"
)

// The matrix of ci shows what its table says, under this version, too. What shows something else is told, and --update makes
// it what is expected.
func TestMatrix(t *testing.T) {
	if status, out, stderr := really(t, "certify", "--matrix", "../../ci/matrix.yaml"); status != 0 || !strings.Contains(out, " 0 changed, 0 new, 0 gone, 0 could not be judged\n") {
		t.Errorf("status %d\n%s%s", status, out, stderr)
	}
	ofVersion(t, "v1")
	dir, store := t.TempDir(), t.TempDir()
	file := write(t, filepath.Join(dir, "m.yaml"), "images: own-guest\nplatforms: tdx\npolicies: lazy\nmemory: 1G\nattacks: [drop]\ncommand_lines: hold=700M\n")
	table := filepath.Join(dir, "m.expected.csv")
	run := func(args ...string) (int, string) {
		t.Helper()
		status, stdout, stderr := really(t, append([]string{"certify", "--store", store, "--matrix", file}, args...)...)
		return status, stdout + stderr
	}
	if status, out := run(); status != int(statusNo) || !strings.Contains(out, "1 boots: 0 as expected, 0 changed, 1 new") || !strings.Contains(out, "--update writes") {
		t.Errorf("status %d\n%s", status, out)
	}
	if status, out := run("--update"); status != 0 {
		t.Errorf("status %d\n%s", status, out)
	}
	kept, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if status, out := run(); status != 0 || !strings.Contains(out, "1 boots: 1 as expected") {
		t.Errorf("status %d\n%s", status, out)
	}
	write(t, table, strings.Replace(string(kept), "held", "broken", 1))
	status, out := run()
	if status != int(statusNo) || !strings.Contains(out, "changed  own-guest  tdx  lazy  1 GiB  hold=700M  under drop\n    attacked: broken → held\n") {
		t.Errorf("status %d\n%s", status, out)
	}
	_, out, _ = really(t, "certify", "--store", store, "--matrix", file, "--json", "-")
	valid(t, "matrix", out, false)
	var r matrix.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Cells) != 1 || len(r.Changes) != 1 || r.Cells[0].Record == nil {
		t.Errorf("%v, %.300s", err, out)
	}
	// One boot with an honest host, and one without.
	if n := len(exported(t, "--store", store)); n != 2 {
		t.Errorf("%d results were kept", n)
	}

	write(t, file, "images: [own-guest, ghost*]")
	if status, out := run(); status != int(statusError) || !strings.Contains(out, "no file is called ghost*") {
		t.Errorf("status %d\n%s", status, out)
	}
	write(t, filepath.Join(dir, "ghost.efi"), "MZ")
	if status, out := run("--update"); status != int(statusUnknown) || !strings.Contains(out, "stays as it was") {
		t.Errorf("status %d\n%s", status, out)
	}
	write(t, file, "images: own-guest\npolicy: lazy")
	if status, out := run(); status != int(statusError) || !strings.Contains(out, `line 2: a matrix has no "policy"`) {
		t.Errorf("status %d\n%s", status, out)
	}
}
