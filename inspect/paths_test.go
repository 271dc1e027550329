package inspect_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

// Boot loaders have an SBAT section, and GRUB the names of its sources.
func loader(sbat string, texts ...string) []byte {
	return imagetest.PE(imagetest.Section{Name: ".text", Data: []byte(strings.Join(texts, "\x00"))},
		imagetest.Section{Name: ".sbat", Data: []byte("sbat,1,SBAT Version,sbat,1,https://example.org\n" + sbat + "\n")})
}

const grubText = "Unknown memory type %d, considering reserved"

var (
	shim       = loader("shim,4,UEFI shim,shim,1,https://example.org\nshim.x,1,X,shim,16.1,mailto:x")
	grub206    = loader("grub,4,Free Software Foundation,grub,2.06,https://example.org", grubText, "loader/i386/linux.c")
	grubDebian = loader("grub,5,FSF,grub,2.06,x\ngrub.debian,5,Debian,grub2,2.06-13,x",
		"loader/i386/linux.c", "loader/i386/efi/linux.c", "Secure Boot enabled: trying linuxefi")
	grubRedHat = loader("grub,4,FSF,grub,2.06,x\ngrub.rh,2,Red Hat,grub2,2.06-99,x", "loader/i386/efi/linux.c")
	grub212    = loader("grub,4,FSF,grub,2.12,x", "loader/efi/linux.c", "loader/i386/linux.c",
		"shim_lock enabled, falling back to legacy Linux kernel loader")
	grubPeimage = loader("grub,5,FSF,grub,2.12,x\ngrub.debian,5,Debian,grub2,2.12-9,x\ngrub.peimage,2,Canonical,x,2.12-9,x",
		"loader/efi/linux.c", "loader/i386/linux.c")
	grubCore    = loader("grub,4,FSF,grub,2.12,x", grubText)
	systemdBoot = loader("systemd-boot,1,systemd,systemd,257,x\nsystemd-boot.debian,1,Debian,systemd,257.13,x")
)

const grubCfg = `
# a comment with linux /vmlinuz-x in it
set default="0"
if [ "x$feature" = xy ] ; then menuentry_id_option="--id"; fi
menuentry 'Some OS' --class os $menuentry_id_option 'x' {
	linux	/boot/vmlinuz-x root=UUID=1 "quiet"
	initrd /boot/initrd.img
}
`

