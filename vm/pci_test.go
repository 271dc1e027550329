package vm_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/debiantest"
	"github.com/tacit-vm/tacit/vm"
)

// diskKernel is an initrd for a stock kernel that loads its virtio drivers and tries the disk.
func diskKernel(t *testing.T, img *image.Image) []byte {
	t.Helper()
	names := []string{"virtio_blk.ko.xz", "virtio-rng.ko.xz", "failover.ko.xz", "net_failover.ko.xz", "virtio_net.ko.xz"}
	return withModules(t, "", names, debiantest.Named(t, packageOf(img), names...), image.File{Name: "trydisk", Mode: 0o644})
}

// aDisk is a disk of random contents.
func aDisk(seed uint64, size int) memoryDisk {
	d := make(memoryDisk, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(d) // it never fails
	return d
}

// A stock kernel's own drivers find a disk, randomness and a network card on the PCI bus, on each platform; they read the
// disk and write it. Two runs have one record, whichever engine it is.
func TestStockKernelsUseADisk(t *testing.T) {
	t.Parallel()
	const size = 8 * mib
	img := debian13(t)
	initrd := diskKernel(t, img)
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			disk := aDisk(1, size)
			before := bytes.Clone(disk)
			first, second := sha256.Sum256(disk), sha256.Sum256(bytes.Repeat([]byte("tacit"), mib/5+1)[:mib])
			cfg := vm.Config{Platform: platform, Image: img, Initrd: initrd, Disks: disks(disk), Memory: gib, Seed: 7}
			b := boot(t, cfg)
			b.powersOff(t)
			for _, want := range []string{
				fmt.Sprintf("init: disk of %d bytes %x", size, first), fmt.Sprintf("init: read back %x", second),
				"init: driven virtio_blk/", "init: driven virtio_net/", "init: driven virtio_rng/", "init: random ",
			} {
				if !strings.Contains(b.console, want) {
					t.Errorf("the console lacks %q:\n%s", want, b.console[max(0, len(b.console)-3000):])
				}
			}
			if !bytes.Equal(disk, before) || b.Disks[0].ChangedBytes != mib {
				t.Errorf("the image has changed, or the guest's changes are not %d bytes: %+v", mib, b.Disks)
			}
			t.Logf("%+v", b.Devices)
			for _, d := range b.Devices {
				if d.Refused != 0 || d.Errors != 0 {
					t.Errorf("%+v", d)
				}
				if d.Name == "virtio-blk" && (d.Slot != "00:02.0" || d.ReadBytes < size || d.WrittenBytes != mib) {
					t.Errorf("%+v", d)
				}
			}
			cfg.Disks, cfg.BlockLimit, cfg.Engine = disks(aDisk(1, size)), 7, vm.Interpreter
			cfg.LookEvery(1_234_567) // a disk is done when it is done, and not when the machine looks whether it is to stop
			again := boot(t, cfg)
			if a, b := jsonOf(t, b), jsonOf(t, again); a != b {
				t.Error("two runs have different records:\n" + firstDifference(a, b))
			}
		})
	}
}

// A fork of a machine whose guest has begun to read a disk goes on as that does, each with what it writes itself.
func TestForkWithADisk(t *testing.T) {
	t.Parallel()
	img := debian13(t)
	m, err := vm.New(vm.Config{Image: img, Initrd: diskKernel(t, img), Disks: disks(aDisk(1, 8*mib)), Memory: gib, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.ExpectString(t.Context(), "init: random "); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(t.Context(), vm.AtInstruction(instructionsOf(t, m)+3_000_000)); err != nil { // among the requests
		t.Fatal(err)
	}
	fork, err := m.Fork(vm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer fork.Close()
	var records []string
	for _, m := range []*vm.Machine{fork, m} {
		if _, err := m.Run(t.Context(), vm.Event{}); err != nil {
			t.Fatal(err)
		}
		r, err := m.Record()
		if err != nil {
			t.Fatal(err)
		}
		booted{Record: r}.powersOff(t)
		if r.Disks[0].ChangedBytes != mib || r.Devices[1].WrittenBytes != mib {
			t.Errorf("%+v, %+v", r.Disks, r.Devices)
		}
		records = append(records, jsonOf(t, booted{Record: r}))
	}
	if records[0] != records[1] {
		t.Error("the fork has another record:\n" + firstDifference(records[0], records[1]))
	}
}

// A machine with a disk that is saved among its guest's requests, and resumed with the same disk, goes on as if nothing had
// been. Another disk is refused, and so is none.
func TestResumeWithADisk(t *testing.T) {
	t.Parallel()
	img := debian13(t)
	disk := aDisk(1, 8*mib)
	m := newMachine(t, vm.Config{Image: img, Initrd: diskKernel(t, img), Disks: disks(disk), Memory: gib, Seed: 7})
	defer m.Close()
	if err := m.ExpectString(t.Context(), "init: disk of "); err != nil {
		t.Fatal(err)
	}
	run(t, m, vm.AtInstruction(instructionsOf(t, m)+200_000)) // while it writes
	saved := save(t, m)
	for _, c := range []struct {
		disks []vm.Disk
		want  string
	}{
		{nil, "the saved machine has 1 disk, and here are 0; disk.img of 8 MiB, SHA-256 "},
		{disks(aDisk(2, 8*mib)), "disk disk.img is not the one from before: its SHA-256 is "},
		{disks(aDisk(1, 4*mib)), "disk disk.img has 4194304 bytes, and the one before had 8388608"},
		{[]vm.Disk{{Name: "x", Content: bytes.NewReader(disk), Size: 8 * mib}}, "disk x has no file"},
	} {
		if m, err := vm.Load(bytes.NewReader(saved), vm.Config{Disks: c.disks}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, %v; want %q", m, err, c.want)
		}
	}
	resumed := load(t, saved, vm.Config{Disks: disks(disk)})
	defer resumed.Close()
	if !bytes.Equal(save(t, resumed), saved) {
		t.Error("what is saved is not what was loaded")
	}
	var records []string
	for _, m := range []*vm.Machine{resumed, m} {
		run(t, m, vm.Event{})
		r, err := m.Record()
		if err != nil {
			t.Fatal(err)
		}
		booted{Record: r}.powersOff(t)
		if r.Disks[0].ChangedBytes != mib || r.Disks[0].SHA256 == "" {
			t.Errorf("%+v", r.Disks)
		}
		records = append(records, jsonOf(t, booted{Record: r}))
	}
	if records[0] != records[1] {
		t.Error("the resumed machine has another record:\n" + firstDifference(records[0], records[1]))
	}
}

// instructionsOf is how many the guest has executed.
func instructionsOf(t *testing.T, m *vm.Machine) uint64 {
	t.Helper()
	r, err := m.Record()
	if err != nil {
		t.Fatal(err)
	}
	return r.Instructions
}
