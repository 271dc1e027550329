package image

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/anchore/go-lzo"
	"github.com/klauspost/compress/zstd"
)

// Of a file's extents (btrfs_tree.h, struct btrfs_file_extent_item).
const (
	btrfsExtentHeader = 21 // bytes before what is inline
	btrfsExtentSize   = 53

	btrfsInline  = 0
	btrfsRegular = 1 // 2 is allocated and not yet written: zeros

	btrfsZlib = 1
	btrfsLZO  = 2
	btrfsZstd = 3

	btrfsMaxPacked = 128 << 10 // bytes of a compressed extent, before and after (Linux fs/btrfs/compression.h)
)

// data is the bytes of a file.
func (i *btrfsInode) data() (io.ReaderAt, error) {
	f := i.fs
	p := &pieces{read: func(b []byte, at int64) error { return f.read(b, uint64(at)) }, size: i.size}
	err := f.walk(i.tree, btrfsKey{i.number, btrfsExtent, 0}, btrfsKey{i.number, btrfsExtent, ^uint64(0)}, func(k btrfsKey, b []byte) error {
		e, ok, err := f.extent(b)
		switch {
		case err != nil || !ok:
			return err
		case k.offset > 1<<62:
			return fmt.Errorf("a piece at byte %d of a file", k.offset)
		case len(p.all) == btrfsMaxPieces:
			return fmt.Errorf("a file in more than %d pieces", btrfsMaxPieces)
		}
		e.at = int64(k.offset)
		p.all = append(p.all, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// extent reads an extent; ok is false for a hole.
func (f *btrfsFS) extent(b []byte) (p piece, ok bool, err error) {
	if len(b) < btrfsExtentHeader {
		return p, false, errors.New("damaged extent")
	}
	le := binary.LittleEndian
	unpacked, packing, kind := le.Uint64(b[8:]), b[16], b[20]
	switch {
	case b[17] != 0 || le.Uint16(b[18:]) != 0:
		return p, false, errors.New("encrypted")
	case packing > btrfsZstd:
		return p, false, fmt.Errorf("compression %d is not known", packing)
	case packing != 0 && unpacked > btrfsMaxPacked:
		return p, false, fmt.Errorf("a compressed extent of %d bytes", unpacked)
	case kind == btrfsInline:
		data := bytes.Clone(b[btrfsExtentHeader:])
		p.size = int64(len(data))
		p.source = bytesOf(data)
		if packing != 0 {
			p.size = int64(unpacked)
			p.source = f.unpacked(packing, p.size, func() ([]byte, error) { return data, nil })
		}
		return p, true, nil
	case kind != btrfsRegular:
		return p, false, nil
	case len(b) < btrfsExtentSize:
		return p, false, errors.New("damaged extent")
	}
	at, stored, offset, size := le.Uint64(b[21:]), le.Uint64(b[29:]), le.Uint64(b[37:]), le.Uint64(b[45:])
	switch {
	case at == 0:
		return p, false, nil
	case at > 1<<62 || offset > unpacked || size > unpacked-offset || unpacked > 1<<62 || packing == 0 && offset+size > stored:
		return p, false, errors.New("damaged extent")
	case packing != 0 && stored > btrfsMaxPacked:
		return p, false, fmt.Errorf("a compressed extent of %d bytes", stored)
	case packing == 0:
		return piece{size: int64(size), from: int64(at + offset)}, true, nil
	}
	p.size, p.from = int64(size), int64(offset)
	p.source = f.unpacked(packing, int64(unpacked), func() ([]byte, error) {
		b := make([]byte, stored)
		return b, f.read(b, at)
	})
	return p, true, nil
}

// unpacked is the source of an extent of so many bytes that is stored compressed. What was unpacked last is kept, since
// files are read in order.
func (f *btrfsFS) unpacked(packing byte, size int64, stored func() ([]byte, error)) func([]byte, int64) error {
	mine := new(int)
	return func(p []byte, at int64) error {
		if f.recentOf != mine {
			b, err := stored()
			if err == nil {
				b, err = f.unpack(packing, b, size)
			}
			if err != nil {
				return fmt.Errorf("a compressed extent: %w", err)
			}
			f.recent, f.recentOf = b, mine
		}
		clear(p[copy(p, f.recent[min(at, int64(len(f.recent))):]):]) // less than there should be: the rest is zeros
		return nil
	}
}

// unpack returns at most size bytes.
func (f *btrfsFS) unpack(packing byte, b []byte, size int64) ([]byte, error) {
	var r io.Reader
	switch packing {
	case btrfsZlib:
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		r = z
	case btrfsZstd:
		z, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(btrfsMaxPacked))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	default:
		return f.unpackLZO(b, size)
	}
	out := make([]byte, size)
	n, err := io.ReadFull(r, out)
	// What is stored is filled up to a sector with zeros, which are no frame of zstd.
	if n > 0 && (err == io.ErrUnexpectedEOF || errors.Is(err, zstd.ErrMagicMismatch)) {
		err = nil
	}
	return out[:n], err
}

// unpackLZO unpacks segments, each of a sector: the length of all, then each with its length. No length crosses the end of
// a sector (Linux fs/btrfs/lzo.c).
func (f *btrfsFS) unpackLZO(b []byte, size int64) (out []byte, err error) {
	const length = 4
	if len(b) < length {
		return nil, errors.New("damaged LZO")
	}
	total := int(min(binary.LittleEndian.Uint32(b), uint32(len(b))))
	segment := make([]byte, f.sector)
	for at := length; at+length <= total && int64(len(out)) < size; {
		if left := int(f.sector) - at%int(f.sector); left < length {
			at += left
			continue
		}
		n := int(min(binary.LittleEndian.Uint32(b[at:]), btrfsMaxPacked))
		if at += length; n == 0 || at+n > total {
			return out, errors.New("damaged LZO")
		}
		unpacked, err := lzo.Decompress(b[at:at+n], segment)
		if err != nil {
			return out, err
		}
		out = append(out, segment[:unpacked]...)
		at += n
	}
	return out, nil
}
