package imagetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// stub is Debian's, from the package systemd-boot-efi.
const stub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"

// Unified writes a unified kernel image: systemd's stub around a kernel, with its command line, and its initrd if it is to
// have one.
func Unified(t testing.TB, path string, linux []byte, commandLine string, initrd []byte) {
	t.Helper()
	dir := t.TempDir()
	var args []string
	for _, s := range []struct {
		name, address string // apart, and after the stub
		data          []byte
	}{{".cmdline", "0x30000", []byte(commandLine)}, {".linux", "0x2000000", linux}, {".initrd", "0x8000000", initrd}} {
		if s.data == nil {
			continue
		}
		file := filepath.Join(dir, s.name)
		if err := os.WriteFile(file, s.data, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--add-section", s.name+"="+file, "--change-section-vma", s.name+"="+s.address)
	}
	if out, err := exec.Command("objcopy", append(args, stub, path)...).CombinedOutput(); err != nil {
		t.Fatalf("objcopy: %v\n%s: scripts/install-tools installs it", err, out)
	}
}
