package certify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/debiantest"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// diskOf is a disk to certify that has one partition, for EFI programs.
func diskOf(t *testing.T, mib int, files imagetest.Files) certify.Subject {
	t.Helper()
	esp := imagetest.FAT(t, 16, mib, files)
	path := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: esp})
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	digest := hex.EncodeToString(sum[:])
	return certify.Subject{Path: path, SHA256: digest, Disk: &certify.Disk{
		Name: filepath.Base(path), SHA256: digest, Open: func(ctx context.Context) (*image.Disk, error) { return image.OpenDisk(ctx, path) },
	}}
}

// linuxDisk is a disk with systemd-boot, Debian's kernel and a program for its init, and what the file would say of that.
func linuxDisk(t *testing.T, init []byte, way certify.Way) certify.Subject {
	t.Helper()
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: init})
	if err != nil {
		t.Fatal(err)
	}
	k := kernel(t, "linux-image-6.12.*-cloud-amd64_*.deb")
	s := diskOf(t, 64, imagetest.Files{
		"EFI/BOOT/BOOTX64.EFI": debiantest.File(t, "../kernels", "systemd-boot-efi_257.*", "usr/lib/systemd/boot/efi/systemd-bootx64.efi"), "loader/loader.conf": []byte("timeout 0\n"),
		"loader/entries/debian.conf": []byte("title Debian\nlinux /vmlinuz\ninitrd /initrd.img\noptions console=ttyS0 panic=-1\n"),
		"vmlinuz":                    k.Data, "initrd.img": initrd,
	})
	on := map[string]certify.PlatformClaim{vm.TDX: {Guest: certify.Yes, Accepts: certify.Yes}}
	s.Claims = &certify.Claims{Kernels: []certify.KernelClaims{
		{Release: "6.1.0", Negotiates: certify.No, On: map[string]certify.PlatformClaim{vm.TDX: {Guest: certify.No}}},
		{Release: k.Name, Negotiates: certify.Yes, On: on, Ways: []certify.Way{way}},
	}}
	return s
}

