package vm_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/debiantest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A guest that changes more of a disk than is kept sees an I/O error, and the record says why. It is no end of the machine's: this
// guest's init gives up.
func TestFullOverlay(t *testing.T) {
	t.Parallel()
	img := debian13(t)
	names := []string{"virtio_blk.ko.xz"}
	initrd := withModules(t, "", names, debiantest.Named(t, packageOf(img), names...), image.File{Name: "trydisk", Mode: 0o644})
	b := boot(t, vm.LimitDiskChanges(vm.Config{Platform: vm.SNP, Image: img, Initrd: initrd, Disks: disks(aDisk(1, 8*mib)), Memory: gib}, mib/2))
	if b.Outcome != record.GuestPanic || !strings.Contains(b.console, "I/O error, dev vda") || !strings.Contains(b.console, "input/output error") {
		t.Errorf("%s, %+v:\n%s", b.Outcome, b.Diagnosis, b.console[max(0, len(b.console)-3000):])
	}
	if d := b.Devices[1]; d.Errors == 0 || !strings.Contains(d.Why, "the disk's changes are at their limit") || b.Disks[0].ChangedBytes != mib/2 {
		t.Errorf("%+v, %+v", d, b.Disks)
	}
}

// Two runs with two processors and a disk have one record.
func TestRepeatsWithADiskAndTwoProcessors(t *testing.T) {
	t.Parallel()
	img := debian13(t)
	initrd := diskKernel(t, img)
	var records []string
	for range 2 {
		b := boot(t, vm.Config{Platform: vm.TDX, CPUs: 2, Image: img, Initrd: initrd, Disks: disks(aDisk(1, 8*mib)), Memory: gib, Seed: 7})
		b.powersOff(t)
		if b.Disks[0].ChangedBytes != mib {
			t.Errorf("%+v", b.Disks)
		}
		records = append(records, jsonOf(t, b))
	}
	if records[0] != records[1] {
		t.Error("two runs have different records:\n" + firstDifference(records[0], records[1]))
	}
}

// What a guest writes to a disk is there after it has restarted, and after a power-off in another machine, if that is given what
// the first has left. The image has none of it. A disk that is another is refused.
func TestWritesSurviveARestart(t *testing.T) {
	t.Parallel()
	const size = 8 * mib
	img := debian13(t)
	names := []string{"virtio_blk.ko.xz"}
	initrd := withModules(t, "", names, debiantest.Named(t, packageOf(img), names...), image.File{Name: "trydisk", Mode: 0o644}, image.File{Name: "restart", Mode: 0o644})
	disk := aDisk(1, size)
	changed := bytes.Clone(disk)
	copy(changed[mib:], bytes.Repeat([]byte("tacit"), mib/5+1)[:mib])
	after := fmt.Sprintf("init: disk of %d bytes %x", size, sha256.Sum256(changed))
	var console strings.Builder
	cfg := vm.Config{Platform: vm.TDX, Image: img, Initrd: initrd, Disks: disks(disk), Memory: gib, Seed: 7, Console: &console}
	first := newMachine(t, cfg)
	defer first.Close()
	run(t, first, vm.Event{})
	if r, err := first.Record(); err != nil || r.Outcome != record.Reset || r.Config.Restarts != 0 || strings.Contains(console.String(), after) {
		t.Fatalf("%+v, %v\n%s", r, err, console.String())
	}
	second, err := first.Restart()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	run(t, second, vm.Event{})
	r, err := second.Record()
	if err != nil {
		t.Fatal(err)
	}
	booted{Record: r}.powersOff(t)
	if r.Config.Restarts != 1 || r.Config.OverlaySHA256 == "" || r.Disks[0].ChangedBytes != mib || !strings.Contains(console.String(), after) {
		t.Errorf("%+v, %+v; the console lacks %q", r.Config, r.Disks, after)
	}
	if _, err := second.Restart(); err == nil {
		t.Error("a machine that was switched off restarts")
	}
	if !bytes.Equal(disk, aDisk(1, size)) {
		t.Error("the image was written to")
	}

	kept, err := second.Keep()
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := kept.Write(&file); err != nil {
		t.Fatal(err)
	}
	if kept, err = vm.ReadKept(bytes.NewReader(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		disks []vm.Disk
		want  string
	}{
		{nil, "what is kept is of 1 disk, such as disk.img, and the machine has 0"},
		{disks(aDisk(2, size)), "disk disk.img is not the one from before"},
	} {
		if m, err := vm.New(vm.Config{Image: img, Disks: c.disks, Kept: kept}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, %v; want %q", m, err, c.want)
		}
	}
	for _, n := range []int{0, 20, file.Len() / 2, file.Len() - 1} {
		if _, err := vm.ReadKept(bytes.NewReader(file.Bytes()[:n])); err == nil {
			t.Errorf("%d of %d bytes are read", n, file.Len())
		}
	}
	console.Reset()
	cfg.Kept = kept
	third := newMachine(t, cfg)
	defer third.Close()
	if err := third.ExpectString(t.Context(), after); err != nil {
		t.Errorf("%v\n%s", err, console.String())
	}
}