// Through which chain of loaders, and whether through the EFI stub.
func TestGrub(t *testing.T) {
	kernel, oldKernel := vmlinuz(t, debian13), vmlinuz(t, debian12)
	noStub := slices.Clone(kernel)
	noStub[0x3c] = 0 // no PE header there
	noStub[0] = 0
	early := slices.Clone(kernel) // MajorImageVersion of Linux before 5.8
	early[int(kernel[0x3c])|int(kernel[0x3d])<<8+0x44] = 0
	command := func(name string) string { return strings.ReplaceAll(grubCfg, "linux\t", name+"\t") }
	const variables = "set dir=/boot\nset k=vmlinuz-x\n" +
		"linux ${dir}/$k $kernelopts\nlinux $dir/${k} x\nlinux ${dir}/${k} $kernelopts" // only the last can be told
	alone := func(grub []byte) imagetest.Files { return imagetest.Files{"BOOTX64.EFI": grub} }
	afterShim := func(grub []byte) imagetest.Files { return imagetest.Files{"BOOTX64.EFI": shim, "grubx64.efi": grub} }
	for name, c := range map[string]struct {
		efi    imagetest.Files // EFI/BOOT
		kernel []byte
		cfg    string
		stub   inspect.Verdict
		chain  string
	}{
		"upstream 2.06":            {alone(grub206), kernel, grubCfg, no, "/EFI/BOOT/BOOTX64.EFI (GRUB 2.06)"},
		"Debian 2.06":              {afterShim(grubDebian), kernel, grubCfg, unknown, "BOOTX64.EFI (shim 16.1) → partition 1: /EFI/BOOT/grubx64.efi (GRUB 2.06-13)"},
		"Debian 2.06, linuxefi":    {alone(grubDebian), kernel, command("linuxefi"), yes, "(GRUB 2.06-13)"},
		"Red Hat":                  {afterShim(grubRedHat), kernel, grubCfg, yes, "(GRUB 2.06-99)"},
		"upstream 2.12":            {alone(grub212), kernel, grubCfg, yes, "(GRUB 2.12)"},
		"upstream 2.12 after shim": {afterShim(grub212), kernel, grubCfg, unknown, "(GRUB 2.12)"},
		"Debian 2.12 after shim":   {afterShim(grubPeimage), kernel, grubCfg, yes, "(GRUB 2.12-9)"},
		"2.12, an early stub":      {alone(grubPeimage), early, grubCfg, no, "(GRUB 2.12-9)"},
		"2.12, no stub":            {alone(grubPeimage), noStub, grubCfg, no, "(GRUB 2.12-9)"},
		"linux16":                  {alone(grubPeimage), kernel, command("linux16"), no, "GRUB"},
		"chainloader":              {alone(grub206), kernel, "chainloader ($root)/boot/vmlinuz-x\n", yes, "GRUB"},
		"a core without modules":   {alone(grubCore), kernel, grubCfg, unknown, "GRUB"},
		"variables":                {alone(grub212), kernel, variables, yes, "GRUB"},
		"no loader in the image":   {nil, kernel, grubCfg, unknown, ""},
		"an old kernel":            {alone(grubPeimage), oldKernel, grubCfg, yes, "GRUB"},
	} {
		efi := imagetest.Files{}
		for file, content := range c.efi {
			efi["EFI/BOOT/"+file] = content
		}
		k := one(t, imagetest.Disk(t, "gpt",
			imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 20, efi)},
			imagetest.Partition{Type: imagetest.Linux, Path: imagetest.Ext(t, 4, 40, imagetest.Files{
				"boot/vmlinuz-x": c.kernel, "boot/grub/grub.cfg": []byte(c.cfg),
				"boot/grub/grubenv": []byte("kernelopts=root=/dev/x quiet\n"),
			})}))
		if len(k.Boots) != 1 || k.Boots[0].Stub != c.stub || k.Stub() != c.stub ||
			!strings.Contains(k.Boots[0].Loader, c.chain) {
			t.Errorf("%s: %+v, want efi_stub %s by %q", name, k.Boots, c.stub, c.chain)
			continue
		}
		if b := k.Boots[0]; c.cfg == grubCfg &&
			(b.Title != "Some OS" || b.Config != "partition 2: /boot/grub/grub.cfg:6" || b.Command != "linux") {
			t.Errorf("%s: %+v", name, b)
		}
		want := "root=UUID=1 quiet"
		if name == "variables" {
			want = "root=/dev/x quiet"
		}
		if name != "chainloader" && (len(k.CommandLines) != 1 || k.CommandLines[0].Text != want) {
			t.Errorf("%s: command lines %+v, want %q", name, k.CommandLines, want)
		}
		// What an operator is told follows from the loader.
		tags := strings.Join(inspect.Tags("gce", []*inspect.Kernel{k})[0].Lines(), "\n")
		if want := c.stub != yes || name == "an old kernel"; strings.Contains(tags, "only with firmware that accepts") != want {
			t.Errorf("%s: tags %s", name, tags)
		}
		if c.stub == no && c.kernel != nil && !strings.Contains(k.Advice, "before it starts the") && name != "2.12, no stub" {
			t.Errorf("%s: %s", name, k.Advice)
		}
	}
}

// GRUB finds the code that loads Linux in its modules, if not in itself.
func TestGrubModules(t *testing.T) {
	dir := imagetest.Directory(t, imagetest.Files{
		"boot/efi/EFI/x/grubx64.efi": grubCore, "boot/grub/x86_64-efi/linux.mod": []byte("\x7fELF loader/i386/linux.c"),
		"boot/grub/grub.cfg": []byte(grubCfg), "boot/vmlinuz-x": vmlinuz(t, debian13),
	})
	if k := one(t, dir); len(k.Boots) != 1 || k.Boots[0].Stub != no {
		t.Errorf("%+v", k.Boots)
	}
}

