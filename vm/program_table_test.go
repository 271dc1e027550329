package vm_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"image/color"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

var allPrograms = flag.Bool("programs", false, "run every row of the table in docs/programs.md, not only those that are compared in every run of the tests, and write the table anew")

// An efiProgram is one of Debian's for bare metal, unchanged, and what shows how far it comes.
type efiProgram struct {
	name    string
	files   func(t testing.TB) imagetest.Files         // of a disk that starts it
	image   func(t testing.TB) (data []byte, _ string) // … or the program, and its command line
	typed   []string                                   // at its prompt, each with what it is ended by
	shows   []mark                                     // in this order, as far as it comes
	screen  vm.Resolution
	virtual time.Duration
	always  bool // it is compared in every run of the tests
}

// A mark is text that is on the console only where a program has come so far.
type mark struct{ name, text string }

// from makes a disk that starts a file of a package.
func from(pattern, path string) func(testing.TB) imagetest.Files {
	return func(t testing.TB) imagetest.Files {
		return imagetest.Files{fallbackLoader: debianFile(t, pattern, path), "notes.txt": []byte("hello")}
	}
}

var efiPrograms = []efiProgram{
	{
		name: "EDK2 Shell", always: true, files: from("efi-shell-x64_2025.*", "usr/share/efi-shell-x64/shellx64.efi"),
		typed: []string{" ver\r", "memmap\r", "dh\r", "devices\r", "drivers\r", "smbiosview\r", "dmpstore\r", "map -r\r", "ls fs0:\r", "stall 1000\r", "mm E0000000 -mmio -w 4 -n\r", "pci\r", "reset -s\r"},
		shows: []mark{
			{"ver", "Shell> ver\nUEFI Interactive Shell v2.2"}, {"memmap", "Total Memory:          4,095 MB"}, {"dh", "MpService"}, {"devices", "Device Name"}, {"drivers", "DRIVER NAME"},
			{"smbiosview", "Type: BIOS Information"}, {"dmpstore", "EFIGlobalVariable:SetupMode"}, {"map", "HD(1,GPT,"}, {"ls", "5  notes.txt"}, {"stall", "Shell> stall"},
			{"mm", ": 0x00081B36"}, {"pci", "Vendor 1AF4 Device 1042"}, {"reset", "Reset with"},
		},
	},
	{
		name: "GRUB 2.06", files: func(t testing.TB) imagetest.Files {
			files := from("grub-efi-amd64-bin_2.06-*", grubMonolithic)(t)
			for _, name := range []string{"moddep.lst", "lsmmap.mod", "mmap.mod", "lspci.mod", "lsacpi.mod", "acpi.mod", "cpuid.mod", "extcmd.mod"} {
				files["grub/x86_64-efi/"+name] = debianFile(t, "grub-efi-amd64-bin_2.06-*", "usr/lib/grub/x86_64-efi/"+name)
			}
			return files
		},
		typed: []string{"ls\r", "lsefi\r", "lsefimmap\r", "lsefisystab\r", "set prefix=(hd0,gpt1)/grub\r", "insmod lsmmap\r", "insmod lspci\r", "insmod lsacpi\r", "insmod cpuid\r",
			"lsmmap\r", "lspci\r", "lsacpi\r", "cpuid -l\r", "echo long=$?\r", "halt\r"},
		shows: []mark{
			{"ls", "(hd0,gpt1)"}, {"lsefi", "PCI root"}, {"lsefimmap", "conv-mem"}, {"lsefisystab", "Vendor: tacit"}, {"lsmmap", "base_addr = 0x0,"}, {"lspci", "1af4:1042"}, {"lsacpi", "RSDPv1 signature"},
			{"cpuid", "long=0"}, {"halt", "grub> halt"},
		},
	},
	{
		name: "GRUB 2.12", files: from("grub-efi-amd64-signed_1+2.12*", grubSigned),
		typed: []string{"ls\r", "lsefi\r", "lsefimmap\r", "lsefisystab\r", "halt\r"},
		shows: []mark{{"ls", "(hd0,gpt1)"}, {"lsefi", "PCI root"}, {"lsefimmap", "conv-mem"}, {"lsefisystab", "Vendor: tacit"}, {"halt", "grub> halt"}},
	},
	{
		name: "iPXE", always: true, files: from("ipxe_1.21*", "usr/lib/ipxe/ipxe-amd64.efi"),
		typed: []string{"\x02show version\r", "ifstat\r", "imgstat\r", "poweroff\r"},
		shows: []mark{{"show", "builtin/version:string = 1.21.1"}, {"ifstat", "net0: 02:74:61:63:69:74 using virtio-net"}, {"imgstat", "iPXE> imgstat"}, {"poweroff", "iPXE> poweroff"}},
	},
	{
		name: "rEFInd", files: from("refind_*", "usr/share/refind/refind/refind_x64.efi"), typed: []string{"\r", "\r"},
		shows: []mark{{"its menu", "rEFInd - Main Menu"}, {"about", "Screen Output: Text-only console"}, {"its menu again", "rEFInd - Main Menu"}},
	},
	{
		name: "rEFInd, with a screen", files: func(t testing.TB) imagetest.Files {
			files := from("refind_*", "usr/share/refind/refind/refind_x64.efi")(t)
			files["EFI/BOOT/refind.conf"] = []byte("timeout 0\n")
			for _, name := range []string{"func_about.png", "func_hidden.png", "func_shutdown.png", "func_reset.png", "os_unknown.png", "vol_internal.png"} {
				files["EFI/BOOT/icons/"+name] = debianFile(t, "refind_*", "usr/share/refind/refind/icons/"+name)
			}
			return files
		},
		screen: vm.Resolution{Width: 1024, Height: 768},
	},
	{
		name: "efitools HelloWorld", files: from("efitools_*", efitoolsDir+"HelloWorld.efi"), typed: []string{"\r"},
		shows: []mark{{"its text", "This file is used to prove"}},
	},
	{
		name: "efitools KeyTool", files: from("efitools_*", efitoolsDir+"KeyTool.efi"), typed: []string{"\r"},
		shows: []mark{{"its menu", "KeyTool main menu"}, {"setup mode", "Platform is in Setup Mode"}, {"volumes", "PciRoot(0)/Pci(0x2,0x0)/HD(1,GPT,"}},
	},
	{
		name: "efitools HashTool", files: from("efitools_*", efitoolsDir+"HashTool.efi"), typed: []string{"\r"},
		shows: []mark{{"its menu", "Hash Tool main menu"}, {"files", "BOOTX64.EFI"}},
	},
	{
		name: "efitools ReadVars, from the Shell", files: func(t testing.TB) imagetest.Files {
			files := from("efi-shell-x64_2025.*", "usr/share/efi-shell-x64/shellx64.efi")(t)
			files["ReadVars.efi"] = debianFile(t, "efitools_*", efitoolsDir+"ReadVars.efi")
			return files
		},
		typed: []string{" fs0:\\ReadVars.efi PK\r", "reset -s\r"},
		shows: []mark{{"that PK is no variable, as under OVMF", "Invalid Variable PK"}, {"the Shell again", "reset -s"}}, // a mistake of its own
	},
	{
		name: "fwupd", files: from("fwupd-unsigned_*", "usr/libexec/fwupd/efi/fwupdx64.efi"),
		shows: []mark{{"its version", "fwupd-efi version 1.7"}, {"its work", "No updates to process"}}, virtual: 15 * time.Second,
	},
	{
		name: "EFI Boot Guard", files: from("efibootguard_*", "usr/lib/x86_64-linux-gnu/efibootguard/efibootguardx64.efi"),
		shows: []mark{{"volumes", "Volume 0: (On boot medium)"}, {"its configuration", "0 config partitions detected"}, {"no kernel", "Cannot load specified kernel image"}},
	},
	{
		name: "MokManager", files: from("shim-helpers-amd64-signed_*", "usr/lib/shim/mmx64.efi.signed"), typed: []string{"\r", "\r"},
		shows: []mark{{"its menu", "Shim UEFI key management"}, {"what it can do", "Enroll key from disk"}}, virtual: 15 * time.Second,
	},
	{
		name: "shim's fallback", files: from("shim-helpers-amd64-signed_*", "usr/lib/shim/fbx64.efi.signed"),
		shows: []mark{{"nothing to restore, so it resets", "Reset System"}},
	},
	{
		name: "Memtest86+", image: memtest, virtual: 5 * time.Second, shows: []mark{{"its first screen", "Memtest86+ v7.20"}, {"tests", "Errors: 0"}},
	},
	{
		name: "Memtest86+, with a screen", image: memtest, virtual: 5 * time.Second, screen: vm.Resolution{Width: 1024, Height: 768}, shows: []mark{{"its first screen", "Memtest86+ v7.20"}, {"tests", "Errors: 0"}},
	},
}

