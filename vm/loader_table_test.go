package vm_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

var allLoaders = flag.Bool("loaders", false, "boot every row of the table in docs/loaders.md, not only those with Linux 6.12 and negotiating firmware, and write the table anew, and README's of it")

// A loader is what is on a disk in front of a kernel: unchanged binaries of Debian's.
type loader struct {
	name  string
	files func(t testing.TB, kernel []byte) imagetest.Files
}

const commandLineOfDisks = "console=ttyS0 earlyprintk=ttyS0 panic=-1"

// grubConfig has GRUB start a kernel by one of its commands.
func grubConfig(linux, initrd string) []byte {
	return fmt.Appendf(nil, "set timeout=0\nmenuentry Debian {\n%s /vmlinuz %s\n%s /initrd.img\n}\n", linux, commandLineOfDisks, initrd)
}

// ipxeScript has iPXE drive the network card by EFI_PCI_IO_PROTOCOL, and start a kernel from its disk.
var ipxeScript = []byte("#!ipxe\nifopen net0\nkernel file:/vmlinuz " + commandLineOfDisks + " initrd=initrd.img\ninitrd file:/initrd.img\nboot\n")

const (
	grubMonolithic = "usr/lib/grub/x86_64-efi/monolithic/grubx64.efi"
	grubSigned     = "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
	shimSigned     = "usr/lib/shim/shimx64.efi.signed"
	systemdBoot    = "usr/lib/systemd/boot/efi/systemd-bootx64.efi"
	fallbackLoader = "EFI/BOOT/BOOTX64.EFI"
	grubsConfig    = "EFI/debian/grub.cfg"
)

var loaders = []loader{
	{"GRUB 2.06, linux", func(t testing.TB, kernel []byte) imagetest.Files {
		return imagetest.Files{fallbackLoader: debianFile(t, "grub-efi-amd64-bin_2.06-*", grubMonolithic), grubsConfig: grubConfig("linux", "initrd")}
	}},
	{"GRUB 2.06, linuxefi", func(t testing.TB, kernel []byte) imagetest.Files {
		return imagetest.Files{fallbackLoader: debianFile(t, "grub-efi-amd64-bin_2.06-*", grubMonolithic), grubsConfig: grubConfig("linuxefi", "initrdefi")}
	}},
	{"shim, GRUB 2.06, linux", func(t testing.TB, kernel []byte) imagetest.Files {
		return imagetest.Files{
			fallbackLoader: debianFile(t, "shim-signed_*deb12*", shimSigned), "EFI/BOOT/grubx64.efi": debianFile(t, "grub-efi-amd64-signed_1+2.06*", grubSigned),
			grubsConfig: grubConfig("linux", "initrd"),
		}
	}},
	{"GRUB 2.12, linux", func(t testing.TB, kernel []byte) imagetest.Files {
		return imagetest.Files{fallbackLoader: debianFile(t, "grub-efi-amd64-signed_1+2.12*", grubSigned), grubsConfig: grubConfig("linux", "initrd")}
	}},
	{"shim, GRUB 2.12, linux", func(t testing.TB, kernel []byte) imagetest.Files {
		return imagetest.Files{
			fallbackLoader: debianFile(t, "shim-signed_*deb13*", shimSigned), "EFI/BOOT/grubx64.efi": debianFile(t, "grub-efi-amd64-signed_1+2.12*", grubSigned),
			grubsConfig: grubConfig("linux", "initrd"),
		}
	}},
	{"systemd-boot 252", func(t testing.TB, kernel []byte) imagetest.Files {
		return blsFiles(debianFile(t, "systemd-boot-efi_252.*", systemdBoot))
	}},
	{"systemd-boot 257", func(t testing.TB, kernel []byte) imagetest.Files {
		return blsFiles(debianFile(t, "systemd-boot-efi_257.*", systemdBoot))
	}},
	{"systemd-boot 257, UKI in EFI/Linux", func(t testing.TB, kernel []byte) imagetest.Files {
		return imagetest.Files{
			fallbackLoader: debianFile(t, "systemd-boot-efi_257.*", systemdBoot), "loader/loader.conf": []byte("timeout 0\n"),
			"EFI/Linux/debian.efi": unifiedFor(t, kernel),
		}
	}},
	{"iPXE, its network card open", func(t testing.TB, kernel []byte) imagetest.Files {
		return imagetest.Files{fallbackLoader: debianFile(t, "ipxe_1.21*", "usr/lib/ipxe/ipxe-amd64.efi"), "autoexec.ipxe": ipxeScript}
	}},
	{"UKI as BOOTX64.EFI", func(t testing.TB, kernel []byte) imagetest.Files {
		return imagetest.Files{fallbackLoader: unifiedFor(t, kernel)}
	}},
}

