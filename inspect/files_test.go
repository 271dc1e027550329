package inspect_test

import (
	"bytes"
	"context"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

// An unpacked kernel is judged by its functions. MPTCP's, with "unaccepted" in their names, are none of them.
func TestVmlinux(t *testing.T) {
	for pattern, want := range map[string]answers{
		debian12: {no, no, yes, no, no, no}, debian13: {yes, yes, yes, yes, no, yes},
	} {
		img, err := image.Parse("", vmlinuz(t, pattern))
		if err != nil {
			t.Fatal(err)
		}
		vmlinux, err := img.Payload()
		if err != nil {
			t.Fatal(err)
		}
		k := one(t, write(t, vmlinux))
		if got := answersOf(k); got != want || k.Format != "vmlinux" || k.Release != img.Setup.Release() {
			t.Errorf("%s: %v %s %s, want %v", pattern, got, k.Format, k.Release, want)
		}
		if e := k.SNP.Guest.Strongest(); e == nil || e.Strength != inspect.Symbols {
			t.Errorf("%s: %+v", pattern, k.SNP.Guest)
		}
		if names, err := img.Symbols(); err != nil {
			t.Error(err)
		} else if _, ok := names.Address("mptcp_subflow_queue_clean"); !ok {
			t.Errorf("%s: no MPTCP in it, so that this proves nothing", pattern)
		}
	}
}

// Unpacking adds evidence, and no contradiction.
func TestUnpack(t *testing.T) {
	for _, pattern := range []string{debian12, debian13} {
		r, err := inspect.File(context.Background(), stock(t, pattern), inspect.Options{Unpack: true})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[inspect.Strength]bool{}
		for _, f := range findings(r.Kernels[0]) {
			for _, e := range f.Evidence {
				seen[e.Strength] = true
			}
			if len(f.Disputed()) > 0 {
				t.Errorf("%s: %+v", pattern, f.Disputed())
			}
		}
		for _, s := range []inspect.Strength{inspect.Code, inspect.Symbols, inspect.Strings, inspect.Config} {
			if !seen[s] {
				t.Errorf("%s: no evidence of strength %s", pattern, s)
			}
		}
	}
}

// A configuration of another kernel is not counted.
func TestConfigOfAnotherKernel(t *testing.T) {
	kernel := vmlinuz(t, debian13)
	img, err := image.Parse("", kernel)
	if err != nil {
		t.Fatal(err)
	}
	release := img.Setup.Release()
	config := func(version string) []byte {
		return []byte("#\n# Linux/x86 " + version + " Kernel Configuration\n#\n" +
			"# CONFIG_INTEL_TDX_GUEST is not set\nCONFIG_X=y\n")
	}
	k := one(t, imagetest.Directory(t, imagetest.Files{"boot/vmlinuz": kernel, "boot/config-" + release: config("5.4.1")}))
	if len(k.TDX.Guest.Disputed()) != 0 || len(k.Notes) != 1 || !strings.Contains(k.Notes[0], "5.4.1") {
		t.Errorf("%+v, %q", k.TDX.Guest, k.Notes)
	}
	files := imagetest.Files{"boot/vmlinuz": kernel, "boot/config-" + release: config("6.12.99")}
	k = one(t, imagetest.Directory(t, files))
	if d := k.TDX.Guest.Disputed(); len(d) != 1 || d[0].Strength != inspect.Config || k.TDX.Guest.Verdict != yes {
		t.Errorf("%+v", k.TDX.Guest)
	}
}

// A kernel of 32 bits can be no confidential guest.
func TestNarrowKernel(t *testing.T) {
	kernel := bytes.Clone(vmlinuz(t, debian13))
	binary.LittleEndian.PutUint16(kernel[0x236:], 0) // xloadflags
	binary.LittleEndian.PutUint16(kernel[binary.LittleEndian.Uint32(kernel[0x3c:])+4:], image.MachineI386)
	if got, want := answersOf(one(t, write(t, kernel))), (answers{no, no, no, no, no, no}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// What is no kernel for x86-64 is named, and gets no answer.
func TestNoKernels(t *testing.T) {
	kernel := vmlinuz(t, debian13)
	guid := strings.Repeat("\xfe\x10\xa0\xc5\xa7\x38\x31\x45\x8a\x4a\x05\x00\xd2\xfd\x16\x49", 3)
	arm := imagetest.PE(imagetest.Section{Name: ".text", Data: []byte{0}})
	binary.LittleEndian.PutUint16(arm[0x44:], pe.IMAGE_FILE_MACHINE_ARM64)
	windows := imagetest.PE(imagetest.Section{Name: ".text", Data: []byte{0}})
	windows[0x40+24+68] = pe.IMAGE_SUBSYSTEM_WINDOWS_CUI
	zboot := bytes.Clone(arm)
	copy(zboot[4:], "zimg")
	empty := bytes.Clone(kernel)
	binary.LittleEndian.PutUint32(empty[0x24c:], 0) // payload_length
	old := bytes.Clone(kernel)
	binary.LittleEndian.PutUint16(old[0x206:], 0x0105)
	elf := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 200)...)
	copy(elf[16:], "\x02\x00\x3e\x00")
	truncated := bytes.Clone(elf)
	copy(truncated[20:], "\x01")                     // version
	copy(truncated[40:], "\x00\x10")                 // offset of the section headers
	copy(truncated[58:], "\x40\x00\x01\x00\x00\x00") // their size, number, and which one has the names
	disk := make([]byte, 5<<20)
	copy(disk[512:], "EFI PART")
	section := func(name string, data []byte) imagetest.Section { return imagetest.Section{Name: name, Data: data} }
	uki := imagetest.PE(section(".linux", kernel))
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"a boot loader with a table of GUIDs": {loader("grub,4,FSF,grub,2.12,x", guid), "no kernel, but the boot loader GRUB 2.12"},
		"an EFI application with the GUID":    {imagetest.PE(section(".text", []byte(guid))), "no kernel, but an EFI application"},
		"a file with the GUID":                {[]byte(guid), "not a kernel"},
		"a kernel for arm64":                  {arm, "another processor than x86-64 (machine 0xaa64)"},
		"a program for Windows":               {windows, "a PE file that is no EFI application (subsystem 3)"},
		"an EFI zboot kernel":                 {zboot, "EFI zboot kernel, a format of other processors"},
		"a program in the form of a bzImage":  {empty, "no kernel is packed in it"},
		"a kernel from before EFI stubs":      {old, "boot protocol 1.05"},
		"a truncated kernel":                  {kernel[:1<<20], "truncated bzImage"},
		"a truncated setup header":            {kernel[:0x220], "truncated bzImage"},
		"an ELF file without symbols":         {elf, "no Linux kernel"},
		"a truncated ELF file":                {truncated, "no Linux kernel: a truncated ELF file"},
		"a unified kernel image of itself":    {imagetest.PE(section(".linux", uki)), "section .linux has no bzImage"},
		"a truncated unified kernel image":    {uki[:1<<20], "truncated PE file"},
		"an absurd command line":              {hugeSection(), "truncated PE file"},
		"a package without a kernel":          {imagetest.Deb(t, imagetest.Files{"usr/x": {1}}), "no Linux kernel for x86-64 in this Debian package"},
		"a disk in a tar archive":             {imagetest.Tar(t, imagetest.Files{"disk.raw": disk}), "/disk.raw: disk image: damaged partition table: the checksum of its header"},
		"a package in a tar archive":          {imagetest.Tar(t, imagetest.Files{"x.deb": imagetest.Deb(t, nil)}), "/x.deb is a package itself: inspect it on its own"},
		"a tar archive without a kernel":      {imagetest.Tar(t, imagetest.Files{"boot/vmlinuz-6": arm}), "another processor"},
	} {
		_, err := inspect.File(context.Background(), write(t, c.b), inspect.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error that says %q", name, err, c.want)
		}
	}
}

