// Package image reads what people boot: a kernel package (.deb, .rpm, .pkg.tar.zst), a bzImage, an EFI application. It
// says what is in the file, hands out the bytes that firmware loads, unpacks the kernel inside and names its functions, and packs the
// initramfs that goes with it.
//
// Every file is recognised by its content, never by its name. Files are hostile until proven otherwise: each error is
// one line that names what is wrong, and time and memory are bounded by the constants in this file.
//
// What has a format of its own has a file of its own (bzimage.go, pe.go, deb.go); a further container is a further
// file, and a case in [Open].
package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Bounds on what is read into memory, in bytes. Distribution kernels are 10 to 20 MiB packed and 50 to 100 MiB
// unpacked; a unified kernel image may carry an initrd of several hundred.
const (
	maxFile    = 1 << 30   // a bzImage or EFI application
	maxVmlinux = 512 << 20 // an unpacked kernel
	maxPackage = 4 << 30   // what is unpacked of a package while looking for its kernel; streamed, not held
	maxWindow  = 128 << 20 // the history a decompressor may keep: zstd -22, which kernels use, needs 128 MiB
)

// Kind is the format of what firmware loads.
type Kind int

const (
	BzImage        Kind = iota + 1 // Linux for x86, usually with an EFI stub, which makes it an EFI application too
	EFIApplication                 // any other PE file
)

func (k Kind) String() string {
	switch k {
	case BzImage:
		return "bzImage"
	case EFIApplication:
		return "EFI application"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// Image is one thing to boot.
type Image struct {
	Source string // where it is: the path, for a package followed by ": " and the path inside
	Name   string // the kernel release ("6.12.9-cloud-amd64") as the file states it, or an EFI application's file name
	Kind   Kind
	Data   []byte // the whole bzImage or EFI application: what LoadImage gets
	Setup  *Setup // what a bzImage says about itself; nil for an EFI application

	unbootable error // why firmware cannot start it
}

// Open reads the file at path: a bzImage, an EFI application, or a package with a kernel in it. Of a directory that is an OCI
// layout it takes the kernel, or unified kernel image, in the layers of its image. It fails if the file is
// none of these or is damaged. It does not fail for a kernel that firmware cannot start; see [Image.Bootable].
func Open(ctx context.Context, path string) (*Image, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openLayout(ctx, path)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()

	file := io.NewSectionReader(contextReaderAt{ctx, f}, 0, info.Size())
	data, member, err := kernelInPackage(file)
	if err == nil {
		return Parse(path+": "+member, data)
	}
	if err != errNoPackage {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if info.Size() > maxFile {
		return nil, tooLarge(path, info.Size())
	}
	data, err = io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return Parse(path, data)
}

// Parse recognises a bzImage or an EFI application in memory. The source goes into the Image and into errors. The
// Image keeps data, which must not change afterwards.
func Parse(source string, data []byte) (*Image, error) {
	img := &Image{Source: source, Data: data}
	var err error
	switch {
	case isBzImage(data):
		img.Kind = BzImage
		if img.Setup, err = parseSetup(data); err == nil {
			img.Name = img.Setup.Release()
			img.unbootable = img.Setup.unbootable(data)
		}
	case isPE(data):
		img.Kind, img.Name = EFIApplication, filepath.Base(source)
		img.unbootable, err = checkPE(data)
	case bytes.HasPrefix(data, []byte("\x7fELF")):
		err = errors.New("an ELF file, which firmware cannot start; give the bzImage made from it, or for a Go program what guest/mkefi makes of it")
	default:
		err = errors.New("not a kernel package (.deb, .rpm, .pkg.tar.zst), bzImage, EFI application or disk image known here")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return img, nil
}

// Bootable reports why 64-bit firmware cannot start the image, or nil if it can: a kernel built without the EFI stub,
// a 32-bit one, an EFI application for another processor.
func (i *Image) Bootable() error {
	if i.unbootable == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", i.Source, i.unbootable)
}

// contextReaderAt fails once its context is done.
type contextReaderAt struct {
	ctx context.Context
	r   io.ReaderAt
}

func (c contextReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.ReadAt(p, off)
}
