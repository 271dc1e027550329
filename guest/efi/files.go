package efi

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/cavaliergopher/cpio"
)

// An Archive is a file system for a program, as it is being put together. Files have no times, so that the same contents
// are the same bytes.
type Archive struct {
	out  bytes.Buffer
	w    *cpio.Writer
	made map[string]bool // directories
	n    int64
}

// maxFiles bounds an archive: all of it is in the image, which firmware loads.
const maxFiles = 256 << 20

// AddTree adds all that is in a directory, as a directory of the guest's with an absolute name.
func (a *Archive) AddTree(directory, as string) error {
	return filepath.WalkDir(directory, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		within, err := filepath.Rel(directory, name)
		if err != nil {
			return err
		}
		return a.add(name, path.Join(as, filepath.ToSlash(within)), d)
	})
}

// AddFiles adds the files in a directory, and no directories in it, as AddTree does.
func (a *Archive) AddFiles(directory, as string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	if err := a.directory(as); err != nil {
		return err
	}
	for _, d := range entries {
		if d.IsDir() {
			continue
		}
		if err := a.add(filepath.Join(directory, d.Name()), path.Join(as, d.Name()), d); err != nil {
			return err
		}
	}
	return nil
}

// AddDirectory adds an empty directory with an absolute name, and those that it is in.
func (a *Archive) AddDirectory(as string) error { return a.directory(path.Clean(as)) }

func (a *Archive) add(name, as string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	switch info.Mode().Type() {
	case fs.ModeDir:
		return a.directory(as)
	case fs.ModeSymlink:
		target, err := os.Readlink(name)
		if err != nil {
			return err
		}
		return a.write(as, cpio.TypeSymlink|0o777, []byte(target))
	case 0:
		if info.Size() > maxFiles {
			return fmt.Errorf("%s: %d MiB: at most %d MiB of files can be loaded", name, info.Size()>>20, maxFiles>>20)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return a.write(as, cpio.TypeReg|cpio.FileMode(info.Mode().Perm()), data)
	}
	return fmt.Errorf("%s: neither a file nor a directory nor a symbolic link", name)
}

// directory adds a directory, with those that it is in.
func (a *Archive) directory(as string) error {
	if as == "/" || a.made[as] {
		return nil
	}
	if err := a.directory(path.Dir(as)); err != nil {
		return err
	}
	if a.made == nil {
		a.made = map[string]bool{}
	}
	a.made[as] = true
	return a.write(as, cpio.TypeDir|0o755, nil)
}

func (a *Archive) write(as string, mode cpio.FileMode, data []byte) error {
	if a.w == nil {
		a.w = cpio.NewWriter(&a.out)
	}
	if a.out.Len()+len(data) > maxFiles {
		return fmt.Errorf("more than %d MiB of files: so much cannot be loaded", maxFiles>>20)
	}
	a.n++
	h := &cpio.Header{Name: as, Inode: a.n, Links: 1, Mode: mode, Size: int64(len(data))}
	if err := a.w.WriteHeader(h); err != nil {
		return fmt.Errorf("%s: %w", as, err)
	}
	_, err := a.w.Write(data)
	return err
}

// Bytes ends the archive and returns it; it is empty where nothing was added.
func (a *Archive) Bytes() ([]byte, error) {
	if a.w == nil {
		return nil, nil
	}
	if err := a.w.Close(); err != nil {
		return nil, err
	}
	a.w = nil
	return a.out.Bytes(), nil
}
