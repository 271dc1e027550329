package image

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

const vmdkMagic = "KDMV"

// openVMDK reads a VMDK that is one sparse file ("Virtual Disk Format 5.0", VMware): monolithicSparse, and streamOptimized,
// whose grains are compressed. A directory leads to tables, and these to grains.
func openVMDK(file *io.SectionReader) (*sparseDisk, error) {
	d := newSparseDisk(file, 0)
	if err := d.vmdk(); err != nil {
		return nil, fmt.Errorf("VMDK disk image: %w", err)
	}
	return d, nil
}

const vmdkSector = 512 // bytes, in which all is counted

func (d *sparseDisk) vmdk() error {
	const (
		headerSize = 512
		atTheEnd   = ^uint64(0) // a directory that is known when all grains have been written: in a second header
		maxGrain   = 64 << 10   // sectors
		maxGrains  = 1 << 26    // 4 TiB of the usual 64 KiB
		perTable   = 512        // grains
		deflate    = 1

		zeroedGrains = 1 << 2  // flags
		compressed   = 1 << 16 // …
	)
	h, err := d.table(0, 1, headerSize)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	if err := d.vmdkDescriptor(le.Uint64(h[28:]), le.Uint64(h[36:])); err != nil {
		return err
	}
	if le.Uint64(h[56:]) == atTheEnd {
		const footer = 1024 // from the end; the marker of the end is after it
		if h, err = d.table(d.file.Size()-footer, 1, headerSize); err != nil {
			return err
		}
	}
	flags, capacity, grain := le.Uint32(h[8:]), le.Uint64(h[12:]), int64(le.Uint64(h[20:]))
	directory := le.Uint64(h[56:])
	switch {
	case string(h[:4]) != vmdkMagic:
		return errors.New("damaged header")
	case capacity > 1<<41:
		return fmt.Errorf("a disk of %d sectors", capacity)
	case grain < 1 || grain > maxGrain || le.Uint32(h[44:]) != perTable || directory > 1<<41:
		return fmt.Errorf("damaged header: grains of %d sectors, %d to a table", grain, le.Uint32(h[44:]))
	case int64(capacity)/grain >= maxGrains:
		return fmt.Errorf("a disk of %d grains: convert it with qemu-img convert -O raw", int64(capacity)/grain)
	case flags&compressed != 0 && le.Uint16(h[77:]) != deflate:
		return fmt.Errorf("compression %d is not known", le.Uint16(h[77:]))
	}
	d.size = int64(capacity) * vmdkSector
	grains := (int64(capacity) + grain - 1) / grain
	tables, err := d.table(int64(directory)*vmdkSector, (grains+perTable-1)/perTable, 4)
	if err != nil {
		return err
	}
	for t := range int64(len(tables) / 4) {
		at := int64(le.Uint32(tables[4*t:]))
		if at == 0 {
			continue
		}
		first := t * perTable
		entries, err := d.table(at*vmdkSector, min(perTable, grains-first), 4)
		if err != nil {
			return err
		}
		for i := range int64(len(entries) / 4) {
			e := le.Uint32(entries[4*i:])
			if e == 0 || e == 1 && flags&zeroedGrains != 0 {
				continue
			}
			p := piece{at: (first + i) * grain * vmdkSector, size: grain * vmdkSector, from: int64(e) * vmdkSector}
			if flags&compressed != 0 {
				p.source = d.vmdkPacked(p.from, p.size)
				p.from = 0
			}
			if err := d.add(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// vmdkDescriptor refuses what is in several files, or only the changes to another disk.
func (d *sparseDisk) vmdkDescriptor(at, sectors uint64) error {
	const most = 64 // sectors
	if at == 0 || at > 1<<41 || sectors > most {
		return errors.New("one file of several: convert it with qemu-img convert -O raw")
	}
	b, err := d.table(int64(at)*vmdkSector, int64(sectors), vmdkSector)
	if err != nil {
		return err
	}
	text, _, _ := bytes.Cut(b, []byte{0})
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch {
		case strings.TrimSpace(key) == "createType" && value != "monolithicSparse" && value != "streamOptimized",
			strings.TrimSpace(key) == "parentCID" && !strings.EqualFold(value, "ffffffff"):
			return fmt.Errorf("%s %s: convert it with qemu-img convert -O raw", strings.TrimSpace(key), value)
		}
	}
	return nil
}

// vmdkPacked is the source of a grain that is stored compressed, after its place on the disk and its length.
func (d *sparseDisk) vmdkPacked(from, size int64) func([]byte, int64) error {
	return func(p []byte, at int64) error {
		const header = 12
		h, err := d.table(from, 1, header)
		if err != nil {
			return err
		}
		packed := int64(binary.LittleEndian.Uint32(h[8:]))
		if packed > 2*size { // what does not get smaller gets larger by some bytes
			return fmt.Errorf("a grain of %d bytes, compressed to %d", size, packed)
		}
		b, err := d.table(from+header, packed, 1)
		if err != nil {
			return err
		}
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return fmt.Errorf("a compressed grain: %w", err)
		}
		whole := make([]byte, size)
		if _, err := io.ReadFull(z, whole); err != nil && err != io.ErrUnexpectedEOF {
			return fmt.Errorf("a compressed grain: %w", err)
		}
		copy(p, whole[at:])
		return nil
	}
}
