package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/debiantest"
	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
)

// A file that a guest has made survives its restart, and in the overlay the end of the command; the image has none of it, and a
// boot without the overlay begins anew. A restart that is not allowed is an end.
func TestFilesSurviveARestart(t *testing.T) {
	t.Parallel()
	kernels, err := filepath.Glob("../../kernels/linux-image-6.12.*-cloud-amd64_*.deb")
	if err != nil || len(kernels) == 0 {
		t.Fatal("no kernel: run scripts/fetch-kernels")
	}
	program, err := os.ReadFile(guesttest.Executable(t, "../../internal/guesttest/init"))
	if err != nil {
		t.Fatal(err)
	}
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: program}, image.File{Name: "modules", Mode: os.ModeDir | 0o755},
		image.File{Name: "modules/virtio_blk.ko.xz", Mode: 0o644, Data: debiantest.Named(t, kernels[0], "virtio_blk.ko.xz")[0]},
		image.File{Name: "keepfile", Mode: 0o644}, image.File{Name: "restart", Mode: 0o644})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay := filepath.Join(dir, "overlay")
	initrdFile := write(t, filepath.Join(dir, "initrd"), string(initrd))
	disk := imagetest.Qcow2(t, imagetest.Ext(t, 4, 16, nil))
	before, err := os.ReadFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	const made, found = "init: no file yet", "init: found what was there before"
	for _, c := range []struct {
		what        string
		flags       []string
		made, found int
		status      int
	}{
		{"a restart", []string{"--overlay", overlay, "--reboots", "1"}, 1, 1, 0},
		{"the next command", []string{"--overlay", overlay}, 0, 1, 0},
		{"without the overlay", []string{"--reboots", "1"}, 1, 1, 0},
		{"without either", nil, 1, 0, int(statusOf(record.Reset))},
	} {
		args := append([]string{"boot", "--memory", "1G", "--initrd", initrdFile, "--disk", disk}, c.flags...)
		status, stdout, stderr := really(t, append(args, kernels[0])...)
		if status != c.status || strings.Count(stdout, made) != c.made || strings.Count(stdout, found) != c.found {
			t.Errorf("%s: status %d, made %d times, found %d times: %s\n%s", c.what, status, strings.Count(stdout, made), strings.Count(stdout, found), stderr, stdout[max(0, len(stdout)-2000):])
		}
	}
	if after, err := os.ReadFile(disk); err != nil || string(after) != string(before) {
		t.Errorf("the image has changed, %v", err)
	}
}

// Of two runs with one overlay, the one that ends later does not undo what the other has kept.
func TestOverlayOfAnotherRun(t *testing.T) {
	for _, begins := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "x.overlay")
		esp := imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()})
		boots := func() {
			var out bytes.Buffer
			if status := execute(t.Context(), []string{"boot", "-q", "--platform", "none", "--memory", "256M", "--overlay", path, esp}, &out, &out, boot); status != 0 {
				t.Fatal(status, out.String())
			}
		}
		if begins {
			boots()
		}
		o, err := openOverlay(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if !o.unchanged() {
			t.Error("nothing has been written, and that is not seen")
		}
		boots()
		if o.unchanged() {
			t.Error("what another run has kept is not seen")
		}
		o.discard()
	}
}
