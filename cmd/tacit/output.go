package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// outputHelp is the part of --help that says what becomes of the files that are written.
const outputHelp = "A file that is written appears under its name when all of it is there; until then an earlier one stays, and what\n" +
	"grows with the run stands beside it as FILE.PID.part. A pipe or a device gets everything at once: to follow events\n" +
	"while the guest runs, give one. A file that is read, too, or that looks like something else, is not overwritten.\n\n"

// outputs are the files that one command writes. Each is opened before the work begins, so that a wrong path is known
// then, and is put in its place by keep when all of it is there. Until then an earlier file stays what it was, whatever
// ends the process.
type outputs struct {
	stdout io.Writer
	all    []*output
}

// An output is one of them. A regular file is written beside its place, as NAME.PID.part, and moved there: a disk that
// is full, or a signal, leaves at most that. What is no regular file (a device, a pipe, a descriptor of this process)
// cannot be replaced, and is written through.
type output struct {
	path    string      // where it comes to stand
	earlier os.FileInfo // of what stands there; nil for nothing
	beside  bool        // it is written beside its place
	w       io.Writer   // what takes the bytes; nil until the first, where it is written beside its place
	file    *os.File    // what has to be closed, and may be nil
	err     error       // the first of writing, which Write has returned
}

// create opens a file for output; - is standard output. It is nil for an empty path. To open a pipe takes until somebody
// reads it, or until ctx is done.
func (o *outputs) create(ctx context.Context, path string) (*output, error) {
	if path == "" {
		return nil, nil
	}
	p, err := placeOf(path, o.stdout)
	if err != nil {
		return nil, err
	}
	out := &output{path: p.path, earlier: p.info}
	switch {
	case p.descriptor == 1:
		out.w = o.stdout
	case p.descriptor >= 0:
		err = out.openDescriptor(p.descriptor)
	case p.info != nil && p.info.Mode()&fs.ModeNamedPipe != 0:
		err = out.openPipe(ctx)
	case p.info != nil && !p.info.Mode().IsRegular():
		err = out.open(os.O_WRONLY)
	default:
		out.beside = true
		err = out.try()
	}
	if err != nil {
		return nil, err
	}
	o.all = append(o.all, out)
	return out, nil
}

