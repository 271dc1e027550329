package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// A place is where a path of the command line leads.
type place struct {
	path       string      // the end of all symbolic links
	info       os.FileInfo // of what is there; nil for nothing
	descriptor int         // of this process, as /dev/fd/3 is 3; -1 for none
}

// maxLinks is how many symbolic links are followed, as in Linux.
const maxLinks = 40

// placeOf follows symbolic links, also to where there is nothing yet; - is standard output.
func placeOf(path string, stdout io.Writer) (place, error) {
	if path == "-" {
		return place{path: "standard output", info: infoOf(stdout), descriptor: 1}, nil
	}
	// Where /dev/fd is a link, it leads to a directory of this process.
	descriptors, err := filepath.EvalSymlinks("/dev/fd")
	if err != nil {
		descriptors = "/dev/fd"
	}
	given := path
	for range maxLinks {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return place{}, &os.PathError{Op: "open", Path: given, Err: cause(err)}
		}
		path = filepath.Join(dir, filepath.Base(path))
		if n, err := strconv.Atoi(filepath.Base(path)); err == nil && n >= 0 && (dir == descriptors || dir == "/dev/fd") {
			info, err := os.Stat(path)
			if err != nil {
				return place{}, &os.PathError{Op: "open", Path: given, Err: cause(err)}
			}
			return place{path: given, info: info, descriptor: n}, nil
		}
		if target, err := os.Readlink(path); err == nil {
			if !filepath.IsAbs(target) {
				target = filepath.Join(dir, target)
			}
			path = target
			continue
		}
		info, err := os.Lstat(path)
		switch {
		case err == nil && info.IsDir(), errors.Is(err, fs.ErrNotExist) && os.IsPathSeparator(given[len(given)-1]):
			return place{}, &os.PathError{Op: "open", Path: given, Err: syscall.EISDIR}
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return place{}, &os.PathError{Op: "open", Path: given, Err: cause(err)}
		}
		return place{path: path, info: info, descriptor: -1}, nil
	}
	return place{}, &os.PathError{Op: "open", Path: given, Err: syscall.ELOOP}
}

func cause(err error) error {
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	if errors.Is(err, errNotRegular) {
		return errNotRegular
	}
	return err
}

// infoOf is what is known of a stream of the process; nil if it is none.
func infoOf(stream any) os.FileInfo {
	file, ok := stream.(*os.File)
	if !ok {
		return nil
	}
	info, err := file.Stat()
	if err != nil {
		return nil
	}
	return info
}

// toStdout says whether a path is standard output by any of its names.
func toStdout(path string) bool {
	if path == "" {
		return false
	}
	p, err := placeOf(path, nil)
	return err == nil && p.descriptor == 1
}

// same says whether two places are one, by whatever names. All may write to the null device.
func (p place) same(q place) bool {
	if p.descriptor >= 0 && p.descriptor == q.descriptor {
		return !isNull(p.info)
	}
	if p.info == nil || q.info == nil {
		return p.info == nil && q.info == nil && p.descriptor < 0 && q.descriptor < 0 && p.path == q.path
	}
	return os.SameFile(p.info, q.info) && !isNull(p.info)
}

func isNull(info os.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && info != nil && os.SameFile(info, null)
}

// A named file is one that the command line names.
type named struct {
	by   string // the flag, or IMAGE
	path string // "" where it is not named
	kind kind   // of what is written to it
}

func (n named) String() string { return strings.TrimSpace(n.by + " " + n.path) }

// files are those of one command line.
type files struct {
	in, out []named
	std     streams
}

// images are the files that the arguments name.
func images(args []string) (all []named) {
	for _, path := range args {
		all = append(all, named{by: "IMAGE", path: path})
	}
	return all
}

// check finds outputs that would destroy something: an input, another output, or what is no earlier output at all but
// stands there because the command line says something else than was meant, as in tacit boot --json bzImage. It opens
// nothing for writing. What is wrong with a path by itself is found when that is opened.
func (f files) check() error {
	type found struct {
		named
		place
	}
	var in, out []found
	for _, n := range f.in {
		if n.path == "" {
			continue
		}
		// An input may be a directory, and - is a name like any other.
		if info, err := os.Stat(n.path); err == nil {
			in = append(in, found{n, place{n.path, info, -1}})
		} else if abs, err := filepath.Abs(n.path); err == nil {
			if p, err := placeOf(abs, nil); err == nil {
				in = append(in, found{n, p})
			}
		}
	}
	if info := infoOf(f.std.in); info != nil && info.Mode().IsRegular() {
		in = append(in, found{named{by: "standard input"}, place{"", info, -1}})
	}
	for _, n := range f.out {
		if n.path == "" {
			continue
		}
		p, err := placeOf(n.path, f.std.out)
		if err != nil {
			continue
		}
		for _, other := range append(in, out...) {
			if p.same(other.place) {
				return fmt.Errorf("%v is the same file as %v", n, other.named)
			}
		}
		out = append(out, found{n, p})
	}
	// A stream that the shell has redirected is a file, too.
	for _, s := range []struct {
		name string
		info os.FileInfo
	}{{"standard output", infoOf(f.std.out)}, {"standard error", infoOf(f.std.err)}} {
		if s.info == nil || !s.info.Mode().IsRegular() {
			continue
		}
		for _, other := range append(in, out...) {
			if other.descriptor < 0 && other.same(place{"", s.info, -1}) {
				return fmt.Errorf("%v is the same file as %s", other.named, s.name)
			}
		}
	}
	for _, o := range out {
		if err := o.kind.replaces(o.place); err != nil {
			return fmt.Errorf("%v: %w", o.named, err)
		}
	}
	return nil
}
