package vm_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cavaliergopher/cpio"
	"github.com/ulikunitz/xz"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// Old modes of the processor, as real software uses them: a kernel that goes through 32-bit code on its way to its entry
// point, and programs for i386.

// Debian 11's 5.10 leaves 64-bit mode after ExitBootServices, and comes back. It knows neither TDX nor SEV-SNP: as such a
// guest it ends where hardware ends it, and is told what it lacks.
func TestDebian11(t *testing.T) {
	t.Parallel()
	for platform, advice := range map[string]string{vm.None: "", vm.TDX: "is not a TDX guest", vm.SNP: "is not an SEV-SNP guest"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Platform: platform, Memory: 1 * gib, Image: kernel(t, "linux-image-5.10.*-cloud-amd64_*.deb")})
			if platform == vm.None {
				b.powersOff(t)
				if b.Guest.MemInfo == nil || b.Guest.MemInfo.MemTotal < 900*mib {
					t.Errorf("the guest sees %+v of 1 GiB", b.Guest.MemInfo)
				}
				return
			}
			if b.Outcome == record.PowerOff || b.Diagnosis == nil || !strings.Contains(b.Diagnosis.Advice, advice) {
				t.Errorf("outcome %s, diagnosis %+v; want advice that it %s", b.Outcome, b.Diagnosis, advice)
			}
		})
	}
}

// A static busybox of Debian's i386 runs a script, with a pipe, and works out what can be known otherwise.
func TestI386Programs(t *testing.T) {
	t.Parallel()
	busybox := fromDeb(t, "busybox-static_*_i386.deb", "./bin/busybox")
	script := "#!/bin/busybox sh\n" +
		"echo sum $(busybox sha256sum /bin/busybox)\n" +
		"echo line $(busybox seq 1 1000 | busybox awk '{ s += $1 / 8 } END { print s }')\n" +
		"busybox poweroff -f\n"
	initrd := busyboxInitrd(t, busybox, script)
	for _, platform := range []string{vm.None, vm.TDX, vm.SNP} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			// In confidential guests Linux keeps 32-bit programs out unless it is told to let them in.
			b := boot(t, vm.Config{Platform: platform, Memory: 1 * gib, Image: debian13(t), Initrd: initrd, Append: "ia32_emulation=on"})
			b.powersOff(t)
			for _, want := range []string{fmt.Sprintf("sum %x ", sha256.Sum256(busybox)), "line 62562.5"} {
				if !strings.Contains(b.console, want) {
					t.Errorf("the console lacks %q; it ends with\n%s", want, b.console[max(0, len(b.console)-500):])
				}
			}
		})
	}
}

// busyboxInitrd is an initramfs that has busybox and runs a script.
func busyboxInitrd(t testing.TB, busybox []byte, script string) []byte {
	t.Helper()
	var initrd bytes.Buffer
	w := cpio.NewWriter(&initrd)
	for _, f := range []struct {
		name string
		mode cpio.FileMode
		data string
	}{{"bin", cpio.TypeDir | 0o755, ""}, {"bin/busybox", cpio.TypeReg | 0o755, string(busybox)}, {"init", cpio.TypeReg | 0o755, script}} {
		if err := w.WriteHeader(&cpio.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return initrd.Bytes()
}

// fromDeb reads a file out of a Debian package in kernels/, whose data are packed with xz.
func fromDeb(t testing.TB, pattern, name string) []byte {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(*kernels, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no package %s in %s: run scripts/fetch-kernels", pattern, *kernels)
	}
	deb, err := os.ReadFile(found[len(found)-1])
	if err != nil {
		t.Fatal(err)
	}
	for at := 8; at+60 <= len(deb); {
		size, err := strconv.Atoi(strings.TrimSpace(string(deb[at+48 : at+58])))
		if err != nil || at+60+size > len(deb) {
			t.Fatalf("%s: its member at %d: %v", found, at, err)
		}
		if strings.HasPrefix(string(deb[at:]), "data.tar.xz") {
			unpacked, err := xz.NewReader(bytes.NewReader(deb[at+60 : at+60+size]))
			if err != nil {
				t.Fatal(err)
			}
			for r := tar.NewReader(unpacked); ; {
				h, err := r.Next()
				if err != nil {
					t.Fatalf("%s: no %s: %v", found, name, err)
				}
				if h.Name == name {
					b, err := io.ReadAll(r)
					if err != nil {
						t.Fatal(err)
					}
					return b
				}
			}
		}
		at += 60 + size + size%2
	}
	t.Fatalf("%s: no data.tar.xz", found)
	return nil
}