func memtest(t testing.TB) ([]byte, string) {
	return debianFile(t, "memtest86+_*", "boot/memtest86+x64.efi"), "console nobench nopause"
}

const efitoolsDir = "usr/lib/efitools/x86_64-linux-gnu/"

// typedText is all that is typed.
func (p *efiProgram) typedText() []byte { return []byte(strings.Join(p.typed, "")) }

func (p *efiProgram) config(t testing.TB) vm.Config {
	t.Helper()
	cfg := vm.Config{Screen: p.screen, MaxVirtual: cmp.Or(p.virtual, 8*time.Second)}
	if p.files != nil {
		cfg.Disks = disks(espDisk(t, 40, p.files(t)))
		return cfg
	}
	data, line := p.image(t)
	img, err := image.Parse(p.name, data)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Image, cfg.CommandLine = img, &line
	return cfg
}

// runsOn runs the program and returns its row of the table.
func (p *efiProgram) runsOn(t testing.TB, platform string) (row, console string) {
	t.Helper()
	cfg := p.config(t)
	keyboard := make(chan []byte, 1)
	keyboard <- p.typedText()
	close(keyboard)
	cfg.Platform, cfg.Keyboard = platform, keyboard
	var out bytes.Buffer
	cfg.Console = &out
	m := newMachine(t, cfg)
	defer m.Close()
	run(t, m, vm.Event{})
	b, err := m.Record()
	if err != nil {
		t.Fatal(err)
	}
	console = strings.ReplaceAll(controlSequence.ReplaceAllString(out.String(), ""), "\r", "")
	var shown []string
	rest := console
	for _, m := range p.shows {
		_, after, ok := strings.Cut(rest, m.text)
		if !ok {
			shown = append(shown, "**not "+m.name+"**")
			continue
		}
		rest = after
		shown = append(shown, m.name)
	}
	if p.screen != (vm.Resolution{}) {
		shown = append(shown, drawn(t, m))
	}
	end := string(b.Outcome)
	if b.Outcome == record.PowerOff {
		end = "powers off"
	}
	switch {
	case b.Outcome == record.Limit:
		end = "goes on"
	case b.Diagnosis != nil && strings.Contains(b.Diagnosis.Summary, "nobody types"):
		end = "waits for a key"
	case b.Diagnosis != nil:
		end += ": " + b.Diagnosis.Summary
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", p.name, platform, strings.Join(shown, ", "), end), console
}

// drawn says what is on the screen.
func drawn(t testing.TB, m *vm.Machine) string {
	t.Helper()
	p, err := m.Picture()
	if err != nil {
		t.Fatal(err)
	}
	colours := map[color.Color]bool{}
	for y := range p.Bounds().Dy() {
		for x := range p.Bounds().Dx() {
			colours[p.At(x, y)] = true
		}
	}
	if len(colours) == 1 {
		return "**nothing on the screen**"
	}
	return fmt.Sprintf("a picture of %d colours", len(colours))
}

const (
	programsHead = "| program | platform | shows | end |\n|---|---|---|---|\n"
	programsFile = "../docs/programs.md"
)

// The table in docs/programs.md: program × platform. A row is what a run shows.
func TestPrograms(t *testing.T) {
	page, err := os.ReadFile(programsFile)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, p := range efiPrograms {
		if !p.always && !*allPrograms {
			continue
		}
		for _, platform := range []string{vm.None, vm.TDX, vm.SNP} {
			row, console := p.runsOn(t, platform)
			rows = append(rows, row)
			t.Log(row)
			if !*allPrograms && !strings.Contains(string(page), row) {
				t.Errorf("docs/programs.md lacks this row (-programs writes the table anew): %s\n%s", row, console)
			}
		}
	}
	if *allPrograms && !t.Failed() {
		writeTable(t, programsFile, programsHead, rows)
	}
}

// writeTable replaces the table in a page.
func writeTable(t testing.TB, file, head string, rows []string) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), "<!-- table -->\n")
	_, after, ok2 := strings.Cut(rest, "<!-- end of table -->\n")
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", file)
	}
	all := before + "<!-- table -->\n" + head + strings.Join(rows, "\n") + "\n<!-- end of table -->\n" + after
	if err := os.WriteFile(file, []byte(all), 0o644); err != nil {
		t.Fatal(err)
	}
}
