package inspect

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// A profile is a way to start a unified kernel image (UAPI Group, "Unified Kernel Image", "UKI Profiles"): its sections,
// and those before the first profile that it has none of its own of.
type profile struct {
	name     string // "" where the image has no profiles
	sections []image.Section
}

// section returns the section of that name which the profile uses.
func (p profile) section(name string) (s image.Section, ok bool) {
	for _, s := range p.sections {
		if s.Name == name {
			return s, true
		}
	}
	return image.Section{}, false
}

// read returns what the profile has in a section, empty if it has none.
func (p profile) read(e image.Entry, name string, most int64) ([]byte, error) {
	s, ok := p.section(name)
	if !ok {
		return nil, nil
	}
	return image.ReadSection(e, s, most)
}

// profiles are those of a unified kernel image, in their order; of an image without any, the image itself.
func profiles(e image.Entry, p *image.PE) (all []profile, err error) {
	first := slices.IndexFunc(p.Sections, func(s image.Section) bool { return s.Name == ".profile" })
	if first < 0 {
		return []profile{{"", p.Sections}}, nil
	}
	base := p.Sections[:first]
	for rest := p.Sections[first:]; len(rest) > 0; {
		end := len(rest)
		if next := slices.IndexFunc(rest[1:], func(s image.Section) bool { return s.Name == ".profile" }); next >= 0 {
			end = next + 1
		}
		text, err := image.ReadSection(e, rest[0], maxCommandLine)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("profile %d", len(all))
		for _, key := range []string{"TITLE=", "ID="} {
			if value := setting(text, key); value != "" {
				name += " (" + value + ")"
				break
			}
		}
		all = append(all, profile{name, slices.Concat(rest[:end], base)})
		rest = rest[end:]
	}
	return all, nil
}

// setting is a value in a text like os-release(5), "" if there is none. key ends with "=".
func setting(text []byte, key string) string {
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, key); ok {
			return strings.Trim(strings.TrimSpace(printable([]byte(value))), `"'`)
		}
	}
	return ""
}

// lookAtUKI inspects the kernels of a unified kernel image: one, unless a profile brings its own.
func (d *disk) lookAtUKI(k *Kernel, e image.Entry, p *image.PE) error {
	all, err := profiles(e, p)
	if err != nil {
		return err
	}
	var kernels []image.Section
	for _, profile := range all {
		linux, ok := profile.section(".linux")
		if !ok || slices.Contains(kernels, linux) {
			continue
		}
		if kernels = append(kernels, linux); len(kernels) > maxKernels {
			return fmt.Errorf("more than %d kernels", maxKernels)
		}
		one := k.clone()
		one.Format = formatUKI
		one.stubVersion = stubVersion(e, p)
		for _, same := range all {
			if s, ok := same.section(".linux"); ok && s == linux {
				if err := one.readProfile(e, same); err != nil {
					return err
				}
			}
		}
		if err := d.lookAtBzImage(one, e, linux.Offset, linux.Size); err != nil {
			return err
		}
	}
	return nil
}

// readProfile reads what a profile has beside the kernel.
func (k *Kernel) readProfile(e image.Entry, p profile) error {
	of := ""
	if p.name != "" {
		of = " of " + p.name
		k.profiles = append(k.profiles, p.name)
	}
	if _, ok := p.section(".cmdline"); ok {
		b, err := p.read(e, ".cmdline", maxCommandLine)
		if err != nil {
			return err
		}
		k.addCommandLine(commandLine{"section .cmdline" + of, commandText(b)})
	}
	uname, err := p.read(e, ".uname", maxCommandLine)
	if err != nil {
		return err
	}
	if k.uname == "" {
		k.uname = printable(uname)
	}
	osrel, err := p.read(e, ".osrel", maxText)
	if err != nil {
		return err
	}
	if k.OS == "" {
		k.OS = setting(osrel, "PRETTY_NAME=")
	}
	return nil
}

// stubVersion is that of the systemd-stub in a unified kernel image, by the section in which it states it; 0 if it does
// not.
func stubVersion(e image.Entry, p *image.PE) int {
	s, ok := p.Section(".sdmagic")
	if !ok {
		return 0
	}
	b, err := image.ReadSection(e, s, maxCommandLine)
	_, after, ok := bytes.Cut(b, []byte("systemd-stub "))
	if err != nil || !ok {
		return 0
	}
	end := bytes.IndexFunc(after, func(c rune) bool { return c < '0' || c > '9' })
	version, err := strconv.Atoi(string(after[:max(end, 0)]))
	if err != nil {
		return 0
	}
	return version
}

// What versions of systemd-stub can do (systemd, NEWS).
const (
	stubLoads  = 252 // it starts kernels from Linux 5.8 on as firmware would, before that all by the handover protocol
	stubAddons = 254 // it reads add-ons
)

// notStarted is how it is told that a loader does not start a kernel in any way.
const notStarted = "it does not start at all"

// starts tells whether the EFI stub of the kernel is started once the image is, and why not.
func (k *Kernel) starts(why string) (Verdict, string) {
	switch {
	case k.Format != formatUKI || k.handover || k.stubVersion >= stubLoads && k.imageVersion >= 1:
		return Yes, why
	case k.stubVersion == 0:
		return Unknown, "the kernel has no handover protocol, and whether what starts it in this image needs that is not known"
	}
	return No, fmt.Sprintf(notStarted+": systemd-stub %d enters it by the handover protocol, which it does not have",
		k.stubVersion)
}

// An addon is a file that adds to the command line of unified kernel images (systemd-stub(7)).
type addon struct {
	volume int
	path   string
	where  string
	text   string
	uname  string // the release that it is for, "" for any
}

const addonSuffix = ".addon.efi"

// isAddon tells whether a PE file is an add-on, by its name, as systemd-stub does.
func isAddon(name string) bool { return strings.HasSuffix(strings.ToLower(name), addonSuffix) }

// lookAtAddon reads an add-on.
func (d *disk) lookAtAddon(volume int, e image.Entry, p *image.PE) error {
	one := profile{"", p.Sections}
	text, err := one.read(e, ".cmdline", maxCommandLine)
	if err != nil {
		return err
	}
	uname, err := one.read(e, ".uname", maxCommandLine)
	if err != nil {
		return err
	}
	d.addons = append(d.addons, addon{volume, e.Name, d.where(volume, e.Name), commandText(text), printable(uname)})
	return nil
}

// addAddons appends to a kernel's command lines what the add-ons that its image is started with say: those for all
// images first, then its own, each by name.
func (d *disk) addAddons(k *Kernel) {
	if k.Format != formatUKI || len(d.addons) == 0 {
		return
	}
	var global, own []addon
	for _, a := range d.addons {
		switch {
		case a.volume != k.volume:
		case d.ownAddon(k, a):
			own = append(own, a)
		case globalAddon(k, a):
			global = append(global, a)
		}
	}
	byName := func(a, b addon) int { return strings.Compare(path.Base(a.path), path.Base(b.path)) }
	slices.SortFunc(global, byName)
	slices.SortFunc(own, byName)
	var parts wholeLine
	for _, a := range slices.Concat(global, own) {
		switch {
		case a.uname != "" && k.uname != "" && a.uname != k.uname:
			k.Notes = append(k.Notes, fmt.Sprintf("%s is for release %s, and not counted", a.where, a.uname))
		case k.stubVersion != 0 && k.stubVersion < stubAddons:
			k.Notes = append(k.Notes, fmt.Sprintf("%s is not counted: systemd-stub %d reads no add-ons", a.where, k.stubVersion))
		case a.text != "":
			parts = append(parts, commandLine{a.where, a.text})
		}
	}
	if len(parts) == 0 {
		return
	}
	if len(k.lines) == 0 {
		k.lines = []wholeLine{nil}
	}
	for i := range k.lines {
		k.lines[i] = slices.Concat(k.lines[i], parts)
	}
}

// ownAddon tells whether an add-on lies in the directory for a kernel's image, where that is on a partition that firmware
// reads. Beside the modules some distributions have add-ons that are not enabled yet.
func (d *disk) ownAddon(k *Kernel, a addon) bool {
	const directory = ".extra.d"
	dir, ok := strings.CutSuffix(strings.ToLower(path.Dir(a.path)), directory)
	image := strings.ToLower(k.path)
	return ok && !strings.Contains("/"+dir, "/lib/modules/") && (dir == image || dir == withoutCounter(image))
}

// withoutCounter is the name of an image without the tries that are left to boot it ("os+3-1.efi").
func withoutCounter(name string) string {
	stem, suffix := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
	at := strings.LastIndexByte(stem, '+')
	if at < 0 || at == len(stem)-1 || strings.Trim(stem[at+1:], "0123456789-") != "" {
		return name
	}
	return stem[:at] + suffix
}

// globalAddon tells whether an add-on is for all images on the partition that a kernel's image is on.
func globalAddon(k *Kernel, a addon) bool {
	root, ok := strings.CutSuffix(strings.ToLower(path.Dir("/"+a.path)), "/loader/addons")
	image := "/" + strings.ToLower(k.path)
	return ok && strings.HasPrefix(image, root+"/") && !strings.Contains(image, "/lib/modules/")
}
