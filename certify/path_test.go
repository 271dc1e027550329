package certify

import (
	"testing"

	"github.com/tacit-vm/tacit/record"
)

// What the file says of the way to the kernel is contradicted by another kernel, another program, or another entry; not by
// what it leaves open.
func TestContradictedPaths(t *testing.T) {
	grub := func(stub Answer) []Way {
		return []Way{{By: []string{"vmlinuz", "BOOTX64.EFI", "grubx64.efi"}, Stub: stub}}
	}
	c := &Claims{Kernels: []KernelClaims{
		{Release: "6.1", Ways: grub(No)}, {Release: "6.12", Ways: grub(Yes)}, {Release: "6.13", Ways: grub(Unknown)}, {Release: "5.10"},
	}}
	for _, k := range []struct {
		start start
		want  string
	}{
		{start{"6.12", "BOOTX64.EFI", true}, ""},
		{start{"6.12", "bootx64.efi", true}, ""},
		{start{"6.13", "BOOTX64.EFI", true}, ""},
		{start{"6.13", "BOOTX64.EFI", false}, ""},
		{start{"6.12", "BOOTX64.EFI", false}, "path: the EFI stub of 6.12 is started: the file says yes, the boots say no"},
		{start{"6.1", "BOOTX64.EFI", true}, "path: the EFI stub of 6.1 is started: the file says no, the boots say yes"},
		{start{"6.12", "fbx64.efi", true}, "path: the file says that vmlinuz or BOOTX64.EFI or grubx64.efi starts 6.12, the boots say that fbx64.efi does"},
		{start{"5.10", "BOOTX64.EFI", true}, "path: the file says that 6.1 or 6.12 or 6.13 is started, the boots say 5.10"},
		{start{"", "grubx64.efi", false}, ""}, // it is some kernel
	} {
		if got := c.contradicts(k.start); got != k.want {
			t.Errorf("%+v: %q, want %q", k.start, got, k.want)
		}
	}
}

// The path of a record shows which kernel was started, by whom and by which entry.
func TestStarts(t *testing.T) {
	esp, grub := `\EFI\BOOT\BOOTX64.EFI`, `\EFI\debian\grubx64.efi`
	const handover = "Linux by its EFI handover entry"
	for _, c := range []struct {
		path record.Path
		want start
		ok   bool
	}{
		{record.Path{Images: []record.PathImage{{Name: esp, By: "firmware"}, {Name: `\vmlinuz`, By: esp, Linux: "6.12"}}, LeftBy: `\vmlinuz`}, start{"6.12", "BOOTX64.EFI", true}, true},
		{record.Path{Images: []record.PathImage{{Name: esp}, {Name: grub, By: esp}, {Name: handover, By: grub, Linux: handover}}, LeftBy: handover}, start{"", "grubx64.efi", true}, true},
		{record.Path{Images: []record.PathImage{{Name: esp}}, LeftBy: esp, Kernel: &record.KernelMemory{}}, start{"", "BOOTX64.EFI", false}, true},
		{record.Path{Images: []record.PathImage{{Name: esp}}, LeftBy: esp}, start{}, false},
		{record.Path{Images: []record.PathImage{{Name: esp}, {Name: `\vmlinuz`, By: esp, Linux: "6.12"}}}, start{}, false}, // it did not get far
	} {
		b := &Boot{Record: &record.Record{Path: c.path}}
		if got, ok := b.start(); ok != c.ok || ok && got != c.want {
			t.Errorf("%+v: %+v %t, want %+v", c.path, got, ok, c.want)
		}
	}
}
