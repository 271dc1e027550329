package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/internal/bootdisk"
)

// A container image that is a whole system, as bootc's are, has a boot loader for the EFI system partition that its installer
// makes. Installed is that partition, made without the installer.

// Installed makes a disk of the boot loader and the kernel that the container image in an OCI layout has. The loader is one that lies
// where firmware looks, EFI/BOOT/BOOTX64.EFI in the image's root, in boot, efi or boot/efi; or one that the image keeps for installers:
// bootupd's, in usr/lib/bootupd/updates or usr/lib/efi, or systemd-boot, in usr/lib/systemd/boot/efi. It is told to start the kernel
// with this initrd and command line, whatever the image's own configuration says.
//
// The error is [ErrNoDisk] for an image without both, and for one with a unified kernel image, which firmware starts. The same
// image gives the same disk.
func Installed(ctx context.Context, dir string, initrd []byte, commandLine string) (*Disk, error) {
	c, err := Look(ctx, dir, installable{}, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if c.Format != formatContainer {
		return nil, ErrNoDisk
	}
	for _, v := range c.Volumes {
		s := system{files: v.Files, initrd: initrd, commandLine: commandLine}
		files, err := s.partition()
		if err == nil {
			return installed(files)
		}
		if !errors.Is(err, ErrNoDisk) {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil, ErrNoDisk
}

// installed is the disk with these files.
func installed(files map[string][]byte) (*Disk, error) {
	file, _, err := TempFile()
	if err != nil {
		return nil, fmt.Errorf("no place for a disk: %w", err)
	}
	d := &Disk{}
	d.opened = append(d.opened, file)
	sum := sha256.New()
	if err = bootdisk.Write(io.MultiWriter(file, sum), files); err == nil {
		var size int64
		if size, err = file.Seek(0, io.SeekEnd); err == nil {
			d.File = io.NewSectionReader(file, 0, size)
			_, err = d.plain(d.File, nil)
		}
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.Format, d.SHA256 = "loader and kernel of a container image", hex.EncodeToString(sum.Sum(nil))
	return d, nil
}

const removable = "EFI/BOOT/BOOTX64.EFI" // what firmware starts (UEFI 2.10, section 3.5.1.1)

// A system is the files of a container image.
type system struct {
	files       []Entry
	initrd      []byte
	commandLine string
}

// partition are the files of its EFI system partition.
func (s *system) partition() (map[string][]byte, error) {
	kernel, err := s.kernel()
	if err != nil {
		return nil, err
	}
	files, err := s.loader()
	if err != nil {
		return nil, err
	}
	return files, s.tell(files, kernel)
}

// kernel is the image's.
func (s *system) kernel() (Entry, error) {
	best := -1
	for i, e := range s.files {
		if e.Link == "" && rank(e) > 0 && (best < 0 || rank(e) >= rank(s.files[best])) {
			best = i // of several kernels the last, which is the newest as a rule
		}
	}
	if best < 0 || rank(s.files[best]) > 1 {
		return Entry{}, ErrNoDisk
	}
	return s.files[best], nil
}

const systemdBoot = "usr/lib/systemd/boot/efi/systemd-bootx64.efi"

// inTree is the path on an EFI system partition of a file of a loader; "" for others.
func inTree(name string) string {
	if tree, below, ok := strings.Cut("/"+name, "/EFI/"); ok {
		switch tree {
		case "", "/boot", "/efi", "/boot/efi", "/usr/lib/bootupd/updates":
			return "EFI/" + below
		}
		if path.Dir(path.Dir(tree)) == "/usr/lib/efi" {
			return "EFI/" + below
		}
	}
	return ""
}

// loader are the files of its loader.
func (s *system) loader() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, e := range s.files {
		name := inTree(e.Name)
		if name == "" || e.Link != "" || files[name] != nil { // in place comes before what is kept for installers
			continue
		}
		content, err := e.Bytes(maxFile)
		if err != nil {
			return nil, err
		}
		files[name] = content
	}
	s.start(files)
	if files[removable] != nil {
		return files, nil
	}
	i := slices.IndexFunc(s.files, func(e Entry) bool { return e.Name == systemdBoot && e.Link == "" })
	if i < 0 {
		return nil, ErrNoDisk
	}
	content, err := s.files[i].Bytes(maxFile)
	return map[string][]byte{removable: content}, err
}

// start has firmware start a loader that lies in a directory of its own, as the boot entry does that an installer makes.
func (s *system) start(files map[string][]byte) {
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		if strings.EqualFold(name, removable) {
			content := files[name]
			delete(files, name)
			files[removable] = content
			return
		}
	}
	for _, first := range []string{"shimx64.efi", "grubx64.efi"} {
		for _, name := range names {
			if strings.EqualFold(path.Base(name), first) {
				files[removable] = files[name]
				if grub := files[path.Dir(name)+"/grubx64.efi"]; grub != nil { // which shim looks for beside itself
					files["EFI/BOOT/grubx64.efi"] = grub
				}
				return
			}
		}
	}
}

// tell adds the kernel, and says so in the loader's configuration.
func (s *system) tell(files map[string][]byte, e Entry) (err error) {
	const kernel, initrd = "vmlinuz", "initrd.img"
	if files[kernel], err = e.Bytes(maxFile); err != nil {
		return err
	}
	files[initrd] = s.initrd
	if bytes.Contains(files[removable], []byte("#### LoaderInfo: systemd-boot ")) {
		files["loader/entries/linux.conf"] = fmt.Appendf(nil, "title Linux\nlinux /%s\ninitrd /%s\noptions %s\n", kernel, initrd, s.commandLine)
		return nil
	}
	config := fmt.Appendf(nil, "set timeout=0\nmenuentry Linux {\nlinux /%s %s\ninitrd /%s\n}\n", kernel, s.commandLine, initrd)
	// GRUB looks in the directory that it was built for, its vendor's.
	for _, name := range slices.Collect(maps.Keys(files)) {
		if dir := path.Dir(name); path.Dir(dir) == "EFI" {
			files[dir+"/grub.cfg"] = config
		}
	}
	return nil
}

// installable wants loaders and kernels.
type installable struct{}

func (installable) Directory(dir string) bool {
	const deepest = 8
	if strings.Count(dir, "/") >= deepest {
		return false
	}
	for _, tree := range []string{"boot", "efi", "EFI", "usr/lib/efi", "usr/lib/bootupd", "usr/lib/systemd/boot/efi"} {
		if dir == tree || strings.HasPrefix(dir, tree+"/") || strings.HasPrefix(tree, dir+"/") {
			return true
		}
	}
	return startable{}.Directory(dir)
}

func (installable) File(name string, size int64, head []byte) bool {
	return size <= maxFile && inTree(name) != "" || startable{}.File(name, size, head)
}
