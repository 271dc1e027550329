// Package inspect tells from an image alone, without running it, whether its kernels support unaccepted memory: whether
// they can be TDX and SEV-SNP guests, accept memory themselves, and tell firmware so.
//
// It advises the people who tag images and the schedulers that admit them. It is no model for firmware: firmware asks
// the operating system, and does not guess from a file.
//
// What decides is code: the instructions that a kernel's entry points lead to; see the package code. Everything else
// that speaks for or against an answer is shown with it, and decides nothing against code.
package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// Options are what to do beside the usual.
type Options struct {
	// Unpack says to unpack every kernel too, for its symbols and the configuration inside. Else only one that could
	// not be judged by its code is unpacked.
	Unpack bool

	// Digest says to compute Kernel.SHA256.
	Digest bool

	// Progress, if not nil, is told how many bytes of the file have been read, and how many it has.
	Progress func(read, size int64)
}

// Report is what was found in one file.
type Report struct {
	File    string
	Format  string // in words: "disk image"
	Kernels []*Kernel

	Firmware []*Firmware // images of it

	Notes []string // what was not read, and what to do instead

	// Incomplete says what was not read of the file and may have a kernel, or say how one is started; "" if nothing.
	Incomplete string
}

// File inspects the file, directory or disk at path. An error says why there is no answer: the file cannot be read, is
// damaged, or has no Linux kernel for x86-64 in it.
func File(ctx context.Context, path string, o Options) (r *Report, err error) {
	defer func() {
		// A library that reads some format may have a defect that a damaged file finds. It must not end an inspection
		// of many files.
		if p := recover(); p != nil {
			r, err = nil, fmt.Errorf("%s: damaged in a way that the program does not expect (%v); please report it", path, p)
		}
	}()
	var w wanted
	contents, err := image.Look(ctx, path, &w, o.Progress)
	if err != nil {
		return nil, err
	}
	defer contents.Close()
	r = &Report{File: path, Format: contents.Format, Notes: []string{}}
	d := disk{volumes: contents.Volumes, alone: contents.Format == "file", options: o}
	for v, volume := range contents.Volumes {
		if volume.Unread != "" {
			r.note(volume.Name, fmt.Sprintf("%s: %s", description(volume), volume.Unread))
		}
		for _, problem := range volume.Problems {
			r.note(volume.Name, problem)
			d.unread = append(d.unread, strings.TrimPrefix(volume.Name+": "+problem, ": "))
		}
		for _, e := range volume.Files {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := d.look(v, e); err != nil {
				r.note(d.where(v, e.Name), err.Error())
				if !errors.As(err, new(passedOver)) {
					d.unread = append(d.unread, d.where(v, e.Name)+": "+err.Error())
				}
			}
			if len(d.kernels) > maxKernels {
				return nil, fmt.Errorf("%s: more than %d kernels", path, maxKernels)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, n := range w.nested {
		r.note("", fmt.Sprintf("/%s is a %s itself: inspect it on its own", n.name, n.what))
	}
	for _, l := range d.loaders {
		if l.kind == otherEFI && isDefault(l.path) {
			r.note(d.where(l.volume, l.path), "a boot loader that is not known here, so that what it starts is not, either")
		}
	}
	slices.SortStableFunc(d.kernels, func(a, b *Kernel) int {
		return cmp.Or(cmp.Compare(a.volume, b.volume), cmp.Compare(a.path, b.path))
	})
	d.trace()
	if !d.alone {
		r.Incomplete = d.missing()
	}
	for _, k := range d.kernels {
		k.File, k.incomplete = path, r.Incomplete
		d.addAddons(k)
		k.finish()
	}
	r.Kernels, r.Firmware = d.kernels, d.firmware
	for _, f := range r.Firmware {
		f.File = path
	}
	if len(r.Kernels) == 0 && len(r.Firmware) == 0 {
		return r, fmt.Errorf("%s: %w", path, r.nothing())
	}
	return r, nil
}

// Call gives the file another name, where it was read from somewhere else than where people know it to be.
func (r *Report) Call(name string) {
	r.File = name
	for _, k := range r.Kernels {
		k.File = name
	}
	for _, f := range r.Firmware {
		f.File = name
	}
}

// note adds a note on a part of the file.
func (r *Report) note(part, what string) {
	if part != "" {
		what = part + ": " + what
	}
	r.Notes = append(r.Notes, what)
}

// nothing says why there is no kernel in the file.
func (r *Report) nothing() error {
	if r.Format == "file" && len(r.Notes) > 0 {
		return errors.New(r.Notes[0])
	}
	const most = 3
	what := append([]string{"no Linux kernel for x86-64 in this " + r.Format}, r.Notes[:min(len(r.Notes), most)]...)
	return errors.New(strings.Join(what, "; "))
}

// description is what a volume is, in words.
func description(v image.Volume) string {
	switch {
	case v.Type == "":
		return v.Format
	case v.Format == "":
		return v.Type
	}
	return v.Type + ", " + v.Format
}
