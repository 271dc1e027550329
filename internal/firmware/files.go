package firmware

import (
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"time"

	disks "github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/uefi"
)

// This file is EFI_SIMPLE_FILE_SYSTEM_PROTOCOL and EFI_FILE_PROTOCOL (UEFI 2.10, sections 13.4 and 13.5) on FAT. Files are
// read, and not written: who wants to is told that the medium is write-protected, as the blocks below it are not.

// A fileHandle is an EFI_FILE_PROTOCOL that the guest has open.
type fileHandle struct {
	address  uint64 // of its interface
	medium   int
	path     string // from the root, with \ in front of each name; "" for the root
	position uint64 // bytes; in a directory, entries
}

// An openedFile is where the bytes of a file are, of the one that was read last: to find out costs following its clusters.
// It follows from the rest.
type openedFile struct {
	medium int
	path   string
	entry  disks.FATFile
	bytes  io.ReaderAt // nil where none was read
}

var openedFunctions []function // fileFunctions, which a function among them cannot name

const (
	maxFiles = 256  // that are open at a time
	maxWay   = 4096 // characters of a path
)

// volume returns the file system of a medium.
func (f *Firmware) volume(medium int) (*disks.FAT, error) {
	m := &f.media[medium]
	v, err := disks.OpenFAT(f.reader(m), m.size)
	if err != nil {
		return nil, failure(uefi.VolumeCorrupted)
	}
	return v, nil
}

// find looks for a file.
func (f *Firmware) find(medium int, path string) (*disks.FAT, disks.FATFile, error) {
	f.touch(64 << 10) // about what is read for it
	v, err := f.volume(medium)
	if err != nil {
		return nil, disks.FATFile{}, err
	}
	entry, err := v.Find(path)
	if disks.NoSuchFile(err) {
		return nil, entry, notFound
	}
	if err != nil {
		return nil, entry, failure(uefi.VolumeCorrupted)
	}
	return v, entry, nil
}

// contents returns a file's entry and bytes.
func (f *Firmware) contents(medium int, path string) (*openedFile, error) {
	o := &f.opened
	if o.bytes != nil && o.medium == medium && o.path == path {
		return o, nil
	}
	v, entry, err := f.find(medium, path)
	if err != nil {
		return nil, err
	}
	if entry.Directory() {
		return nil, notFound
	}
	bytes, err := v.Open(entry)
	if err != nil {
		return nil, failure(uefi.VolumeCorrupted)
	}
	*o = openedFile{medium, path, entry, bytes}
	return o, nil
}

// openAt finds what is open by its interface.
func (f *Firmware) openAt(address uint64) (*fileHandle, error) {
	i := slices.IndexFunc(f.files, func(o fileHandle) bool { return o.address == address })
	if i < 0 {
		return nil, invalidParameter
	}
	return &f.files[i], nil
}

// open makes an interface for a file and tells the guest.
func (f *Firmware) open(medium int, path string, at uint64) error {
	if _, err := f.load64(at); err != nil {
		return err
	}
	if len(f.files) >= maxFiles {
		return outOfResources
	}
	b := make([]byte, uefi.FileSize)
	put64(b[uefi.FileRevision:], uefi.FileRevision1)
	f.pointers(b, openedFunctions)
	address, err := f.putPool(uefi.BootServicesData, b)
	if err != nil {
		return err
	}
	f.files = append(f.files, fileHandle{address: address, medium: medium, path: path})
	return f.store64(at, address)
}

// openVolume(*This, **Root)
func (f *Firmware) openVolume(a args) error {
	i := slices.IndexFunc(f.media, func(m medium) bool { return m.fat && m.fileSystem == a[0] })
	if i < 0 {
		return invalidParameter
	}
	if _, err := f.volume(i); err != nil {
		return err
	}
	return f.open(i, "", a[1])
}

// openFile(*This, **NewHandle, *FileName, OpenMode, Attributes)
func (f *Firmware) openFile(a args) error {
	o, err := f.openAt(a[0])
	if err != nil {
		return err
	}
	name, err := f.loadString(a[2], maxWay)
	if err != nil {
		return err
	}
	path, ok := way(o.path, narrow(name))
	if !ok {
		return notFound
	}
	if a[3]&uefi.FileModeCreate == 0 || a[3]&uefi.FileModeRead == 0 {
		if a[3] != uefi.FileModeRead && a[3] != uefi.FileModeRead|uefi.FileModeWrite {
			return invalidParameter
		}
	}
	if _, _, err := f.find(o.medium, path); err != nil {
		if err == notFound && a[3]&uefi.FileModeCreate != 0 {
			return writeProtected
		}
		return err
	}
	if a[3] != uefi.FileModeRead {
		return writeProtected
	}
	return f.open(o.medium, path, a[1])
}

