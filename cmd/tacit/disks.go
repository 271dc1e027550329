package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/vm"
)

// disks are the disks of a machine, and the files that are open for them.
type disks struct {
	all    []vm.Disk
	opened []*image.Disk
}

// open opens the disks that the settings name, and what the machine boots: an image, or a disk, which is then the first one.
// The image is nil for a disk and for tacit's own guest.
func (d *disks) open(ctx context.Context, s settings) (*image.Image, error) {
	var img *image.Image
	if s.image != "" || !s.own && len(s.disks) == 0 {
		f, err := s.source.find(s.image)
		if err != nil {
			return nil, err
		}
		opened, err := f.disk(ctx)
		switch {
		case errors.Is(err, image.ErrNoDisk), errors.Is(err, fs.ErrNotExist):
			if img, err = f.image(ctx); err != nil {
				return nil, err
			}
			if err := img.Bootable(); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		default:
			d.add(f, opened)
		}
	}
	return img, d.addAll(ctx, s)
}

// addAll opens the disks that the settings name as such.
func (d *disks) addAll(ctx context.Context, s settings) error {
	for _, path := range s.disks {
		f, err := s.source.find(path)
		if err != nil {
			return err
		}
		opened, err := f.data(ctx)
		if err != nil {
			return err
		}
		d.add(f, opened)
	}
	return nil
}

// add puts a disk that is open after the others.
func (d *disks) add(f found, opened *image.Disk) {
	d.opened = append(d.opened, opened)
	d.all = append(d.all, vm.Disk{Name: f.base(), Format: opened.Format, Content: opened, Size: opened.Size(), File: opened.File, Below: opened.Below})
}

// again opens the disks of a saved machine. They are read once to see that they are the same, for which ctx has time.
func (d *disks) again(ctx context.Context, s settings) error {
	if err := d.addAll(ctx, s); err != nil {
		return err
	}
	untilDone := func(file *io.SectionReader) *io.SectionReader {
		return io.NewSectionReader(readerAtUntilDone{ctx, file}, 0, file.Size())
	}
	for i := range d.all {
		disk := &d.all[i]
		disk.File = untilDone(disk.File)
		disk.Below = slices.Clone(disk.Below) // which are the opened disk's
		for j := range disk.Below {
			disk.Below[j] = untilDone(disk.Below[j])
		}
	}
	return nil
}

// readerAtUntilDone reads until its context is done.
type readerAtUntilDone struct {
	ctx context.Context
	r   io.ReaderAt
}

func (u readerAtUntilDone) ReadAt(b []byte, at int64) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.ReadAt(b, at)
}

// close closes the files, of which nothing is written.
func (d *disks) close() {
	for _, o := range d.opened {
		_ = o.Close()
	}
}
