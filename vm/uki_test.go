package vm_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/vm"
)

// systemdStub is the loader that unified kernel images are built around: Debian's, from the package systemd-boot-efi.
const systemdStub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"

// unified builds a unified kernel image as systemd-stub(7) says, with binutils.
func unified(t *testing.T, kernel []byte, commandLine string) *image.Image {
	t.Helper()
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: guest.Init()})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	uki := filepath.Join(dir, "uki.efi")
	var args []string
	for _, section := range []struct {
		name, address string // after the stub, and apart
		data          []byte
	}{
		{".cmdline", "0x30000", []byte(commandLine)},
		{".linux", "0x2000000", kernel},
		{".initrd", "0x8000000", initrd},
	} {
		file := filepath.Join(dir, section.name)
		if err := os.WriteFile(file, section.data, 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--add-section", section.name+"="+file, "--change-section-vma", section.name+"="+section.address)
	}
	if out, err := exec.Command("objcopy", append(args, systemdStub, uki)...).CombinedOutput(); err != nil {
		t.Fatalf("objcopy: %v\n%s", err, out)
	}
	img, err := image.Open(t.Context(), uki)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A loader in the middle that starts the kernel's EFI stub leaves negotiation to it: systemd's stub, which starts a
// kernel from memory, with a command line and an initrd of its own.
func TestUnifiedKernelImageNegotiates(t *testing.T) {
	t.Parallel()
	uki := unified(t, debian13(t).Data, "console=ttyS0 quiet")
	for _, platform := range []string{vm.TDX, vm.SNP} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Platform: platform, Image: uki})
			b.powersOff(t)
			b.booksAgree(t)
			if n := b.Negotiation; len(n.AllowedBy) != 1 || n.ExitBootServices != 1 {
				t.Errorf("negotiation %+v", n)
			}
			if left := *b.Acceptance.UnacceptedAtInit; left < 2500*mib {
				t.Errorf("%d MiB of 4 GiB are unaccepted at init", left/mib)
			}
		})
	}
}
