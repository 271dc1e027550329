package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/compare/storm"
	"github.com/tacit-vm/tacit/guest"
)

// Files and streams get what is asked for; a boot that is kept is not run again; and a boot that got nowhere has a status.
func TestStorm(t *testing.T) {
	dir := t.TempDir()
	image, svg, kept := filepath.Join(dir, "demo.efi"), filepath.Join(dir, "s.svg"), filepath.Join(dir, "boots")
	write(t, image, string(guest.Demo()))
	small := []string{"storm", "--memory", "512M", "--cpus", "1,2", "--append", "hold=100M", "--resume", kept, image}
	status, stdout, stderr := tacit(t.Context(), &fake{}, append(small, "--svg", svg)...)
	for _, want := range []string{"demo.efi, tdx, 512 MiB, lazy+host-page-4K", "\n1           ", "\n2           ", "tdx-estimate-1"} {
		if status != 0 || !strings.Contains(stdout, want) {
			t.Errorf("status %d, want %q in\n%s%s", status, want, stdout, stderr)
		}
	}
	if picture, err := os.ReadFile(svg); err != nil || !strings.HasSuffix(string(picture), "</svg>\n") {
		t.Errorf("%d bytes of picture, %v", len(picture), err)
	}
	status, stdout, stderr = tacit(t.Context(), &fake{}, append(small, "--json", "-")...)
	var got struct {
		Schema, Tool string
		Boots        []struct{ CPUs int }
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || status != 0 || got.Schema != storm.Schema || got.Tool != versionText() || len(got.Boots) != 2 || got.Boots[1].CPUs != 2 {
		t.Errorf("status %d, %v, %+v", status, err, got)
	}
	if strings.Count(stderr, "(kept)\n") != 2 {
		t.Errorf("what was kept ran again: %q", stderr)
	}
	nothingElseIn(t, dir, "demo.efi", "s.svg", "boots")
	model := fileWith(t, "m.yaml", "name: dear\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 100000, source: 'estimate: a test'}\n")
	status, stdout, stderr = tacit(t.Context(), &fake{}, append(small, "--cost", model)...)
	if status != 0 || !strings.Contains(stdout, "dear@") || strings.Contains(stderr, "(kept)\n") {
		t.Errorf("by a model of a file: status %d\n%s%s", status, stdout, stderr)
	}
	if status, _, stderr = tacit(t.Context(), &fake{}, append(small, "--cost", model, "--svg", model)...); status != int(statusUsage) || !strings.Contains(stderr, "the same file as --cost") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if status, stdout, _ = tacit(t.Context(), &fake{}, append(small, "--max-virtual-time", "1ns")...); status != int(statusUnknown) || !strings.Contains(stdout, "it did not get to its init") {
		t.Errorf("status %d\n%s", status, stdout)
	}
	if status, _, stderr = tacit(t.Context(), &fake{}, append(small, "--json", "/nonexistent/s.json")...); status != statusError {
		t.Errorf("status %d: %s", status, stderr)
	}
}
