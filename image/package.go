package image

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/cavaliergopher/cpio"
)

// errNoPackage says that a file is something else.
var errNoPackage = errors.New("not a package")

// kernelInPackage returns the kernel in a package and its path in there: of Debian, of RPM's distributions, or a tar
// archive of a file system, which Arch's packages are.
func kernelInPackage(file *io.SectionReader) (data []byte, name string, err error) {
	head := make([]byte, rpmLeadSize)
	n, _ := file.ReadAt(head, 0) // a short file is no package
	switch {
	case isDeb(file):
		return kernelInDeb(file)
	case isRPM(head[:n]):
		return kernelInRPM(file)
	}
	unpacked, err := decompressor(io.NewSectionReader(file, 0, file.Size()))
	if err != nil {
		return nil, "", errNoPackage
	}
	archive := bufio.NewReaderSize(unpacked, 64<<10)
	if head, _ := archive.Peek(512); !isTar(head) {
		return nil, "", errNoPackage
	}
	return kernelInTar(tar.NewReader(bounded(archive, maxPackage)), "")
}

func kernelInRPM(file *io.SectionReader) (data []byte, name string, err error) {
	payload, err := rpmPayload(file)
	if err != nil {
		return nil, "", err
	}
	unpacked, err := decompressor(payload)
	if err != nil {
		return nil, "", fmt.Errorf("the package's payload: %w", err)
	}
	archive := cpio.NewReader(bounded(bufio.NewReaderSize(unpacked, 64<<10), maxPackage))
	next := func() (string, int64, bool, error) {
		header, err := archive.Next()
		if err != nil {
			return "", 0, false, err
		}
		return header.Name, header.Size, header.Mode.IsRegular(), nil
	}
	return kernelAmong(next, archive, "Fedora's kernel is in kernel-core-…, not in kernel-…")
}

// kernelInTar returns the first kernel in a tar archive of a file system and its path there.
func kernelInTar(archive *tar.Reader, hint string) (data []byte, name string, err error) {
	next := func() (string, int64, bool, error) {
		header, err := archive.Next()
		if err != nil {
			return "", 0, false, err
		}
		return header.Name, header.Size, header.Typeflag == tar.TypeReg, nil
	}
	return kernelAmong(next, archive, hint)
}

// kernelAmong returns the first kernel among the entries of an archive: next gives the name of each, its size and whether
// it is a regular file, and content then has its bytes. The hint is for those who find none.
func kernelAmong(
	next func() (name string, size int64, regular bool, err error), content io.Reader, hint string,
) (data []byte, name string, err error) {
	for {
		name, size, regular, err := next()
		if errors.Is(err, io.EOF) {
			if hint != "" {
				hint = "; " + hint
			}
			return nil, "", errors.New("no kernel in this package" + hint)
		}
		if err != nil {
			return nil, "", fmt.Errorf("damaged package: %w", err)
		}
		name = path.Clean(strings.TrimPrefix(name, "./"))
		if !regular || !isKernelPath(name) {
			continue
		}
		if size > maxFile {
			return nil, "", fmt.Errorf("%s: %d bytes; at most %d can be loaded", name, size, maxFile)
		}
		data, err := io.ReadAll(content)
		if err != nil {
			return nil, "", fmt.Errorf("damaged package: %s: %w", name, err)
		}
		return data, name, nil
	}
}