// blsFiles are an entry as the Boot Loader Specification has it.
func blsFiles(loader []byte) imagetest.Files {
	return imagetest.Files{
		fallbackLoader: loader, "loader/loader.conf": []byte("timeout 0\n"),
		"loader/entries/debian.conf": []byte("title Debian\nlinux /vmlinuz\ninitrd /initrd.img\noptions " + commandLineOfDisks + "\n"),
	}
}

// unifiedFor builds a unified kernel image around systemd's stub of Debian 13.
func unifiedFor(t testing.TB, kernel []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	uki := filepath.Join(dir, "uki.efi")
	args := []string{}
	for _, s := range []struct {
		name, address string
		data          []byte
	}{
		{".osrel", "0x20000", []byte("ID=debian\nPRETTY_NAME=Debian\nVERSION_ID=13\n")},
		{".cmdline", "0x30000", []byte(commandLineOfDisks)},
		{".linux", "0x2000000", kernel},
		{".initrd", "0x8000000", initOnly(t)},
	} {
		file := filepath.Join(dir, s.name)
		if err := os.WriteFile(file, s.data, 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--add-section", s.name+"="+file, "--change-section-vma", s.name+"="+s.address)
	}
	stub := filepath.Join(dir, "stub")
	if err := os.WriteFile(stub, debianFile(t, "systemd-boot-efi_252.*", "usr/lib/systemd/boot/efi/linuxx64.efi.stub"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("objcopy", append(args, stub, uki)...).CombinedOutput(); err != nil {
		t.Fatalf("objcopy: %v\n%s", err, out)
	}
	b, err := os.ReadFile(uki)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// initOnly is an initrd with nothing but tacit's init.
func initOnly(t testing.TB) []byte {
	t.Helper()
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: guest.Init()})
	if err != nil {
		t.Fatal(err)
	}
	return initrd
}

// on makes a disk with a loader, a kernel and its initrd.
func (l loader) on(t testing.TB, kernel *image.Image) memoryDisk {
	t.Helper()
	files := l.files(t, kernel.Data)
	files["vmlinuz"], files["initrd.img"] = kernel.Data, initOnly(t)
	return espDisk(t, 96, files)
}

// bootsDisk boots a disk and returns its row of the table.
func bootsDisk(t testing.TB, d memoryDisk, kernel, loader, platform, policy string) (row string, b booted) {
	t.Helper()
	b = boot(t, vm.Config{Platform: platform, FirmwarePolicy: policy, Disks: disks(d)})
	told, seen, why := "-", "-", string(b.Outcome)
	if k := b.Path.Kernel; k != nil {
		told = fmt.Sprintf("%d MiB", k.Usable>>20)
		if k.Usable+64*mib < 4*gib {
			told += " **LOST**"
		}
	}
	if m := b.Guest.MemInfo; m != nil {
		seen = fmt.Sprintf("%d MiB", m.MemTotal>>20)
	}
	if b.Outcome == record.PowerOff {
		why = "powers off"
	}
	if n := b.Negotiation.AcceptedAtExit; n > 0 {
		why = fmt.Sprintf("firmware accepted %d MiB at ExitBootServices; ", n>>20) + why
	}
	by := "-"
	if b.Path.LeftBy != "" {
		by = "`" + b.Path.LeftBy + "`"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |", kernel, loader, platform, policy, by, told, seen, why), b
}

const (
	tableHead = "| kernel | loader | platform | policy | left boot services | told to the kernel | MemTotal | end |\n|---|---|---|---|---|---|---|---|\n"
	tableFile = "../docs/loaders.md"
)

// The table in docs/loaders.md: image × loader × platform × policy. A row is what a boot shows.
func TestLoaders(t *testing.T) {
	page, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, k := range []struct {
		name string
		open func(testing.TB) *image.Image
	}{{"6.12", debian13}, {"6.1", debian12}} {
		for _, l := range loaders {
			if k.name != "6.12" && !*allLoaders {
				continue
			}
			disk := l.on(t, k.open(t))
			for _, platform := range []string{vm.None, vm.TDX, vm.SNP} {
				for _, policy := range []string{"negotiate", "upstream"} {
					if platform == vm.None && policy != "negotiate" || policy != "negotiate" && !*allLoaders {
						continue
					}
					row, b := bootsDisk(t, disk, k.name, l.name, platform, policy)
					rows = append(rows, row)
					t.Log(row)
					if !*allLoaders && !strings.Contains(string(page), row) {
						t.Errorf("docs/loaders.md lacks this row (-loaders writes the table anew): %s\n%+v", row, b.Diagnosis)
					}
				}
			}
		}
	}
	if !*allLoaders || t.Failed() {
		return
	}
	writeTable(t, tableFile, tableHead, rows)
	writeShortTable(t)
}

// AMDSEV#200: GRUB 2.06's command linux takes unaccepted memory for reserved and says so; the guest loses it even under
// firmware that negotiates. linuxefi on the same disk keeps it all.
func TestGRUBLosesUnacceptedMemory(t *testing.T) {
	t.Parallel()
	kernel := debian13(t)
	_, lost := bootsDisk(t, loaders[0].on(t, kernel), "6.12", "", vm.SNP, "negotiate")
	lost.powersOff(t)
	if !strings.Contains(lost.console, "Unknown memory type 15, considering reserved") {
		t.Errorf("GRUB does not complain:\n%s", lost.console[:min(len(lost.console), 2000)])
	}
	if m := lost.Guest.MemInfo; m == nil || m.MemTotal > 300*mib {
		t.Errorf("the guest has %+v", m)
	}
	if n := lost.Negotiation; n.ExitBootServices != 2 || n.AcceptedAtExit != 3840*mib || len(n.AllowedBy) != 0 {
		t.Errorf("negotiation %+v", n)
	}
	if k := lost.Path.Kernel; k == nil || k.Usable > 256*mib || k.Kept < 3840*mib {
		t.Errorf("the kernel was told %+v", k)
	}
	for _, want := range []string{"are LOST", `\EFI\BOOT\BOOTX64.EFI told the kernel that 3,840 MiB`, "linuxefi"} {
		if text := lost.MemoryText(); !strings.Contains(text, want) {
			t.Errorf("%q does not say %q", text, want)
		}
	}
	_, kept := bootsDisk(t, loaders[1].on(t, kernel), "6.12", "", vm.SNP, "negotiate")
	kept.powersOff(t)
	kept.booksAgree(t)
	if k := kept.Path.Kernel; k == nil || k.Usable < 4090*mib || strings.Contains(kept.MemoryText(), "LOST") {
		t.Errorf("the kernel was told %+v: %s", k, kept.MemoryText())
	}
}

// In a TD the same command does not lose memory: GRUB leaves long mode for the kernel's 32-bit entry by writing EFER, which
// raises #VE, and no handler is left.
func TestGRUBDiesInATD(t *testing.T) {
	t.Parallel()
	_, b := bootsDisk(t, loaders[0].on(t, debian13(t)), "6.12", "", vm.TDX, "negotiate")
	if b.Outcome != record.GuestPanic || b.Diagnosis == nil || b.Diagnosis.Instruction == nil || b.Diagnosis.Instruction.Bytes != "0f30" {
		t.Fatalf("%s, %+v", b.Outcome, b.Diagnosis)
	}
	if s := b.Diagnosis.Summary; !strings.Contains(s, "(#VE)") || !strings.Contains(s, "left long mode") || !strings.Contains(b.Diagnosis.Advice, "linuxefi") {
		t.Errorf("%q, advice %q", s, b.Diagnosis.Advice)
	}
}

// Both engines take the same way through a loader, and a run repeats to the byte.
func TestLoaderInLockstep(t *testing.T) {
	t.Parallel()
	d := loaders[3].on(t, debian13(t))
	const instructions = 150_000_000 // GRUB, and the beginning of the kernel's stub
	var records []string
	for _, engine := range []string{vm.Lockstep, vm.Interpreter} {
		b := boot(t, vm.Config{Platform: vm.SNP, Disks: disks(d), Engine: engine, MaxInstructions: instructions})
		if b.Outcome != record.Limit {
			t.Fatalf("%s: %s, %+v", engine, b.Outcome, b.Diagnosis)
		}
		b.Host = record.Host{}
		var w strings.Builder
		if err := b.WriteJSON(&w); err != nil {
			t.Fatal(err)
		}
		records = append(records, w.String())
	}
	if records[0] != records[1] {
		t.Error("the record depends on the engine")
	}
}