// createAll opens several files, each as create does.
func (o *outputs) createAll(ctx context.Context, paths ...string) ([]*output, error) {
	all := make([]*output, len(paths))
	for i, path := range paths {
		var err error
		if all[i], err = o.create(ctx, path); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// keep puts in place what was written. Of several files, one that could not be written does not keep the others back.
func (o *outputs) keep() (err error) {
	for _, out := range o.all {
		err = errors.Join(err, out.keep())
	}
	o.all = nil
	return err
}

// discard removes what was not kept.
func (o *outputs) discard() {
	for _, out := range o.all {
		out.discard()
	}
	o.all = nil
}

func (o *output) open(flag int) (err error) {
	if o.file, err = os.OpenFile(o.path, flag, 0); err == nil {
		o.w = o.file
	}
	return err
}

// openDescriptor writes to what is open already, at the place where that stands: to open it again would start at the
// beginning of a file.
func (o *output) openDescriptor(descriptor int) error {
	failed := func(err error) error { return &os.PathError{Op: "open", Path: o.path, Err: err} }
	flags, err := unix.FcntlInt(uintptr(descriptor), unix.F_GETFL, 0)
	if err != nil {
		return failed(err)
	}
	if flags&unix.O_ACCMODE == unix.O_RDONLY {
		return failed(errors.New("it is open for reading only"))
	}
	own, err := unix.FcntlInt(uintptr(descriptor), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return failed(err)
	}
	o.file = os.NewFile(uintptr(own), o.path)
	o.w = o.file
	return nil
}

// openPipe waits for a reader, which a blocking call would do, too, but then nothing could end it.
func (o *output) openPipe(ctx context.Context) error {
	for {
		err := o.open(os.O_WRONLY | syscall.O_NONBLOCK)
		if !errors.Is(err, syscall.ENXIO) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// try finds out whether the file can be written, and leaves nothing behind: until there is something to write, nothing
// stands beside the place that a signal could leave there.
func (o *output) try() error {
	if o.earlier != nil {
		// What may not be written may not be replaced either, though its directory would allow it.
		file, err := os.OpenFile(o.path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		file.Close() // nothing was written
	}
	if err := o.begin(); err != nil {
		return err
	}
	o.discard()
	return nil
}

// begin opens the file beside its place.
func (o *output) begin() (err error) {
	// Not os.CreateTemp, whose files only their owner can read. Those that may not read the earlier file may not read the
	// new one in the meantime.
	mode := fs.FileMode(0o666)
	if o.earlier != nil {
		mode = 0o600
	}
	dir, base := filepath.Split(o.path)
	const longest = 200 // bytes of the name, so that what follows has room in the 255 that file systems allow
	prefix := filepath.Join(dir, base[:min(len(base), longest)])
	// A process that was killed may have had the same number: in a container it always has.
	for n := 0; ; n++ {
		name := fmt.Sprintf("%s.%d.part", prefix, os.Getpid())
		if n > 0 {
			name = fmt.Sprintf("%s.%d-%d.part", prefix, os.Getpid(), n)
		}
		o.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) || n == 100 {
			return o.named(err)
		}
	}
	o.w = o.file
	if o.earlier == nil {
		return nil
	}
	if owner, ok := o.earlier.Sys().(*syscall.Stat_t); ok {
		// Only root may give a file away, and others only to groups of theirs.
		if o.file.Chown(int(owner.Uid), int(owner.Gid)) != nil {
			_ = o.file.Chown(-1, int(owner.Gid))
		}
	}
	if err := o.file.Chmod(o.earlier.Mode().Perm()); err != nil {
		o.discard()
		return o.named(err)
	}
	return nil
}

// named is an error about the file as the user knows it, and not as it is called while it is written.
func (o *output) named(err error) error {
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		return &os.PathError{Op: p.Op, Path: o.path, Err: p.Err}
	}
	return err
}

func (o *output) Write(b []byte) (n int, err error) {
	if o.err != nil {
		return 0, o.err
	}
	if o.w == nil {
		err = o.begin()
	}
	if err == nil {
		n, err = o.w.Write(b)
	}
	if err != nil {
		o.err = o.named(err)
	}
	return n, o.err
}

// fill has write write all of it. What fails for reasons of its own is not kept either. No output takes nothing.
func (o *output) fill(write func(io.Writer) error) error {
	if o == nil {
		return nil
	}
	err := write(o)
	o.err = cmp.Or(o.err, err)
	return err
}

// failed is the first error of writing, for those that write and do not look.
func (o *output) failed() error {
	if o == nil {
		return nil
	}
	return o.err
}

// keep ends the output, and puts it in its place if all of it could be written. Where not, the
// error has been returned already, by Write or fill.
func (o *output) keep() error {
	if o.err != nil {
		o.discard()
		return nil
	}
	if o.w == nil {
		if err := o.begin(); err != nil { // what nothing was written to becomes an empty file
			return o.named(err)
		}
	}
	if o.file == nil {
		return nil
	}
	name := o.file.Name()
	if !o.beside {
		return o.named(o.file.Close())
	}
	// Without Sync, a file system that is cut off from its power may know the new name and not yet the bytes.
	err := errors.Join(o.file.Sync(), o.file.Close())
	o.file = nil
	if err != nil {
		return errors.Join(o.named(err), os.Remove(name))
	}
	if err := os.Rename(name, o.path); err != nil {
		return fmt.Errorf("%w: what was written stays in %s", err, name) // it may be the work of hours
	}
	return nil
}

// discard closes the file, and removes it if it is not in its place.
func (o *output) discard() {
	if o.file == nil {
		return
	}
	_ = o.file.Close() // what is thrown away need not be complete
	if o.beside {
		_ = os.Remove(o.file.Name())
		o.w = nil
	}
	o.file = nil
}
