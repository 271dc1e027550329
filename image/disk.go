package image

import (
	"errors"
	"fmt"
	"io"
)

// lookInDisk reads a disk image, whole or of one file system. The result is nil, without an error, for a file that is
// none.
func lookInDisk(file *io.SectionReader, wanted Wanted) (*Contents, error) {
	all, err := partitions(file, file.Size())
	if err != nil {
		return nil, err
	}
	c := &Contents{Format: "disk image"}
	if all == nil {
		v := lookInVolume(file, wanted)
		switch {
		case v.Unread != "":
			return nil, errors.New(v.Unread)
		case v.Format == "":
			return nil, nil
		}
		c.Volumes = []Volume{v}
		return c, nil
	}
	if len(all) == 0 {
		return nil, errors.New("a disk without partitions")
	}
	for _, p := range all {
		v := lookInVolume(io.NewSectionReader(file, p.start, p.size), wanted)
		v.Name, v.Type = fmt.Sprintf("partition %d", p.number), p.kind
		if v.Format == "" && v.Unread == "" && p.kind != biosBoot {
			v.Unread = "no file system known here"
		}
		c.Volumes = append(c.Volumes, v)
	}
	return c, nil
}

// lookInVolume finds the wanted files of a file system.
func lookInVolume(r *io.SectionReader, wanted Wanted) Volume {
	var v Volume
	boot := make([]byte, extSuperblock+extSuperblockSize)
	n, err := r.ReadAt(boot, 0)
	if err == io.EOF {
		err = nil
	}
	if boot = boot[:n]; err != nil {
		err = fmt.Errorf("not readable: %w", err)
	} else if isFAT(boot) {
		var f *fatFS
		v.Format = "FAT"
		if f, err = openFAT(r, r.Size()); err == nil {
			v.Format = fmt.Sprintf("FAT%d", f.kind)
			v.Files, v.Problems, err = search(f.rootItems, wanted)
		}
	} else if isExt(r) {
		var f *extFS
		v.Format = "ext4"
		if f, err = openExt(r, r.Size()); err == nil {
			v.Files, v.Problems, err = search(f.root, wanted)
			if f.dirty {
				v.Problems = append(v.Problems, "not unmounted: what was written last is in its journal, which is not read")
			}
		}
	} else {
		v.Format, v.Unread = foreign(r)
	}
	if err != nil {
		v.Unread = err.Error()
	}
	return v
}

// signatures are those of what is recognised, so that its name can be told, but not read.
var signatures = []struct {
	at            int64
	bytes         string
	what, instead string
}{
	{0, "XFSB", "XFS", mount},
	{0x10040, "_BHRfS_M", "btrfs", mount},
	{0, "hsqs", "squashfs", "unpack it with unsquashfs and inspect the directory"},
	{1024, "\x10\x20\xf5\xf2", "F2FS", mount},
	{1024, "\xe2\xe1\xf5\xe0", "EROFS", mount},
	{0x8001, "CD001", "ISO 9660", mount},
	{0, "LUKS\xba\xbe", "LUKS", "open it with cryptsetup, mount what is inside and inspect the directory"},
	{512, "LABELONE", "LVM", "activate its volumes and inspect these"},
	{536, "LVM2 001", "LVM", "activate its volumes and inspect these"},
	{4086, "SWAPSPACE2", "swap", ""},
}

const mount = "mount it and inspect the directory"

// foreign names a file system that is not read, and says what to do instead.
func foreign(r io.ReaderAt) (name, unread string) {
	for _, s := range signatures {
		b := make([]byte, len(s.bytes))
		if _, err := r.ReadAt(b, s.at); err == nil && string(b) == s.bytes {
			switch s.instead {
			case "":
				return s.what, "nothing to boot from"
			default:
				return s.what, s.what + " is not read: " + s.instead
			}
		}
	}
	return "", ""
}

// unread says what to do with a file whose format is known but not read; "" if it is not known.
func unread(r *io.SectionReader) string {
	const convert = "not read: convert it with qemu-img convert -O raw"
	for _, s := range []struct {
		at          int64
		bytes, says string
	}{
		{0, "KDMV", "a VMDK disk image, " + convert},
		{0, "# Disk DescriptorFile", "a VMDK disk image, " + convert},
		{0, "vhdxfile", "a VHDX disk image, " + convert},
		{0, "conectix", "a VHD disk image, " + convert},
		{64, "\x7f\x10\xda\xbe", "a VDI disk image, " + convert},
		{0, "QFI\xfb", "a qcow disk image of version 1, " + convert},
		{0, "070701", "an initramfs, which has no kernel"},
		{56, "ARM\x64", "a Linux kernel for arm64, not x86"},
		{0, "PK\x03\x04", "a zip archive, not read: unpack it first"},
	} {
		b := make([]byte, len(s.bytes))
		if _, err := r.ReadAt(b, s.at); err == nil && string(b) == s.bytes {
			return s.says
		}
	}
	return ""
}
