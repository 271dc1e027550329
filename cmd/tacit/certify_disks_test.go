package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/debiantest"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

// A disk that is only the changes to another one is known by both files: where the other one changes, it is booted again.
func TestCertifyBackingFile(t *testing.T) {
	ofVersion(t, "v1")
	base := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()})})
	store := t.TempDir()
	args := []string{"certify", "--platform", "snp", "--policy", "lazy", "--memory", "1G", "--json", "-", "--store", store, imagetest.Overlay(t, base, "raw", "top.qcow2")}
	certified := func() certify.Verdict {
		status, stdout, stderr := tacit(t.Context(), &fake{}, args...)
		var c certify.Certificate
		if err := json.Unmarshal([]byte(stdout), &c); err != nil || status != 0 {
			t.Fatalf("status %d, %v: %s", status, err, stderr)
		}
		if r := c.Boots[0].Record; r == nil || r.Disks[0].SHA256 != c.Verdicts[0].FileSHA256 {
			t.Errorf("%+v", c.Boots[0])
		}
		return c.Verdicts[0]
	}
	first := certified()
	if again := certified(); again.FileSHA256 != first.FileSHA256 || len(exported(t, "--store", store)) != 1 {
		t.Errorf("the same disk is booted again: %s, %s", first.FileSHA256, again.FileSHA256)
	}
	content, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	content[1<<20-1]++ // before the partition
	if err := os.WriteFile(base, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if other := certified(); other.FileSHA256 == first.FileSHA256 || len(exported(t, "--store", store)) != 2 {
		t.Errorf("the disk below has changed, and it is the same one: %s", other.FileSHA256)
	}
}

