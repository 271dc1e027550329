package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A file begins with magic and the version of the form in which sections stand. A section is its name, the version of
// what is in it, how many bytes that has, the bytes, and the checksum of all of this. The last one is empty and is called
// "end". Numbers are little endian:
//
//	magic     8 bytes
//	form      4
//	…
//	name      8, filled up with zeros
//	version   4
//	length    4
//	content   length
//	checksum  4, CRC-32C
const (
	magic  = "\xACtacit\r\n" // no text; what a transfer as text damages
	header = 16

	nameSize = 8 // bytes of it that are a section's name

	// form is raised whenever another set of sections, or another order of them, makes a machine, so that a file of before
	// is told from one that is damaged. What is within a section has a version of its own.
	form = 2

	// maxSection is how many bytes are in a section at most.
	maxSection = 1 << 30

	last = "end"
)

// IsFile says whether a file begins as a saved machine does.
func IsFile(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A Writer writes a file section by section.
type Writer struct {
	w   io.Writer
	err error // the first
}

// NewWriter begins a file.
func NewWriter(w io.Writer) *Writer {
	f := &Writer{w: w}
	f.write(binary.LittleEndian.AppendUint32([]byte(magic), form))
	return f
}

func (f *Writer) write(b []byte) {
	if f.err == nil {
		_, f.err = f.w.Write(b)
	}
}

// Section writes a section: what version of a part's state content is. A name has at most 8 bytes.
func (f *Writer) Section(name string, version uint32, content []byte) {
	if len(name) > nameSize {
		f.err = errors.Join(f.err, fmt.Errorf("the name of section %s is longer than %d bytes", name, nameSize))
		return
	}
	if len(content) > maxSection {
		f.err = errors.Join(f.err, fmt.Errorf("%d bytes of %s are more than a section can have", len(content), name))
		return
	}
	h := make([]byte, nameSize, header)
	copy(h, name)
	h = binary.LittleEndian.AppendUint32(h, version)
	h = binary.LittleEndian.AppendUint32(h, uint32(len(content)))
	sum := crc32.Update(crc32.Checksum(h, castagnoli), castagnoli, content)
	f.write(h)
	f.write(content)
	f.write(binary.LittleEndian.AppendUint32(nil, sum))
}

// Err is the first error of all so far: what comes after it is not written.
func (f *Writer) Err() error { return f.err }

// End ends the file, and returns the first error of all.
func (f *Writer) End() error {
	f.Section(last, 0, nil)
	return f.err
}

// Errors of files that are not what they should be.
var (
	ErrForeign = errors.New("not a saved machine")
	ErrDamaged = errors.New("a damaged file")
	ErrEarlier = errors.New("saved by an earlier tacit, which wrote machines otherwise: boot it anew and save it again")
	ErrLater   = errors.New("saved by a later tacit, which writes machines otherwise: use that one")
)

// A Reader reads a file section by section.
type Reader struct {
	r     io.Reader
	next  string // of the section that is due, whose header has been read; "" where none has
	head  [header]byte
	begun bool
}

// NewReader reads what a [Writer] wrote to r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

func (f *Reader) begin() error {
	var b [len(magic) + 4]byte
	if n, err := io.ReadFull(f.r, b[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			if n < len(magic) || string(b[:len(magic)]) != magic {
				return ErrForeign
			}
		}
		return cutOff(err)
	}
	if string(b[:len(magic)]) != magic {
		return ErrForeign
	}
	switch v := binary.LittleEndian.Uint32(b[len(magic):]); {
	case v < form:
		return fmt.Errorf("%w (form %d, and this one reads form %d)", ErrEarlier, v, form)
	case v > form:
		return fmt.Errorf("%w (form %d, and this one reads form %d)", ErrLater, v, form)
	}
	f.begun = true
	return nil
}

// cutOff turns an early end into damage. Other errors are those of reading.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early", ErrDamaged)
	}
	return err
}

// Next returns the name of the section that is due, without reading it.
func (f *Reader) Next() (string, error) {
	if !f.begun {
		if err := f.begin(); err != nil {
			return "", err
		}
	}
	if f.next == "" {
		if _, err := io.ReadFull(f.r, f.head[:]); err != nil {
			return "", cutOff(err)
		}
		f.next = string(bytes.TrimRight(f.head[:8], "\x00"))
		if f.next == "" {
			return "", fmt.Errorf("%w: a section without a name", ErrDamaged)
		}
	}
	return f.next, nil
}

// Section reads the section that is due, which has to have this name and this version.
func (f *Reader) Section(name string, version uint32) ([]byte, error) {
	next, err := f.Next()
	switch {
	case err != nil:
		return nil, err
	case next != name:
		return nil, fmt.Errorf("%w: where section %q should be, there is %q", ErrDamaged, name, next)
	}
	saved, n := binary.LittleEndian.Uint32(f.head[8:]), binary.LittleEndian.Uint32(f.head[12:])
	if n > maxSection {
		return nil, fmt.Errorf("%w: section %s of %d bytes", ErrDamaged, name, n)
	}
	content, err := readAtMost(f.r, int(n))
	if err != nil {
		return nil, err
	}
	var sum [4]byte
	if _, err := io.ReadFull(f.r, sum[:]); err != nil {
		return nil, cutOff(err)
	}
	if crc32.Update(crc32.Checksum(f.head[:], castagnoli), castagnoli, content) != binary.LittleEndian.Uint32(sum[:]) {
		return nil, fmt.Errorf("%w: the checksum of section %s is another", ErrDamaged, name)
	}
	switch {
	case saved < version:
		return nil, fmt.Errorf("%w (section %s has version %d, and this one reads version %d)", ErrEarlier, name, saved, version)
	case saved > version:
		return nil, fmt.Errorf("%w (section %s has version %d, and this one reads version %d)", ErrLater, name, saved, version)
	}
	f.next = ""
	return content, nil
}

// End checks that the file ends here.
func (f *Reader) End() error {
	if _, err := f.Section(last, 0); err != nil {
		return err
	}
	var b [1]byte
	switch n, err := f.r.Read(b[:]); {
	case n > 0:
		return fmt.Errorf("%w: it goes on after its end", ErrDamaged)
	case err != nil && err != io.EOF:
		return err
	}
	return nil
}

// readAtMost reads n bytes. It does not believe that they come: memory is taken as they do.
func readAtMost(r io.Reader, n int) ([]byte, error) {
	const piece = 4 << 20
	if n <= piece {
		b := make([]byte, n)
		_, err := io.ReadFull(r, b)
		return b, cutOff(err)
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, int64(n)); err != nil {
		return nil, cutOff(err)
	}
	return b.Bytes(), nil
}

// Write makes a section of a part's state.
func (f *Writer) Write(name string, version uint32, carry func(*Stream)) {
	s := Out()
	carry(s)
	f.Section(name, version, s.Bytes())
}

// Read fills a part from a section.
func (f *Reader) Read(name string, version uint32, carry func(*Stream)) error {
	b, err := f.Section(name, version)
	if err != nil {
		return err
	}
	s := In(b)
	carry(s)
	if err := s.End(); err != nil {
		return fmt.Errorf("%w: section %s: %w", ErrDamaged, name, err)
	}
	return nil
}