// way returns where a name leads that is given in a directory; ok is false where that is above the root.
func way(from, name string) (path string, ok bool) {
	if strings.HasPrefix(name, `\`) {
		from = ""
	}
	names := strings.Split(from, `\`)
	for _, n := range strings.Split(name, `\`) {
		switch n {
		case "", ".":
		case "..":
			if len(names) < 2 {
				return "", false
			}
			names = names[:len(names)-1]
		default:
			names = append(names, n)
		}
	}
	path = strings.Join(names, `\`)
	return path, len(path) <= maxWay
}

// closeFile(*This)
func (f *Firmware) closeFile(a args) error {
	o, err := f.openAt(a[0])
	if err != nil {
		return err
	}
	address := o.address
	f.files = slices.DeleteFunc(f.files, func(o fileHandle) bool { return o.address == address })
	_ = f.returnPool(address) // the guest may have freed it
	return nil
}

// deleteFile(*This) closes it in any case, and says that it is still there.
func (f *Firmware) deleteFile(a args) error {
	if err := f.closeFile(a); err != nil {
		return err
	}
	f.ret = uint64(uefi.WarnDeleteFailure)
	return nil
}

// readFile(*This, *BufferSize, *Buffer)
func (f *Firmware) readFile(a args) error {
	o, err := f.openAt(a[0])
	if err != nil {
		return err
	}
	size, err := f.load64(a[1])
	if err != nil {
		return err
	}
	if o.path == "" {
		return f.readDirectory(o, size, a)
	}
	c, err := f.contents(o.medium, o.path)
	if err == notFound {
		return f.readDirectory(o, size, a)
	}
	if err != nil {
		return err
	}
	length := uint64(c.entry.Bytes)
	if o.position > length {
		return deviceError
	}
	size = min(size, length-o.position)
	if err := f.fromDisk(c.bytes, int64(o.position), size, a[2]); err != nil {
		return err
	}
	o.position += size
	return f.store64(a[1], size)
}

// readDirectory gives the next entry of a directory, and nothing after the last one.
func (f *Firmware) readDirectory(o *fileHandle, size uint64, a args) error {
	v, dir, err := f.find(o.medium, o.path)
	if err != nil {
		return err
	}
	all, err := v.List(dir)
	if err != nil {
		return failure(uefi.VolumeCorrupted)
	}
	if o.position >= uint64(len(all)) {
		return f.store64(a[1], 0)
	}
	if err := f.give(fileInfo(all[o.position]), size, a[1], a[2]); err != nil {
		return err
	}
	o.position++
	return nil
}

// give gives the guest what it has asked for, if that fits into its buffer.
func (f *Firmware) give(b []byte, size, sizeAt, buffer uint64) error {
	if err := f.store64(sizeAt, uint64(len(b))); err != nil {
		return err
	}
	if size < uint64(len(b)) {
		return bufferTooSmall
	}
	return f.write(buffer, b)
}

// fileInfo is the EFI_FILE_INFO of an entry.
func fileInfo(e disks.FATFile) []byte {
	b := append(make([]byte, uefi.FileInfoFileName), wide(e.Name)...)
	put64(b[uefi.FileInfoSize:], uint64(len(b)))
	put64(b[uefi.FileInfoFileSize:], uint64(e.Bytes))
	put64(b[uefi.FileInfoPhysicalSize:], uint64(e.Bytes+blockSize-1)&^(blockSize-1))
	for _, at := range []int{uefi.FileInfoCreated, uefi.FileInfoAccessed, uefi.FileInfoModified} {
		putTime(b[at:], e.Modified)
	}
	put64(b[uefi.FileInfoAttribute:], uint64(e.Attributes))
	return b
}

// putTime writes an EFI_TIME of no zone.
func putTime(b []byte, t time.Time) {
	if t.IsZero() {
		return
	}
	binary.LittleEndian.PutUint16(b[timeYear:], uint16(t.Year()))
	b[timeMonth], b[timeDay] = byte(t.Month()), byte(t.Day())
	b[timeHour], b[timeMinute], b[timeSecond] = byte(t.Hour()), byte(t.Minute()), byte(t.Second())
	binary.LittleEndian.PutUint16(b[timeZone:], timeUnspecifiedZone)
}

// getFileInfo(*This, *InformationType, *BufferSize, *Buffer)
func (f *Firmware) getFileInfo(a args) error {
	o, err := f.openAt(a[0])
	if err != nil {
		return err
	}
	kind, err := f.loadGUID(a[1])
	if err != nil {
		return err
	}
	size, err := f.load64(a[2])
	if err != nil {
		return err
	}
	var b []byte
	switch kind {
	case uefi.FileInfoGUID:
		_, entry, err := f.find(o.medium, o.path)
		if err != nil {
			return err
		}
		b = fileInfo(entry)
	case uefi.FileSystemInfoGUID:
		v, err := f.volume(o.medium)
		if err != nil {
			return err
		}
		cluster, err := v.ClusterSize()
		if err != nil {
			return failure(uefi.VolumeCorrupted)
		}
		b = append(make([]byte, uefi.FileSystemInfoLabel), wide("")...)
		put64(b[uefi.FileSystemInfoSize:], uint64(len(b)))
		b[uefi.FileSystemInfoReadOnly] = 1
		put64(b[uefi.FileSystemInfoVolumeSize:], uint64(f.media[o.medium].size))
		put32(b[uefi.FileSystemInfoBlockSize:], uint32(cluster))
	case uefi.FileSystemVolumeLabelGUID:
		b = wide("")
	default:
		return unsupported
	}
	return f.give(b, size, a[2], a[3])
}

// getPosition(*This, *Position)
func (f *Firmware) getPosition(a args) error {
	o, err := f.openAt(a[0])
	if err != nil {
		return err
	}
	return f.store64(a[1], o.position)
}

// setPosition(*This, Position); all ones are the end. A directory can only be begun anew.
func (f *Firmware) setPosition(a args) error {
	o, err := f.openAt(a[0])
	if err != nil {
		return err
	}
	_, entry, err := f.find(o.medium, o.path)
	if err != nil {
		return err
	}
	switch {
	case entry.Directory() && a[1] != 0:
		return unsupported
	case a[1] == ^uint64(0):
		o.position = uint64(entry.Bytes)
	default:
		o.position = a[1]
	}
	return nil
}

// writeFile(*This, *BufferSize, *Buffer), SetInfo and Flush
func (f *Firmware) writeFile(a args) error {
	if _, err := f.openAt(a[0]); err != nil {
		return err
	}
	return writeProtected
}

// flushFile(*This)
func (f *Firmware) flushFile(a args) error {
	_, err := f.openAt(a[0])
	return err
}
