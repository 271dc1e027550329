package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tacit-vm/tacit/image"
)

// What cannot be booted gives one line that says why, status 1, and no run: to boot and to symbols. To certify it is a row,
// and an image that could not be judged.
func TestWhatCannotBeBooted(t *testing.T) {
	kernels, err := filepath.Glob("../../kernels/linux-image-6.12*-cloud-*.deb")
	if err != nil || len(kernels) == 0 {
		t.Fatal("no kernel in kernels/: run scripts/fetch-kernels")
	}
	img, err := image.Open(t.Context(), kernels[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// patched is the kernel with other bytes at an offset.
	patched := func(name string, at int, bytes ...byte) string {
		data := slices.Clone(img.Data)
		copy(data[at:], bytes)
		return put(name, data)
	}
	pe := int(binary.LittleEndian.Uint32(img.Data[0x3C:]))
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := []string{
		filepath.Join(dir, "none"), "", fifo, "/dev/zero",
		put("empty", nil),
		put("zeroes", make([]byte, 1<<20)),
		put("text", []byte("nothing of the kind\n")),
		put("only-MZ", []byte("MZ")),
		put("garbage-after-MZ", append([]byte("MZ"), bytes.Repeat([]byte{0xA5, 0x5A, 7}, 1<<16)...)),
		patched("no-PE-signature", pe, 0, 0),
		patched("no-MZ", 0, 0, 0),            // a bzImage without EFI stub
		patched("32-bit", 0x236, 0, 0),       // its xloadflags
		patched("PE-of-i386", pe+4, 0x4C, 1), // machine
		patched("PE-of-arm64", pe+4, 0x64, 0xAA),
		patched("PE32", pe+24, 0x0B, 1), // the optional header's magic
		patched("driver", pe+24+68, 11), // its subsystem
	}
	for _, n := range []int{100, 0x250, 4096, len(img.Data) / 2} {
		refused(t, put("truncated", img.Data[:n]))
	}
	for _, path := range bad {
		refused(t, path)
	}
	// A directory is the images in it, where there are any.
	if status, _, stderr := tacit(t.Context(), &fake{}, "certify", t.TempDir()); status != statusError || !oneLineOf(stderr, "tacit: no images") {
		t.Errorf("an empty directory: status %d, %q", status, stderr)
	}
	deb, err := os.ReadFile(kernels[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{8, 30, 68, 100, 132, 200, 10_000, 100_000, len(deb) / 2, len(deb) - 1} {
		refused(t, put("truncated.deb", deb[:n]))
	}
}

func refused(t *testing.T, path string) {
	t.Helper()
	record := filepath.Join(t.TempDir(), "record")
	for _, args := range [][]string{
		{"boot", "--max-instructions", "1", "--json", record, path}, {"symbols", "--output", record, path},
	} {
		if args[0] == "symbols" && filepath.Ext(path) != ".deb" {
			continue // a kernel that cannot be booted may have symbols
		}
		var out, errs bytes.Buffer
		status := execute(t.Context(), args, &out, &errs, boot)
		if status != statusError || out.Len() != 0 || !oneLine(errs.String()) {
			t.Errorf("%s %s: status %d, stdout %.200q, stderr %.500q", args[0], path, status, &out, &errs)
		}
		if data, err := os.ReadFile(record); err == nil && len(data) > 0 {
			t.Errorf("%s %s: it left a record of %d bytes", args[0], path, len(data))
		}
	}
	var out, errs bytes.Buffer
	status := execute(t.Context(), []string{"certify", "--inspect=false", "--timeout", "1ns", path}, &out, &errs, boot)
	if status != int(statusUnknown) || errs.Len() != 0 || strings.Count(out.String(), "error: ") != 1 || strings.Count(out.String(), "\n") != 6 {
		t.Errorf("certify %s: status %d, stdout %.900q, stderr %.500q", path, status, &out, &errs)
	}
}

// Files that a run wants beside its image are looked at before it, and are files: what is none might never end, or
// never begin.
func TestWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	fifo, large := filepath.Join(dir, "fifo"), filepath.Join(dir, "large")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 1<<40); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--initrd", "--replay-input"} {
		for _, path := range []string{fifo, "/dev/zero", dir, filepath.Join(dir, "none"), large} {
			f := &fake{}
			if status, _, stderr := tacit(t.Context(), f, "boot", flag, path, "i"); status != statusError || !oneLine(stderr) || f.calls != 0 {
				t.Errorf("%s %s: status %d, %d runs, %q", flag, path, status, f.calls, stderr)
			}
		}
	}
	for _, command := range [][]string{
		{"bench", "--compare", large, "integer"}, {"guest", "run", large}, {"guest", "build", "-o", filepath.Join(dir, "x.efi"), large},
		{"cost", "fit", large}, {"cost", "sensitivity", large}, {"certify", "--matrix", large}, {"boot", "--cost", large},
	} {
		if status, _, stderr := tacit(t.Context(), &fake{}, command...); status == 0 || !oneLine(stderr) {
			t.Errorf("%v: status %d, %q", command, status, stderr)
		}
	}
	if _, err := image.OpenSymbols(fifo); err == nil {
		t.Error("a pipe has symbols")
	}
}

// What cannot be written is an error, whatever the guest did; and a device to which nothing can be written stays where
// it is.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /dev/full")
	}
	full := filepath.Join(t.TempDir(), "full")
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--json", "--events"} {
		f := &fake{outcome: "poweroff"}
		if status, _, _ := tacit(t.Context(), f, "boot", flag, full, "i"); status != statusError {
			t.Errorf("%s: status %d", flag, status)
		}
	}
	if to, err := os.Readlink(full); err != nil || to != "/dev/full" {
		t.Errorf("the link leads to %s, %v", to, err)
	}
}

// A signal while an image is read ends that.
func TestCancelledWhileReading(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	kernels, _ := filepath.Glob("../../kernels/linux-image-6.12*-cloud-*.deb")
	if len(kernels) == 0 {
		t.Fatal("no kernel in kernels/: run scripts/fetch-kernels")
	}
	for _, command := range []string{"boot", "certify"} {
		var out, errs bytes.Buffer
		if status := execute(ctx, []string{command, kernels[0]}, &out, &errs, boot); status != 130 || errs.String() != "tacit: cancelled\n" {
			t.Errorf("%s: status %d, %q", command, status, &errs)
		}
	}
}