// A container image with a boot loader is a disk to certify, and with --append its kernel alone; one is not taken for the other by
// what is kept.
func TestCertifyLoaderOfContainerImage(t *testing.T) {
	ofVersion(t, "v1")
	found, err := filepath.Glob("../../kernels/linux-image-6.12.*-cloud-amd64_*.deb")
	if err != nil || len(found) == 0 {
		t.Fatal("no kernel: run scripts/fetch-kernels")
	}
	k, err := image.Open(t.Context(), found[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := imagetest.Layout(t, imagetest.Tar(t, imagetest.Files{"usr/lib/modules/" + k.Name + "/vmlinuz": k.Data,
		"usr/lib/systemd/boot/efi/systemd-bootx64.efi": debiantest.File(t, "../../kernels", "systemd-boot-efi_257.*", "usr/lib/systemd/boot/efi/systemd-bootx64.efi")}))
	store := t.TempDir()
	for range 2 { // the second time it is known what is there
		for _, c := range []struct {
			flags  []string
			format string
		}{
			{nil, "loader and kernel of a container image"}, {[]string{"--append", "quiet"}, ""},
		} {
			args := append([]string{"certify", "--platform", "tdx", "--policy", "lazy", "--memory", "512M", "--max-virtual-time", "5ms", "--json", "-", "--store", store}, c.flags...)
			_, stdout, stderr := tacit(t.Context(), &fake{}, append(args, "oci:"+dir)...)
			var certificate certify.Certificate
			if err := json.Unmarshal([]byte(stdout), &certificate); err != nil || certificate.Boots[0].Record == nil {
				t.Fatalf("%v: %s%s", err, stdout, stderr)
			}
			format := ""
			if r := certificate.Boots[0].Record; len(r.Disks) > 0 {
				format = r.Disks[0].Format
			}
			if format != c.format {
				t.Errorf("%q: %q, want %q", c.flags, format, c.format)
			}
		}
	}
}

// GRUB 2.06's command linux loses the guest's memory (AMDSEV#200), by a way that inspect reads out of the disk: the two agree.
// A disk is kept as any image, by its file's digest: the second time neither is opened, and nothing is booted.
func TestCertifyDisks(t *testing.T) {
	ofVersion(t, "v1")
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: imagetest.Saying("tacit login: ")})
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob("../../kernels/linux-image-6.12.*-cloud-amd64_*.deb")
	if err != nil || len(found) == 0 {
		t.Fatal("no kernel: run scripts/fetch-kernels")
	}
	k, err := image.Open(t.Context(), found[0])
	if err != nil {
		t.Fatal(err)
	}
	esp := imagetest.FAT(t, 16, 64, imagetest.Files{
		"EFI/BOOT/BOOTX64.EFI": debiantest.File(t, "../../kernels", "grub-efi-amd64-bin_2.06-*", "usr/lib/grub/x86_64-efi/monolithic/grubx64.efi"),
		"EFI/debian/grub.cfg":  []byte("set timeout=0\nmenuentry Debian {\nlinux /vmlinuz console=ttyS0 panic=-1\ninitrd /initrd.img\n}\n"),
		"vmlinuz":              k.Data, "initrd.img": initrd,
	})
	grub := imagetest.Qcow2(t, imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: esp}), "-c")
	own := imagetest.Convert(t, imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()})}), "vpc", "-o", "force_size=on")
	store := t.TempDir()
	args := []string{"certify", "--platform", "snp", "--policy", "negotiate", "--memory", "1G", "--json", "-", "--store", store, grub, own}
	status, stdout, stderr := tacit(t.Context(), &fake{}, args...)
	var c certify.Certificate
	if err := json.Unmarshal([]byte(stdout), &c); err != nil || status != 0 {
		t.Fatalf("status %d, %v: %s", status, err, stderr)
	}
	v := c.Verdicts[0]
	if p := v.Platforms["snp"]; p.Guest != certify.Yes || len(p.LosesUnder) != 1 || p.Accepts != certify.Unknown || len(v.Disagreements) != 0 || v.SHA256 != v.FileSHA256 || v.FileSHA256 == "" {
		t.Errorf("%s: %+v\n%s", v.Line, v, stderr)
	}
	if r := c.Boots[0].Record; r.Guest.Up == nil || r.Path.Kernel == nil || r.Disks[0].Format != "qcow2 disk image" {
		t.Errorf("%+v", r.Path)
	}
	if c.Verdicts[1].Result != certify.Passed || c.Boots[1].Record.Disks[0].Format != "VHD disk image" {
		t.Errorf("%s: %+v", c.Verdicts[1].Line, c.Boots[1].Record.Disks)
	}
	_, again, _ := tacit(t.Context(), &fake{}, args...)
	if again != stdout {
		t.Error("the second time it is another certificate")
	}
	// A matrix takes disks, too, and the boot is the same. What makes no sense of one is refused before anything boots.
	matrix := write(t, filepath.Join(t.TempDir(), "m.yaml"), "platforms: snp\npolicies: negotiate\nmemory: 1G\nimages: "+grub)
	status, text, stderr := tacit(t.Context(), &fake{}, "certify", "--store", store, "--matrix", matrix)
	if status != int(statusNo) || !strings.Contains(text, "init silent, accepts no, loses yes") || !strings.Contains(text, "outcome login prompt") || len(exported(t, "--store", store)) != 2 {
		t.Errorf("status %d: %s%s", status, text, stderr)
	}
	for words, want := range map[string]string{"command_lines: quiet": "command_lines there are kernels alone", "attacks: [none, drop]": "attacks are on kernels alone"} {
		write(t, matrix, "images: "+grub+"\n"+words)
		if status, text, stderr := tacit(t.Context(), &fake{}, "certify", "--store", store, "--matrix", matrix); status != int(statusError) || text != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d: %s%s", words, status, text, stderr)
		}
	}
	status, sarif, stderr := tacit(t.Context(), &fake{}, append([]string{"certify", "--sarif", "-", "--require", "snp"}, append(args[1:7:7], "--store", store, grub)...)...)
	if status != int(statusNo) || !strings.Contains(sarif, "tacit/loses-memory") || !strings.Contains(sarif, "its kernel is told of") {
		t.Errorf("status %d: %s%s", status, sarif, stderr)
	}
	// One that has changed is another.
	f, err := os.OpenFile(own, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(0); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	if status, _, stderr := tacit(t.Context(), &fake{}, args...); status != int(statusUnknown) {
		t.Errorf("status %d: %s", status, stderr)
	}
}
