package vm_test

import (
	"crypto/sha256"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

var rootfs = flag.String("rootfs", "", "directory that scripts/rootfs has filled; TestRootFileSystem is skipped without one")

// A disk with Debian boots unchanged, through shim, GRUB and systemd, to a login prompt. Somebody logs in, runs programs, writes a
// file and restarts the guest, which finds the file. Nothing of it is on the disk's image.
func TestRootFileSystem(t *testing.T) {
	if *rootfs == "" {
		t.Skip("a full test: scripts/soak rootfs")
	}
	path := filepath.Join(*rootfs, "disk.img")
	before := sumOf(t, path)
	content, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	info, err := content.Stat()
	if err != nil {
		t.Fatal(err)
	}
	disk := vm.Disk{Name: info.Name(), Content: content, Size: info.Size(), File: io.NewSectionReader(content, 0, info.Size())}
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			var console strings.Builder
			m, err := vm.New(vm.Config{Platform: platform, CPUs: 2, Memory: 2 * gib, Disks: []vm.Disk{disk}, Console: &console, MaxVirtual: 10 * time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { m.Close() }()
			expect := func(text string) {
				t.Helper()
				if err := m.ExpectString(t.Context(), text); err != nil {
					t.Fatalf("%v; the console ends with\n%s", err, console.String()[max(0, console.Len()-4000):])
				}
			}
			say := func(text string) {
				t.Helper()
				if _, err := m.Type(text); err != nil {
					t.Fatal(err)
				}
			}
			// ends types what is the end of the machine.
			ends := func(text string, outcome record.Outcome) {
				t.Helper()
				say(text)
				var ended *vm.ExpectError
				if err := m.ExpectString(t.Context(), "no such text"); !errors.As(err, &ended) || ended.Outcome != outcome {
					t.Fatalf("%v; the console ends with\n%s", err, console.String()[max(0, console.Len()-4000):])
				}
			}
			logIn := func() {
				t.Helper()
				expect("tacit login: ")
				r, err := m.Record()
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("at the prompt after %d instructions, %d s of virtual time; %s", r.Instructions, r.VirtualNS.Total/1e9, r.MemoryText())
				say("root\n")
				expect("# ")
			}
			logIn()
			for _, d := range [][2]string{ // what is typed, and what comes of it
				{"nproc", "2"},
				{"dmesg | grep virtio_blk", "[vda] "},
				{"apt list --installed 2>/dev/null | grep ^python3-minimal", "python3-minimal/"},
				{"python3 -c 'print(sum(i*i for i in range(1000000)))'", "333332833333500000"},
				{"echo kept >~/file; sync", ""},
			} {
				say(d[0] + "\n")
				expect("\r\n") // the command, as it is shown
				expect(d[1])
				expect("# ")
			}
			ends("reboot\n", record.Reset)
			next, err := m.Restart()
			if err != nil {
				t.Fatal(err)
			}
			m.Close()
			m = next
			logIn()
			say("cat ~/file\n")
			expect("\r\n")
			expect("kept")
			expect("# ")
			ends("poweroff\n", record.PowerOff)
		})
	}
	if after := sumOf(t, path); after != before {
		t.Error("the image was written to")
	}
}

// sumOf is the checksum of a file.
func sumOf(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
