package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

// What was once answered wrongly, from the command line to the exit status.
func TestInspectCases(t *testing.T) {
	_, debian13 := inspectStock(t)
	img, err := image.Open(t.Context(), debian13)
	if err != nil {
		t.Fatal(err)
	}
	kernel := img.Data
	section := func(name, text string) imagetest.Section { return imagetest.Section{Name: name, Data: []byte(text)} }
	loader := func(sbat string, texts ...string) []byte {
		return imagetest.PE(section(".text", strings.Join(texts, "\x00")), section(".sbat", "sbat,1,x,x,1,x\n"+sbat+"\n"))
	}
	systemdBoot := loader("systemd-boot,1,systemd,systemd,257,x")
	grub := loader("grub,4,FSF,grub,2.06,x", "loader/i386/linux.c", "loader/i386/efi/linux.c", "Secure Boot enabled: trying linuxefi")
	uki := imagetest.PE(section(".sdmagic", "#### LoaderInfo: systemd-stub 257.13 ####"), section(".cmdline", "console=ttyS0"),
		imagetest.Section{Name: ".linux", Data: kernel})
	addon := imagetest.PE(section(".cmdline", "add_efi_memmap accept_memory=eager"))
	withAddon := func(path string) string {
		files := imagetest.Files{"EFI/BOOT/BOOTX64.EFI": systemdBoot, "EFI/Linux/uki.efi": uki}
		if path != "" {
			files[path] = addon
		}
		return imagetest.FAT(t, 32, 64, files)
	}
	noHandover := bytes.Clone(kernel)
	binary.LittleEndian.PutUint16(noHandover[0x236:], binary.LittleEndian.Uint16(noHandover[0x236:])&^0xc)
	binary.LittleEndian.PutUint32(noHandover[0x264:], 0)
	handover := imagetest.FAT(t, 32, 64, imagetest.Files{
		"EFI/BOOT/BOOTX64.EFI": grub, "grub/grub.cfg": []byte("menuentry \"x\" {\n linuxefi /vm root=/dev/vda2\n}\n"), "vm": noHandover,
	})
	iso := filepath.Join(t.TempDir(), "live.iso")
	imagetest.Run(t, "grub-mkrescue", "-o", iso, imagetest.Directory(t, imagetest.Files{"boot/vmlinuz": kernel}))
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{
		Type: imagetest.ESP, Path: imagetest.FAT(t, 32, 78, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": uki}),
	})
	raw := filepath.Join(t.TempDir(), "disk.raw")
	if err := os.Link(disk, raw); err != nil {
		t.Fatal(err)
	}
	gce := filepath.Join(t.TempDir(), "gce.tar.gz")
	imagetest.Run(t, "tar", "--format=oldgnu", "-Sczf", gce, "-C", filepath.Dir(raw), "disk.raw")
	packed := filepath.Join(t.TempDir(), "disk.raw.xz")
	imagetest.Run(t, "sh", "-c", "xz -0 -c "+disk+" >"+packed)

	cases := []struct {
		args   []string
		status exitStatus
		says   []string
	}{
		// 3: add-ons of a unified kernel image.
		{[]string{"--require", "lazy", withAddon("")}, 0, []string{"console=ttyS0"}},
		{[]string{"--require", "lazy", withAddon("EFI/Linux/uki.efi.extra.d/eager.addon.efi")}, 3, []string{
			"section .cmdline: console=ttyS0", "/EFI/Linux/uki.efi.extra.d/eager.addon.efi: add_efi_memmap accept_memory=eager",
			"trap           add_efi_memmap (/EFI/Linux/uki.efi.extra.d/eager.addon.efi)", "required lazy: no",
		}},
		{[]string{"--require", "lazy", withAddon("loader/addons/eager.addon.efi")}, 3, []string{"required lazy: no"}},
		// 8: the disk in what clouds import.
		{[]string{"--tags", "gce", gce}, 0, []string{"--guest-os-features=UEFI_COMPATIBLE,SEV_SNP_CAPABLE,TDX_CAPABLE"}},
		{[]string{"--require", "tdx,negotiate,lazy", packed}, 0, nil},
		// 10: a kernel without the handover protocol.
		{[]string{"--require", "negotiate", handover}, 3, []string{
			"it does not start at all", "the kernel doesn't support EFI handover", "Nothing starts it as /grub/grub.cfg:2 says",
		}},
		// 11: ISO 9660 under a partition table.
		{[]string{iso}, 1, []string{"ISO 9660 is not read: mount it and inspect the directory"}},
		// Firmware.
		{[]string{"--require", "tdx-guest", "/usr/share/OVMF/OVMF_VARS_4M.fd"}, 1, []string{"firmware image without programs"}},
		{[]string{"/usr/share/OVMF/OVMF_CODE_4M.fd"}, 0, []string{"FIRMWARE", "has            SEV-ES reset block"}},
	}
	// 4: formats that end as the disk in them does.
	for format, name := range map[string]string{
		"vmdk": "VMDK", "vhdx": "VHDX", "vdi": "VDI", "qed": "QED", "parallels": "Parallels", "qcow": "qcow",
	} {
		cases = append(cases, struct {
			args   []string
			status exitStatus
			says   []string
		}{[]string{imagetest.Convert(t, disk, format)}, 1,
			[]string{"a " + name + " disk image, not read: convert it with qemu-img convert -O raw"}})
	}
	for _, c := range cases {
		status, stdout, stderr := tacit(context.Background(), &fake{}, append([]string{"inspect"}, c.args...)...)
		if status != int(c.status) {
			t.Errorf("%q: status %d, want %d\n%s%s", c.args, status, c.status, stdout, stderr)
		}
		for _, say := range c.says {
			if !strings.Contains(stdout+stderr, say) {
				t.Errorf("%q does not say %q\n%s%s", c.args, say, stdout, stderr)
			}
		}
	}
}

// An image of which not all was read that matters is not admitted.
func TestInspectIncomplete(t *testing.T) {
	_, debian13 := inspectStock(t)
	img, err := image.Open(t.Context(), debian13)
	if err != nil {
		t.Fatal(err)
	}
	f2fs := filepath.Join(t.TempDir(), "f2fs")
	if err := os.WriteFile(f2fs, append(append(make([]byte, 1024), "\x10\x20\xf5\xf2"...), make([]byte, 1<<20-1028)...), 0o600); err != nil {
		t.Fatal(err)
	}
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.Linux, Path: f2fs}, imagetest.Partition{
		Type: imagetest.Linux, Path: imagetest.Ext(t, 4, 40, imagetest.Files{"boot/vmlinuz": img.Data}),
	})
	for _, c := range []struct {
		args []string
		want int
		says string
	}{
		{[]string{disk}, 0, "F2FS is not read"},
		{[]string{"--require", "tdx", disk}, 4, "not all that may matter was read: partition 1: Linux, F2FS was not read"},
		{[]string{"--require", "negotiate", disk}, 4, "required negotiate: unknown"},
		{[]string{"--json", "--require", "lazy", disk}, 4, `"incomplete": "partition 1: Linux, F2FS was not read"`},
	} {
		status, stdout, stderr := tacit(context.Background(), &fake{}, append([]string{"inspect"}, c.args...)...)
		if status != c.want || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%q: status %d, want %d with %q\n%s%s", c.args, status, c.want, c.says, stdout, stderr)
		}
	}
}
