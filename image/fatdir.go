package image

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"strings"
	"unicode/utf16"
)

// rootItems lists the root directory.
func (f *fatFS) rootItems() ([]item, error) {
	if f.kind == 32 {
		return f.list(f.rootCluster)
	}
	return f.read(&fatData{f, []fatRun{{f.root, f.rootSize}}, f.rootSize})
}

func (f *fatFS) list(cluster uint32) ([]item, error) {
	runs, length, err := f.chain(cluster, fatMaxDirectory+1, true)
	if err != nil {
		return nil, err
	}
	return f.read(&fatData{f, runs, length})
}

// read reads a directory.
func (f *fatFS) read(d *fatData) ([]item, error) {
	if f.listed += d.size; f.listed > fatMaxListed {
		return nil, errors.New("too much in directories; are they cyclic?")
	}
	b := make([]byte, d.size)
	if n, err := d.ReadAt(b, 0); n < len(b) {
		return nil, err
	}
	const ( // attributes
		volumeID  = 0x08
		directory = 0x10
		longName  = 0x0f
	)
	var items []item
	var long []uint16
	var checksum byte
	for ; len(b) >= fatEntrySize && b[0] != 0; b = b[fatEntrySize:] {
		e := b[:fatEntrySize]
		switch {
		case e[0] == 0xe5: // removed
			long = nil
		case e[11]&0x3f == longName:
			const last = 0x40
			if e[0]&last != 0 {
				long, checksum = nil, e[13]
			}
			if e[13] == checksum {
				long = append(fatLongName(e), long...)
			}
		case e[11]&volumeID != 0:
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
			cluster := uint32(binary.LittleEndian.Uint16(e[20:]))<<16 | uint32(binary.LittleEndian.Uint16(e[26:]))
			if f.kind != 32 {
				cluster &= 0xffff
			}
			it := item{name: name, size: int64(binary.LittleEndian.Uint32(e[28:]))}
			if e[11]&directory != 0 {
				it.kind, it.list = fs.ModeDir, func() ([]item, error) { return f.list(cluster) }
			}
			it.open = func() (io.ReaderAt, error) {
				runs, size, err := f.chain(cluster, it.size, false)
				return &fatData{f, runs, size}, err
			}
			items = append(items, it)
		}
	}
	return items, nil
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
