package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A qcow2 file may have only what differs from another disk, and name that one: its backing file, which may have one in turn.
// The name is whatever somebody has written there. It is followed to files in the directory of the image and below, and
// nowhere else: else an image that a stranger uploads could show them any file of the host's.

// maxBacking is how many files are read below the first one.
const maxBacking = 32

// flatten is what to do with a disk of several files that are not read.
const flatten = "flatten it with qemu-img convert"

// neighbours are the files in the directory of an image. Nil are none, of an image that is in no directory, such as what was
// unpacked of another one.
type neighbours struct {
	ctx  context.Context // until it is done they can be read
	path string          // of the image
}

// A backingFile is one of those that a disk stands on.
type backingFile struct {
	file *os.File
	info fs.FileInfo
	h    qcow2Header // of a qcow2 file; a raw one has none
	raw  bool
}

// openQcow2 opens the disk in a qcow2 file, with those below it.
func openQcow2(file *io.SectionReader, beside *neighbours) (d openedDisk, err error) {
	h, err := readQcow2Header(file)
	if err != nil {
		return d, err
	}
	below, err := beside.backing(h)
	if err != nil {
		return d, err
	}
	var under *io.SectionReader // what has been put together from the lowest on
	for _, b := range slices.Backward(below) {
		content := io.NewSectionReader(contextReaderAt{beside.ctx, b.file}, 0, b.info.Size())
		if b.raw {
			under = content
		} else {
			under = io.NewSectionReader(newQcow2(content, b.h, under), 0, b.h.size)
		}
	}
	for _, b := range below {
		d.below = append(d.below, b.file)
	}
	d.size, d.ReaderAt = h.size, newCache(newQcow2(file, h, under), cacheBlockSize)
	return d, nil
}

// backing opens the files that a qcow2 file with such a header stands on, the next one first.
func (n *neighbours) backing(h qcow2Header) (all []backingFile, err error) {
	if h.backing == "" {
		return nil, nil
	}
	if n == nil {
		return nil, errors.New("a qcow2 disk image that is only the changes to another file, which is not beside it: " + flatten)
	}
	defer func() {
		if err != nil {
			for _, b := range all {
				b.file.Close()
			}
			all = nil
		}
	}()
	root, err := os.OpenRoot(filepath.Dir(n.path))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	top, err := os.Stat(n.path)
	if err != nil {
		return nil, err
	}
	before, dir := []fs.FileInfo{top}, "."
	for h.backing != "" {
		if len(all) == maxBacking {
			return all, fmt.Errorf("a qcow2 disk image with more than %d backing files: %s", maxBacking, flatten)
		}
		name, err := n.within(dir, h)
		if err != nil {
			return all, err
		}
		b, err := openBacking(root, name, h.backingForm)
		if at := (*fs.PathError)(nil); errors.As(err, &at) {
			err = at.Err // without the name, which has whatever bytes somebody has put there
		}
		if err != nil { // not that the image is missing, so that is not wrapped
			return all, fmt.Errorf("a qcow2 disk image whose backing file %q cannot be used: %v", h.backing, err)
		}
		all = append(all, b)
		for _, other := range before {
			if os.SameFile(other, b.info) {
				return all, fmt.Errorf("a qcow2 disk image whose backing file %q leads back to itself", h.backing)
			}
		}
		before, dir, h = append(before, b.info), path.Dir(name), b.h
	}
	return all, nil
}

// within is the name of a header's backing file from the directory of the image, where the file that names it is in dir of
// that. A name that leads elsewhere is refused.
func (n *neighbours) within(dir string, h qcow2Header) (string, error) {
	name := h.backing
	refused := func(why string) (string, error) {
		return "", fmt.Errorf("a qcow2 disk image whose backing file %q is %s: %s", name, why, flatten)
	}
	switch before, _, colon := strings.Cut(name, ":"); {
	case colon && !strings.Contains(before, "/"): // QEMU, util/osdep.c and block.c: path_has_protocol
		return refused("no file")
	case h.backingForm == "":
		return "", fmt.Errorf("a qcow2 disk image that does not say in which form its backing file %q is: say it with qemu-img rebase -u -b FILE -F FORMAT", name)
	case h.backingForm != "qcow2" && h.backingForm != "raw":
		return refused(fmt.Sprintf("of the form %q", h.backingForm))
	case filepath.IsAbs(name): // many tools write it so, though the file is beside the other one
		from, err := filepath.Abs(filepath.Dir(n.path))
		if err != nil {
			return "", err
		}
		relative, err := filepath.Rel(from, name)
		if err != nil {
			return "", err
		}
		name = filepath.ToSlash(relative)
	default:
		name = path.Join(dir, name)
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		name = h.backing
		return refused("not in its directory")
	}
	return name, nil
}

// openBacking opens a backing file, which is a regular one in the root.
func openBacking(root *os.Root, name, form string) (b backingFile, err error) {
	// Opening must not wait, as for a pipe without a writer.
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return b, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	b = backingFile{file: f, raw: form == "raw"}
	if b.info, err = f.Stat(); err != nil {
		return b, err
	}
	if !b.info.Mode().IsRegular() {
		return b, errors.New("not a regular file")
	}
	if b.raw {
		return b, nil
	}
	content := io.NewSectionReader(f, 0, b.info.Size())
	head := make([]byte, 8)
	if n, _ := content.ReadAt(head, 0); !isQcow2(head[:n]) { // a short file is none
		return b, errors.New("not a qcow2 disk image, as it should be")
	}
	b.h, err = readQcow2Header(content)
	return b, err
}

// Below opens the files that the one at path is only the changes to, the next one first: the backing files of a qcow2 file.
// Of any other file there are none. Who calls it closes them.
func Below(file *os.File, path string) ([]*os.File, error) {
	head := make([]byte, 8)
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	content := io.NewSectionReader(file, 0, info.Size())
	if n, _ := content.ReadAt(head, 0); !isQcow2(head[:n]) { // what cannot be read is for those who read it all
		return nil, nil
	}
	h, err := readQcow2Header(content)
	if err != nil {
		return nil, err
	}
	below, err := (&neighbours{path: path}).backing(h)
	var files []*os.File
	for _, b := range below {
		files = append(files, b.file)
	}
	return files, err
}

// Checksum is that of a disk, by the SHA-256 of each file that it is kept in, the uppermost first, in hexadecimal: that of its
// file, or of more than one the SHA-256 of these, each with a newline after it. So another file below is another disk.
func Checksum(files []string) string {
	if len(files) == 1 {
		return files[0]
	}
	sum := sha256.Sum256([]byte(strings.Join(files, "\n") + "\n"))
	return hex.EncodeToString(sum[:])
}
