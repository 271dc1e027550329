package virtio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A Disk is what a block device shows. Its size does not change. An error of WriteAt, such as that of an overlay that is
// full, is an I/O error to the guest.
type Disk interface {
	io.ReaderAt
	io.WriterAt
	Size() int64 // bytes; what is beyond the last whole sector is not shown
}

// Requests and answers of a block device (5.2.6), its features (5.2.3) and its configuration (5.2.4).
const (
	idBlk = 2

	blkIn    = 0
	blkOut   = 1
	blkFlush = 4
	blkGetID = 8

	blkOK          = 0
	blkIOError     = 1
	blkUnsupported = 2

	featureSegMax   = 1 << 2
	featureReadOnly = 1 << 5
	featureBlkSize  = 1 << 6
	featureFlush    = 1 << 9

	blkConfigSize = 24
	sectorSize    = 512
	serialSize    = 20
	piece         = 256 << 10
)

type blk struct {
	disk     Disk
	readOnly bool
	serial   string
}

// NewDisk makes a block device. The serial number, of at most 20 bytes, is by what a guest tells disks apart.
func NewDisk(w Wiring, disk Disk, serial string, readOnly bool) *Device {
	const massStorageSCSI = 0x010000
	return newDevice(w, &blk{disk, readOnly, serial}, massStorageSCSI)
}

func (*blk) id() uint16     { return idBlk }
func (*blk) queues() int    { return 1 }
func (*blk) takes(int) bool { return true }

func (b *blk) features() uint64 {
	f := uint64(featureSegMax | featureBlkSize | featureFlush)
	if b.readOnly {
		f |= featureReadOnly
	}
	return f
}

func (b *blk) sectors() uint64 { return uint64(b.disk.Size()) / sectorSize }

func (b *blk) config() []byte {
	le, c := binary.LittleEndian, make([]byte, blkConfigSize)
	le.PutUint64(c[0:], b.sectors())
	le.PutUint32(c[12:], queueMax-2) // seg_max: the header and the status have descriptors, too
	le.PutUint32(c[20:], sectorSize)
	return c
}

// serve does a request: a header to be read, data, and a byte to be written that says how it went.
func (b *blk) serve(d *Device, _ int, c *chain) {
	var header [16]byte
	if c.in == 0 {
		d.refused(errors.New("a request without room for its status"))
		return
	}
	status := byte(blkIOError)
	if err := c.read(header[:]); err != nil {
		d.failed(fmt.Errorf("a request's header: %w", err))
	} else {
		le := binary.LittleEndian
		status = b.request(d, c, le.Uint32(header[0:]), le.Uint64(header[8:]))
	}
	if c.refused != nil {
		d.refused(c.refused)
	}
	c.skip(1)
	if err := c.write([]byte{status}); err != nil {
		d.refused(fmt.Errorf("a request's status: %w", err))
	}
}

func (b *blk) request(d *Device, c *chain, what uint32, sector uint64) byte {
	var err error
	switch what {
	case blkIn:
		err = b.move(sector, c.in-1, func(p []byte, at int64) error {
			if _, err := b.disk.ReadAt(p, at); err != nil {
				return err
			}
			d.traffic.Read += uint64(len(p))
			return c.write(p)
		})
	case blkOut:
		if b.readOnly {
			err = errors.New("a write to a disk that is read only")
			break
		}
		err = b.move(sector, c.out, func(p []byte, at int64) error {
			if err := c.read(p); err != nil {
				return err
			}
			if _, err := b.disk.WriteAt(p, at); err != nil {
				return err
			}
			d.traffic.Written += uint64(len(p))
			return nil
		})
	case blkFlush:
		d.traffic.Flushes++ // all that was written is there
	case blkGetID:
		id := make([]byte, serialSize)
		copy(id, b.serial)
		err = c.write(id[:min(uint64(serialSize), c.in-1)])
	default:
		return blkUnsupported
	}
	if err != nil {
		d.failed(err)
		return blkIOError
	}
	return blkOK
}

// move has f move n bytes from sector on, in pieces.
func (b *blk) move(sector, n uint64, f func(p []byte, at int64) error) error {
	if n%sectorSize != 0 || sector > b.sectors() || n/sectorSize > b.sectors()-sector {
		return fmt.Errorf("%d bytes from sector %d on, of a disk of %d sectors", n, sector, b.sectors())
	}
	buffer := make([]byte, min(n, piece))
	for at := int64(sector * sectorSize); n > 0; {
		p := buffer[:min(n, piece)]
		if err := f(p, at); err != nil {
			return fmt.Errorf("sector %d: %w", at/sectorSize, err)
		}
		at, n = at+int64(len(p)), n-uint64(len(p))
	}
	return nil
}
