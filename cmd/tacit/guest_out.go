package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/cavaliergopher/cpio"
)

// outgoing is a file or directory that comes out of a guest when its program has ended.
type outgoing struct {
	name      string // in the guest: absolute
	path      string // where it goes
	directory bool   // it is one, and the guest has it from the beginning
	replace   bool   // a file that is there
}

// parseOutgoing reads --out NAME[=PATH].
func parseOutgoing(s string) (o outgoing, err error) {
	var ok bool
	if o.name, o.path, ok = strings.Cut(s, "="); !ok {
		o.path = path.Base(o.name)
	}
	switch {
	case !strings.HasPrefix(o.name, "/") || path.Clean(o.name) == "/":
		return o, fmt.Errorf("--out %s: %q is not an absolute name of a file in the guest", s, o.name)
	case o.path == "":
		return o, fmt.Errorf("--out %s: where it goes is missing", s)
	}
	o.directory = strings.HasSuffix(o.name, "/")
	o.name = path.Clean(o.name)
	return o, o.check()
}

// check says why nothing can go there: a file that has something in it was not meant.
func (o outgoing) check() error {
	info, err := os.Stat(o.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		_, err := os.Stat(filepath.Dir(o.path))
		return err
	case err != nil:
		return err
	case info.IsDir():
		entries, err := os.ReadDir(o.path)
		if err == nil && len(entries) > 0 {
			err = fmt.Errorf("--out %s: the directory %s is not empty", o.name, o.path)
		}
		return err
	case info.Size() > 0 && !o.replace:
		return fmt.Errorf("--out %s: it would replace %s; remove that first, or give another name", o.name, o.path)
	}
	return nil
}

// testOutgoing is what a test program is told to write, in files: profiles, with names as go test has them (package
// testing), from the directory where it begins, which is this one.
func testOutgoing(arguments []string) (all []outgoing, err error) {
	directory, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for _, a := range arguments {
		if d, ok := strings.CutPrefix(a, "-test.outputdir="); ok && filepath.IsAbs(d) {
			directory = d
		}
	}
	for _, a := range arguments {
		flag, file, ok := strings.Cut(a, "=")
		switch flag {
		case "-test.coverprofile", "-test.cpuprofile", "-test.memprofile", "-test.blockprofile", "-test.mutexprofile", "-test.trace":
			if ok && file != "" {
				if !filepath.IsAbs(file) {
					file = filepath.Join(directory, file)
				}
				all = append(all, outgoing{name: path.Clean(filepath.ToSlash(file)), path: file, replace: true})
			}
		}
	}
	return all, nil
}

// maxOutgoing bounds what comes out of a guest, in bytes: it is kept in memory until the guest has ended.
const maxOutgoing = 256 << 20

// arrivals takes what the guest sends.
type arrivals struct {
	archive bytes.Buffer
	tooMuch bool
}

func (a *arrivals) Write(b []byte) (int, error) {
	if a.tooMuch = a.tooMuch || a.archive.Len()+len(b) > maxOutgoing; !a.tooMuch {
		a.archive.Write(b)
	}
	return len(b), nil
}

// bring writes what has arrived, and says on standard error what has not.
func (a *arrivals) bring(ctx context.Context, wanted []outgoing, std streams) error {
	missing, err := a.unpack(ctx, wanted)
	if err != nil {
		return err
	}
	for _, o := range missing {
		if !o.replace { // of a profile that a test does not write, go test itself has to say
			fmt.Fprintf(std.err, "tacit: --out %s: the guest had no such file when it ended\n", o.name)
		}
	}
	return nil
}

// unpack writes what has arrived to where it goes. The archive is a guest's, and may be anything: nothing else is written,
// each file whole or not at all. It returns those that did not arrive.
func (a *arrivals) unpack(ctx context.Context, wanted []outgoing) (missing []outgoing, err error) {
	if a.tooMuch {
		return wanted, fmt.Errorf("the guest sent more than %d MiB of files: none is kept", maxOutgoing>>20)
	}
	switch sent := bytes.TrimRight(a.archive.Bytes(), "\x00"); {
	case len(sent) == 0:
		return wanted, nil
	case !bytes.HasSuffix(sent, []byte("TRAILER!!!")):
		return wanted, errors.New("the guest ended before all its files were out: none is kept")
	}
	trees := make([]tree, len(wanted))
	defer func() {
		for i := range trees {
			trees[i].discard()
		}
	}()
	for r := cpio.NewReader(&a.archive); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err == nil && h.Size < 0 {
			err = cpio.ErrHeader
		}
		if err != nil {
			return wanted, fmt.Errorf("the files that the guest sent: %w", err)
		}
		for i, o := range wanted {
			if below, ok := strings.CutPrefix(h.Name, o.name); ok && (below == "" || below[0] == '/') {
				if err := trees[i].add(ctx, o, strings.TrimPrefix(below, "/"), h, r); err != nil {
					return wanted, fmt.Errorf("%s, which the guest sent: %w", h.Name, err)
				}
				break
			}
		}
	}
	for i, o := range wanted {
		if arrived, err := trees[i].keep(o); err != nil {
			return missing, err
		} else if !arrived {
			missing = append(missing, o)
		}
	}
	return missing, nil
}

// A tree is a file or directory while it arrives.
type tree struct {
	file      outputs
	hasFile   bool
	directory string // a temporary one beside where it goes
	root      *os.Root
}

// add adds an entry of the archive, which lies below the tree's own name.
func (t *tree) add(ctx context.Context, o outgoing, below string, h *cpio.Header, content io.Reader) error {
	isDirectory := h.Mode&cpio.ModeType == cpio.TypeDir
	if !isDirectory && h.Mode&cpio.ModeType != cpio.TypeReg {
		return errors.New("neither a file nor a directory")
	}
	if below == "" {
		if t.hasFile || t.root != nil {
			return errors.New("it is there twice")
		}
		if !isDirectory {
			to, err := t.file.create(ctx, o.path)
			if err != nil {
				return err
			}
			t.hasFile = true
			_, err = io.CopyN(to, content, h.Size)
			return err
		}
		var err error
		if t.directory, err = os.MkdirTemp(filepath.Dir(o.path), ".tacit-*"); err != nil {
			return err
		}
		t.root, err = os.OpenRoot(t.directory)
		return err
	}
	if t.root == nil {
		return errors.New("a file in what is no directory")
	}
	if isDirectory {
		return t.root.Mkdir(below, 0o777)
	}
	to, err := t.root.OpenFile(below, os.O_CREATE|os.O_EXCL|os.O_WRONLY, os.FileMode(h.Mode)&0o777|0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyN(to, content, h.Size)
	return errors.Join(err, to.Close())
}

// keep puts what has arrived in its place, and says whether anything has.
func (t *tree) keep(o outgoing) (arrived bool, err error) {
	if t.hasFile {
		return true, t.file.keep()
	}
	if t.root == nil {
		return false, nil
	}
	if err := os.Remove(o.path); err != nil && !errors.Is(err, os.ErrNotExist) { // an empty directory
		return false, err
	}
	if err := os.Chmod(t.directory, 0o755); err != nil {
		return false, err
	}
	if err := os.Rename(t.directory, o.path); err != nil {
		return false, err
	}
	t.directory = ""
	return true, nil
}

// discard removes what was not kept.
func (t *tree) discard() {
	t.file.discard()
	if t.root != nil {
		t.root.Close()
	}
	if t.directory != "" {
		os.RemoveAll(t.directory)
	}
}
