package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/page"
)

// A run's page is the same each time, to the byte, is small, and says what the record says.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	var pages [][]byte
	for _, name := range []string{"a", "b"} {
		report, file := filepath.Join(dir, name+".html"), filepath.Join(dir, name+".json")
		cmd := command(t, "", "boot", "-q", "--memory", "1G", "--append", "hold=400M", "--report", report, "--json", file)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		text, err := os.ReadFile(report)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, text)
	}
	if !bytes.Equal(pages[0], pages[1]) {
		t.Error("two runs that were the same have pages that differ")
	}
	if len(pages[0]) > page.MaxBytes {
		t.Errorf("the page has %d bytes", len(pages[0]))
	}
	var r record.Record
	if text, err := os.ReadFile(filepath.Join(dir, "a.json")); err != nil || json.Unmarshal(text, &r) != nil {
		t.Fatalf("the record is %.100q, %v", text, err)
	}
	said := strings.ReplaceAll(string(pages[0]), "\u00a0", " ")
	for _, want := range []string{
		r.Image.Kernel, r.Image.SHA256, record.FormatCount(r.Instructions), record.FormatNS(r.VirtualNS.Total), record.FormatNS(*r.VirtualNS.Init),
		"not accepted</dt><dd><span class=\"amount\">" + record.FormatCount(*r.Acceptance.UnacceptedAtInit>>20) + " MiB",
		"accepted by firmware</dt><dd><span class=\"amount\">" + record.FormatCount(r.Acceptance.By.Firmware.UntilInit.Bytes>>20) + " MiB",
		"kernel.(*kernel).allocate", // the guest's callers have names
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
}
