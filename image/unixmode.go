package image

import "io/fs"

// File types in the mode that ext4, XFS and btrfs keep of a file (Linux include/uapi/linux/stat.h).
const (
	unixTypeMask  = 0xf000
	unixRegular   = 0x8000
	unixDirectory = 0x4000
	unixSymlink   = 0xa000
)

// unixKind is what item has for such a mode.
func unixKind(mode uint16) fs.FileMode {
	switch mode & unixTypeMask {
	case unixRegular:
		return 0
	case unixDirectory:
		return fs.ModeDir
	case unixSymlink:
		return fs.ModeSymlink
	}
	return fs.ModeIrregular
}
