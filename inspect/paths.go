package inspect

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// Boot is a way in which a loader on the image starts a kernel.
type Boot struct {
	Loader  string  `json:"loader"`  // the programs before the kernel, in their order, "" if none was found
	Config  string  `json:"config"`  // the file that says so, and its line
	Title   string  `json:"title"`   // of the menu entry
	Command string  `json:"command"` // of the configuration: "linux", "chainloader"
	Stub    Verdict `json:"efi_stub"`
	Why     string  `json:"why"` // the kernel's EFI stub is started, or is not

	Programs []string `json:"-"` // the paths of Loader's programs, each on its volume; of firmware none
}

// Stub tells whether every way in which the kernel is started goes through its EFI stub. Without any way it is unknown.
func (k *Kernel) Stub() Verdict {
	says := Unknown
	for i, b := range k.Boots {
		switch {
		case b.Stub == No:
			return No
		case b.Stub == Unknown:
			says = Unknown
		case i == 0:
			says = Yes
		}
	}
	return says
}

// disk is all that was found on an image that can boot.
type disk struct {
	volumes []image.Volume
	alone   bool // it is a single file
	options Options
	kernels []*Kernel
	loaders []loader
	addons  []addon

	firmware []*Firmware
	unread   []string // files and directories that could not be read
	dangling string   // a file that a configuration speaks of, and that was not found

	digested int64 // bytes
}

// where names a file of a volume; "" if it is the only one.
func (d *disk) where(volume int, name string) string {
	switch v := d.volumes[volume]; {
	case d.alone:
		return ""
	case v.Name != "":
		return v.Name + ": /" + name
	}
	return "/" + name
}

// start is a chain of loaders, the last of which reads a configuration: GRUB or systemd-boot.
type start struct {
	loader
	names      []string // of the chain
	paths      []string // likewise
	behindShim bool
}

// starts finds the loaders that read configurations, and what starts them. Several of one kind and version are one, by
// the name of that in EFI/BOOT, where firmware finds it without being told.
func (d *disk) starts(kind loaderKind) (all []start) {
	loaders := slices.Clone(d.loaders)
	slices.SortStableFunc(loaders, func(a, b loader) int {
		told := func(l loader) int {
			if strings.EqualFold(path.Base(path.Dir(l.path)), "BOOT") {
				return 0
			}
			return 1
		}
		return told(a) - told(b)
	})
	for _, l := range loaders {
		if l.kind != kind {
			continue
		}
		s := start{loader: l}
		if first := d.shimOf(l); first != nil {
			s.behindShim = true
			s.names, s.paths = append(s.names, d.name(*first)), append(s.paths, first.path)
		}
		s.names, s.paths = append(s.names, d.name(l)), append(s.paths, l.path)
		same := func(o start) bool {
			return o.version == s.version && o.linux == s.linux && o.behindShim == s.behindShim && o.volume == s.volume
		}
		if !slices.ContainsFunc(all, same) {
			all = append(all, s)
		}
	}
	return all
}

func (d *disk) name(l loader) string { return fmt.Sprintf("%s (%v)", d.where(l.volume, l.path), l) }

// shimOf finds the shim that starts a loader: it lies in the same directory, as it looks for grubx64.efi there.
func (d *disk) shimOf(l loader) *loader {
	for i, s := range d.loaders {
		if s.kind == shim && s.volume == l.volume && path.Dir(s.path) == path.Dir(l.path) && s.path != l.path {
			return &d.loaders[i]
		}
	}
	return nil
}

// trace finds the ways in which kernels are started.
func (d *disk) trace() {
	d.traceGrub()
	d.traceSystemdBoot()
	for _, k := range d.kernels {
		d.traceFirmware(k)
	}
}

// traceFirmware finds kernels that firmware starts itself, and those that shim does.
func (d *disk) traceFirmware(k *Kernel) {
	if !k.hasStub {
		return
	}
	if isDefault(k.path) {
		d.boot(k, Boot{Loader: "firmware", Config: d.where(k.volume, k.path), Why: "firmware starts it"})
	} else if strings.EqualFold(path.Base(k.path), "grubx64.efi") {
		if s := d.shimOf(loader{path: k.path, volume: k.volume}); s != nil {
			const why = "shim starts it as firmware would"
			d.boot(k, Boot{Loader: d.name(*s), Config: d.where(k.volume, k.path), Why: why, Programs: []string{s.path}})
		}
	}
}

// isDefault tells whether firmware starts a file without being told to (UEFI 2.10, section 3.5.1.1).
func isDefault(name string) bool {
	return strings.HasSuffix("/"+strings.ToLower(name), "/efi/boot/bootx64.efi")
}

// boot notes a way in which a kernel's file is started as firmware would: of a unified kernel image, one for each profile.
func (d *disk) boot(k *Kernel, b Boot) {
	b.Stub, b.Why = k.starts(b.Why)
	if len(k.profiles) == 0 {
		k.boot(b)
		return
	}
	for _, name := range k.profiles {
		b.Title = name
		k.boot(b)
	}
}

func (k *Kernel) boot(b Boot) { k.Boots = append(k.Boots, b) }
