package bootdisk

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	slotSize = 32            // bytes, of an entry of a directory
	label    = "TACIT      " // of the volume, as a directory has it

	attributeLabel     = 0x08
	attributeDirectory = 0x10
	attributeArchive   = 0x20
)

// fill lays out files, by their paths.
func (v *volume) fill(files map[string][]byte) error {
	_, err := v.directory(files, 0, true)
	return err
}

// directory lays out a directory and all below it, and returns its first cluster. Its parent's is 0 for the root, which has
// no number there.
func (v *volume) directory(files map[string][]byte, parent uint32, root bool) (own uint32, err error) {
	below := map[string]map[string][]byte{} // by name; nil for a file
	for path := range files {
		name, rest, nested := strings.Cut(path, "/")
		if inner, ok := below[name]; ok && (inner != nil) != nested {
			return 0, fmt.Errorf("%s is a file and a directory", name)
		}
		if !nested {
			below[name] = nil
			continue
		}
		if below[name] == nil {
			below[name] = map[string][]byte{}
		}
		below[name][rest] = files[path]
	}
	names := slices.Sorted(maps.Keys(below))
	short, err := shortNames(names)
	if err != nil {
		return 0, err
	}
	n := len(names) + 2
	for i, name := range names {
		n += longSlots(name, short[i])
	}
	content := make([]byte, (uint32(n)*slotSize+v.clusterSize-1)/v.clusterSize*v.clusterSize)
	if own, err = v.take(content); err != nil {
		return 0, err
	}
	slot := 0
	enter := func(name string, attributes byte, first uint32, size int) {
		putEntry(content[slot*slotSize:], name, attributes, first, size)
		slot++
	}
	at := own // as what is below it names it
	if root {
		at = 0
		enter(label, attributeLabel, 0, 0)
	} else {
		enter(".", attributeDirectory, own, 0)
		enter("..", attributeDirectory, parent, 0)
	}
	for i, name := range names {
		slot += putLong(content[slot*slotSize:], name, short[i])
		if below[name] == nil {
			first, err := v.take(files[name])
			if err != nil {
				return 0, err
			}
			enter(short[i], attributeArchive, first, len(files[name]))
			continue
		}
		first, err := v.directory(below[name], at, false)
		if err != nil {
			return 0, err
		}
		enter(short[i], attributeDirectory, first, 0)
	}
	return own, nil
}

// putEntry writes an entry of a directory; name is of at most eleven characters.
func putEntry(e []byte, name string, attributes byte, first uint32, size int) {
	le := binary.LittleEndian
	copy(e, fmt.Sprintf("%-11s", name))
	e[11] = attributes
	for _, date := range []int{16, 18, 24} { // made, read, written
		le.PutUint16(e[date:], 1<<5|1) // the first of January 1980
	}
	le.PutUint16(e[20:], uint16(first>>16))
	le.PutUint16(e[26:], uint16(first))
	le.PutUint32(e[28:], uint32(size))
}
