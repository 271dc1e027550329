package inspect

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

const maxKernels = 256 // in one file; a thousand names of one kernel would take a minute

// Bounds on what is read into memory, in bytes.
const (
	maxKernel  = 256 << 20 // a bzImage; distributions' have 10 to 20 MiB
	maxVmlinux = 512 << 20 // an unpacked kernel without debug information
)

const maxDigested = 1 << 30 // bytes of which digests are computed, in one file

// look finds out what a file is, and inspects it if it is a kernel. A file that is neither kernel nor loader is passed
// over, unless it is all there is.
func (d *disk) look(volume int, e image.Entry) error {
	if e.Link != "" {
		return nil
	}
	head := make([]byte, min(e.Size, image.HeadSize))
	if n, err := e.ReadAt(head, 0); n < len(head) {
		return err
	}
	if !isBoot(head) {
		if d.alone {
			return passedOver{"an ELF file that is no kernel for x86-64"}
		}
		return nil
	}
	k := &Kernel{
		Path: d.where(volume, e.Name), volume: volume, path: e.Name, CommandLines: []commandLine{}, Traps: []Trap{},
		Boots: []Boot{}, Notes: []string{},
	}
	switch {
	case string(head[:4]) == "\x7fELF":
		return d.lookAtELF(k, e)
	case isLinux(head):
		return d.lookAtBzImage(k, e, 0, e.Size)
	}
	return d.lookAtPE(k, e, head)
}

// isLinux tells whether a file has the header of a bzImage.
func isLinux(head []byte) bool { return len(head) >= 0x206 && string(head[0x202:0x206]) == "HdrS" }

// lookAtBzImage inspects a bzImage of size bytes that lies base bytes within a file.
func (d *disk) lookAtBzImage(k *Kernel, e image.Entry, base, size int64) error {
	if size > maxKernel {
		return fmt.Errorf("a bzImage of %d bytes; at most %d are read", size, maxKernel)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(e, base, size), data); err != nil {
		return err
	}
	img, err := image.Parse("", data)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), ": "))
	}
	switch {
	case img.Kind != image.BzImage:
		return errors.New("section .linux has no bzImage")
	case img.Setup.PayloadLength == 0: // memtest86+ is such a file
		return passedOver{"a program in the form of a bzImage, but no kernel is packed in it"}
	}
	if k.Format == "" {
		k.Format = formatBzImage
		d.digest(k, bytes.NewReader(data), size)
	}
	config := d.config(k, img.Setup.Release())
	inspectBzImage(k, img, base, config, d.options.Unpack)
	d.kernels = append(d.kernels, k)
	return nil
}

// lookAtPE tells unified kernel images from boot loaders.
func (d *disk) lookAtPE(k *Kernel, e image.Entry, head []byte) error {
	interesting := d.alone || strings.HasPrefix(path.Base(e.Name), "vmlinu")
	if string(head[4:8]) == "zimg" { // Linux drivers/firmware/efi/libstub/zboot-header.S
		return passedOver{"an EFI zboot kernel, a format of other processors than x86"}
	}
	p, err := image.ReadPE(e, e.Size)
	if err != nil {
		return err
	}
	if p.Machine != image.MachineAMD64 {
		if interesting {
			return passedOver{fmt.Sprintf("a PE file for another processor than x86-64 (machine %#x)", p.Machine)}
		}
		return nil
	}
	if _, ok := p.Section(".linux"); ok {
		d.digest(k, e, e.Size)
		return d.lookAtUKI(k, e, p)
	}
	if !p.IsEFI() {
		if interesting {
			return passedOver{fmt.Sprintf("a PE file that is no EFI application (subsystem %d)", p.Subsystem)}
		}
		return nil
	}
	if isAddon(e.Name) {
		if d.alone {
			return passedOver{"no kernel, but an add-on for the command line of unified kernel images"}
		}
		return d.lookAtAddon(k.volume, e, p)
	}
	l, err := identify(e, p)
	if err != nil {
		return err
	}
	l.volume = k.volume
	d.loaders = append(d.loaders, l)
	if d.alone {
		return passedOver{"no kernel, but " + withArticle(l)}
	}
	return nil
}

func withArticle(l loader) string {
	if l.kind == otherEFI {
		return "an " + l.String()
	}
	return "the boot loader " + l.String()
}

// lookAtELF inspects a vmlinux. Other ELF files, such as parts of GRUB, are passed over.
func (d *disk) lookAtELF(k *Kernel, e image.Entry) error {
	data, err := e.Bytes(maxVmlinux)
	if err != nil {
		return err
	}
	k.Format = formatVmlinux
	if err := inspectVmlinux(k, data); err != nil {
		if d.alone {
			return passedOver{"no Linux kernel: " + err.Error()}
		}
		return nil
	}
	d.digest(k, bytes.NewReader(data), int64(len(data)))
	d.kernels = append(d.kernels, k)
	return nil
}

// digest computes the kernel's, where that is wanted. A file whose kernels are larger in all than any image's has none for
// the rest: a disk of holes can have a unified kernel image of any size.
func (d *disk) digest(k *Kernel, r io.ReaderAt, size int64) {
	if d.options.Digest && d.digested+size <= maxDigested {
		d.digested += size
		hash := sha256.New()
		if n, err := io.Copy(hash, io.NewSectionReader(r, 0, size)); err == nil && n == size {
			k.SHA256 = hex.EncodeToString(hash.Sum(nil))
			return
		}
	}
	if d.options.Digest {
		k.Notes = append(k.Notes, "its SHA-256 was not computed")
	}
}

// config finds the configuration file that came with a kernel: config-RELEASE, or config in the kernel's directory.
func (d *disk) config(k *Kernel, release string) *kconfig {
	named, beside := "config-"+strings.ToLower(release), strings.ToLower(path.Join(path.Dir(k.path), "config"))
	for _, t := range d.texts(func(name string) bool { return path.Base(name) == named || name == beside }) {
		c, ok := parseConfig(t.data)
		if !ok {
			continue
		}
		if !sameSeries(c.release, release) {
			where := d.where(t.volume, t.entry.Name)
			k.Notes = append(k.Notes, fmt.Sprintf("%s is for Linux %s, and not counted", where, c.release))
			continue
		}
		return &c
	}
	return nil
}

// sameSeries compares version and patch level only: Debian 12's kernel 6.1.192 calls itself 6.1.0-56.
func sameSeries(config, kernel string) bool {
	a, ok1 := parseRelease(config)
	b, ok2 := parseRelease(kernel)
	return !ok1 || !ok2 || a[0] == b[0] && a[1] == b[1]
}
