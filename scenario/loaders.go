package scenario

import (
	"fmt"
	"strings"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// What boot loaders do to the memory.

const (
	grub     = "usr/lib/grub/x86_64-efi/monolithic/grubx64.efi" // in bookworm-grub
	fallback = "EFI/BOOT/BOOTX64.EFI"
	consoles = vm.CommandLine
)

// grub206 is a machine whose disk has Debian 12's GRUB, which starts Linux 6.12 by a command.
func grub206(c vm.Config, linux, initrdCommand string) func(*shelf) (vm.Config, error) {
	return func(s *shelf) (_ vm.Config, err error) {
		c := c
		kernel, err := s.kernel("trixie-cloud")
		if err != nil {
			return c, err
		}
		loader, err := s.file("bookworm-grub", grub)
		if err != nil {
			return c, err
		}
		reports, err := initrd()
		if err != nil {
			return c, err
		}
		menu := fmt.Appendf(nil, "set timeout=0\nmenuentry Debian {\n%s /vmlinuz %s\n%s /initrd.img\n}\n", linux, consoles, initrdCommand)
		c.Disks, err = esp(map[string][]byte{
			fallback: loader, "EFI/debian/grub.cfg": menu, "vmlinuz": kernel.Data, "initrd.img": reports,
		})
		return c, err
	}
}

func ofLoaders() []*Scenario {
	needs := []string{"trixie-cloud", "bookworm-grub"}
	return []*Scenario{
		{
			Name:     "AMDSEV#200",
			What:     "GRUB 2.06 says \"Unknown memory type 15, considering reserved\", and an SEV-SNP guest has 2 GiB",
			Source:   "https://github.com/AMDESE/AMDSEV/issues/200",
			Expected: "the message, and what lies above 4 GiB reserved; none of it by linuxefi, as the thread advises (GRUB 2.06, grub-core/mmap/efi/mmap.c and loader/i386/linux.c: e820 is filled before boot services are left, and not again)",
			Needs:    needs,
			boots: []boot{
				{"linux", grub206(vm.Config{Platform: vm.SNP, FirmwarePolicy: "upstream"}, "linux", "initrd")},
				{"linuxefi", grub206(vm.Config{Platform: vm.SNP, FirmwarePolicy: "upstream"}, "linuxefi", "initrdefi")},
			},
			judge: func(b []Boot) (string, bool) {
				warned := strings.Contains(b[0].Console, "Unknown memory type 15, considering reserved")
				said := "no message"
				if warned {
					said = "the message"
				}
				return fmt.Sprintf("linux: %s, %s; linuxefi: %s", said, told(b[0]), told(b[1])), warned && lost(b[0]) && !lost(b[1])
			},
		},
		{
			Name:     "AMDSEV#273",
			Long:     true,
			What:     "an SEV-SNP guest with Debian 12's GRUB and a newer kernel has 2 GiB of 8",
			Source:   "https://github.com/AMDESE/AMDSEV/issues/273",
			Expected: "OVMF accepts what lies above 4 GiB at ExitBootServices, since the stub that would have asked for it never runs (EDK2, OvmfPkg/AmdSevDxe), and it is lost; linuxefi starts the stub, and nothing is",
			Needs:    needs,
			boots: []boot{
				{"linux", grub206(vm.Config{Platform: vm.SNP, FirmwarePolicy: "upstream", Memory: 8 << 30}, "linux", "initrd")},
				{"linuxefi", grub206(vm.Config{Platform: vm.SNP, FirmwarePolicy: "upstream", Memory: 8 << 30}, "linuxefi", "initrdefi")},
			},
			judge: func(b []Boot) (string, bool) {
				n := b[0].Record.Negotiation
				return fmt.Sprintf("linux: %s, and firmware accepted %s at ExitBootServices; linuxefi: %s", told(b[0]), record.FormatBytes(n.AcceptedAtExit), told(b[1])),
					lost(b[0]) && n.AcceptedAtExit > 0 && !lost(b[1])
			},
		},
		{
			Name:     "grub-linux-in-a-TD",
			Long:     true,
			What:     "the same command of GRUB's in a TD",
			Source:   "docs/loaders.md#grub-206-and-its-command-linux",
			Expected: "the guest dies of #VE: GRUB's relocator leaves long mode by writing EFER, which a TD may not (Intel TDX module 1.5 base specification; EDK2 skips the write in a TD); linuxefi boots",
			Needs:    needs,
			boots: []boot{
				{"linux", grub206(vm.Config{Platform: vm.TDX}, "linux", "initrd")},
				{"linuxefi", grub206(vm.Config{Platform: vm.TDX}, "linuxefi", "initrdefi")},
			},
			judge: func(b []Boot) (string, bool) {
				d := b[0].Record.Diagnosis
				return fmt.Sprintf("linux: %s; linuxefi: %s", ended(b[0]), told(b[1])),
					b[0].Record.Outcome == record.GuestPanic && d != nil && d.Instruction != nil && d.Instruction.Bytes == "0f30" && !lost(b[1])
			},
		},
	}
}

// told says how much memory the kernel was told of, of how much.
func told(b Boot) string {
	k := b.Record.Path.Kernel
	if k == nil {
		return ended(b)
	}
	text := fmt.Sprintf("the kernel was told of %s of %s", record.FormatBytes(k.Usable&^(1<<20-1)), record.FormatBytes(b.Record.MemoryBytes))
	if m := b.Record.Guest.MemInfo; m != nil {
		text += fmt.Sprintf(", and has %s", record.FormatBytes(m.MemTotal&^(1<<20-1)))
	}
	return text
}

// lost says whether the kernel was told of much less than there is.
func lost(b Boot) bool {
	const rest = 64 << 20 // for firmware's tables
	k := b.Record.Path.Kernel
	return k == nil || k.Usable+rest < b.Record.MemoryBytes
}

// ended says how a boot ended.
func ended(b Boot) string {
	text := string(b.Record.Outcome)
	if d := b.Record.Diagnosis; d != nil {
		text += ": " + d.Summary
	}
	return text
}
