package vm_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

var rootfs = flag.String("rootfs", "", "directory that scripts/rootfs has filled; TestRootFileSystem is skipped without one")

// A Debian root file system boots with systemd from a virtio disk to a login prompt, with the stock initrd and modules.
// Somebody logs in, runs programs, and writes a file that is read back from the disk.
func TestRootFileSystem(t *testing.T) {
	if *rootfs == "" {
		t.Skip("a full test: scripts/soak rootfs")
	}
	kernel, err := image.Open(t.Context(), filepath.Join(*rootfs, "vmlinuz"))
	if err != nil {
		t.Fatal(err)
	}
	initrd, err := os.ReadFile(filepath.Join(*rootfs, "initrd.img"))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.Open(filepath.Join(*rootfs, "rootfs.img"))
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	info, err := content.Stat()
	if err != nil {
		t.Fatal(err)
	}
	disk := vm.Disk{Name: info.Name(), Content: content, Size: info.Size()}
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			var console strings.Builder
			m, err := vm.New(vm.Config{
				Platform: platform, Image: kernel, Initrd: initrd, Memory: 2 * gib, Append: "root=/dev/vda rw",
				Disks: []vm.Disk{disk}, Console: &console, MaxVirtual: 10 * time.Minute,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
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
			expect("tacit login: ")
			r, err := m.Record()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("at the prompt after %d instructions, %d s of virtual time; %+v", r.Instructions, r.VirtualNS.Total/1e9, r.Devices)
			say("root\n")
			expect("# ")
			for _, d := range [][2]string{ // what is typed, and what comes of it
				{"dmesg | grep virtio_blk", "[vda] 4194304 512-byte"},
				{"apt list --installed 2>/dev/null | grep ^python3-minimal", "python3-minimal/"},
				{"python3 -c 'print(sum(i*i for i in range(1000000)))'", "333332833333500000"},
				{"echo kept >~/file; sync; echo 3 >/proc/sys/vm/drop_caches; cat ~/file", "kept"},
			} {
				say(d[0] + "\n")
				expect("\r\n") // the command, as it is shown
				expect(d[1])
				expect("# ")
			}
			say("poweroff\n")
			var ended *vm.ExpectError
			if err := m.ExpectString(t.Context(), "no such text"); !errors.As(err, &ended) || ended.Outcome != record.PowerOff {
				t.Fatalf("%v; the console ends with\n%s", err, console.String()[max(0, console.Len()-4000):])
			}
		})
	}
}
