package inspect_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

func kernelsOf(t testing.TB, path string) []*inspect.Kernel {
	t.Helper()
	return report(t, path).Kernels
}

func report(t testing.TB, path string) *inspect.Report {
	t.Helper()
	r, err := inspect.File(context.Background(), path, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The verdict on an image is not better than what was read of it.
func TestIncomplete(t *testing.T) {
	kernel := vmlinuz(t, debian13)
	f2fs := write(t, append(append(make([]byte, 1024), "\x10\x20\xf5\xf2"...), make([]byte, 1<<20-1028)...))
	esp := func(files imagetest.Files) imagetest.Partition {
		return imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 40, files)}
	}
	ext := func(files imagetest.Files) string { return imagetest.Ext(t, 4, 40, files) }
	linux := func(path string) imagetest.Partition { return imagetest.Partition{Type: imagetest.Linux, Path: path} }
	disk := func(partitions ...imagetest.Partition) string { return imagetest.Disk(t, "gpt", partitions...) }
	boot := imagetest.Files{"vmlinuz-x": kernel, "grub/grub.cfg": []byte("linux /vmlinuz-x quiet\n")}
	more := imagetest.Files{"vmlinuz-x": kernel, "grub/grub.cfg": []byte("linux /vmlinuz-x\nlinux /boot/vmlinuz-y\n")}
	direct := imagetest.Files{"EFI/BOOT/BOOTX64.EFI": uki("257", kernel)}
	loaderOnly := imagetest.Files{"EFI/BOOT/BOOTX64.EFI": grub212}

	damaged := readFile(t, ext(imagetest.Files{"vmlinuz-x": kernel, "grub/grub.cfg": []byte("x")}))
	entry := bytes.Index(damaged, []byte("\x04\x02grub")) // length and kind of the entry of the directory
	binary.LittleEndian.PutUint32(damaged[entry-6:], 1<<30)
	inUse := readFile(t, ext(boot))
	inUse[1024+0x60] |= 4 // what was written last is in the journal

	for name, c := range map[string]struct {
		path string
		want string
	}{
		"a kernel alone":                           {write(t, kernel), ""},
		"everything is read":                       {disk(esp(loaderOnly), linux(ext(boot))), ""},
		"no loader at all":                         {disk(linux(ext(imagetest.Files{"boot/vmlinuz-x": kernel}))), ""},
		"firmware starts it, and the root is F2FS": {disk(esp(direct), linux(f2fs)), ""},
		"GRUB starts it, and the root is F2FS":     {disk(esp(loaderOnly), linux(ext(boot)), linux(f2fs)), ""},
		"another entry, and the root is F2FS":      {disk(esp(loaderOnly), linux(ext(more)), linux(f2fs)), "partition 3: Linux, F2FS was not read"},
		"another entry, and everything is read":    {disk(esp(loaderOnly), linux(ext(more))), ""},
		"GRUB, and its configuration is on F2FS":   {disk(esp(imagetest.Files{"EFI/BOOT/BOOTX64.EFI": grub212, "vmlinuz": kernel}), linux(f2fs)), "partition 2: Linux, F2FS was not read"},
		"GRUB, and its configuration is nowhere":   {disk(esp(loaderOnly), linux(ext(imagetest.Files{"vmlinuz": kernel}))), "what the boot loaders on it start was not found"},
		"no loader, and F2FS":                      {disk(linux(ext(imagetest.Files{"boot/vmlinuz-x": kernel})), linux(f2fs)), "partition 2: Linux, F2FS was not read"},
		"swap":                                     {disk(esp(direct), imagetest.Partition{Type: "swap"}), ""},
		"a loader that is not known":               {disk(esp(imagetest.Files{"EFI/BOOT/BOOTX64.EFI": imagetest.PE(section(".text", "x")), "vmlinuz": kernel})), "not known here"},
		"a second partition that firmware reads":   {disk(esp(direct), imagetest.Partition{Type: imagetest.ESP, Path: f2fs}), "partition 2: EFI system partition, F2FS was not read"},
		"a directory that cannot be read":          {write(t, damaged), "/grub: inode"},
		"a file system that was in use":            {write(t, inUse), "journal"},
		"a damaged kernel beside":                  {imagetest.Directory(t, imagetest.Files{"boot/vmlinuz-x": kernel, "boot/vmlinuz-y": kernel[:1<<20]}), "/boot/vmlinuz-y: truncated bzImage"},
		"something that is no kernel beside":       {imagetest.Directory(t, imagetest.Files{"boot/vmlinuz-x": kernel, "boot/vmlinuz-y": append([]byte("MZ\x00\x00zimg"), make([]byte, 100)...)}), ""},
	} {
		r := report(t, c.path)
		if c.want == "" && r.Incomplete != "" || !strings.Contains(r.Incomplete, c.want) {
			t.Errorf("%s: %q, want %q", name, r.Incomplete, c.want)
		}
		for _, k := range r.Kernels {
			wantLazy, wantAdvice := yes, "tells firmware so: leave memory unaccepted"
			if c.want != "" {
				wantLazy, wantAdvice = unknown, "not read"
			}
			if k.Lazy.Verdict != wantLazy {
				t.Errorf("%s: lazy %+v", name, k.Lazy)
			}
			requirements, err := inspect.ParseRequirements("negotiate,lazy")
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range requirements {
				stub := c.want == "" && len(k.Boots) > 0 && k.Stub() != yes
				if got := k.Meets(q); got != wantLazy && !stub {
					t.Errorf("%s: %s %s, want %s", name, q.Name, got, wantLazy)
				}
			}
			if c.want != "" && !strings.Contains(k.Advice, wantAdvice) {
				t.Errorf("%s: %s", name, k.Advice)
			}
			if tags := fmt.Sprint(inspect.Tags("gce", r.Kernels)); c.want != "" && !strings.Contains(tags, "only with firmware") {
				t.Errorf("%s: %s", name, tags)
			}
		}
	}
}

// A directory that an ordinary user may not read is not one without anything in it.
func TestUnreadableDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := imagetest.Directory(t, imagetest.Files{"boot/vmlinuz": vmlinuz(t, debian13), "boot/efi/EFI/BOOT/BOOTX64.EFI": grub206})
	if err := os.Chmod(filepath.Join(dir, "boot/efi"), 0); err != nil {
		t.Fatal(err)
	}
	if r := report(t, dir); !strings.Contains(r.Incomplete, "/boot/efi") {
		t.Errorf("%+v", r)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
