package image

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// A disk that is compressed, or in an archive, has to be unpacked before it can be read here and there. It is put into a
// temporary file that has no name, so that nothing is left of it however the program ends, and in which what is zeros
// takes no room.

// Bounds on what is unpacked in this way.
const (
	maxSpooled     = 1 << 36 // bytes of a disk
	maxSpooledData = 1 << 34 // bytes other than zeros of it, which take room
	maxSpooledPart = 2       // … and not more than one in so many of those that are free
	maxDiskRatio   = 1000    // bytes out for each compressed one; deflate's own limit, which zeros come close to
)

// spool unpacks a disk into a temporary file.
func spool(r io.Reader) (file *os.File, size int64, err error) {
	file, room, err := TempFile()
	if err != nil {
		return nil, 0, fmt.Errorf("no place to unpack the disk: %w", err)
	}
	defer func() {
		if err != nil {
			file.Close()
			file = nil
		}
	}()
	stored := int64(0)
	piece, zeros := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(r, piece)
		if !bytes.Equal(piece[:n], zeros[:n]) {
			if stored += int64(n); stored > room {
				return nil, 0, fmt.Errorf("a disk with more than %d MiB of data, for which there is no room in %s: unpack it first, "+
					"or set TMPDIR", room>>20, spoolDirectory())
			}
			if _, err := file.WriteAt(piece[:n], size); err != nil {
				return nil, 0, err
			}
		}
		size += int64(n)
		switch {
		case size > maxSpooled:
			return nil, 0, fmt.Errorf("a disk of more than %d bytes: unpack it first", int64(maxSpooled))
		case err == io.ErrUnexpectedEOF, err == io.EOF:
			// The first of them is what ReadFull says of a last piece that is short, and what a truncated archive says; that
			// says so again.
			if _, again := r.Read(make([]byte, 1)); again != nil && again != io.EOF {
				return nil, 0, again
			}
			return file, size, file.Truncate(size)
		case err != nil:
			return nil, 0, err
		}
	}
}

// TempFile makes a file for a disk, without a name, where there is room for such. It may take so many bytes.
func TempFile() (file *os.File, room int64, err error) {
	dir := spoolDirectory()
	if file, err = os.CreateTemp(dir, "tacit-"); err != nil {
		return nil, 0, err
	}
	if err = os.Remove(file.Name()); err == nil {
		room, err = spoolRoom(file)
	}
	if err != nil {
		file.Close()
		return nil, 0, fmt.Errorf("%s: %w", dir, err)
	}
	return file, room, nil
}

// spoolDirectory is where large temporary files belong: what TMPDIR names, or /var/tmp, since /tmp may be memory.
func spoolDirectory() string {
	const large = "/var/tmp"
	if info, err := os.Stat(large); os.Getenv("TMPDIR") == "" && err == nil && info.IsDir() {
		return large
	}
	return os.TempDir()
}

// spoolRoom is how many bytes may be put into a file.
func spoolRoom(file *os.File) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &s); err != nil {
		return 0, err
	}
	return min(int64(s.Bavail)*int64(s.Bsize)/maxSpooledPart, maxSpooledData), nil
}

// mayBeDisk tells whether what begins so is a disk, or a file system, that is read.
func mayBeDisk(head []byte) bool {
	switch DiskFormat(head) {
	case "GPT", "qcow2", "VMDK", "VHD", "VHDX":
		return true
	case "":
	default:
		return false
	}
	if isFAT(head) || isXFS(head) {
		return true
	}
	if isExt(headReader(head)) {
		const any = 1 << 60 // bytes
		_, err := openExt(headReader(head), any)
		return err == nil
	}
	entries, ok := mbrEntries(headReader(head), 0)
	if !ok {
		return false
	}
	for _, e := range entries {
		if e.kind != 0 && e.start > 0 && e.count > 0 {
			return true
		}
	}
	return false
}
