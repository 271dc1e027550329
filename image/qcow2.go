package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	qcow2reader "github.com/lima-vm/go-qcow2reader/image/qcow2"
	"github.com/lima-vm/go-qcow2reader/log"
)

func isQcow2(head []byte) bool {
	return len(head) >= 8 && string(head[:4]) == qcow2reader.Magic && binary.BigEndian.Uint32(head[4:]) >= 2
}

func init() {
	log.SetWarnFunc(nil) // what it warns of is checked here
	qcow2reader.SetDecompressor(qcow2reader.CompressionTypeZstd, func(r io.Reader) (io.ReadCloser, error) {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	})
}

// openQcow2 returns the disk in a qcow2 file.
func openQcow2(file *io.SectionReader) (io.ReaderAt, int64, error) {
	if err := checkQcow2(file); err != nil {
		return nil, 0, err
	}
	disk, err := qcow2reader.Open(file, nil)
	if err == nil {
		err = disk.Readable()
	}
	if err != nil {
		return nil, 0, fmt.Errorf("damaged qcow2 disk image: %w", err)
	}
	return &cache{r: withinDisk{disk, disk.Size()}}, disk.Size(), nil
}

// Incompatible features of version 3 (qcow2.rst, "incompatible_features"): dirty and corrupt speak of counts that are not
// read here, compression and extended L2 entries are supported.
const (
	qcow2DataFile = 1 << 2
	qcow2Known    = 1<<0 | 1<<1 | 1<<3 | 1<<4
)

// checkQcow2 compares the header (QEMU, docs/interop/qcow2.rst) with the file before memory is taken for what it says,
// and refuses what would read other files.
func checkQcow2(file *io.SectionReader) error {
	const (
		smallestCluster, largestCluster = 9, 21 // bits; QEMU's own limits, block/qcow2.h
		maxL1                           = 32 << 20
		maxDisk                         = 1 << 60
	)
	b := make([]byte, 72)
	if _, err := file.ReadAt(b, 0); err != nil {
		return fmt.Errorf("truncated qcow2 disk image: %w", err)
	}
	be := binary.BigEndian
	var features uint64
	if version := be.Uint32(b[4:]); version >= 3 {
		var incompatible [8]byte
		if _, err := file.ReadAt(incompatible[:], 72); err != nil {
			return fmt.Errorf("truncated qcow2 disk image: %w", err)
		}
		features = be.Uint64(incompatible[:])
	}
	backing, clusterBits, size, encryption := be.Uint64(b[8:]), be.Uint32(b[20:]), be.Uint64(b[24:]), be.Uint32(b[32:])
	l1Entries, l1 := int64(be.Uint32(b[36:])), be.Uint64(b[40:])
	switch {
	case backing != 0:
		return errors.New("a qcow2 disk image that is only the changes to another one: flatten it with qemu-img convert")
	case features&qcow2DataFile != 0:
		return errors.New("a qcow2 disk image whose data are in another file: flatten it with qemu-img convert")
	case features&^qcow2Known != 0:
		return fmt.Errorf("a qcow2 disk image with features %#x, which are not supported: convert it with qemu-img convert -O raw",
			features&^qcow2Known)
	case encryption != 0:
		return errors.New("an encrypted qcow2 disk image: decrypt it with qemu-img convert")
	case clusterBits < smallestCluster || clusterBits > largestCluster:
		return fmt.Errorf("damaged qcow2 disk image: clusters of 2^%d bytes", clusterBits)
	case size > maxDisk:
		return fmt.Errorf("damaged qcow2 disk image: a disk of %d bytes", size)
	case l1Entries*8 > maxL1 || l1 > uint64(file.Size()) || l1Entries*8 > file.Size()-int64(l1):
		return fmt.Errorf("damaged qcow2 disk image: a table of %d entries at byte %d of %d", l1Entries, l1, file.Size())
	}
	return nil
}

// withinDisk keeps reads within the disk.
type withinDisk struct {
	io.ReaderAt
	size int64
}

func (d withinDisk) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= d.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > d.size-off
	if short {
		p = p[:d.size-off]
	}
	n, err := d.ReaderAt.ReadAt(p, off)
	switch {
	case n < len(p): // the end of the file, not of the disk
		return n, fmt.Errorf("damaged qcow2 disk image: %v", err)
	case short:
		return n, io.EOF
	}
	return n, nil
}

// cache keeps what was read last. File systems read a hundred bytes here and there, and each read of a compressed
// cluster unpacks it from its beginning.
type cache struct {
	r      io.ReaderAt
	blocks [cacheBlocks]cacheBlock
	next   int // to be replaced
}

const (
	cacheBlocks    = 64
	cacheBlockSize = 64 << 10 // QEMU's default size of a cluster
)

type cacheBlock struct {
	at   int64
	data []byte // nil for none
	err  error
}

func (c *cache) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		b := c.block((off + int64(n)) &^ (cacheBlockSize - 1))
		within := int(off + int64(n) - b.at)
		k := copy(p[n:], b.data[min(within, len(b.data)):])
		if n += k; n < len(p) && len(b.data) < cacheBlockSize {
			return n, b.err
		}
	}
	return n, nil
}

// block returns the block at an offset. One that is short has an error.
func (c *cache) block(at int64) cacheBlock {
	for _, b := range c.blocks {
		if b.data != nil && b.at == at {
			return b
		}
	}
	data := make([]byte, cacheBlockSize)
	n, err := c.r.ReadAt(data, at)
	if n < len(data) && err == nil {
		err = io.ErrUnexpectedEOF
	}
	c.blocks[c.next] = cacheBlock{at, data[:n], err}
	c.next = (c.next + 1) % cacheBlocks
	return c.blocks[(c.next+cacheBlocks-1)%cacheBlocks]
}
