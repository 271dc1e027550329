package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/anchore/go-lzo"
)

// A kernel compressed with LZO is a file of the lzop program: a header, then blocks of LZO1X (Linux
// lib/decompress_unlzo.c). Numbers are big endian.
const (
	lzopMagic     = "\x89LZO\x00\r\n\x1a\n"
	lzopMaxBlock  = 64 << 20 // bytes; lzop itself uses 256 KiB
	lzopExtended  = 0x0940   // from this version on the header has three more fields
	lzopFilter    = 0x800    // flags: the header has a filter field
	lzopAdler32D  = 0x001    // flags: which checksums follow a block's sizes; D of unpacked, C of packed data
	lzopAdler32C  = 0x002
	lzopCRC32D    = 0x100
	lzopCRC32C    = 0x200
	lzopMultipart = 0x400
)

type lzopReader struct {
	r       io.Reader
	flags   uint32
	pending []byte // unpacked and not yet read
	err     error
}

func openLzop(r io.Reader) (io.Reader, error) {
	skip := func(n int64) error { _, err := io.CopyN(io.Discard, r, n); return err }
	var head struct{ Version, Library uint16 }
	if err := skip(int64(len(lzopMagic))); err != nil {
		return nil, err
	}
	if err := binary.Read(r, binary.BigEndian, &head); err != nil {
		return nil, err
	}
	methodAndLevel, times := int64(1), int64(8) // method; mode and modification time
	if head.Version >= lzopExtended {
		methodAndLevel, times = 2+2, 12 // and the version needed, the level, the upper half of the time
	}
	if err := skip(methodAndLevel); err != nil {
		return nil, err
	}
	var flags uint32
	if err := binary.Read(r, binary.BigEndian, &flags); err != nil {
		return nil, err
	}
	if flags&(lzopFilter|lzopMultipart) != 0 {
		return nil, fmt.Errorf("flags %#x: filters and multi-part files are not supported", flags)
	}
	if err := skip(times); err != nil {
		return nil, err
	}
	var nameLength uint8
	if err := binary.Read(r, binary.BigEndian, &nameLength); err != nil {
		return nil, err
	}
	if err := skip(int64(nameLength) + 4); err != nil { // the name, and the header's checksum
		return nil, err
	}
	return &lzopReader{r: r, flags: flags}, nil
}

func (l *lzopReader) Read(p []byte) (int, error) {
	for len(l.pending) == 0 && l.err == nil {
		l.pending, l.err = l.block()
		if errors.Is(l.err, io.EOF) && l.err != io.EOF {
			l.err = io.ErrUnexpectedEOF
		}
	}
	n := copy(p, l.pending)
	l.pending = l.pending[n:]
	if n == 0 && len(p) > 0 {
		return 0, l.err
	}
	return n, nil
}

// block returns the next block unpacked, or io.EOF after the last one. The checksums are skipped: what is unpacked is
// checked for being a kernel, and it is used for names only.
func (l *lzopReader) block() ([]byte, error) {
	var unpacked, packed uint32
	if err := binary.Read(l.r, binary.BigEndian, &unpacked); err != nil {
		return nil, fmt.Errorf("no end mark: %w", io.ErrUnexpectedEOF)
	}
	if unpacked == 0 {
		return nil, io.EOF
	}
	if err := binary.Read(l.r, binary.BigEndian, &packed); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	if unpacked > lzopMaxBlock || packed > unpacked {
		return nil, fmt.Errorf("a block of %d bytes packed into %d", unpacked, packed)
	}
	checksums := int64(0)
	for _, flag := range []uint32{lzopAdler32D, lzopCRC32D} {
		if l.flags&flag != 0 {
			checksums += 4
		}
	}
	if packed < unpacked {
		for _, flag := range []uint32{lzopAdler32C, lzopCRC32C} {
			if l.flags&flag != 0 {
				checksums += 4
			}
		}
	}
	if _, err := io.CopyN(io.Discard, l.r, checksums); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	data := make([]byte, packed)
	if _, err := io.ReadFull(l.r, data); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	if packed == unpacked {
		return data, nil
	}
	out := make([]byte, unpacked)
	n, err := lzo.Decompress(data, out)
	if err == nil && n != len(out) {
		err = fmt.Errorf("a block of %d bytes has %d", unpacked, n)
	}
	return out[:n], err
}
