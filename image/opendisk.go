package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
)

// ErrNoDisk says that a file is no disk image, or of a form that is not known.
var ErrNoDisk = errors.New("not a disk image")

// A Disk is the disk in a file, whatever form it is kept in. The file is not written to. It can be read by several at a
// time.
type Disk struct {
	io.ReaderAt
	Format string            // in words: "qcow2 disk image"
	File   *io.SectionReader // the file as it is
	SHA256 string            // of File, in hexadecimal, where a container image says it; it is not checked here

	// Below are the files that File is only the changes to, the next one first: the backing files of a qcow2 file. There may be
	// none.
	Below []*io.SectionReader

	size   int64
	opened []io.Closer
}

// Size is the disk's, in bytes.
func (d *Disk) Size() int64 { return d.size }

// Close closes the file.
func (d *Disk) Close() (err error) {
	for _, c := range d.opened {
		err = errors.Join(err, c.Close())
	}
	return err
}

// OpenDisk opens the disk in a file: a raw one, with a partition table or a file system known here, qcow2 with the backing
// files that it names in its own directory, VMDK, VHD or VHDX. Each may be compressed, or the first file of a tar archive; these are unpacked into a temporary file. In a directory that is an OCI
// layout it is the disk in a layer of its image. The error is [ErrNoDisk] for what is no disk.
func OpenDisk(ctx context.Context, path string) (*Disk, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return diskInLayout(ctx, path)
	}
	if !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeDevice {
		return nil, fmt.Errorf("%s: neither a file nor a disk: %w", path, ErrNoDisk)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	// The disk is read for longer than it takes to open it.
	d, err := openDiskFile(ctx, f, &neighbours{context.WithoutCancel(ctx), path})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return d, nil
}

// OpenData opens a disk that nothing is started from: one that OpenDisk opens, or else any file of whole sectors that is no
// kernel, as it is, such as an ISO 9660 with cloud-init's seed, a swap area, or zeros. The error is [ErrNoDisk] for all others.
func OpenData(ctx context.Context, path string) (*Disk, error) {
	const sector = 512
	d, err := OpenDisk(ctx, path)
	if !errors.Is(err, ErrNoDisk) {
		return d, err
	}
	if info, statErr := os.Stat(path); statErr != nil || !info.Mode().IsRegular() || info.Size() == 0 || info.Size()%sector != 0 {
		return nil, err
	}
	f, openErr := os.Open(path)
	if openErr != nil {
		return nil, openErr
	}
	raw, rawErr := rawDisk(f)
	if rawErr != nil {
		return nil, errors.Join(rawErr, f.Close())
	}
	if raw == nil {
		return nil, errors.Join(err, f.Close())
	}
	return raw, nil
}

// rawDisk is a file as it is, or nil where it is a kernel, or compressed.
func rawDisk(f *os.File) (*Disk, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	file := io.NewSectionReader(f, 0, size)
	head := make([]byte, min(size, spoolHead))
	if _, err := file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	unpacked, err := decompressor(bytes.NewReader(head))
	if err != nil {
		return nil, nil
	}
	if _, compressed := unpacked.(*unpacker); compressed || isTar(head) || isBzImage(head) || isPE(head) || isELF(head) {
		return nil, nil
	}
	return &Disk{ReaderAt: file, size: size, Format: "disk image", File: file, opened: []io.Closer{f}}, nil
}

// OpenDiskFile is OpenDisk for a file that is open, without files beside it. The disk closes it; where there is none, it
// stays open.
func OpenDiskFile(ctx context.Context, f *os.File) (*Disk, error) { return openDiskFile(ctx, f, nil) }

