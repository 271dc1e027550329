package image

import (
	"bytes"
	"context"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The kernels that scripts/fetch-kernels puts into kernels/. They come from outside, so the tests on them say more than
// those on what is made here, and are not left out: without the kernels they fail.
const fetched = "../kernels"

func stockKernels(t testing.TB) []*Image {
	t.Helper()
	var all []*Image
	for _, pattern := range []string{"linux-image-*.deb", "linux-binary-*.deb"} {
		paths, err := filepath.Glob(filepath.Join(fetched, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			img, err := Open(context.Background(), path)
			if err != nil {
				t.Errorf("%v", err)
				continue
			}
			all = append(all, img)
		}
	}
	if len(all) == 0 {
		t.Fatalf("no kernels in %s: run scripts/fetch-kernels", fetched)
	}
	return all
}

func TestStockKernels(t *testing.T) {
	for _, img := range stockKernels(t) {
		if err := img.Bootable(); err != nil {
			t.Errorf("%v", err)
		}
		// The package's own file name says the release.
		if file := filepath.Base(strings.Split(img.Source, ": ")[0]); !strings.HasSuffix(strings.Split(file, "_")[0], "-"+img.Name) {
			t.Errorf("%s has a kernel that calls itself %q", file, img.Name)
		}
		if img.Kind != BzImage || img.Setup.PrefAddress != 16<<20 || img.Setup.KernelAlignment != 2<<20 {
			t.Errorf("%s: a %v with %+v", img.Name, img.Kind, img.Setup)
		}
	}
}

// The linker puts symbols at the start of sections. The section headers of vmlinux say where these are, and were not
// made by the same program as the symbol table.
func TestStockSymbols(t *testing.T) {
	for _, img := range stockKernels(t) {
		vmlinux, err := img.Payload()
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		f, err := elf.NewFile(bytes.NewReader(vmlinux))
		if err != nil {
			t.Errorf("%s: %v", img.Source, err)
			continue
		}
		s, err := img.Symbols()
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if s.Len() < 50000 {
			t.Errorf("%s: %d symbols only", img.Name, s.Len())
		}
		for section, symbol := range map[string]string{
			".text": "_text", ".rodata": "__start_rodata", ".data": "_sdata", ".init.text": "_sinittext", ".brk": "__brk_base",
			".bss": "__bss_start", "__ex_table": "__start___ex_table",
		} {
			want := f.Section(section)
			if got, ok := s.Address(symbol); want == nil || got != want.Addr || !ok {
				t.Errorf("%s: %s is at %#x, %v, and section %s is %+v", img.Name, symbol, got, ok, section, want)
			}
		}
		for _, function := range []string{"entry_SYSCALL_64", "start_kernel", "panic"} {
			address, ok := s.Address(function)
			if name, offset, _ := s.Lookup(address + 2); !ok || name != function || offset != 2 {
				t.Errorf("%s: %s is at %#x, %v, where %s+%#x is", img.Name, function, address, ok, name, offset)
			}
		}
	}
}

func TestNewest(t *testing.T) {
	dir := t.TempDir()
	_, err := Newest(dir)
	wantError(t, "no kernels", err, "scripts/fetch-kernels")
	for _, step := range []struct{ add, want string }{
		{"linux-image-6.9.7+deb13-cloud-amd64_6.9.7-1_amd64.deb", ""},
		{"linux-image-6.1.0-56-cloud-amd64_6.1.192-2_amd64.deb", "linux-image-6.9.7+deb13-cloud-amd64_6.9.7-1_amd64.deb"},
		{"linux-image-6.12.117+deb13-amd64_6.12.117-1_amd64.deb", ""},
		{"linux-image-6.12.117+deb13-cloud-amd64_6.12.117-1_amd64.deb", ""},
		{"linux-image-6.12.117+deb13-rt-amd64_6.12.117-1_amd64.deb", "linux-image-6.12.117+deb13-cloud-amd64_6.12.117-1_amd64.deb"},
		{"linux-binary-7.3.4+deb13-cloud-amd64_7.3.4-1~bpo13+1_amd64.deb", ""},
		{"linux-doc-9.deb", "linux-binary-7.3.4+deb13-cloud-amd64_7.3.4-1~bpo13+1_amd64.deb"},
	} {
		if err := os.WriteFile(filepath.Join(dir, step.add), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if step.want == "" {
			step.want = step.add
		}
		if got, err := Newest(dir); err != nil || filepath.Base(got) != step.want {
			t.Errorf("with %s added: got %s, %v, want %s", step.add, got, err, step.want)
		}
	}
}
