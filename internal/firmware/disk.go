package firmware

import (
	"encoding/binary"
	"fmt"
	"io"

	disks "github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/uefi"
)

// A Disk is what firmware reads loaders from. Its size does not change. It is the host's: what a guest writes goes where the
// host wants to have it.
type Disk interface {
	io.ReaderAt
	io.WriterAt
	Size() int64 // bytes
}

// A medium is what has a handle with EFI_BLOCK_IO_PROTOCOL: a disk or a partition.
type medium struct {
	disk        int   // index in Config.Disks
	partition   int   // its number; 0 for the whole disk
	start, size int64 // bytes
	esp         bool  // an EFI system partition
	fat         bool  // it has a file system, which is FAT

	path                        []byte // its device path
	handle                      uint64
	blockIO, diskIO, fileSystem uint64 // its interfaces; the last is 0 where there is no file system
}

const (
	blockSize = 512
	mediaID   = 1   // nobody takes a disk out
	maxMedia  = 256 // handles; more partitions are not offered
	maxDisks  = 16
)

// Device path nodes (UEFI 2.10, sections 10.3.2 to 10.3.5).
const (
	pathPCI       = 0x01 // of pathHardware
	pathACPI      = 0x02
	pathACPINode  = 0x01 // of pathACPI
	pathHardDrive = 0x01 // of pathMedia

	pciRoot   = 0x0A03_41D0 // PNP0A03, as an EISA ID
	firstSlot = 2           // on the bus, of the first disk

	formatMBR, formatGPT       = 1, 2
	signatureMBR, signatureGPT = 1, 2
)

// rootNode is the node of the first bus.
func rootNode() []byte {
	le := binary.LittleEndian
	return pathNode(pathACPI, pathACPINode, le.AppendUint32(le.AppendUint32(nil, pciRoot), 0))
}

// diskPath is the device path of a disk, without the node that ends it: a PCI device on the first bus.
func diskPath(disk int) []byte {
	return append(rootNode(), pathNode(pathHardware, pathPCI, []byte{0, byte(firstSlot + disk)})...)
}

// partitionNode is the node of a partition.
func partitionNode(p disks.Partition) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, uint32(p.Number))
	b = le.AppendUint64(b, uint64(p.Start/blockSize))
	b = le.AppendUint64(b, uint64(p.Size/blockSize))
	if p.ID.GPT() {
		b = append(append(b, p.ID.GUID[:]...), formatGPT, signatureGPT)
	} else {
		b = append(append(le.AppendUint32(b, p.ID.Disk), make([]byte, 12)...), formatMBR, signatureMBR)
	}
	return pathNode(pathMedia, pathHardDrive, b)
}

// publishDisks makes handles for the disks and their partitions. A partition table that cannot be read is as good as none.
func (f *Firmware) publishDisks() error {
	for i, d := range f.cfg.Disks {
		size := d.Size() &^ (blockSize - 1)
		whole := diskPath(i)
		if err := f.publishMedium(medium{disk: i, size: size}, whole); err != nil {
			return err
		}
		parts, _ := disks.Partitions(d, size)
		for _, p := range parts {
			if len(f.media) >= maxMedia {
				return nil
			}
			m := medium{disk: i, partition: p.Number, start: p.Start, size: p.Size &^ (blockSize - 1), esp: p.EFISystem()}
			if err := f.publishMedium(m, append(whole[:len(whole):len(whole)], partitionNode(p)...)); err != nil {
				return err
			}
		}
	}
	return nil
}

// publishMedium makes a handle with a device path, blocks and, where there is one, a file system.
func (f *Firmware) publishMedium(m medium, path []byte) (err error) {
	m.fat = disks.IsFAT(f.reader(&m))
	m.path = endPath(path)
	pathAt, err := f.putPool(uefi.BootServicesData, m.path)
	if err != nil {
		return err
	}
	if m.handle, err = f.handles.install(0, uefi.DevicePathProtocolGUID, pathAt); err != nil {
		return err
	}
	media := make([]byte, uefi.BlockMediaSize)
	put32(media[uefi.BlockMediaID:], mediaID)
	media[uefi.BlockMediaPresent] = 1
	if m.partition != 0 {
		media[uefi.BlockMediaLogicalPartition] = 1
	}
	put32(media[uefi.BlockMediaBlockSize:], blockSize)
	put64(media[uefi.BlockMediaLastBlock:], uint64(max(m.size/blockSize, 1)-1))
	mediaAt, err := f.putPool(uefi.BootServicesData, media)
	if err != nil {
		return err
	}
	for _, p := range []struct {
		at        *uint64
		guid      uefi.GUID
		size      int
		functions []function
		revision  uint64
	}{
		{&m.blockIO, uefi.BlockIOProtocolGUID, uefi.BlockIOSize, blockIO, uefi.BlockIORevision2},
		{&m.diskIO, uefi.DiskIOProtocolGUID, uefi.DiskIOSize, diskIO, uefi.DiskIORevision1},
		{&m.fileSystem, uefi.SimpleFileSystemProtocolGUID, uefi.FileSystemSize, fileSystem, uefi.FileSystemRevision1},
	} {
		if p.guid == uefi.SimpleFileSystemProtocolGUID && !m.fat {
			continue
		}
		i, err := f.publish(m.handle, p.guid, p.size, p.functions)
		if err != nil {
			return err
		}
		*p.at = i.address
		if err := f.put64(i.address, p.revision); err != nil {
			return err
		}
	}
	if err := f.put64(m.blockIO+uefi.BlockIOMedia, mediaAt); err != nil {
		return err
	}
	f.media = append(f.media, m)
	return nil
}