// hugeSection says to have a command line of two gigabytes.
func hugeSection() []byte {
	b := imagetest.PE(imagetest.Section{Name: ".cmdline", Data: []byte("quiet")},
		imagetest.Section{Name: ".linux", Data: []byte("x")})
	at := bytes.Index(b, []byte(".cmdline"))
	binary.LittleEndian.PutUint32(b[at+8:], 2<<30)
	binary.LittleEndian.PutUint32(b[at+16:], 2<<30)
	return b
}

// What is not read of a disk is told, with what to do.
func TestUnreadPartitions(t *testing.T) {
	f2fs := write(t, append(append(make([]byte, 1024), "\x10\x20\xf5\xf2"...), make([]byte, 1<<20-1028)...))
	ext4 := imagetest.Ext(t, 4, 40, imagetest.Files{"boot/vmlinuz": vmlinuz(t, debian12)})
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.Linux, Path: f2fs},
		imagetest.Partition{Type: imagetest.Linux, Path: ext4})
	const note = "partition 1: Linux, F2FS: F2FS is not read: mount it and inspect the directory"
	r, err := inspect.File(context.Background(), disk, inspect.Options{})
	if err != nil || len(r.Kernels) != 1 || len(r.Notes) != 1 || r.Notes[0] != note {
		t.Errorf("%+v, %v", r, err)
	}
}

// A boot loader that is not known is told.
func TestUnknownLoader(t *testing.T) {
	r, err := inspect.File(context.Background(), imagetest.FAT(t, 16, 40, imagetest.Files{
		"EFI/BOOT/BOOTX64.EFI": imagetest.PE(imagetest.Section{Name: ".text", Data: []byte("x")}), "vmlinuz": vmlinuz(t, debian12),
	}), inspect.Options{})
	if err != nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "not known here") {
		t.Errorf("%+v, %v", r, err)
	}
}

// However many names a kernel has, the answer comes soon.
func TestManyNames(t *testing.T) {
	dir := imagetest.Directory(t, imagetest.Files{"boot/vmlinuz": vmlinuz(t, debian12)})
	for i := range 300 {
		if err := os.Link(filepath.Join(dir, "boot/vmlinuz"), filepath.Join(dir, "boot", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := inspect.File(context.Background(), dir, inspect.Options{}); err == nil || !strings.Contains(err.Error(), "more than 256 kernels") {
		t.Errorf("%v", err)
	}
}

// Progress ends at the size of the file.
func TestProgress(t *testing.T) {
	path := stock(t, debian12)
	var calls int
	var last, size int64
	_, err := inspect.File(context.Background(), path, inspect.Options{Progress: func(read, of int64) {
		if read < last || read > of {
			t.Errorf("%d of %d after %d", read, of, last)
		}
		calls, last, size = calls+1, read, of
	}})
	if err != nil || calls < 10 || size < 10<<20 {
		t.Errorf("%d calls, %d of %d, %v", calls, last, size, err)
	}
}

// A cancelled inspection has no answer.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	_, err := inspect.File(ctx, stock(t, debian12), inspect.Options{Progress: func(read, _ int64) {
		if read > 1<<20 {
			cancel()
		}
	}})
	if err == nil || ctx.Err() == nil {
		t.Errorf("%v", err)
	}
}
