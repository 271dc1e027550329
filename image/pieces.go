package image

import (
	"io"
	"slices"
)

// A piece is bytes that follow each other in a file and where they come from, by default the volume.
type piece struct {
	at, size, from int64 // where in the file, how many, and where they come from
	source         func(b []byte, at int64) error
}

// pieces is a file of so many bytes: its pieces in the file's order, and zeros between them.
type pieces struct {
	read func(b []byte, at int64) error // all of b, from the volume
	size int64
	all  []piece
}

func (f *pieces) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= f.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > f.size-off
	if short {
		p = p[:f.size-off]
	}
	clear(p)
	first, _ := slices.BinarySearchFunc(f.all, off, func(e piece, off int64) int {
		if e.at+e.size <= off {
			return -1
		}
		return 1
	})
	for _, e := range f.all[first:] {
		low, high := max(e.at, off), min(e.at+e.size, off+int64(len(p)))
		if low >= high {
			break
		}
		read := f.read
		if e.source != nil {
			read = e.source
		}
		if err := read(p[low-off:high-off], e.from+low-e.at); err != nil {
			return 0, err
		}
	}
	if short {
		return len(p), io.EOF
	}
	return len(p), nil
}

// bytesOf is the source of a piece that is in memory.
func bytesOf(b []byte) func([]byte, int64) error {
	return func(p []byte, at int64) error {
		copy(p, b[at:])
		return nil
	}
}
