package firmware

import (
	"bytes"
	"context"
	"debug/pe"
	"path/filepath"
	"testing"

	bootable "github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/uefi"
)

// Stock kernels are loaded as debug/pe, another reader than ours, describes them, and their need for memory is seen.
func TestStockKernelsLoad(t *testing.T) {
	packages, err := filepath.Glob("../../kernels/linux-image-*.deb")
	if err != nil || len(packages) == 0 {
		t.Fatal("no kernels: run scripts/fetch-kernels")
	}
	for _, path := range packages {
		img, err := bootable.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		m := newMachine(t, func(c *Config) {
			c.TotalMemory, c.FirmwareAccepts, c.Unaccepted = 4*gib, 0, true
			c.Image, c.ImageName = img.Data, img.Name
		})
		base := m.Image().Start
		file, err := pe.NewFile(bytes.NewReader(img.Data))
		if err != nil {
			t.Fatal(err)
		}
		header := file.OptionalHeader.(*pe.OptionalHeader64)
		if got := m.images[0].entry; got != base+uint64(header.AddressOfEntryPoint) {
			t.Errorf("%s: entry %#x, loaded at %#x", img.Name, got, base)
		}
		if got := m.bytes(base, int(header.SizeOfHeaders)); !bytes.Equal(got, img.Data[:header.SizeOfHeaders]) {
			t.Errorf("%s: the headers, in which the stub looks for the setup header, are not in memory", img.Name)
		}
		for _, s := range file.Sections {
			want := make([]byte, s.VirtualSize)
			copy(want, img.Data[s.Offset:s.Offset+s.Size])
			if got := m.bytes(base+uint64(s.VirtualAddress), len(want)); !bytes.Equal(got, want) {
				t.Errorf("%s: section %s is not in memory as it is in the file, with zeros after it", img.Name, s.Name)
			}
		}
		if lowest := uint64(mib); header.ImageBase >= lowest { // where EDK2 loads it, which the stub then finds occupied
			if base != header.ImageBase {
				t.Errorf("%s: loaded at %#x, and linked for %#x", img.Name, base, header.ImageBase)
			}
			continue
		}
		// What the stub does first: room for the kernel at a multiple of 2 MiB from 16 MiB on.
		at := m.room(1)
		m.putWord(at, 16*mib)
		m.wants(uefi.Success, uefi.BSAllocatePages, uefi.AllocateAddress, uint64(uefi.LoaderCode), uint64(img.Setup.InitSize+pageMask)/pageSize, at)
	}
}
