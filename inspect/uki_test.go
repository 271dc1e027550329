package inspect_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

func section(name, text string) imagetest.Section {
	return imagetest.Section{Name: name, Data: []byte(text)}
}

// uki is a unified kernel image with systemd-stub of a version around a kernel.
func uki(version string, kernel []byte, more ...imagetest.Section) []byte {
	return imagetest.PE(append([]imagetest.Section{
		section(".sdmagic", "#### LoaderInfo: systemd-stub "+version+" ####"), {Name: ".linux", Data: kernel},
	}, more...)...)
}

func addonOf(cmdline string, more ...imagetest.Section) []byte {
	return imagetest.PE(append(more, section(".cmdline", cmdline+"\n"))...)
}

// What add-ons append to the command line of a unified kernel image counts, wherever they apply, and nowhere else.
func TestAddons(t *testing.T) {
	kernel := vmlinuz(t, debian13)
	image := uki("257.13-1", kernel, section(".cmdline", "quiet\n"), section(".uname", "6.12"))
	const eager, lazy = "add_efi_memmap accept_memory=eager", "accept_memory=lazy"
	for name, c := range map[string]struct {
		addons imagetest.Files
		image  string
		uki    []byte
		lazy   inspect.Verdict
		traps  int
		lines  int
	}{
		"none":         {nil, "EFI/Linux/os.efi", image, yes, 0, 1},
		"of the image": {imagetest.Files{"EFI/Linux/os.efi.extra.d/a.addon.efi": addonOf(eager)}, "EFI/Linux/os.efi", image, no, 1, 2},
		"for all":      {imagetest.Files{"loader/addons/a.addon.efi": addonOf(eager)}, "EFI/Linux/os.efi", image, no, 1, 2},
		"by firmware": {imagetest.Files{"EFI/BOOT/BOOTX64.EFI.extra.d/a.addon.efi": addonOf(eager)},
			"EFI/BOOT/BOOTX64.EFI", image, no, 1, 2},
		"in another case":      {imagetest.Files{"EFI/LINUX/OS.EFI.EXTRA.D/A.ADDON.EFI": addonOf(eager)}, "EFI/Linux/os.efi", image, no, 1, 2},
		"of a counted image":   {imagetest.Files{"EFI/Linux/os.efi.extra.d/a.addon.efi": addonOf(eager)}, "EFI/Linux/os+3-1.efi", image, no, 1, 2},
		"of another image":     {imagetest.Files{"EFI/Linux/other.efi.extra.d/a.addon.efi": addonOf(eager)}, "EFI/Linux/os.efi", image, yes, 0, 1},
		"with another name":    {imagetest.Files{"EFI/Linux/os.efi.extra.d/a.efi": addonOf(eager)}, "EFI/Linux/os.efi", image, yes, 0, 1},
		"of another release":   {imagetest.Files{"loader/addons/a.addon.efi": addonOf(eager, section(".uname", "6.1"))}, "EFI/Linux/os.efi", image, yes, 0, 1},
		"of this release":      {imagetest.Files{"loader/addons/a.addon.efi": addonOf(eager, section(".uname", "6.12"))}, "EFI/Linux/os.efi", image, no, 1, 2},
		"and the image's last": {imagetest.Files{"loader/addons/z.addon.efi": addonOf(eager), "EFI/Linux/os.efi.extra.d/a.addon.efi": addonOf(lazy)}, "EFI/Linux/os.efi", image, yes, 1, 3},
		"and the last by name": {imagetest.Files{"loader/addons/a.addon.efi": addonOf(lazy), "loader/addons/b.addon.efi": addonOf(eager)}, "EFI/Linux/os.efi", image, no, 1, 3},
		"of an old stub": {imagetest.Files{"loader/addons/a.addon.efi": addonOf(eager)}, "EFI/Linux/os.efi",
			uki("253", kernel, section(".cmdline", "quiet")), yes, 0, 1},
		"without a line of its own": {imagetest.Files{"loader/addons/a.addon.efi": addonOf(eager)}, "EFI/Linux/os.efi", uki("257", kernel), no, 1, 1},
		"after words for init": {imagetest.Files{"loader/addons/a.addon.efi": addonOf(eager)}, "EFI/Linux/os.efi",
			uki("257", kernel, section(".cmdline", "quiet -- x")), yes, 0, 2},
		"in all profiles": {imagetest.Files{"loader/addons/a.addon.efi": addonOf(eager)}, "EFI/Linux/os.efi",
			uki("257", kernel, section(".cmdline", "quiet"), section(".profile", "ID=a"), section(".profile", "ID=b")), no, 1, 3},
	} {
		files := imagetest.Files{c.image: c.uki, "EFI/systemd/systemd-bootx64.efi": systemdBoot}
		for file, content := range c.addons {
			files[file] = content
		}
		k := one(t, imagetest.FAT(t, 16, 40, files))
		if k.Lazy.Verdict != c.lazy || len(k.Traps) != c.traps || len(k.CommandLines) != c.lines {
			t.Errorf("%s: lazy %+v, traps %+v, command lines %+v", name, k.Lazy, k.Traps, k.CommandLines)
		}
		if counted := strings.Contains(fmt.Sprint(k.Notes), "not counted"); counted != (name == "of another release" || name == "of an old stub") {
			t.Errorf("%s: notes %q", name, k.Notes)
		}
	}
	// Fedora has add-ons beside the modules, for those who want to enable them.
	k := one(t, imagetest.Directory(t, imagetest.Files{
		"usr/lib/modules/6/vmlinuz-virt.efi": image, "usr/lib/modules/6/vmlinuz-virt.efi.extra.d/a.addon.efi": addonOf(eager),
		"boot/efi/loader/addons/a.addon.efi": addonOf(eager),
	}))
	if k.Lazy.Verdict != yes || len(k.Traps) != 0 {
		t.Errorf("beside the modules: %+v %+v", k.Lazy, k.Traps)
	}
	k = one(t, imagetest.Directory(t, imagetest.Files{
		"boot/efi/EFI/Linux/os.efi": image, "boot/efi/loader/addons/a.addon.efi": addonOf(eager),
	}))
	if k.Lazy.Verdict != no || len(k.Traps) != 1 || k.Traps[0].Where != "/boot/efi/loader/addons/a.addon.efi" {
		t.Errorf("mounted: %+v %+v", k.Lazy, k.Traps)
	}
}

