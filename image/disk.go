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
	// What is bootable from optical discs and memory sticks is both, a disk with partitions and an ISO 9660 file system,
	// and the latter has the kernels.
	if name, unread := foreign(file); unread != "" {
		c.Volumes = append(c.Volumes, Volume{Name: "the whole disk", Format: name, Unread: unread})
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
	} else if isXFS(boot) {
		var f *xfsFS
		v.Format = "XFS"
		if f, err = openXFS(r, r.Size()); err == nil {
			v.Files, v.Problems, err = search(f.rootItems, wanted)
			if f.damaged {
				v.Problems = append(v.Problems, "it says that it needs repair")
			}
		}
	} else if isBtrfs(r) {
		var f *btrfsFS
		v.Format = "btrfs"
		if f, err = openBtrfs(r, r.Size()); err == nil {
			v.Files, v.Problems, err = search(f.rootItems, wanted)
			if f.dirty {
				v.Problems = append(v.Problems, "not unmounted: what was written last is in its log, which is not read")
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
