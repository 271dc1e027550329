package inspect

import (
	"bytes"
	"encoding/csv"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// loaderKind is a program that starts kernels, or other such programs.
type loaderKind string

const (
	shim        loaderKind = "shim"
	grub        loaderKind = "GRUB"
	systemdBoot loaderKind = "systemd-boot"
	otherEFI    loaderKind = "EFI application"
)

// loader is an EFI application that is no kernel.
type loader struct {
	path    string
	volume  int
	kind    loaderKind
	version string // "2.12-9+deb13u2"
	linux   grubLinux
}

func (l loader) String() string {
	if l.version == "" {
		return string(l.kind)
	}
	return string(l.kind) + " " + l.version
}

// maxLoader is the size in bytes of the largest boot loader that is read; GRUB with all its modules has 4 MiB.
const maxLoader = 64 << 20

// sbatNames are the components by which loaders name themselves in their section .sbat (shim, SBAT.md).
var sbatNames = map[string]loaderKind{
	"shim": shim, "grub": grub, "systemd-boot": systemdBoot,
}

// identify tells what an EFI application is, from what it says about itself.
func identify(e image.Entry, p *image.PE) (loader, error) {
	l := loader{path: e.Name, kind: otherEFI}
	data, err := e.Bytes(maxLoader)
	if err != nil {
		return l, err
	}
	if s, ok := p.Section(".sbat"); ok {
		text, err := image.ReadSection(e, s, maxText)
		if err != nil {
			return l, err
		}
		l.kind, l.version = readSBAT(text)
	}
	if l.kind == otherEFI {
		l.kind, l.version = bySignature(data)
	}
	if l.kind == grub {
		l.linux = readGrubLinux(data)
		l.linux.redHat = bytes.Contains(data, []byte("\ngrub.rh,"))
	}
	return l, nil
}

// readSBAT finds the loader's component, and the version of the most specific one, the vendor's.
func readSBAT(text []byte) (kind loaderKind, version string) {
	kind = otherEFI
	rows := csv.NewReader(bytes.NewReader(bytes.TrimRight(text, "\x00")))
	rows.FieldsPerRecord, rows.LazyQuotes = -1, true
	var base string
	for {
		row, err := rows.Read()
		if err != nil {
			return kind, version // what could be read until here
		}
		if len(row) < 5 {
			continue
		}
		name, _, vendor := strings.Cut(row[0], ".")
		if k, ok := sbatNames[row[0]]; ok {
			kind, base, version = k, row[0], row[4]
		} else if vendor && name == base {
			version = row[4]
		}
	}
}

// bySignature recognises loaders without SBAT.
func bySignature(data []byte) (loaderKind, string) {
	if _, after, ok := bytes.Cut(data, []byte("#### LoaderInfo: systemd-boot ")); ok {
		version, _, _ := bytes.Cut(after[:min(len(after), 64)], []byte(" ####"))
		return systemdBoot, string(version)
	}
	switch {
	case bytes.Contains(data, []byte("GNU GRUB  version %s")), bytes.Contains(data, []byte("grub_efi_init")):
		return grub, ""
	case bytes.Contains(data, []byte("UEFI SHIM\n$Version: ")):
		_, after, _ := bytes.Cut(data, []byte("UEFI SHIM\n$Version: "))
		version, _, _ := bytes.Cut(after[:min(len(after), 64)], []byte(" $"))
		return shim, string(version)
	}
	return otherEFI, ""
}

// grubLinux is how a GRUB starts Linux, by the sources that it, or its module linux.mod, was built from. They leave
// their names in it.
type grubLinux struct {
	stub       bool // loader/efi/linux.c, since 2.12: through the EFI stub, as firmware would
	handover   bool // loader/i386/efi/linux.c, of distributions before that: through the EFI stub's handover entry
	legacy     bool // loader/i386/linux.c: leaves boot services itself
	shimLegacy bool // the first one gives way to the last one under shim's Secure Boot
	onlySecure bool // command linux uses the second one only under Secure Boot
	redHat     bool // command linux is that of the second one
}

func readGrubLinux(data []byte) grubLinux {
	has := func(text string) bool { return bytes.Contains(data, []byte(text)) }
	return grubLinux{
		stub: has("loader/efi/linux.c"), handover: has("loader/i386/efi/linux.c"), legacy: has("loader/i386/linux.c"),
		shimLegacy: has("falling back to legacy Linux kernel loader"),
		onlySecure: has("Secure Boot enabled: trying linuxefi"),
	}
}

func (g grubLinux) known() bool { return g.stub || g.handover || g.legacy }

// starts tells whether a command of GRUB's configuration starts the kernel's EFI stub, and why. After shim, GRUB lets
// shim verify kernels.
func (g grubLinux) starts(command string, k *Kernel, behindShim bool) (Verdict, string) {
	const noHandover = notStarted + ": GRUB enters it by the handover protocol, which it does not have, and says that " +
		"the kernel doesn't support EFI handover"
	switch command {
	case "chainloader":
		return k.starts("chainloader starts it as firmware would")
	case "linux16":
		return No, "linux16 enters the kernel in real mode"
	case "linuxefi":
		switch {
		case !k.handover && (g.handover || !g.known()):
			return No, noHandover
		case g.handover:
			return Yes, "linuxefi enters its EFI stub"
		}
		return Unknown, "this GRUB has no command linuxefi that is known here"
	}
	switch {
	case !g.known():
		return Unknown, "no code of a GRUB that loads Linux was found in the image"
	case !k.hasStub:
		return No, "the kernel has no EFI stub to start"
	case (g.redHat && g.handover || g.handover && !g.onlySecure && !g.legacy) && !k.handover:
		return No, noHandover
	case g.redHat && g.handover, g.handover && !g.onlySecure && !g.legacy:
		return Yes, "linux enters its EFI stub (handover protocol)"
	case g.stub && k.imageVersion < 1:
		return No, "this GRUB starts EFI stubs of Linux 5.8 and later only; for this kernel it leaves boot services itself"
	case g.stub && g.shimLegacy && behindShim:
		return Unknown, "linux starts its EFI stub, but under Secure Boot GRUB leaves boot services itself"
	case g.stub:
		return Yes, "linux starts its EFI stub"
	case g.handover && g.onlySecure && !k.handover:
		return No, "GRUB leaves boot services itself; under Secure Boot, where it would enter its EFI stub, it does not start at all, " +
			"as it has no handover protocol"
	case g.handover && g.onlySecure:
		return Unknown, "under Secure Boot linux enters its EFI stub, otherwise GRUB leaves boot services itself"
	}
	return No, "with linux GRUB leaves boot services itself, without the kernel's EFI stub"
}
