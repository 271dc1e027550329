package inspect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// passedOver is the error for a file that was read, and is nothing that is judged here. Any other error says that
// something was not read.
type passedOver struct{ why string }

func (p passedOver) Error() string { return p.why }

// harmless are partitions whose contents start nothing.
var harmless = map[string]bool{
	"swap": true, "verity data of Linux root": true, "Microsoft reserved": true, "GPT protective": true,
}

// missing says what of an image was not read and may start kernels, or say how; "" if nothing. On a partition that is not
// read it does not count, if all loaders that were found have configurations, and these speak of kernels that were found.
func (d *disk) missing() string {
	if len(d.unread) > 0 {
		return d.unread[0]
	}
	for _, l := range d.loaders {
		if l.kind == otherEFI && isDefault(l.path) {
			return d.where(l.volume, l.path) + " is a boot loader that is not known here"
		}
	}
	closed := d.closed()
	for _, v := range d.volumes {
		if v.Unread != "" && !harmless[v.Type] && !harmless[v.Format] && (!closed || startsFrom(v)) {
			return fmt.Sprintf("%s was not read", strings.TrimPrefix(v.Name+": "+description(v), ": "))
		}
	}
	if d.loads() && !d.boots() {
		return "what the boot loaders on it start was not found"
	}
	return ""
}

// boots tells whether a way to any kernel was found.
func (d *disk) boots() bool {
	return slices.ContainsFunc(d.kernels, func(k *Kernel) bool { return len(k.Boots) > 0 })
}

// startsFrom tells whether firmware looks for something to start on a volume that was not read.
func startsFrom(v image.Volume) bool {
	return v.Type == "EFI system partition" || v.Type == "boot partition (XBOOTLDR)" || v.Name == wholeDisk
}

const wholeDisk = "the whole disk" // image's name for the file system under a partition table

// loads tells whether a loader is there that reads a configuration.
func (d *disk) loads() bool {
	return slices.ContainsFunc(d.loaders, func(l loader) bool { return l.kind == grub || l.kind == systemdBoot })
}

// closed tells whether what starts kernels was found from the beginning to the end: there is a way to one, every loader
// that reads a configuration has one, and no configuration speaks of a file that was not found.
func (d *disk) closed() bool {
	if d.dangling != "" || !d.boots() {
		return false
	}
	for _, kind := range []loaderKind{grub, systemdBoot} {
		for _, s := range d.starts(kind) {
			if !d.used(s) {
				return false
			}
		}
	}
	return true
}

// used tells whether a way to a kernel leads through a loader.
func (d *disk) used(s start) bool {
	chain := strings.Join(s.names, " → ")
	return slices.ContainsFunc(d.kernels, func(k *Kernel) bool {
		return slices.ContainsFunc(k.Boots, func(b Boot) bool { return b.Loader == chain })
	})
}

// has tells whether a configuration's name for a kernel is that of any file that was found.
func (d *disk) has(t text, name string) bool {
	for _, volume := range d.order(t) {
		for _, candidate := range d.candidates(volume, name) {
			if slices.ContainsFunc(d.volumes[volume].Files, func(e image.Entry) bool { return d.same(volume, e.Name, candidate) }) {
				return true
			}
		}
	}
	return false
}
