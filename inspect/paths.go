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
			s.names = append(s.names, d.name(*first))
		}
		s.names = append(s.names, d.name(l))
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
	name := strings.ToLower(path.Base(k.path))
	if strings.EqualFold(k.path, "EFI/BOOT/BOOTX64.EFI") || strings.HasSuffix(strings.ToLower(k.path), "/efi/boot/bootx64.efi") {
		k.boot(Boot{Loader: "firmware", Config: d.where(k.volume, k.path), Stub: Yes, Why: "firmware starts it"})
	} else if name == "grubx64.efi" {
		if s := d.shimOf(loader{path: k.path, volume: k.volume}); s != nil {
			k.boot(Boot{Loader: d.name(*s), Config: d.where(k.volume, k.path), Stub: Yes, Why: "shim starts it as firmware would"})
		}
	}
}

func (k *Kernel) boot(b Boot) { k.Boots = append(k.Boots, b) }

// text is a configuration file.
type text struct {
	volume int
	entry  image.Entry
	data   []byte
}

// texts reads the files of all volumes that match.
func (d *disk) texts(match func(name string) bool) (all []text) {
	for v, volume := range d.volumes {
		for _, e := range volume.Files {
			if e.Link == "" && e.Size <= maxText && match(e.Name) {
				if data, err := e.Bytes(maxText); err == nil {
					all = append(all, text{v, e, data})
				}
			}
		}
	}
	return all
}

// traceGrub follows GRUB's configuration.
func (d *disk) traceGrub() {
	starts := d.starts(grub)
	if len(starts) == 0 {
		starts = []start{{}}
	}
	for i := range starts {
		if !starts[i].linux.known() {
			starts[i].linux = d.grubModules()
		}
	}
	variable := map[string]string{}
	for _, t := range d.texts(func(name string) bool { return path.Base(name) == "grubenv" }) {
		for name, value := range parseGrubEnv(t.data) {
			variable[name] = value
		}
	}
	bls := false
	for _, t := range d.texts(func(name string) bool { return path.Base(name) == "grub.cfg" || path.Base(name) == "custom.cfg" }) {
		c := parseGrub(t.data, variable)
		bls = bls || c.bls
		for _, e := range c.entries {
			d.grubEntry(starts, t, e)
		}
	}
	if !bls {
		return
	}
	for _, t := range d.blsEntries() {
		if e, ok := parseBLS(t.data); ok {
			e.options = grubConfig{variable: variable}.expand(e.options)
			if e.command == "efi" || e.command == "uki" {
				e.command = "chainloader"
			}
			d.grubEntry(starts, t, e)
		}
	}
}

// grubModules finds out how GRUB's modules on the image load Linux, for a GRUB that does not have them in itself.
func (d *disk) grubModules() (g grubLinux) {
	isModule := func(name string) bool {
		return strings.Contains(name, "x86_64-efi/linux.mod") || strings.Contains(name, "x86_64-efi/linuxefi.mod")
	}
	for _, t := range d.texts(isModule) {
		m := readGrubLinux(t.data)
		g.stub, g.handover, g.legacy = g.stub || m.stub, g.handover || m.handover, g.legacy || m.legacy
		g.shimLegacy, g.onlySecure = g.shimLegacy || m.shimLegacy, g.onlySecure || m.onlySecure
	}
	return g
}

func (d *disk) grubEntry(starts []start, t text, e menuEntry) {
	k := d.kernel(t, e.kernel)
	if k == nil {
		return
	}
	at := fmt.Sprintf("%s:%d", d.where(t.volume, t.entry.Name), e.line)
	for _, s := range starts {
		stub, why := s.linux.starts(e.command, k, s.behindShim)
		k.boot(Boot{strings.Join(s.names, " → "), at, e.title, e.command, stub, why})
	}
	if e.command != "chainloader" {
		k.addCommandLine(commandLine{at, e.options})
	}
}

// blsEntries are the entries of the boot loader specification.
func (d *disk) blsEntries() []text {
	return d.texts(func(name string) bool {
		return path.Ext(name) == ".conf" && strings.HasSuffix(path.Dir(name), "loader/entries")
	})
}

// traceSystemdBoot follows systemd-boot: entries, and unified kernel images in EFI/Linux.
func (d *disk) traceSystemdBoot() {
	for _, s := range d.starts(systemdBoot) {
		chain := strings.Join(s.names, " → ")
		for _, t := range d.blsEntries() {
			e, ok := parseBLS(t.data)
			if k := d.kernel(t, e.kernel); ok && k != nil {
				at := fmt.Sprintf("%s:%d", d.where(t.volume, t.entry.Name), e.line)
				stub, why := Yes, "systemd-boot starts its EFI stub"
				if !k.hasStub {
					stub, why = No, "the kernel has no EFI stub to start"
				}
				k.boot(Boot{chain, at, e.title, e.command, stub, why})
				if e.options != "" {
					k.addCommandLine(commandLine{at, e.options})
				}
			}
		}
		for _, k := range d.kernels {
			if k.Format == formatUKI && strings.HasSuffix(strings.ToLower(path.Dir(k.path)), "efi/linux") {
				k.boot(Boot{chain, d.where(k.volume, k.path), k.Release, "", Yes, "systemd-boot starts it as firmware would"})
			}
		}
	}
}

// kernel finds the kernel that a configuration speaks of. Which volume it means the loader finds out when it runs; so the
// configuration's own one is tried first, then all.
func (d *disk) kernel(t text, name string) *Kernel {
	if i := strings.LastIndexByte(name, ')'); i >= 0 { // ($root)/vmlinuz
		name = name[i+1:]
	}
	name = strings.Trim(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
	if name == "" {
		return nil
	}
	order := []int{t.volume}
	for v := range d.volumes {
		if v != t.volume {
			order = append(order, v)
		}
	}
	candidates := []string{name}
	if _, rest, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(name, "@") { // a btrfs subvolume
		candidates = append(candidates, rest)
	}
	// A boot or EFI system partition that is mounted in a root file system.
	for _, mounted := range []string{"boot", "boot/efi", "efi"} {
		candidates = append(candidates, path.Join(mounted, name))
	}
	for _, volume := range order {
		for _, candidate := range candidates {
			candidate = d.resolve(volume, candidate)
			for _, k := range d.kernels {
				same := k.path == candidate || strings.HasPrefix(d.volumes[volume].Format, "FAT") && strings.EqualFold(k.path, candidate)
				if k.volume == volume && same {
					return k
				}
			}
		}
	}
	return nil
}

// resolve follows symbolic links to a file.
func (d *disk) resolve(volume int, name string) string {
	const most = 8 // links, one after the other
	for range most {
		i := slices.IndexFunc(d.volumes[volume].Files, func(e image.Entry) bool { return e.Name == name && e.Link != "" })
		if i < 0 {
			break
		}
		link := d.volumes[volume].Files[i].Link
		if !strings.HasPrefix(link, "/") {
			link = path.Join(path.Dir(name), link)
		}
		name = strings.Trim(path.Clean("/"+link), "/")
	}
	return name
}
