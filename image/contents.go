package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Contents is what a file holds of what was asked for: the files of a package, of a directory, of each partition of a
// disk. A file that is none of these is its own only content.
type Contents struct {
	Format  string // in words: "Debian package"
	Volumes []Volume

	files []io.Closer // to be closed
}

// A Volume is one file system.
type Volume struct {
	Name   string // which one of a disk: "partition 1"; "" where there is but one
	Type   string // of a partition, by its type GUID: "EFI system partition"
	Format string // "FAT32", "ext4", "tar"
	Files  []Entry
	Unread string // why it was not read, and what to do instead; "" if it was

	Problems []string // files and directories in it that could not be read, and why
}

// An Entry is a file of a volume. It can be read until the Contents are closed.
type Entry struct {
	Name string // path in the volume, with slashes and without a leading one
	Size int64  // bytes
	Link string // where a symbolic link points to; such a file has no bytes
	io.ReaderAt
}

// Bytes reads the file, which may have at most limit bytes.
func (e Entry) Bytes(limit int64) ([]byte, error) {
	if e.Size > limit {
		return nil, fmt.Errorf("%s: %d bytes; at most %d are read", e.Name, e.Size, limit)
	}
	b := make([]byte, e.Size)
	n, err := e.ReadAt(b, 0)
	if n == len(b) {
		return b, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("%s: %w", e.Name, err)
}

// Wanted says which files to look at. Paths are as in [Entry].
type Wanted interface {
	Directory(path string) bool
	// File decides by path and size, and by the first bytes of the file, at most [HeadSize] of them.
	File(path string, size int64, head []byte) bool
}

// HeadSize is how many bytes of a file [Wanted] gets to see: enough for the magic numbers of kernels and of a GPT.
const HeadSize = 1024

// Bounds on looking for files.
const (
	maxHeld    = 1 << 30 // bytes of wanted files of a package or tar archive, which are held in memory
	maxArchive = 1 << 34 // bytes of an unpacked archive that are read through
	maxEntries = 1 << 20 // directory entries of a volume
	maxDepth   = 32      // of directories
	maxWanted  = 4096    // files of a volume
)

// Look opens what is at path, whatever it is, and finds the wanted files in it. progress, if not nil, is told how many
// bytes have been read from the file and how many it has.
func Look(ctx context.Context, path string, wanted Wanted, progress func(read, size int64)) (*Contents, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return lookInDirectory(ctx, path, wanted)
	}
	if !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeDevice {
		return nil, fmt.Errorf("%s: neither a file nor a directory nor a disk", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekEnd) // a block device says its size in no other way
	if err == nil {
		if progress == nil {
			progress = func(int64, int64) {}
		}
		file := io.NewSectionReader(&counting{contextReaderAt{ctx, f}, 0, size, progress}, 0, size)
		var c *Contents
		if c, err = lookIn(file, filepath.Base(path), &neighbours{ctx, path}, wanted); err == nil {
			c.files = append(c.files, f)
			return c, nil
		}
	}
	f.Close()
	return nil, fmt.Errorf("%s: %w", path, err)
}

// Close closes the file; files of the contents cannot be read any more.
func (c *Contents) Close() (err error) {
	for _, f := range c.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

const (
	formatFile      = "file" // what is one by itself: a kernel, an EFI application
	formatContainer = "container image"
)

// lookIn recognises a file by its content.
func lookIn(file *io.SectionReader, name string, beside *neighbours, wanted Wanted) (*Contents, error) {
	if c, err := lookInFile(file, name, beside, wanted); c != nil || err != nil {
		return c, err
	}
	return lookInCompressed(file, name, wanted)
}

// lookInFile recognises what is not compressed. The result is nil, without an error, for anything else.
func lookInFile(file *io.SectionReader, name string, beside *neighbours, wanted Wanted) (*Contents, error) {
	head := make([]byte, HeadSize)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:n]
	switch {
	case n == 0:
		return nil, errors.New("an empty file")
	case isDeb(file):
		return lookInDeb(file, wanted)
	case isRPM(head):
		return lookInRPM(file, wanted)
	case isBzImage(head), isPE(head), isELF(head), isFirmware(head), endsAsFirmware(file):
		only := Entry{Name: name, Size: file.Size(), ReaderAt: file}
		return &Contents{Format: formatFile, Volumes: []Volume{{Files: []Entry{only}}}}, nil
	}
	if f, ok := formOf(head); ok {
		return f.look(file, beside, wanted)
	}
	if what := unread(file); what != "" {
		return nil, errors.New(what)
	}
	if c, err := lookInDisk(file, wanted); c != nil || err != nil {
		return c, err
	}
	if what := other(file); what != "" {
		return nil, errors.New(what)
	}
	return nil, nil
}

func isELF(head []byte) bool { return len(head) >= 4 && string(head[:4]) == "\x7fELF" }

// counting tells how far a file has been read: the bytes read so far, at most its size.
type counting struct {
	io.ReaderAt
	read, size int64
	tell       func(read, size int64)
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.read += int64(n)
	c.tell(min(c.read, c.size), c.size)
	return n, err
}
