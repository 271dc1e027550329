package vm_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

// Stock firmware and stock processor emulation: Debian's packages ovmf and qemu-system-x86.
const (
	ovmfCode = "/usr/share/OVMF/OVMF_CODE_4M.fd"
	ovmfVars = "/usr/share/OVMF/OVMF_VARS_4M.fd"
)

// underOVMF starts an EFI application from a FAT disk under stock OVMF in QEMU, on a processor that QEMU has a name for,
// and returns what the serial port got until the machine switched itself off.
func underOVMF(t *testing.T, processor string, application []byte) (console string) {
	t.Helper()
	disk := imagetest.FAT(t, 16, 34, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": application})
	vars := filepath.Join(t.TempDir(), "vars")
	b, err := os.ReadFile(ovmfVars)
	if err == nil {
		err = os.WriteFile(vars, b, 0o600)
	}
	if err != nil {
		t.Fatalf("%v: scripts/install-tools installs ovmf", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-machine", "q35,accel=tcg", "-cpu", processor, "-m", "1G", "-nodefaults", "-display", "none", "-no-reboot", "-net", "none", "-serial", "stdio",
		"-drive", "if=pflash,format=raw,readonly=on,file="+ovmfCode, "-drive", "if=pflash,format=raw,file="+vars,
		"-drive", "format=raw,readonly=on,if=none,id=disk,file="+disk, "-device", "virtio-blk-pci,drive=disk")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s", processor, err, out.String())
	}
	return out.String()
}

// The guest in Go is an EFI application like any other: the same file starts from a FAT disk under stock OVMF in QEMU,
// leaves boot services there, runs its program and switches the machine off. With a processor that has 1 GiB pages and
// RDRAND, and with one that has neither.
func TestGoGuestUnderStockFirmware(t *testing.T) {
	t.Parallel()
	for _, processor := range []string{"qemu64", "max"} {
		console := underOVMF(t, processor, guest.Demo())
		for _, want := range []string{"on no confidential platform", "nothing here has to be accepted", "hold 128 MiB", "take again 64 MiB"} {
			if !strings.Contains(console, want) {
				t.Errorf("%s: the console lacks %q:\n%s", processor, want, console)
			}
		}
	}
}

// So is one that firmware relocates: stock firmware reads the list of relocations as tacit's does.
func TestRelocatedProgramUnderStockFirmware(t *testing.T) {
	t.Parallel()
	application := guesttest.Application(t, "../examples/baremetal", guesttest.Relocatable...)
	if console := underOVMF(t, "max", application); !strings.Contains(console, "Nothing is unaccepted.") {
		t.Errorf("the console is\n%s", console)
	}
}
