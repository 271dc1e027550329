package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
)

// raw says whether there is anything in the text but lines that a terminal shows as they are.
func raw(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); record.Printable(line) != line || strings.HasPrefix(line, "evil") {
			return true
		}
	}
	return false
}

// The name of a file within an image is nothing that a terminal obeys, nor a line of its own.
func TestHostileNamesInImages(t *testing.T) {
	debian12, _ := inspectStock(t)
	img, err := image.Open(t.Context(), debian12)
	if err != nil {
		t.Fatal(err)
	}
	const name = "boot/vmlinuz-\x1b[2J\nevil\u009b"
	dir := imagetest.Directory(t, imagetest.Files{
		name:                 img.Data,
		"boot/grub/grub.cfg": []byte("menuentry 'A\x1b[31m' {\n linux /boot/vmlinuz add_efi_memmap \x1b[32m\n}\n"),
	})
	status, stdout, stderr := tacit(t.Context(), &fake{}, "inspect", "--evidence", dir)
	if status != 0 || raw(stdout) || raw(stderr) || !strings.Contains(stdout, `vmlinuz-\x1b[2J\x0aevil\u009b`) {
		t.Errorf("status %d\n%q\n%q", status, stdout, stderr)
	}
	// Programs get the name as it is.
	if _, stdout, _ = tacit(t.Context(), &fake{}, "inspect", "--json", dir); !strings.Contains(stdout, `\u001b[2J\nevil`) {
		t.Error(stdout)
	}
}

// Nor is that of a file on the host, in an error or in a table.
func TestHostileNamesOnTheHost(t *testing.T) {
	hostile := filepath.Join(t.TempDir(), "\x1b[2J\nevil")
	if err := os.WriteFile(hostile, []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"boot", hostile}, {"boot", "--initrd", hostile + "x", "i"}, {"inspect", hostile, hostile + "x"}} {
		var stdout, stderr strings.Builder
		status := execute(t.Context(), args, &stdout, &stderr, boot)
		if status != statusError || stdout.Len() > 0 || raw(stderr.String()) || !strings.Contains(stderr.String(), `\x1b[2J\x0aevil`) {
			t.Errorf("%q: status %d, %q, %q", args, status, stdout.String(), stderr.String())
		}
	}
	var table, stderr strings.Builder
	status := execute(t.Context(), []string{"certify", "--require", "tdx", hostile}, &table, &stderr, boot)
	if status != int(statusUnknown) || raw(table.String()) || stderr.Len() > 0 || strings.Count(table.String(), `\x1b[2J\x0aevil`) != 4 {
		t.Errorf("certify: status %d, %q, %q", status, table.String(), stderr.String())
	}
}

// Errors that were joined have a line each; what is within one is no end of it.
func TestComplain(t *testing.T) {
	one, two := errors.New("one\x1b\nevil"), fmt.Errorf("two: %w", os.ErrNotExist)
	for _, c := range []struct {
		err  error
		want string
	}{
		{one, "tacit: one\\x1b\\x0aevil\n"},
		{errors.Join(one, errors.Join(two, nil)), "tacit: one\\x1b\\x0aevil\ntacit: two: file does not exist\n"},
		{fmt.Errorf("%w and %w", one, two), "tacit: one\\x1b\\x0aevil and two: file does not exist\n"},
	} {
		var b strings.Builder
		if complain(&b, c.err); b.String() != c.want {
			t.Errorf("%q, want %q", b.String(), c.want)
		}
	}
}

// What is printed is a copy: what programs read stays what it was.
func TestPrintableResults(t *testing.T) {
	const hostile = "\x1b"
	k := &inspect.Kernel{File: hostile, Release: hostile, Notes: []string{hostile}, Boots: []inspect.Boot{{Loader: hostile}}}
	k.Lazy.Evidence = []inspect.Evidence{{What: hostile}}
	all := printableResults([]inspected{
		{file: hostile, report: &inspect.Report{Notes: []string{hostile}, Kernels: []*inspect.Kernel{k}}}, {file: hostile, err: os.ErrNotExist},
	})
	got := all[0].report.Kernels[0]
	if text := fmt.Sprintf("%s %s %v %v %v %v", all[0].file, all[1].file, all[0].report.Notes, got.Name(), got.Notes, *got); raw(text) {
		t.Errorf("%q", text)
	}
	if k.File != hostile || k.Notes[0] != hostile || k.Lazy.Evidence[0].What != hostile || all[1].err == nil {
		t.Errorf("what was found has changed: %+v", k)
	}
}
