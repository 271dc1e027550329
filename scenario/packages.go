package scenario

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
)

// files are the names under which scripts/fetch-kernels leaves the packages that it is asked for by these names.
var files = map[string]string{
	"trixie-cloud":    "linux-image-6.12.*+deb13-cloud-amd64_*.deb",
	"trixie-generic":  "linux-image-6.12.*+deb13-amd64_*.deb",
	"backports-cloud": "linux-binary-*-cloud-amd64_*~bpo13*.deb",
	"bookworm-cloud":  "linux-image-6.1.*-cloud-amd64_*.deb",
	"bookworm-grub":   "grub-efi-amd64-bin_2.06-*.deb",
	"bookworm-signed": "grub-efi-amd64-signed_1+2.06*.deb",
}

// A MissingError says that a package is not where it was looked for.
type MissingError struct{ Name, Directory string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("no %s in %s: scripts/fetch-kernels %s gets it", files[e.Name], e.Directory, e.Name)
}

// A shelf is where packages are looked for.
type shelf struct {
	ctx       context.Context
	directory string
}

// path is where the newest version of a package is.
func (s *shelf) path(name string) (string, error) {
	found, err := filepath.Glob(filepath.Join(s.directory, files[name]))
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", &MissingError{name, s.directory}
	}
	return slices.Max(found), nil
}

// kernel opens the kernel of a package.
func (s *shelf) kernel(name string) (*image.Image, error) {
	path, err := s.path(name)
	if err != nil {
		return nil, err
	}
	return image.Open(s.ctx, path)
}

// file reads a file of a package.
func (s *shelf) file(name, file string) ([]byte, error) {
	path, err := s.path(name)
	if err != nil {
		return nil, err
	}
	contents, err := image.Look(s.ctx, path, only(file), nil)
	if err != nil {
		return nil, err
	}
	defer contents.Close()
	if v := contents.Volumes; len(v) == 1 && len(v[0].Files) == 1 {
		const most = 64 << 20
		return v[0].Files[0].Bytes(most)
	}
	return nil, fmt.Errorf("%s has no %s", filepath.Base(path), file)
}

// only wants the file of that path.
type only string

func (o only) Directory(path string) bool               { return path == "" || strings.HasPrefix(string(o), path) }
func (o only) File(path string, _ int64, _ []byte) bool { return path == string(o) }

// initrd is one with tacit's init, which reports, and other files.
func initrd(others ...image.File) ([]byte, error) {
	return image.Initramfs(append([]image.File{{Name: "init", Mode: 0o755, Data: guest.Init()}}, others...)...)
}
