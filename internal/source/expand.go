package source

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds on what several references are written as.
const (
	maxList     = 16 << 20 // bytes of a list
	maxExpanded = 1 << 17  // references
)

// An Expansion makes of what people write for several images the references of each.
type Expansion struct {
	List        io.Reader         // what - stands for; nil where it stands for nothing
	Directories bool              // a directory stands for what is in it
	Passed      func(path string) // hears of files in directories that are passed over; may be nil

	listed bool
	all    []string
}

// Expand returns them. A pattern as of a shell (path/filepath.Match) becomes the files that match, a directory those in it and
// below, and - the lines of a list, in which # begins a line that is none. What is there under its very name is that, and no
// pattern. Of directories, files that are text or hidden are passed over. One that is an OCI layout is one image.
func (e *Expansion) Expand(args []string) ([]string, error) {
	e.all = nil
	for _, arg := range args {
		if arg == "-" && e.List != nil {
			if err := e.lines(); err != nil {
				return nil, fmt.Errorf("the list on standard input: %w", err)
			}
			continue
		}
		if err := e.one(arg); err != nil {
			return nil, err
		}
	}
	return e.all, nil
}

func (e *Expansion) add(text ...string) error {
	if e.all = append(e.all, text...); len(e.all) > maxExpanded {
		return fmt.Errorf("more than %d images", maxExpanded)
	}
	return nil
}

func (e *Expansion) lines() error {
	if e.listed {
		return nil
	}
	limited := &io.LimitedReader{R: e.List, N: maxList + 1}
	lines := bufio.NewScanner(limited)
	for e.listed = true; lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := e.one(line); err != nil {
			return err
		}
	}
	if limited.N == 0 {
		return fmt.Errorf("more than %d bytes", maxList)
	}
	return lines.Err()
}

func (e *Expansion) one(arg string) error {
	r, err := Parse(arg)
	if err != nil || !r.Local() {
		return e.add(arg) // what is wrong with it is its own row
	}
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir() && e.Directories:
		return e.directory(arg)
	case err == nil || !strings.ContainsAny(arg, "*?["):
		return e.add(arg)
	}
	found, err := filepath.Glob(arg)
	if err != nil || len(found) == 0 {
		return e.add(arg)
	}
	slices.Sort(found)
	return e.add(found...)
}

func (e *Expansion) directory(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "oci-layout")); err == nil {
		return e.add(ociScheme + dir)
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return e.add(path)
		case strings.HasPrefix(d.Name(), ".") && path != dir:
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			if _, err := os.Stat(filepath.Join(path, "oci-layout")); err == nil {
				return besides(e.add(ociScheme + path))
			}
			return nil
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return nil // a device, a socket, a link to a directory
		}
		if isText(path) {
			if e.Passed != nil {
				e.Passed(path)
			}
			return nil
		}
		return e.add(path)
	})
}

// besides goes on beside a directory where there is no error.
func besides(err error) error {
	if err == nil {
		return fs.SkipDir
	}
	return err
}

// isText says whether a file is one for people, such as the checksums of its neighbours.
func isText(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if n == 0 {
		return err == io.EOF
	}
	for head = head[:n]; len(head) > 0; {
		r, size := utf8.DecodeRune(head)
		if r == 0 || r == utf8.RuneError && size == 1 && utf8.FullRune(head) {
			return false
		}
		head = head[size:]
	}
	return true
}
