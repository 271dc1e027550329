package vm_test

import (
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/vm"
)

// unified builds a unified kernel image as systemd-stub(7) says, with binutils.
func unified(t *testing.T, kernel []byte, commandLine string) *image.Image {
	t.Helper()
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: guest.Init()})
	if err != nil {
		t.Fatal(err)
	}
	uki := filepath.Join(t.TempDir(), "uki.efi")
	imagetest.Unified(t, uki, kernel, commandLine, initrd)
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
