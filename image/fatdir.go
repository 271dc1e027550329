package image

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"
	"unicode/utf16"
)

// A fatEntry is an entry of a directory.
type fatEntry struct {
	name       string
	size       int64
	cluster    uint32
	attributes byte
	modified   time.Time // of no zone; zero where none is recorded
}

// Attributes of an entry.
const (
	fatVolumeID  = 0x08
	fatDirectory = 0x10
	fatLong      = 0x0f
)

// rootItems lists the root directory.
func (f *fatFS) rootItems() ([]item, error) { return f.items(f.rootEntries()) }

func (f *fatFS) rootEntries() ([]fatEntry, error) {
	if f.kind == 32 {
		return f.entries(f.rootCluster)
	}
	return f.read(&fatData{f, []fatRun{{f.root, f.rootSize}}, f.rootSize})
}

// items are entries as every file system has them.
func (f *fatFS) items(entries []fatEntry, err error) ([]item, error) {
	var items []item
	for _, e := range entries {
		it := item{name: e.name, size: e.size}
		if e.attributes&fatDirectory != 0 {
			it.kind, it.list = fs.ModeDir, func() ([]item, error) { return f.items(f.entries(e.cluster)) }
		}
		it.open = func() (io.ReaderAt, error) { return f.open(e) }
		items = append(items, it)
	}
	return items, err
}

func (f *fatFS) open(e fatEntry) (io.ReaderAt, error) {
	runs, size, err := f.chain(e.cluster, e.size, false)
	return &fatData{f, runs, size}, err
}

func (f *fatFS) entries(cluster uint32) ([]fatEntry, error) {
	runs, length, err := f.chain(cluster, fatMaxDirectory+1, true)
	if err != nil {
		return nil, err
	}
	return f.read(&fatData{f, runs, length})
}

// read reads a directory.
func (f *fatFS) read(d *fatData) ([]fatEntry, error) {
	if f.listed += d.size; f.listed > fatMaxListed {
		return nil, errors.New("too much in directories; are they cyclic?")
	}
	b := make([]byte, d.size)
	if n, err := d.ReadAt(b, 0); n < len(b) {
		return nil, err
	}
	var entries []fatEntry
	var long []uint16
	var checksum byte
	for ; len(b) >= fatEntrySize && b[0] != 0; b = b[fatEntrySize:] {
		e := b[:fatEntrySize]
		switch {
		case e[0] == 0xe5: // removed
			long = nil
		case e[11]&0x3f == fatLong:
			const last = 0x40
			if e[0]&last != 0 {
				long, checksum = nil, e[13]
			}
			if e[13] == checksum {
				long = append(fatLongName(e), long...)
			}
		case e[11]&fatVolumeID != 0:
			long = nil
		default:
			name := fatShortName(e)
			if sum := fatChecksum(e[:11]); len(long) > 0 && sum == checksum {
				name = string(utf16.Decode(long))
			}
			long = nil
			if name == "." || name == ".." || name == "" || strings.ContainsAny(name, "/\x00") {
				continue
			}
			le := binary.LittleEndian
			cluster := uint32(le.Uint16(e[20:]))<<16 | uint32(le.Uint16(e[26:]))
			if f.kind != 32 {
				cluster &= 0xffff
			}
			entries = append(entries, fatEntry{name, int64(le.Uint32(e[28:])), cluster, e[11], fatTime(le.Uint16(e[24:]), le.Uint16(e[22:]))})
		}
	}
	return entries, nil
}

// fatTime is what a date and a time of day stand for; years count from 1980, and seconds by two.
func fatTime(date, clock uint16) time.Time {
	if date == 0 {
		return time.Time{}
	}
	return time.Date(1980+int(date>>9), time.Month(date>>5&15), int(date&31), int(clock>>11), int(clock>>5&63), int(clock&31)*2, 0, time.UTC)
}

// fatLongName returns the 13 characters of an entry with a part of a long name, up to the zero that ends it.
func fatLongName(e []byte) (part []uint16) {
	for _, at := range [...]int{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30} {
		c := binary.LittleEndian.Uint16(e[at:])
		if c == 0 {
			break
		}
		part = append(part, c)
	}
	return part
}

// fatShortName returns the name and extension of an entry; Windows notes in byte 12 that they are in lower case.
func fatShortName(e []byte) string {
	const lowerName, lowerExtension = 0x08, 0x10
	name, extension := strings.TrimRight(string(e[:8]), " "), strings.TrimRight(string(e[8:11]), " ")
	if e[12]&lowerName != 0 {
		name = strings.ToLower(name)
	}
	if e[12]&lowerExtension != 0 {
		extension = strings.ToLower(extension)
	}
	if extension == "" {
		return strings.ToValidUTF8(name, "?")
	}
	return strings.ToValidUTF8(name+"."+extension, "?")
}

// fatChecksum is that of a short name, which ties the parts of a long one to it.
func fatChecksum(name []byte) (sum byte) {
	for _, c := range name {
		sum = sum>>1 | sum<<7
		sum += c
	}
	return sum
}
