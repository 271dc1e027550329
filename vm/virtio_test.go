package vm_test

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/vm"
)

// A guest whose driver breaks the rules of the disk's rings has a disk that gives up and says so, each time, and that serves it again
// after a reset. Nothing hangs. Where the guest has not made its rings shared the disk gives up, too, since it does not reach them.
func TestHostileDriver(t *testing.T) {
	img := programIn(t, "virtio.c", "breaks_the_rules")
	for platform, want := range map[string]struct {
		prints, why string
		refused     uint64
	}{
		vm.None: {"broken 1ff\r\nhung 0\r\nserved 0\r\nread 7", "in a circle", 9},
		vm.TDX:  {"broken 1ff\r\nhung 0\r\nserved ee\r\nread 0", "available ring: ", 10},
		vm.SNP:  {"broken 1ff\r\nhung 0\r\nserved ee\r\nread 0", "available ring: ", 10},
	} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			disk := make(memoryDisk, mib)
			disk[0] = 7
			b := boot(t, vm.Config{Platform: platform, Image: img, Disks: disks(disk), Memory: gib})
			b.powersOff(t)
			if d := b.Devices[1]; !strings.Contains(b.console, want.prints) || d.Refused != want.refused || !strings.Contains(d.Why, want.why) || b.Disks[0].ChangedBytes != 0 {
				t.Errorf("it prints %q, want %q; %+v", b.console, want.prints, d)
			}
		})
	}
}
