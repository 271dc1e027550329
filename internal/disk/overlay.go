// Package disk is what a machine's disks are while it runs: what their images have, which is never written to, and what the
// guest has changed.
package disk

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/tacit-vm/tacit/internal/state"
)

// errFull says that a guest has changed more than its host keeps.
var errFull = errors.New("the disk's changes are at their limit")

// errOutside says that bytes do not lie on the disk.
var errOutside = errors.New("after the disk's end")

const blockSize = 4096 // bytes, in which changes are kept

// An Overlay is a disk of a machine. It is not safe for concurrent use; several may be over one image.
type Overlay struct {
	image   io.ReaderAt
	size    int64 // bytes
	most    int   // blocks that may be changed
	changed map[int64]*[blockSize]byte
}

// New makes a disk over an image of so many bytes, of which at most limit can be changed, in units of 4 KiB.
func New(image io.ReaderAt, size, limit int64) *Overlay {
	return &Overlay{image: image, size: size, most: int(limit / blockSize), changed: map[int64]*[blockSize]byte{}}
}

// Size is the disk's, in bytes. It does not change.
func (o *Overlay) Size() int64 { return o.size }

// Changed is how many bytes are kept of what was changed.
func (o *Overlay) Changed() int64 { return int64(len(o.changed)) * blockSize }

// within checks that n bytes from at lie on the disk.
func (o *Overlay) within(n int, at int64) error {
	if at < 0 || at > o.size-int64(n) {
		return fmt.Errorf("%d bytes at %d of %d: %w", n, at, o.size, errOutside)
	}
	return nil
}

// ReadAt reads all of b. What lies after the disk's end is an error, and so is what the image cannot give.
func (o *Overlay) ReadAt(b []byte, at int64) (n int, err error) {
	if err := o.within(len(b), at); err != nil {
		return 0, err
	}
	for n < len(b) {
		here := at + int64(n)
		number, from := here/blockSize, here%blockSize
		if p := o.changed[number]; p != nil {
			n += copy(b[n:], p[from:])
			continue
		}
		// All blocks up to the next one that was changed.
		end := (number + 1) * blockSize
		for end < at+int64(len(b)) && o.changed[end/blockSize] == nil {
			end += blockSize
		}
		part := b[n:min(int64(len(b)), end-at)]
		if got, err := o.image.ReadAt(part, here); got < len(part) {
			return n + got, fmt.Errorf("the image at byte %d: %w", here, cmp.Or(err, io.ErrUnexpectedEOF))
		}
		n += len(part)
	}
	return n, nil
}

// WriteAt changes all of b, or a first part of it where it returns [errFull] or what reading the image returned.
func (o *Overlay) WriteAt(b []byte, at int64) (n int, err error) {
	if err := o.within(len(b), at); err != nil {
		return 0, err
	}
	for n < len(b) {
		here := at + int64(n)
		number, from := here/blockSize, here%blockSize
		p := o.changed[number]
		if p == nil {
			if len(o.changed) == o.most {
				return n, errFull
			}
			p = new([blockSize]byte)
			start := number * blockSize
			whole := p[:min(blockSize, o.size-start)]
			if from != 0 || len(b)-n < len(whole) {
				if got, err := o.image.ReadAt(whole, start); got < len(whole) {
					return n, fmt.Errorf("the image at byte %d: %w", start, cmp.Or(err, io.ErrUnexpectedEOF))
				}
			}
			o.changed[number] = p
		}
		n += copy(p[from:], b[n:])
	}
	return n, nil
}

// Adopt makes the changes of another disk this one's, which has none. Both go on by themselves.
func (o *Overlay) Adopt(from *Overlay) error {
	if from.size != o.size {
		return fmt.Errorf("changes of a disk of %d bytes on one of %d", from.size, o.size)
	}
	for number, p := range from.changed {
		block := *p
		o.changed[number] = &block
	}
	return nil
}

// Carry carries what was changed. The image is not the machine's.
func (o *Overlay) Carry(s *state.Stream) {
	state.Map(s, o.changed, o.most, cmp.Compare[int64], func(number *int64, p **[blockSize]byte) {
		state.Numbers(s, number)
		s.Check(*number >= 0 && *number <= (o.size-1)/blockSize, "a change after the end of the disk")
		if s.Reading() {
			*p = new([blockSize]byte)
		}
		s.Raw((*p)[:])
	})
}
