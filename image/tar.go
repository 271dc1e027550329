package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// lookInCompressed reads a tar archive, compressed or not, or what else is compressed.
func lookInCompressed(file *io.SectionReader, name string, wanted Wanted) (*Contents, error) {
	unpacked, err := decompressor(io.NewSectionReader(file, 0, file.Size()))
	if err != nil {
		return nil, err
	}
	packed, compressed := unpacked.(*unpacker)
	archive := bufio.NewReaderSize(unpacked, 64<<10)
	head, err := archive.Peek(64 << 10)
	switch {
	case isTar(head):
		t := tarContents{held: held{wanted: wanted}, packed: packed, inside: maxArchive}
		return t.contents(archive)
	case !compressed:
		return nil, errors.New("not a kernel, an EFI application, a package, a tar archive or a disk image")
	case len(head) == 0 && err != io.EOF:
		return nil, fmt.Errorf("a file compressed with %s that cannot be unpacked: %w", packed.format, err)
	}
	what := unread(headReader(head))
	if what == "" {
		what = other(headReader(head))
	}
	if what == "" && !mayBeDisk(head) {
		_, what = foreign(headReader(head))
	}
	if what != "" {
		return nil, fmt.Errorf("compressed with %s: %s", packed.format, what)
	}
	if !mayBeDisk(head) && !isBzImage(head) && !isPE(head) && !isELF(head) {
		return nil, fmt.Errorf("a file compressed with %s that is no tar archive; unpack it first", packed.format)
	}
	c, err := lookInUnpacked(archive, packed, name, wanted)
	if err != nil {
		return nil, fmt.Errorf("compressed with %s: %w", packed.format, err)
	}
	if c.Format != formatFile {
		c.Format += ", compressed with " + packed.format
	}
	return c, nil
}

// lookInUnpacked unpacks something that is no archive, and looks into it. packed is what unpacks it, nil for nothing.
func lookInUnpacked(r io.Reader, packed *unpacker, name string, wanted Wanted) (*Contents, error) {
	if packed != nil {
		packed.ratio = maxDiskRatio
	}
	file, size, err := spool(r)
	if err != nil {
		return nil, err
	}
	c, err := lookInFile(io.NewSectionReader(file, 0, size), name, nil, wanted)
	if err == nil && c == nil {
		err = errors.New("nothing that is known here")
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	c.files = append(c.files, file)
	return c, nil
}

// tarContents collects what is wanted of a tar archive: its files, or those of the disks, of the package, or of the
// layers of container images in it.
type tarContents struct {
	held
	packed *unpacker // what the archive comes out of, nil for none
	inside int64     // bytes that may yet be unpacked of archives in the archive
	layers layers
	disks  []Volume
	open   []*os.File
	debian bool // there is what packages have, so that data.tar is what one installs
}

// maxDisks is how many disks of an archive are looked into.
const maxDisks = 4

func (t *tarContents) contents(r io.Reader) (c *Contents, err error) {
	defer func() {
		if err != nil {
			for _, f := range t.open {
				f.Close()
			}
		}
	}()
	archive := tar.NewReader(bounded(r, maxArchive))
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("damaged tar archive: %w", err)
		}
		if err = t.member(header, archive); err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("damaged tar archive: %w", err)
		}
	}
	c = &Contents{Format: "tar archive"}
	for _, f := range t.open {
		c.files = append(c.files, f)
	}
	if t.debian {
		c.Format = "ipk package"
	}
	if images := t.layers.images(); len(images) > 0 {
		c.Format = formatContainer
		c.Volumes = images
		return c, nil
	}
	if len(t.files) > 0 || len(t.disks) == 0 {
		c.Volumes = []Volume{{Format: "tar", Files: t.files}}
	}
	c.Volumes = append(c.Volumes, t.disks...)
	return c, nil
}

// member takes the next entry of the archive.
func (t *tarContents) member(header *tar.Header, content io.Reader) error {
	name := cleanName(header.Name)
	if !isRegular(header) {
		if target, ok := tarLink(header); ok {
			t.layers.link(name, target)
			return t.add(header.Name, 0, target, nil)
		}
		return nil
	}
	switch {
	case name == "debian-binary", strings.HasPrefix(name, "control.tar"):
		t.debian = true
		return nil
	case t.debian && strings.HasPrefix(name, "data.tar"):
		return t.ipk(content)
	case t.layers.is(name):
		return t.layers.add(name, content, t.wanted, &t.inside)
	}
	if len(t.disks) < maxDisks && inWanted(t.wanted, name) {
		head := make([]byte, min(header.Size, 64<<10))
		if _, err := io.ReadFull(content, head); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		content = io.MultiReader(bytes.NewReader(head), content)
		if mayBeDisk(head) {
			return t.disk(name, content)
		}
	}
	return t.add(header.Name, header.Size, "", content)
}

// inWanted tells whether a file is in directories that are wanted.
func inWanted(w Wanted, name string) bool {
	if strings.Count(name, "/") > maxDepth {
		return false
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if !w.Directory(dir) {
			return false
		}
	}
	return true
}

// disk looks into a disk in the archive, as clouds want to have them: disk.raw.
func (t *tarContents) disk(name string, content io.Reader) error {
	c, err := lookInUnpacked(content, t.packed, path.Base(name), t.wanted)
	if err != nil {
		// Of the archive something may be read all the same, unless it is the archive that ends.
		t.disks = append(t.disks, Volume{Name: "/" + name, Format: "disk image", Unread: err.Error()})
		return nil
	}
	for _, f := range c.files {
		if f, ok := f.(*os.File); ok {
			t.open = append(t.open, f)
		}
	}
	for _, v := range c.Volumes {
		v.Name = strings.TrimSuffix("/"+name+": "+v.Name, ": ")
		t.disks = append(t.disks, v)
	}
	return nil
}

// ipk reads what a package installs.
func (t *tarContents) ipk(content io.Reader) error {
	unpacked, err := decompressor(content)
	if err != nil {
		return err
	}
	files, err := filesInTar(bounded(unpacked, t.inside), inPackage{t.wanted}, true)
	t.files = append(t.files, files...)
	if err == nil {
		err = io.EOF // what else is in it installs nothing
	}
	return err
}

// isRegular tells whether an entry of an archive is a file, with holes in it or without.
func isRegular(header *tar.Header) bool {
	return header.Typeflag == tar.TypeReg || header.Typeflag == tar.TypeGNUSparse
}

// tarLink is where a link of an archive leads.
func tarLink(header *tar.Header) (target string, ok bool) {
	switch header.Typeflag {
	case tar.TypeSymlink:
		return header.Linkname, true
	case tar.TypeLink: // its target counts from the archive's root
		return "/" + cleanName(header.Linkname), true
	}
	return "", false
}

func cleanName(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }
