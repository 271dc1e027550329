package image

import (
	"bytes"
	"fmt"
	"io/fs"

	"github.com/cavaliergopher/cpio"
)

// File is one file of an initramfs.
type File struct {
	Name string      // its path without a leading slash: "init"
	Mode fs.FileMode // a regular file or a directory, and its permissions
	Data []byte
}

// Initramfs packs files into a newc cpio archive, which the kernel unpacks into its first root file system (Linux
// Documentation/driver-api/early-userspace/buffer-format.rst). The same files give the same bytes: they keep their
// order (a directory comes before what is in it), belong to root, have inode numbers from 1 up and no time.
func Initramfs(files ...File) ([]byte, error) {
	var archive bytes.Buffer
	w := cpio.NewWriter(&archive)
	for i, f := range files {
		header := &cpio.Header{Name: f.Name, Inode: int64(i + 1), Links: 1, Size: int64(len(f.Data))}
		switch f.Mode.Type() {
		case 0:
			header.Mode = cpio.TypeReg
		case fs.ModeDir:
			header.Mode, header.Links = cpio.TypeDir, 2
		default:
			return nil, fmt.Errorf("initramfs: %s: neither a regular file nor a directory", f.Name)
		}
		header.Mode |= cpio.FileMode(f.Mode.Perm())
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("initramfs: %s: %w", f.Name, err)
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, fmt.Errorf("initramfs: %s: %w", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("initramfs: %w", err)
	}
	return archive.Bytes(), nil
}
