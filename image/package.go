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

// A visit is told of a regular file of a package, with its path there, and says whether it was the last that is wanted.
type visit func(name string, size int64, content io.Reader) (last bool, err error)

// kernelInPackage returns the kernel in a package and its path in there: of Debian, of RPM's distributions, or a tar
// archive of a file system, which Arch's packages are.
func kernelInPackage(file *io.SectionReader) (data []byte, name string, err error) {
	hint, err := eachInPackage(file, func(at string, size int64, content io.Reader) (last bool, err error) {
		if !isKernelPath(at) {
			return false, nil
		}
		if size > maxFile {
			return false, fmt.Errorf("%s: %d bytes; at most %d can be loaded", at, size, maxFile)
		}
		if data, err = io.ReadAll(content); err != nil {
			return false, fmt.Errorf("damaged package: %s: %w", at, err)
		}
		name = at
		return true, nil
	})
	if err == nil && name == "" {
		if hint != "" {
			hint = "; " + hint
		}
		err = errors.New("no kernel in this package" + hint)
	}
	if err != nil {
		return nil, "", err
	}
	return data, name, nil
}

// eachInPackage visits the files of a package, in their order. The hint is for those who find no kernel in there.
func eachInPackage(file *io.SectionReader, f visit) (hint string, err error) {
	head := make([]byte, rpmLeadSize)
	n, _ := file.ReadAt(head, 0) // a short file is no package
	switch {
	case isDeb(file):
		return "with newer packaging it is in linux-binary-…, not in linux-image-…", eachInDeb(file, f)
	case isRPM(head[:n]):
		return "Fedora's kernel is in kernel-core-…, not in kernel-…", eachInRPM(file, f)
	}
	unpacked, err := decompressor(io.NewSectionReader(file, 0, file.Size()))
	if err != nil {
		return "", errNoPackage
	}
	archive := bufio.NewReaderSize(unpacked, 64<<10)
	if head, _ := archive.Peek(512); !isTar(head) {
		return "", errNoPackage
	}
	return "", eachInTar(tar.NewReader(bounded(archive, maxPackage)), f)
}

func eachInRPM(file *io.SectionReader, f visit) error {
	payload, err := rpmPayload(file)
	if err != nil {
		return err
	}
	unpacked, err := decompressor(payload)
	if err != nil {
		return fmt.Errorf("the package's payload: %w", err)
	}
	archive := cpio.NewReader(bounded(bufio.NewReaderSize(unpacked, 64<<10), maxPackage))
	next := func() (string, int64, bool, error) {
		header, err := archive.Next()
		if err != nil {
			return "", 0, false, err
		}
		return header.Name, header.Size, header.Mode.IsRegular(), nil
	}
	return each(next, archive, f)
}

func eachInTar(archive *tar.Reader, f visit) error {
	next := func() (string, int64, bool, error) {
		header, err := archive.Next()
		if err != nil {
			return "", 0, false, err
		}
		return header.Name, header.Size, header.Typeflag == tar.TypeReg, nil
	}
	return each(next, archive, f)
}

// each visits the regular files of an archive: next gives the name of each entry, its size and whether it is one, and content
// then has its bytes.
func each(next func() (name string, size int64, regular bool, err error), content io.Reader, f visit) error {
	for {
		name, size, regular, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("damaged package: %w", err)
		}
		if !regular {
			continue
		}
		if last, err := f(path.Clean(strings.TrimPrefix(name, "./")), size, content); last || err != nil {
			return err
		}
	}
}
