package image

import (
	"archive/tar"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// A Debian package is an ar archive (deb(5)): debian-binary, control.tar, data.tar, each a 60-byte header and its
// bytes, padded to an even length. The tar archives may be compressed.
const (
	arMagic      = "!<arch>\n"
	arHeaderSize = 60
	arHeaderEnd  = "`\n"
)

// kernelPaths are where packages have the kernel: Debian in /boot, newer ones and Fedora beside the modules; and what is no
// Linux as an EFI application in /boot, such as Xen.
var kernelPaths = []string{"boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz", "lib/modules/*/vmlinuz", "boot/*.efi"}

func isDeb(file *io.SectionReader) bool {
	head := make([]byte, len(arMagic))
	n, _ := file.ReadAt(head, 0)
	return string(head[:n]) == arMagic
}

// eachInDeb visits the files of a .deb.
func eachInDeb(file *io.SectionReader, f visit) error {
	member, err := arMember(file, "data.tar")
	if err != nil {
		return err
	}
	unpacked, err := decompressor(member)
	if err != nil {
		return fmt.Errorf("the package's data.tar: %w", err)
	}
	return eachInTar(tar.NewReader(bounded(unpacked, maxPackage)), f)
}

// arMember returns the first member whose name starts with prefix.
func arMember(file *io.SectionReader, prefix string) (*io.SectionReader, error) {
	var header [arHeaderSize]byte
	for at := int64(len(arMagic)); at < file.Size(); {
		if _, err := file.ReadAt(header[:], at); err != nil {
			return nil, fmt.Errorf("truncated package: %w", err)
		}
		at += arHeaderSize
		name := strings.TrimRight(string(header[:16]), " ")
		size, err := strconv.ParseInt(strings.TrimRight(string(header[48:58]), " "), 10, 64)
		if err != nil || size < 0 || string(header[58:]) != arHeaderEnd {
			return nil, fmt.Errorf("damaged package: no ar header at byte %d", at-arHeaderSize)
		}
		if size > file.Size()-at {
			return nil, fmt.Errorf("truncated package: %q has %d bytes, the file ends after %d of them",
				name, size, file.Size()-at)
		}
		if strings.HasPrefix(name, prefix) {
			return io.NewSectionReader(file, at, size), nil
		}
		at += size + size&1
	}
	return nil, fmt.Errorf("a package without %s", prefix)
}

func isKernelPath(name string) bool {
	for _, pattern := range kernelPaths {
		if ok, _ := path.Match(pattern, name); ok { // the patterns are well-formed
			return true
		}
	}
	return false
}

// boundedReader fails, rather than ending early, once limit bytes have been read.
type boundedReader struct {
	r           io.Reader
	read, limit int64
}

func bounded(r io.Reader, limit int64) *boundedReader { return &boundedReader{r: r, limit: limit} }

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.read >= b.limit {
		return 0, fmt.Errorf("unpacks to more than %d bytes", b.limit)
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.limit-b.read)])
	b.read += int64(n)
	return n, err
}