// A kernel on a boot partition of its own, and one that a symbolic link points to.
func TestWhereKernelsAre(t *testing.T) {
	kernel := vmlinuz(t, debian13)
	esp := imagetest.FAT(t, 16, 20, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": grubPeimage})
	cfg := []byte("linux /vmlinuz root=x\n")
	inBoot := []byte("linux /boot/vmlinuz root=x\n")
	circle := []byte("linux /boot/vmlinuz root=y\nlinux /boot/vmlinuz-x root=x\n")
	for name, files := range map[string]imagetest.Files{
		"boot partition":    {"vmlinuz": kernel, "grub2/grub.cfg": cfg},
		"link":              {"vmlinuz": imagetest.Link("boot/vmlinuz-x"), "boot/vmlinuz-x": kernel, "boot/grub/grub.cfg": cfg},
		"link in boot":      {"boot/vmlinuz": imagetest.Link("vmlinuz-x"), "boot/vmlinuz-x": kernel, "boot/grub/grub.cfg": inBoot},
		"links in a circle": {"boot/vmlinuz": imagetest.Link("vmlinuz"), "boot/vmlinuz-x": kernel, "boot/grub/grub.cfg": circle},
	} {
		k := one(t, imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: esp},
			imagetest.Partition{Type: imagetest.Linux, Path: imagetest.Ext(t, 4, 40, files)}))
		if len(k.Boots) != 1 || len(k.CommandLines) != 1 || k.CommandLines[0].Text != "root=x" {
			t.Errorf("%s: %+v %+v", name, k.Boots, k.CommandLines)
		}
	}
}

// Boot loader specification, by systemd-boot and by a GRUB of Red Hat's kind.
func TestEntries(t *testing.T) {
	kernel := vmlinuz(t, debian13)
	entry := []byte("# Boot Loader Specification type#1 entry\ntitle      Some OS\nversion 6\nlinux   /os/6/linux\n" +
		"options root=x\noptions accept_memory=eager\n")
	uki := imagetest.PE(imagetest.Section{Name: ".linux", Data: kernel},
		imagetest.Section{Name: ".cmdline", Data: []byte("quiet\n")},
		imagetest.Section{Name: ".uname", Data: []byte("6.99.0")})
	r, err := inspect.File(context.Background(), imagetest.FAT(t, 32, 100, imagetest.Files{
		"EFI/BOOT/BOOTX64.EFI": systemdBoot, "EFI/Linux/os.efi": uki, "loader/entries/os.conf": entry, "os/6/linux": kernel,
	}), inspect.Options{})
	if err != nil || len(r.Kernels) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, k := range r.Kernels {
		if len(k.Boots) != 1 || k.Boots[0].Stub != yes || !strings.Contains(k.Boots[0].Loader, "systemd-boot 257.13") {
			t.Errorf("%s: %+v", k.Path, k.Boots)
		}
		if k.Format == "unified kernel image" && (k.Lazy.Verdict != yes || !strings.Contains(fmt.Sprint(k.Notes), "6.99.0")) {
			t.Errorf("lazy %v, notes %q", k.Lazy, k.Notes)
		}
		if k.Format == "bzImage" && (k.Lazy.Verdict != no || !strings.Contains(k.Advice, "accept_memory=eager") ||
			k.Boots[0].Title != "Some OS") {
			t.Errorf("lazy %v: %s", k.Lazy, k.Advice)
		}
	}

	k := one(t, imagetest.Directory(t, imagetest.Files{
		"boot/efi/EFI/fedora/grubx64.efi": grubRedHat, "boot/efi/EFI/fedora/shimx64.efi": shim,
		"boot/grub2/grub.cfg": []byte("insmod blscfg\nblscfg\n"), "boot/vmlinuz-6": kernel,
		"boot/loader/entries/os.conf": []byte("title OS\nlinux /vmlinuz-6\noptions root=x add_efi_memmap\n"),
	}))
	const chain = "/boot/efi/EFI/fedora/shimx64.efi (shim 16.1) → "
	if len(k.Boots) != 1 || k.Boots[0].Stub != yes || !strings.HasPrefix(k.Boots[0].Loader, chain) {
		t.Errorf("%+v", k.Boots)
	}
	if len(k.Traps) != 1 || !k.Traps[0].Sure || !strings.HasPrefix(k.Advice, "Remove add_efi_memmap") {
		t.Errorf("%+v: %s", k.Traps, k.Advice)
	}
}

// Firmware starts what it finds in its own place, and shim what is called GRUB.
func TestFirmwareStarts(t *testing.T) {
	uki := imagetest.PE(imagetest.Section{Name: ".linux", Data: vmlinuz(t, debian13)})
	for name, files := range map[string]imagetest.Files{
		"firmware": {"EFI/BOOT/BOOTX64.EFI": uki}, "shim": {"EFI/BOOT/BOOTX64.EFI": shim, "EFI/BOOT/grubx64.efi": uki},
	} {
		k := one(t, imagetest.FAT(t, 16, 40, files))
		if len(k.Boots) != 1 || k.Boots[0].Stub != yes || !strings.Contains(k.Boots[0].Loader, name) {
			t.Errorf("%s: %+v", name, k.Boots)
		}
	}
}