// reader returns the bytes of a medium.
func (f *Firmware) reader(m *medium) *io.SectionReader {
	return io.NewSectionReader(f.cfg.Disks[m.disk], m.start, m.size)
}

// name says which medium it is, for people.
func (m *medium) name() string {
	if m.partition == 0 {
		return fmt.Sprintf("disk %d", m.disk)
	}
	return fmt.Sprintf("disk %d, partition %d", m.disk, m.partition)
}

// blocks is what all functions of the two protocols begin with.
func (f *Firmware) blocks(this uint64, of func(*medium) uint64, id uint64) (*medium, error) {
	for i := range f.media {
		if m := &f.media[i]; of(m) == this {
			if uint32(id) != mediaID {
				return nil, failure(uefi.MediaChanged)
			}
			return m, nil
		}
	}
	return nil, invalidParameter
}

func blockIOOf(m *medium) uint64 { return m.blockIO }
func diskIOOf(m *medium) uint64  { return m.diskIO }

// range of blocks: offset and size in bytes, where they are some.
func (m *medium) blockRange(lba, size uint64) (offset int64, err error) {
	switch {
	case size%blockSize != 0:
		return 0, badBufferSize
	case lba > uint64(m.size/blockSize) || size > uint64(m.size)-lba*blockSize:
		return 0, invalidParameter
	}
	return int64(lba * blockSize), nil
}

// readBlocks(*This, MediaId, LBA, BufferSize, *Buffer)
func (f *Firmware) readBlocks(a args) error {
	m, err := f.blocks(a[0], blockIOOf, a[1])
	if err != nil {
		return err
	}
	offset, err := m.blockRange(a[2], a[3])
	if err != nil {
		return err
	}
	return f.fromDisk(f.reader(m), offset, a[3], a[4])
}

// writeBlocks(*This, MediaId, LBA, BufferSize, *Buffer)
func (f *Firmware) writeBlocks(a args) error {
	m, err := f.blocks(a[0], blockIOOf, a[1])
	if err != nil {
		return err
	}
	offset, err := m.blockRange(a[2], a[3])
	if err != nil {
		return err
	}
	return f.toDisk(m, offset, a[3], a[4])
}

// flushBlocks(*This) and Reset(*This, ExtendedVerification): nothing waits to be written.
func (f *Firmware) flushBlocks(a args) error {
	_, err := f.blocks(a[0], blockIOOf, mediaID)
	return err
}

// readDisk(*This, MediaId, Offset, BufferSize, *Buffer)
func (f *Firmware) readDisk(a args) error {
	m, err := f.blocks(a[0], diskIOOf, a[1])
	if err != nil {
		return err
	}
	if a[2] > uint64(m.size) || a[3] > uint64(m.size)-a[2] {
		return invalidParameter
	}
	return f.fromDisk(f.reader(m), int64(a[2]), a[3], a[4])
}

// writeDisk(*This, MediaId, Offset, BufferSize, *Buffer)
func (f *Firmware) writeDisk(a args) error {
	m, err := f.blocks(a[0], diskIOOf, a[1])
	if err != nil {
		return err
	}
	if a[2] > uint64(m.size) || a[3] > uint64(m.size)-a[2] {
		return invalidParameter
	}
	return f.toDisk(m, int64(a[2]), a[3], a[4])
}

// fromDisk copies to the guest, in pieces. Where the host cannot read, the device has failed.
func (f *Firmware) fromDisk(r io.ReaderAt, offset int64, size, to uint64) error {
	u := &f.unfinished
	b := make([]byte, min(size-min(u.done, size), step))
	if n, err := r.ReadAt(b, offset+int64(u.done)); n < len(b) {
		return f.diskFailed(err)
	}
	if len(b) > 0 {
		if err := f.write(to+u.done, b); err != nil {
			return err
		}
	}
	if u.done += uint64(len(b)); u.done < size {
		return errMore
	}
	return nil
}

// toDisk copies from the guest, in pieces.
func (f *Firmware) toDisk(m *medium, offset int64, size, from uint64) error {
	u := &f.unfinished
	b := make([]byte, min(size-min(u.done, size), step))
	if len(b) > 0 {
		if err := f.read(from+u.done, b); err != nil {
			return err
		}
	}
	if _, err := f.cfg.Disks[m.disk].WriteAt(b, m.start+offset+int64(u.done)); err != nil {
		return f.diskFailed(err)
	}
	f.opened = openedFile{} // it may be this file that has changed
	if u.done += uint64(len(b)); u.done < size {
		return errMore
	}
	return nil
}

// diskFailed is what the guest is told where the host's disk fails.
func (f *Firmware) diskFailed(error) error { return deviceError }