// A disk has come up when its console shows a prompt at which one logs in, or systemd says that it is done: there the run
// ends. What it was told of its memory counts, and what the file says of the loader's path is held against what happened.
func TestDisksComeUp(t *testing.T) {
	t.Parallel()
	right := certify.Way{By: []string{"vmlinuz", "BOOTX64.EFI"}, Stub: certify.Yes}
	c, err := certify.Run(t.Context(), certify.Config{
		Subjects: []certify.Subject{
			linuxDisk(t, imagetest.Saying("tacit login: "), right),
			linuxDisk(t, imagetest.Saying("[  OK  ] Reached target \x1b[0;1;39mmulti-user.target\x1b[0m - Multi-User System.\n"), certify.Way{By: right.By, Stub: certify.No}),
			linuxDisk(t, imagetest.Saying("(initramfs) "), right),
		},
		Platforms: []string{vm.TDX}, Policies: []string{"negotiate"}, Memory: []uint64{1 << 30}, MaxInstructions: 2_500_000_000,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		up, disagrees string
		result        certify.Result
	}{
		{"login prompt", "", certify.Passed},
		{"systemd", "is started: the file says no, the boots say yes", certify.Failed},
		{"", "", certify.Unjudged},
	} {
		v, r := c.Verdicts[i], c.Boots[i].Record
		if r == nil {
			t.Fatal(c.Boots[i].Error)
		}
		up := ""
		if r.Guest.Up != nil {
			up = r.Guest.Up.By
		}
		if up != want.up || v.Result != want.result || v.Complete && v.SHA256 != r.Disks[0].SHA256 || v.Complete != (want.up != "") {
			t.Errorf("%s: up by %q, outcome %s, %s, %v", v.Line, up, r.Outcome, v.Result, v.Disagreements)
		}
		if told := strings.Join(v.Disagreements, "; "); (told != "") != (want.disagrees != "") || !strings.Contains(told, want.disagrees) {
			t.Errorf("%d: disagreements: %s", i, told)
		}
		if p := v.Platforms[vm.TDX]; want.up != "" && (r.Outcome != record.Stopped || p.Guest != certify.Yes || p.Accepts != certify.Yes || v.Negotiates != certify.Yes) {
			t.Errorf("%s: %s", v.Line, r.Outcome)
		}
	}
	var table bytes.Buffer
	if err := c.WriteTable(&table); err != nil || !strings.Contains(table.String(), "  login prompt  ") {
		t.Errorf("%v: %s", err, table.String())
	}
}

// A disk on which there is tacit's guest is judged by its report. One that changes while it is certified is not.
func TestDiskWithAReport(t *testing.T) {
	t.Parallel()
	esp := imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()}
	changed := diskOf(t, 16, esp)
	changed.Disk.SHA256 = strings.Repeat("0", 64)
	gone := diskOf(t, 16, esp)
	gone.Disk.Open = func(context.Context) (*image.Disk, error) { return nil, os.ErrNotExist }
	c, err := certify.Run(t.Context(), certify.Config{
		Subjects: []certify.Subject{diskOf(t, 16, esp), changed, gone}, Platforms: []string{vm.SNP}, Policies: []string{"lazy"}, Memory: []uint64{512 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Verdicts[0]; v.Result != certify.Passed || v.Platforms[vm.SNP].Guest != certify.Yes || !strings.HasPrefix(v.Line, "disk") && !strings.HasPrefix(v.Line, "image") {
		t.Errorf("%s: %+v", v.Line, v)
	}
	if b := c.Boots[1]; !strings.Contains(b.Error, "it has changed") || c.Verdicts[1].Result != certify.Unjudged {
		t.Errorf("%q, %s", b.Error, c.Verdicts[1].Result)
	}
	if b := c.Boots[2]; !strings.Contains(b.Error, "not exist") {
		t.Errorf("%q", b.Error)
	}
}

// A container image with a boot loader is certified as its installer would boot it: the loader starts the kernel, and what becomes of
// the memory is the loader's doing. GRUB 2.06 loses it, systemd-boot does not.
func TestLoadersOfContainerImages(t *testing.T) {
	t.Parallel()
	k := kernel(t, "linux-image-6.12.*-cloud-amd64_*.deb")
	subject := func(loader string, content []byte) certify.Subject {
		dir := imagetest.Layout(t, imagetest.Tar(t, imagetest.Files{"usr/lib/modules/" + k.Name + "/vmlinuz": k.Data}), imagetest.Tar(t, imagetest.Files{loader: content}))
		d, err := certify.OpenDisk(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		return certify.Subject{Path: dir, Disk: &certify.Disk{Name: "bootc", SHA256: d.SHA256, Open: func(ctx context.Context) (*image.Disk, error) { return certify.OpenDisk(ctx, dir) }}}
	}
	c, err := certify.Run(t.Context(), certify.Config{
		Subjects: []certify.Subject{
			subject("usr/lib/systemd/boot/efi/systemd-bootx64.efi", debiantest.File(t, "../kernels", "systemd-boot-efi_257.*", "usr/lib/systemd/boot/efi/systemd-bootx64.efi")),
			subject("usr/lib/bootupd/updates/EFI/debian/grubx64.efi", debiantest.File(t, "../kernels", "grub-efi-amd64-bin_2.06-*", "usr/lib/grub/x86_64-efi/monolithic/grubx64.efi")),
		},
		Platforms: []string{vm.SNP}, Policies: []string{"negotiate"}, Memory: []uint64{1 << 30},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, loses := range []int{0, 1} {
		v, r := c.Verdicts[i], c.Boots[i].Record
		if r == nil {
			t.Fatal(c.Boots[i].Error)
		}
		p := v.Platforms[vm.SNP]
		if r.Outcome != record.PowerOff || r.Disks[0].Format != "loader and kernel of a container image" || len(r.Path.Images) == 0 || !strings.HasSuffix(r.Path.Images[0].Name, "BOOTX64.EFI") ||
			p.Guest != certify.Yes || len(p.LosesUnder) != loses || v.SHA256 != r.Disks[0].SHA256 {
			t.Errorf("%s: %s, %+v, %+v", v.Line, r.Outcome, r.Disks, r.Path.Images)
		}
	}
}
