package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/tacit-vm/tacit/uefi"
)

const vhdxSignature = "vhdxfile"

// GUIDs of regions and of items of metadata ([MS-VHDX] 2.2.3.2 and 2.6.2).
var (
	vhdxBAT      = uefi.MustParseGUID("2dc27766-f623-4200-9d64-115e9bfd4a08")
	vhdxMetadata = uefi.MustParseGUID("8b7ca206-4790-4b9a-b8fe-575f050f886e")

	vhdxParameters = uefi.MustParseGUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b")
	vhdxDiskSize   = uefi.MustParseGUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8")
	vhdxSectorSize = uefi.MustParseGUID("8141bf1d-a96f-4709-ba47-f233a8faab5f")
)

// openVHDX reads a VHDX ([MS-VHDX], "Virtual Hard Disk v2 (VHDX) File Format"): two headers, of which the later one counts, a
// table of regions, and in these metadata and a table of blocks. Its log is not replayed: a file that has one is in use.
func openVHDX(file *io.SectionReader) (*sparseDisk, error) {
	d := newSparseDisk(file, 0)
	err := d.vhdx()
	if err != nil {
		return nil, fmt.Errorf("damaged VHDX disk image: %w", err)
	}
	return d, nil
}

func (d *sparseDisk) vhdx() error {
	const piece64K, headerSize = 64 << 10, 4096
	le := binary.LittleEndian
	var header []byte
	for at := int64(piece64K); at <= 2*piece64K; at += piece64K {
		b, err := d.table(at, 1, headerSize)
		if err != nil {
			return err
		}
		if string(b[:4]) == "head" && checksummed(b) && (header == nil || le.Uint64(b[8:]) > le.Uint64(header[8:])) {
			header = b
		}
	}
	switch {
	case header == nil:
		return errors.New("no header that is sound")
	case !bytes.Equal(header[48:64], make([]byte, 16)):
		return errors.New("it is in use, or was not closed: what was written last is in its log, which is not read")
	}
	regions, err := d.table(3*piece64K, 1, piece64K)
	if err != nil {
		return err
	}
	const mostRegions = 2047
	n := le.Uint32(regions[8:])
	if string(regions[:4]) != "regi" || n > mostRegions {
		return errors.New("no table of regions")
	}
	const maxMetadata = 16 << 20 // bytes; usual is 1 MiB
	var bat struct{ at, size int64 }
	var metadata []byte
	seen := map[uefi.GUID]bool{}
	for i := range n {
		e := regions[16+32*i:]
		id, offset, length := uefi.GUID(e[:16]), int64(le.Uint64(e[16:])), int64(le.Uint32(e[24:]))
		if seen[id] {
			return fmt.Errorf("two regions %v", id)
		}
		seen[id] = true
		switch id {
		case vhdxBAT:
			bat.at, bat.size = offset, length
		case vhdxMetadata:
			if length > maxMetadata {
				return fmt.Errorf("metadata of %d bytes", length)
			}
			metadata, err = d.table(offset, length, 1)
		default:
			if le.Uint32(e[28:])&1 != 0 {
				err = fmt.Errorf("a region %v that is required and not known", id)
			}
		}
		if err != nil {
			return err
		}
	}
	return d.vhdxBlocks(bat.at, bat.size, metadata)
}

// checksummed says whether a structure's CRC-32C is right, which counts itself as zeros.
func checksummed(b []byte) bool {
	b = bytes.Clone(b)
	want := binary.LittleEndian.Uint32(b[4:])
	clear(b[4:8])
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) == want
}

// vhdxBlocks finds the blocks, by a table at a place in the file that has so many bytes.
func (d *sparseDisk) vhdxBlocks(table, size int64, metadata []byte) error {
	item := func(id uefi.GUID, size uint32) []byte {
		const entries, entry = 32, 32
		le := binary.LittleEndian
		for at := entries; at+entry <= len(metadata) && at < entries+entry*int(le.Uint16(metadata[10:])); at += entry {
			e := metadata[at:]
			if offset := le.Uint32(e[16:]); uefi.GUID(e[:16]) == id && le.Uint32(e[20:]) >= size && uint64(offset)+uint64(size) <= uint64(len(metadata)) {
				return metadata[offset:][:size]
			}
		}
		return nil
	}
	le := binary.LittleEndian
	parameters, diskSize, sectorSize := item(vhdxParameters, 8), item(vhdxDiskSize, 8), item(vhdxSectorSize, 4)
	if parameters == nil || diskSize == nil || sectorSize == nil {
		return errors.New("no metadata")
	}
	const hasParent = 2
	block, sector := int64(le.Uint32(parameters)), int64(le.Uint32(sectorSize))
	d.size = int64(le.Uint64(diskSize))
	switch {
	case le.Uint32(parameters[4:])&hasParent != 0:
		return errors.New("it is only the changes to another one: convert it with qemu-img convert -O raw")
	case block < 1<<20 || block > 256<<20 || block&(block-1) != 0:
		return fmt.Errorf("blocks of %d bytes", block)
	case sector != 512 && sector != 4096:
		return fmt.Errorf("sectors of %d bytes", sector)
	case d.size < 0 || d.size > 64<<40:
		return fmt.Errorf("a disk of %d bytes", d.size)
	}
	perBitmap := sector << 23 / block // blocks after which the table has an entry for a bitmap of sectors
	blocks, number := (d.size+block-1)/block, make([]byte, 8)
	if blocks == 0 {
		return nil
	}
	all := blocks + (blocks-1)/perBitmap
	if all > size/8 {
		return fmt.Errorf("a table of %d bytes for %d blocks", size, blocks)
	}
	bat, err := d.entries(table, all, 8)
	if err != nil {
		return err
	}
	for at := range all {
		if _, err := io.ReadFull(bat, number); err != nil {
			return err
		}
		if at%(perBitmap+1) == perBitmap {
			continue
		}
		i := at - at/(perBitmap+1)
		e := le.Uint64(number)
		const stateMask, present, partly, offsetMask = 7, 6, 7, ^uint64(1<<20 - 1)
		switch e & stateMask {
		case partly:
			return errors.New("a block that is partly another one's")
		case present:
			if e&offsetMask > uint64(d.file.Size()) {
				return fmt.Errorf("a block at byte %d of %d", e&offsetMask, d.file.Size())
			}
			if err := d.add(piece{at: i * block, size: block, from: int64(e & offsetMask)}); err != nil {
				return err
			}
		}
	}
	return nil
}
