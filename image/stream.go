package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/cavaliergopher/cpio"
)

// Packages and tar archives can only be read from the beginning to the end. What is wanted of them is held in memory.

// held collects the wanted files of an archive.
type held struct {
	wanted  Wanted
	one     bool // stop at the first kernel: a package has one, and hundreds of megabytes of modules after it
	files   []Entry
	entries int
	bytes   int64
}

// add takes the next entry of an archive, of size bytes that content has. A link has a target instead. The error is
// io.EOF when there is nothing more to look for.
func (h *held) add(name string, size int64, link string, content io.Reader) error {
	if h.entries++; h.entries > maxEntries {
		return fmt.Errorf("more than %d files", maxEntries)
	}
	name = cleanName(name)
	if !inWanted(h.wanted, name) {
		return nil
	}
	if link != "" {
		if h.wanted.File(name, 0, nil) {
			h.files = append(h.files, Entry{Name: name, Link: link, ReaderAt: bytes.NewReader(nil)})
		}
		return nil
	}
	head := make([]byte, min(size, HeadSize))
	if _, err := io.ReadFull(content, head); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !h.wanted.File(name, size, head) {
		return nil
	}
	switch {
	case size > maxFile:
		return fmt.Errorf("%s: %d bytes; at most %d are read", name, size, maxFile)
	case h.bytes+size > maxHeld:
		return fmt.Errorf("more than %d bytes of kernels and boot loaders", maxHeld)
	case len(h.files) == maxWanted:
		return fmt.Errorf("more than %d kernels and boot loaders", maxWanted)
	}
	h.bytes += size
	// The size is only what the archive says; memory is taken as bytes arrive.
	data := bytes.NewBuffer(head)
	if _, err := io.CopyN(data, content, size-int64(len(head))); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	h.files = append(h.files, Entry{Name: name, Size: size, ReaderAt: bytes.NewReader(data.Bytes())})
	if h.one && isKernelPath(name) && (isBzImage(head) || isPE(head)) {
		return io.EOF
	}
	return nil
}

func isTar(head []byte) bool { return len(head) >= 262 && string(head[257:262]) == "ustar" }

// filesInTar returns the wanted files of a tar archive, up to the first kernel if one is enough.
func filesInTar(r io.Reader, wanted Wanted, one bool) ([]Entry, error) {
	archive := tar.NewReader(bounded(r, maxArchive))
	h := held{wanted: wanted, one: one}
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return h.files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("damaged tar archive: %w", err)
		}
		if target, ok := tarLink(header); ok {
			err = h.add(header.Name, 0, target, nil)
		} else if isRegular(header) {
			err = h.add(header.Name, header.Size, "", archive)
		}
		if err == io.EOF {
			return h.files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("damaged tar archive: %w", err)
		}
	}
}

// lookInDeb reads a Debian package; see deb.go.
func lookInDeb(file *io.SectionReader, wanted Wanted) (*Contents, error) {
	member, err := arMember(file, "data.tar")
	if err != nil {
		return nil, err
	}
	unpacked, err := decompressor(member)
	if err != nil {
		return nil, fmt.Errorf("the package's data.tar: %w", err)
	}
	files, err := filesInTar(unpacked, inPackage{wanted}, true)
	if err != nil {
		return nil, err
	}
	return &Contents{Format: "Debian package", Volumes: []Volume{{Format: "tar", Files: files}}}, nil
}

// inPackage is what is wanted of a package: as of a file system, but whatever directory it is in. Installers' packages
// have their kernels deep below usr. A package is full of programs that are no kernels, which are passed over as usual.
type inPackage struct{ Wanted }

func (inPackage) Directory(dir string) bool {
	const debug = "usr/lib/debug" // kernels with debug information, of a GiB
	return dir != debug
}

func (p inPackage) File(name string, size int64, head []byte) bool {
	if isELF(head) && !inWanted(p.Wanted, name) {
		return false
	}
	return p.Wanted.File(name, size, head)
}

// filesInCpio returns the wanted files of a cpio archive, which a package has, up to the first kernel.
func filesInCpio(r io.Reader, wanted Wanted) ([]Entry, error) {
	archive := cpio.NewReader(bounded(r, maxArchive))
	h := held{wanted: wanted, one: true}
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return h.files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("damaged cpio archive: %w", err)
		}
		switch {
		case header.Mode.IsRegular():
			err = h.add(header.Name, header.Size, "", archive)
		case header.Mode&cpio.ModeType == cpio.TypeSymlink:
			err = h.add(header.Name, 0, header.Linkname, nil)
		}
		if err == io.EOF {
			return h.files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("damaged cpio archive: %w", err)
		}
	}
}
