package image

import "io"

// A signature tells a format by bytes at a place.
type signature struct {
	at          int64
	bytes, what string
	instead     string // what to do, of a format that is not read
}

// matches tells whether r has the signature.
func (s signature) matches(r io.ReaderAt) bool {
	b := make([]byte, len(s.bytes))
	_, err := r.ReadAt(b, s.at)
	return (err == nil || err == io.EOF) && string(b) == s.bytes
}

// fileSystems are those that are recognised, so that their names can be told, but not read.
var fileSystems = []signature{
	{0, "hsqs", "squashfs", "unpack it with unsquashfs and inspect the directory"},
	{1024, "\x10\x20\xf5\xf2", "F2FS", mount},
	{1024, "\xe2\xe1\xf5\xe0", "EROFS", mount},
	{3, "EXFAT   ", "exFAT", mount},
	{3, "NTFS    ", "NTFS", mount},
	{4096 + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", "bcachefs", mount},
	{0x10034, "ReIsEr", "ReiserFS", mount},
	{0x8000, "JFS1", "JFS", mount},
	{0, "\x45\x3d\xcd\x28", "cramfs", mount},
	{32, "NXSB", "APFS", mount},
	{1024, "H+\x00\x04", "HFS+", mount},
	{0x8001, "CD001", "ISO 9660", mount},
	{0x8001, "BEA01", "UDF", mount},
	{3, "-FVE-FS-", "BitLocker", "decrypt what is inside, mount it and inspect the directory"},
	{0, "LUKS\xba\xbe", "LUKS", "open it with cryptsetup, mount what is inside and inspect the directory"},
	{512, "LABELONE", "LVM", "activate its volumes and inspect these"},
	{536, "LVM2 001", "LVM", "activate its volumes and inspect these"},
	{0, "\xfc\x4e\x2b\xa9", "a part of an array", array},
	{4096, "\xfc\x4e\x2b\xa9", "a part of an array", array},
	{4086, "SWAPSPACE2", "swap", ""},
}

const (
	mount = "mount it and inspect the directory"
	array = "assemble it with mdadm and inspect the device"
)

// foreign names a file system that is not read, and says what to do instead.
func foreign(r io.ReaderAt) (name, unread string) {
	for _, s := range fileSystems {
		if s.matches(r) {
			if s.instead == "" {
				return s.what, "nothing to boot from"
			}
			return s.what, s.what + " is not read: " + s.instead
		}
	}
	return "", ""
}

// diskFormats are forms of disk images that are not read. Each says so in its first bytes; what follows is laid out in
// such a way that the end of the disk, with the second copy of its partition table, is often that of the file, too.
var diskFormats = []signature{
	{0, "KDMV", "VMDK", convert}, // VMware, "Virtual Disk Format 5.0"
	{0, "COWD", "VMDK", convert},
	{0, "# Disk DescriptorFile", "VMDK", convert},
	{0, "vhdxfile", "VHDX", convert},                // Microsoft, [MS-VHDX] 2.2.1
	{0, "conectix", "VHD", convert},                 // a dynamic one; a fixed one is a raw disk with this at its end
	{64, "\x7f\x10\xda\xbe", "VDI", convert},        // QEMU block/vdi.c
	{0, "QED\x00", "QED", convert},                  // QEMU docs/interop/qed_spec.rst
	{0, "WithoutFreeSpace", "Parallels", convert},   // QEMU docs/interop/parallels.rst
	{0, "WithouFreSpacExt", "Parallels", convert},   // the same, for larger disks
	{0, "QFI\xfb\x00\x00\x00\x01", "qcow", convert}, // version 1
	{0, "Bochs Virtual HD Image", "Bochs", convert}, // QEMU block/bochs.c
	{0, "\x3a\xff\x26\xed", "Android sparse", simg}, // AOSP libsparse
	{0, "MSWIM\x00\x00\x00", "WIM", "unpack it with wimlib-imagex and inspect the directory"},
	{0, "EVF\x09\x0d\x0a\xff\x00", "EWF", "export it as a raw image"},
}

const (
	convert = "convert it with qemu-img convert -O raw"
	simg    = "convert it with simg2img"
)

// DiskFormat names the form of a disk image by its first bytes, at most [HeadSize] of them: "qcow2", "VMDK", "GPT" for a
// raw disk with such a partition table. It is "" for what is none that is known.
func DiskFormat(head []byte) string {
	if isQcow2(head) {
		return "qcow2"
	}
	if len(head) >= 520 && string(head[512:520]) == gptSignature {
		return "GPT"
	}
	for _, s := range diskFormats {
		if s.matches(headReader(head)) {
			return s.what
		}
	}
	return ""
}

// headReader reads the first bytes of a file.
type headReader []byte

func (h headReader) ReadAt(p []byte, off int64) (int, error) {
	if off > int64(len(h)) {
		return 0, io.EOF
	}
	n := copy(p, h[off:])
	if n < len(p) {
		return n, io.ErrUnexpectedEOF
	}
	return n, nil
}

// unread says what to do with a disk image whose form is known but not read; "" for any other file.
func unread(r io.ReaderAt) string {
	for _, s := range diskFormats {
		if s.matches(r) {
			article := "a "
			switch s.what {
			case "Android sparse", "EWF":
				article = "an "
			}
			return article + s.what + " disk image, not read: " + s.instead
		}
	}
	return ""
}

// others are files that people may take for something to boot.
var others = []signature{
	{0, "070701", "an initramfs, which has no kernel", ""},
	{56, "ARM\x64", "a Linux kernel for arm64, not x86", ""},
	{0, "PK\x03\x04", "a zip archive, not read: unpack it first", ""},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive, not read: unpack it first", ""},
	{0, "ADBd", "an apk package of Alpine Linux's newer form, not read: unpack it with apk extract", ""},
}

// other says what a file is that has nothing in it that is read here; "" if it is not known.
func other(r io.ReaderAt) string {
	for _, s := range others {
		if s.matches(r) {
			return s.what
		}
	}
	return ""
}
