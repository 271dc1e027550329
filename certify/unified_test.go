package certify_test

import (
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// silentInit is a program for Linux that switches the machine off and says nothing: reboot(LINUX_REBOOT_MAGIC1,
// LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF).
func silentInit() []byte {
	return imagetest.ELF([]byte{
		0xB8, 169, 0, 0, 0, //             mov eax, reboot
		0xBF, 0xAD, 0xDE, 0xE1, 0xFE, //   mov edi
		0xBE, 0x69, 0x19, 0x12, 0x28, //   mov esi
		0xBA, 0xDC, 0xFE, 0x21, 0x43, //   mov edx
		0x0F, 0x05, //                     syscall
		0xEB, 0xFE, //                     jmp to itself
	})
}

// unified builds a unified kernel image around Debian 13's kernel, as systemd-stub(7) says, with binutils.
func unified(t *testing.T, commandLine string, init []byte) *image.Image {
	t.Helper()
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: init})
	if err != nil {
		t.Fatal(err)
	}
	uki := filepath.Join(t.TempDir(), "own.efi")
	imagetest.Unified(t, uki, kernel(t, "linux-image-6.12.*-cloud-amd64_*.deb").Data, commandLine+"\n\x00", initrd)
	img, err := image.Open(t.Context(), uki)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// An image with an init of its own, which says nothing, is judged by the machine's books; and it has its own command line,
// to which words can be added.
func TestImageWithItsOwnInit(t *testing.T) {
	t.Parallel()
	const own = "console=ttyS0 panic=-1 accept_memory=eager"
	c, err := certify.Run(t.Context(), certify.Config{
		Subjects: []certify.Subject{{
			Image:  unified(t, own, silentInit()),
			Claims: &certify.Claims{On: map[string]certify.PlatformClaim{vm.TDX: {Guest: certify.Yes, Accepts: certify.Yes}}},
		}},
		Platforms: []string{vm.TDX}, Policies: []string{"lazy"}, Memory: []uint64{1 << 30}, Append: "quiet",
	})
	if err != nil {
		t.Fatal(err)
	}
	v, r := c.Verdicts[0], c.Boots[0].Record
	if p := v.Platforms[vm.TDX]; p.Guest != certify.Yes || p.Accepts != certify.Yes || len(p.LosesUnder) > 0 || !v.Complete || !c.OK() {
		t.Errorf("%s, %v", v.Line, v.Disagreements)
	}
	if r.Outcome != record.PowerOff || r.Guest.MemInfo != nil || r.Config.CommandLine != own+" quiet" {
		t.Errorf("outcome %s, meminfo %v, command line %q", r.Outcome, r.Guest.MemInfo, r.Config.CommandLine)
	}
	if left := r.Acceptance.UnacceptedAtInit; left == nil || *left != 0 {
		t.Errorf("unaccepted at init: %v in spite of accept_memory=eager", left)
	}
	if by := r.Acceptance.By.Stub.Name; by != "EFI stub" {
		t.Errorf("the stub is called %q", by)
	}
}
