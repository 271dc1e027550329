package inspect

import (
	"path"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// wanted selects what of a file system says how it boots: kernels, boot loaders and their configuration. Paths only say
// where to look; what a file is, its content decides.
type wanted struct {
	nested []nested
}

// A nested file is one that is not looked into, though there may be kernels in it.
type nested struct{ name, what string }

// skipped are directories of a root file system that have many files and nothing to boot.
var skipped = map[string]bool{
	"bin": true, "dev": true, "etc": true, "home": true, "lib": true, "lib32": true, "lib64": true, "libx32": true,
	"lost+found": true, "media": true, "mnt": true, "nix": true, "opt": true, "proc": true, "root": true, "run": true,
	"sbin": true, "snap": true, "srv": true, "sys": true, "tmp": true, "usr": true, "var": true,
}

// opened are those below them that are looked into all the same.
var opened = []string{"lib", "lib/modules", "lib/modules/*", "usr", "usr/lib", "usr/lib/modules", "usr/lib/modules/*"}

func (*wanted) Directory(dir string) bool {
	top, rest, nested := strings.Cut(dir, "/")
	if skipped[top] {
		for _, pattern := range opened {
			if ok, _ := path.Match(pattern, dir); ok {
				return true
			}
		}
		return false
	}
	if top == "ostree" && nested && (rest == "repo" || rest == "deploy" || strings.HasPrefix(rest, "repo/") ||
		strings.HasPrefix(rest, "deploy/")) {
		return false
	}
	switch path.Base(dir) {
	case "fonts", "locale", "themes", "i386-pc":
		return false
	}
	const deepest = 7 // a boot loader specification entry's kernel is 3 deep, on a partition mounted at boot/efi 5
	return strings.Count(dir, "/") < deepest
}

// maxText is the size of the largest configuration file in bytes; a kernel's has 300,000.
const maxText = 4 << 20

func (w *wanted) File(name string, size int64, head []byte) bool {
	base := path.Base(name)
	switch {
	case head == nil: // a symbolic link
		return strings.HasPrefix(base, "vmlinu") || strings.HasPrefix(base, "bzImage") || base == "linux"
	case isBoot(head):
		return true
	case isNested(head) != "":
		if len(w.nested) < maxNested {
			w.nested = append(w.nested, nested{name, isNested(head)})
		}
		return false
	case size > maxText:
		return false
	}
	switch strings.ToLower(base) {
	case "grub.cfg", "grubenv", "custom.cfg", "config", "linux.mod", "linuxefi.mod":
		return true
	}
	return strings.HasPrefix(base, "config-") || path.Ext(base) == ".conf"
}

// maxNested is how many nested files are told.
const maxNested = 16

// isNested tells what a file that begins so has files in it as; "" if it has not.
func isNested(head []byte) string {
	switch {
	case image.DiskFormat(head) != "":
		return "disk"
	case strings.HasPrefix(string(head), "!<arch>\ndebian-binary"), strings.HasPrefix(string(head), "\xed\xab\xee\xdb"):
		return "package"
	}
	return ""
}

// isBoot tells whether a file that begins so may be a kernel or an EFI application.
func isBoot(head []byte) bool {
	const elfExecutable, elfAMD64 = "\x02\x00", "\x3e\x00"
	switch {
	case len(head) >= 0x206 && string(head[0x202:0x206]) == "HdrS":
		return true
	case len(head) >= 64 && string(head[:2]) == "MZ":
		return true
	case len(head) >= 64 && string(head[:4]) == "\x7fELF":
		return string(head[16:18]) == elfExecutable && string(head[18:20]) == elfAMD64
	}
	return false
}
