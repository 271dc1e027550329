package image

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// A file with holes may say that it has tables and grains of gigabytes. They are not read into memory.
func TestTablesInHoles(t *testing.T) {
	const large = 5 << 30 // bytes of the file
	le := binary.LittleEndian
	raw := imagetest.FAT(t, 12, 2, imagetest.Files{"a": {1}})
	// opened opens and reads the disk in a sparse file that begins with b and ends with tail.
	opened := func(name string, b, tail []byte) (err error) {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(large); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(tail, large-int64(len(tail))); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d, err := OpenDisk(t.Context(), path)
		if err == nil {
			_, err = d.ReadAt(make([]byte, 1<<20), 0)
			d.Close()
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
			t.Errorf("%s: %d MiB of memory", name, took>>20)
		}
		return err
	}

	vhdx := readFile(t, imagetest.Convert(t, raw, "vhdx"))
	regions := vhdx[3<<16:]
	n := int(le.Uint32(regions[8:]))
	for i := range n {
		if e := regions[16+32*i:]; string(e[:16]) == string(vhdxBAT[:]) {
			le.PutUint32(e[24:], 0xffff_f000)
			copy(regions[16+32*n:], e[:32])
		}
	}
	if err := opened("large.vhdx", vhdx, nil); err != nil {
		t.Errorf("a VHDX with a large table: %v", err)
	}
	le.PutUint32(regions[8:], uint32(n+1))
	if opened("twice.vhdx", vhdx, nil) == nil {
		t.Error("a VHDX with two tables was opened")
	}

	vmdk := readFile(t, imagetest.Convert(t, raw, "vmdk", "-o", "subformat=streamOptimized"))
	grains := 0
	for at := 512; at+14 <= len(vmdk); at += 512 {
		if vmdk[at+12] == 0x78 && vmdk[at+11] == 0 && vmdk[at+8]|vmdk[at+9]|vmdk[at+10] != 0 { // zlib's first byte
			le.PutUint32(vmdk[at+8:], 0xf000_0000)
			grains++
		}
	}
	const footer = 1024
	if err := opened("grain.vmdk", vmdk, vmdk[len(vmdk)-footer:]); grains == 0 || err == nil {
		t.Errorf("a VMDK with %d grains of gigabytes was read", grains)
	}
}