func openDiskFile(ctx context.Context, f *os.File, beside *neighbours) (*Disk, error) {
	d := &Disk{}
	size, err := f.Seek(0, io.SeekEnd) // a block device says its size in no other way
	if err == nil {
		d.File = io.NewSectionReader(f, 0, size)
		err = d.open(ctx, d.File, beside)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.opened = append(d.opened, f)
	return d, nil
}

// open finds out what form the disk has.
func (d *Disk) open(ctx context.Context, file *io.SectionReader, beside *neighbours) error {
	switch known, err := d.plain(file, beside); {
	case known || err != nil:
		return err
	}
	unpacked, err := decompressor(io.NewSectionReader(contextReaderAt{ctx, file}, 0, file.Size()))
	if err != nil {
		return err
	}
	packed, compressed := unpacked.(*unpacker)
	stream := bufio.NewReaderSize(unpacked, spoolHead)
	head, err := stream.Peek(spoolHead)
	if err != nil && err != io.EOF {
		return err
	}
	how := ""
	if compressed {
		how = ", compressed with " + packed.format
	}
	switch {
	case isTar(head):
		return d.inTar(stream, packed, how)
	case !compressed, isBzImage(head), isPE(head), isELF(head), !mayBeDisk(head):
		return ErrNoDisk
	}
	return d.spooled(stream, packed, how)
}

// spoolHead is how many bytes tell what something is.
const spoolHead = 64 << 10

// plain opens what is not compressed, if it is known.
func (d *Disk) plain(file *io.SectionReader, beside *neighbours) (known bool, err error) {
	head := make([]byte, spoolHead)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	head = head[:n]
	if f, ok := formOf(head); ok {
		inside, err := f.open(file, beside)
		if err != nil {
			return true, err
		}
		d.ReaderAt, d.size, d.Format = &oneByOne{r: inside}, inside.size, f.name+" disk image"
		return true, d.over(inside.below)
	}
	switch {
	case isBzImage(head), isPE(head), isELF(head):
		return false, ErrNoDisk
	case unread(file) != "":
		return false, errors.New(unread(file))
	case mayBeDisk(head), isBtrfs(file):
		d.ReaderAt, d.size, d.Format = file, file.Size(), "disk image"
		return true, nil
	}
	return false, nil
}

// over notes the files that the disk's own is only the changes to.
func (d *Disk) over(below []*os.File) error {
	for _, f := range below {
		d.opened = append(d.opened, f)
	}
	for _, f := range below {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		d.Below = append(d.Below, io.NewSectionReader(f, 0, info.Size()))
	}
	if n := len(below); n == 1 {
		d.Format += " on another file"
	} else if n > 1 {
		d.Format += fmt.Sprintf(" on %d other files", n)
	}
	return nil
}

// inTar opens the disk that is the first file of an archive, as clouds want to have them: disk.raw.
func (d *Disk) inTar(r io.Reader, packed *unpacker, how string) error {
	archive := tar.NewReader(bounded(r, maxArchive))
	for range maxEntries {
		header, err := archive.Next()
		switch {
		case err == io.EOF:
			return ErrNoDisk
		case err != nil:
			return fmt.Errorf("damaged tar archive: %w", err)
		case !isRegular(header):
			continue
		}
		head := make([]byte, min(header.Size, spoolHead))
		if _, err := io.ReadFull(archive, head); err != nil {
			return fmt.Errorf("damaged tar archive: %w", err)
		}
		if !mayBeDisk(head) || isBzImage(head) || isPE(head) {
			return ErrNoDisk
		}
		return d.spooled(io.MultiReader(bytes.NewReader(head), archive), packed, ", "+path.Base(cleanName(header.Name))+" of a tar archive"+how)
	}
	return ErrNoDisk
}

// spooled unpacks the disk into a temporary file.
func (d *Disk) spooled(r io.Reader, packed *unpacker, how string) error {
	if packed != nil {
		packed.ratio = maxDiskRatio
	}
	file, size, err := spool(r)
	if err != nil {
		return err
	}
	d.opened = append(d.opened, file)
	known, err := d.plain(io.NewSectionReader(file, 0, size), nil)
	if err == nil && !known {
		err = ErrNoDisk
	}
	d.Format += how
	return err
}

// oneByOne has one reader wait for another.
type oneByOne struct {
	sync.Mutex
	r io.ReaderAt
}

func (o *oneByOne) ReadAt(b []byte, at int64) (int, error) {
	o.Lock()
	defer o.Unlock()
	return o.r.ReadAt(b, at)
}
