package inspect

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// text is a configuration file.
type text struct {
	volume int
	entry  image.Entry
	data   []byte
}

// texts reads the files of all volumes whose names match, in lower case.
func (d *disk) texts(match func(name string) bool) (all []text) {
	for v, volume := range d.volumes {
		for _, e := range volume.Files {
			if e.Link == "" && e.Size <= maxText && match(strings.ToLower(e.Name)) {
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
	for _, t := range d.texts(func(name string) bool {
		return path.Base(name) == "grub.cfg" || path.Base(name) == "custom.cfg"
	}) {
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
		k.boot(Boot{strings.Join(s.names, " → "), at, e.title, e.command, stub, why, s.paths})
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
				stub, why := k.starts("systemd-boot starts its EFI stub")
				if !k.hasStub {
					stub, why = No, "the kernel has no EFI stub to start"
				}
				k.boot(Boot{chain, at, e.title, e.command, stub, why, s.paths})
				if e.options != "" {
					k.addCommandLine(commandLine{at, e.options})
				}
			}
		}
		for _, k := range d.kernels {
			if k.Format == formatUKI && strings.HasSuffix(strings.ToLower(path.Dir(k.path)), "efi/linux") {
				d.boot(k, Boot{
					Loader: chain, Config: d.where(k.volume, k.path), Title: k.Release, Why: "systemd-boot starts it as firmware would",
					Programs: s.paths,
				})
			}
		}
	}
}

// kernel finds the kernel that a configuration speaks of. If there is no such file, that is remembered.
func (d *disk) kernel(t text, name string) *Kernel {
	for _, volume := range d.order(t) {
		for _, candidate := range d.candidates(volume, name) {
			i := slices.IndexFunc(d.kernels, func(k *Kernel) bool { return k.volume == volume && d.same(volume, k.path, candidate) })
			if i >= 0 {
				return d.kernels[i]
			}
		}
	}
	if name != "" && d.dangling == "" && !d.has(t, name) {
		d.dangling = name
	}
	return nil
}

// order is that in which volumes are searched for what a configuration speaks of. Which one it means the loader finds
// out when it runs; so the configuration's own one is tried first, then all.
func (d *disk) order(t text) []int {
	order := []int{t.volume}
	for v := range d.volumes {
		if v != t.volume {
			order = append(order, v)
		}
	}
	return order
}

// candidates are the paths in a volume that a configuration may mean.
func (d *disk) candidates(volume int, name string) []string {
	if i := strings.LastIndexByte(name, ')'); i >= 0 { // ($root)/vmlinuz
		name = name[i+1:]
	}
	name = strings.Trim(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
	if name == "" {
		return nil
	}
	candidates := []string{name}
	if _, rest, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(name, "@") { // a btrfs subvolume
		candidates = append(candidates, rest)
	}
	// A boot or EFI system partition that is mounted in a root file system.
	for _, mounted := range []string{"boot", "boot/efi", "efi"} {
		candidates = append(candidates, path.Join(mounted, name))
	}
	for i := range candidates {
		candidates[i] = d.resolve(volume, candidates[i])
	}
	return candidates
}

// same compares two paths as the volume's file system does.
func (d *disk) same(volume int, a, b string) bool {
	return a == b || strings.HasPrefix(d.volumes[volume].Format, "FAT") && strings.EqualFold(a, b)
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
