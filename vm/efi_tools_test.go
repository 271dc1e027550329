package vm_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/vm"
)

// Programs for bare metal that are Debian's, on all platforms: they talk to the hypervisor as they would on any machine, and
// firmware's exception handlers do it for them.

// typedInto runs a disk and has something typed. The console is without control sequences.
func typedInto(t *testing.T, platform string, d memoryDisk, keys string, virtual time.Duration) booted {
	t.Helper()
	keyboard := make(chan []byte, 1)
	keyboard <- []byte(keys)
	close(keyboard)
	b := boot(t, vm.Config{Platform: platform, Disks: disks(d), Keyboard: keyboard, MaxVirtual: virtual})
	b.console = controlSequence.ReplaceAllString(b.console, "")
	return b
}

var controlSequence = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

func TestShell(t *testing.T) {
	t.Parallel()
	d := espDisk(t, 40, imagetest.Files{
		fallbackLoader: debianFile(t, "efi-shell-x64_2025.*", "usr/share/efi-shell-x64/shellx64.efi"), "notes.txt": []byte("hello"),
	})
	for _, platform := range []string{vm.None, vm.TDX, vm.SNP} {
		t.Run(platform, func(t *testing.T) {
			console := typedInto(t, platform, d, " memmap\rls fs0:\r", 5*time.Second).console
			for _, want := range []string{"UEFI Interactive Shell v2.2", "Shell> memmap", "PciRoot(0x0)/Pci(0x2,0x0)/HD(1,GPT,", "Directory of: fs0:\\", "notes.txt", "5  notes.txt"} {
				if !strings.Contains(console, want) {
					t.Errorf("the console lacks %q:\n%s", want, console)
				}
			}
			if platform == vm.None {
				return
			}
			for _, want := range []string{"Unaccepted 0000000100000000-000000017FFFFFFF", "983,040 Pages"} { // type 15: all but 256 MiB
				if !strings.Contains(console, want) {
					t.Errorf("memmap lacks %q:\n%s", want, console)
				}
			}
		})
	}
}

func TestIPXE(t *testing.T) {
	t.Parallel()
	d := espDisk(t, 40, imagetest.Files{fallbackLoader: debianFile(t, "ipxe_1.21*", "usr/lib/ipxe/ipxe-amd64.efi")})
	for _, platform := range []string{vm.None, vm.TDX, vm.SNP} {
		t.Run(platform, func(t *testing.T) {
			b := typedInto(t, platform, d, "\x02show version\rifopen net0\rifstat\r", 5*time.Second)
			for _, want := range []string{
				"Press Ctrl-B for the iPXE command line", "iPXE> show version", "builtin/version:string = 1.21.1",
				"net0: 02:74:61:63:69:74 using virtio-net on 0000:00:1f.0", "Link:up, TX:1 TXE:0", // its own driver, by way of shared pages
			} {
				if !strings.Contains(b.console, want) {
					t.Errorf("the console lacks %q:\n%s", want, b.console)
				}
			}
			net := b.Devices[len(b.Devices)-1]
			if net.Name != "virtio-net" || net.Requests == 0 || net.WrittenBytes == 0 || net.Refused != 0 {
				t.Errorf("the network card: %+v", net)
			}
		})
	}
}