// A unified kernel image with profiles is as many ways to start its kernel, each with a command line.
func TestProfiles(t *testing.T) {
	kernel := vmlinuz(t, debian13)
	image := uki("257", kernel, section(".osrel", "PRETTY_NAME=\"Some OS\"\n"), section(".cmdline", "quiet"),
		section(".profile", "ID=main\nTITLE=Usual\n"),
		section(".profile", "ID=eager\n"), section(".cmdline", "quiet accept_memory=eager"),
		section(".profile", "ID=reset\nTITLE=Reset\n"), section(".cmdline", "quiet add_efi_memmap"))
	k := one(t, imagetest.FAT(t, 16, 40, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": systemdBoot, "EFI/Linux/os.efi": image}))
	want := []string{
		"section .cmdline of profile 0 (Usual): quiet", "section .cmdline of profile 1 (eager): quiet accept_memory=eager",
		"section .cmdline of profile 2 (Reset): quiet add_efi_memmap",
	}
	if len(k.CommandLines) != 3 || len(k.Boots) != 3 || k.OS != "Some OS" {
		t.Fatalf("%+v %+v", k.CommandLines, k.Boots)
	}
	for i, w := range want {
		if got := k.CommandLines[i].Where + ": " + k.CommandLines[i].Text; got != w {
			t.Errorf("%s, want %s", got, w)
		}
	}
	if k.Boots[2].Title != "profile 2 (Reset)" || k.Lazy.Verdict != no || len(k.Traps) != 1 ||
		k.Traps[0].Where != "section .cmdline of profile 2 (Reset)" {
		t.Errorf("%+v %+v %+v", k.Boots, k.Lazy, k.Traps)
	}
	// A profile may bring another kernel.
	r := kernelsOf(t, write(t, uki("257", kernel, section(".profile", "ID=a"), section(".cmdline", "a"),
		section(".profile", "ID=b"), section(".cmdline", "b"), imagetest.Section{Name: ".linux", Data: vmlinuz(t, debian12)})))
	if len(r) != 2 || answersOf(r[0]) != full || answersOf(r[1]) != old || r[0].CommandLines[0].Text != "a" ||
		r[1].CommandLines[0].Text != "b" {
		t.Errorf("%+v", r)
	}
}

// withoutHandover is a kernel of which the header says that it has no handover protocol.
func withoutHandover(kernel []byte) []byte {
	kernel = bytes.Clone(kernel)
	binary.LittleEndian.PutUint16(kernel[0x236:], binary.LittleEndian.Uint16(kernel[0x236:])&^0xc)
	binary.LittleEndian.PutUint32(kernel[0x264:], 0)
	return kernel
}

// What enters kernels by the handover protocol does not start one without it.
func TestHandover(t *testing.T) {
	kernel := withoutHandover(vmlinuz(t, debian13))
	early := bytes.Clone(kernel) // MajorImageVersion of Linux before 5.8
	early[int(kernel[0x3c])|int(kernel[0x3d])<<8+0x44] = 0
	grubWith := func(grub []byte, command string, kernel []byte) imagetest.Files {
		return imagetest.Files{"EFI/BOOT/BOOTX64.EFI": grub, "vm": kernel, "grub/grub.cfg": []byte(command + " /vm root=x\n")}
	}
	stub := func(version string, kernel []byte) imagetest.Files {
		return imagetest.Files{"EFI/BOOT/BOOTX64.EFI": uki(version, kernel)}
	}
	for name, c := range map[string]struct {
		files imagetest.Files
		stub  inspect.Verdict
		never bool
	}{
		"linuxefi":                        {grubWith(grubDebian, "linuxefi", kernel), no, true},
		"linuxefi, with it":               {grubWith(grubDebian, "linuxefi", vmlinuz(t, debian13)), yes, false},
		"linux of Red Hat":                {grubWith(grubRedHat, "linux", kernel), no, true},
		"linux of Debian":                 {grubWith(grubDebian, "linux", kernel), no, false},
		"linux of 2.12":                   {grubWith(grub212, "linux", kernel), yes, false},
		"chainloader":                     {grubWith(grubDebian, "chainloader", kernel), yes, false},
		"systemd-stub 251":                {stub("251.4", kernel), no, true},
		"systemd-stub 252":                {stub("252.39-1~deb12u2", kernel), yes, false},
		"systemd-stub 257, early":         {stub("257", early), no, true},
		"systemd-stub 251, with it":       {stub("251", vmlinuz(t, debian13)), yes, false},
		"a stub that does not say":        {stub("x", kernel), unknown, false},
		"chainloader of an old stub":      {grubWith(grubDebian, "chainloader", uki("249", kernel)), no, true},
		"firmware, without anything else": {imagetest.Files{"EFI/BOOT/BOOTX64.EFI": kernel}, yes, false},
	} {
		k := one(t, imagetest.FAT(t, 16, 40, c.files))
		if k.Stub() != c.stub || strings.Contains(k.Boots[0].Why, "does not start at all: ") != c.never ||
			strings.HasPrefix(k.Advice, "Nothing starts it as ") != c.never {
			t.Errorf("%s: %+v; %s", name, k.Boots, k.Advice)
		}
	}
}
