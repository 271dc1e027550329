package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
)

// item is an entry of a directory, of whatever file system.
type item struct {
	name string
	kind fs.FileMode // a type only: 0 for a regular file, fs.ModeDir, fs.ModeSymlink
	size int64
	err  error                       // why nothing is known of it but its name
	list func() ([]item, error)      // of a directory
	link func() (string, error)      // of a symbolic link
	open func() (io.ReaderAt, error) // of a file
}

// search finds the wanted files below a directory. What cannot be read is left out and told in problems, unless it is
// the directory itself.
func search(root func() ([]item, error), wanted Wanted) (files []Entry, problems []string, err error) {
	s := searching{wanted: wanted}
	items, err := root()
	if err == nil {
		err = s.items("", items, 0)
	}
	return s.files, s.problems, err
}

type searching struct {
	wanted   Wanted
	files    []Entry
	problems []string
	entries  int
}

// items looks at the entries of a directory. Its error ends the search.
func (s *searching) items(dir string, items []item, depth int) error {
	if s.entries += len(items); s.entries > maxEntries {
		return fmt.Errorf("more than %d directory entries; is it cyclic?", maxEntries)
	}
	for _, it := range items {
		name := path.Join(dir, it.name)
		err := it.err
		switch {
		case err != nil:
		case it.kind == fs.ModeDir:
			if !s.wanted.Directory(name) {
				continue
			}
			if depth == maxDepth {
				return fmt.Errorf("/%s: directories nested more than %d deep", name, maxDepth)
			}
			var inside []item
			if inside, err = it.list(); err == nil {
				if err := s.items(name, inside, depth+1); err != nil {
					return err
				}
			}
		case it.kind == fs.ModeSymlink:
			if s.wanted.File(name, 0, nil) {
				var link string
				if link, err = it.link(); err == nil {
					s.files = append(s.files, Entry{Name: name, Link: link})
				}
			}
		case it.kind == 0:
			err = s.file(name, it)
		}
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err != nil {
			s.problems = append(s.problems, fmt.Sprintf("/%s: %v", name, err))
		}
		if len(s.files) > maxWanted || len(s.problems) > maxWanted {
			return fmt.Errorf("more than %d kernels and boot loaders", maxWanted)
		}
	}
	return nil
}

func (s *searching) file(name string, it item) error {
	r, err := it.open()
	if err != nil {
		return err
	}
	head := make([]byte, min(it.size, HeadSize))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if s.wanted.File(name, it.size, head) {
		s.files = append(s.files, Entry{Name: name, Size: it.size, ReaderAt: r})
	}
	return nil
}

// lookInDirectory reads a directory of this machine, such as the root of a mounted image. Symbolic links that lead out
// of it are not followed.
func lookInDirectory(ctx context.Context, dir string, wanted Wanted) (*Contents, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	files, problems, err := search(func() ([]item, error) { return listRoot(ctx, root, ".") }, wanted)
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	c := &Contents{Format: "directory", Volumes: []Volume{{Files: files, Problems: problems}}, files: []io.Closer{root}}
	if images, err := imagesInDirectory(ctx, root, wanted); err != nil {
		c.Volumes[0].Problems = append(c.Volumes[0].Problems, err.Error())
	} else if len(images) > 0 {
		c.Format, c.Volumes = formatContainer, images
	}
	return c, nil
}

// imagesInDirectory reads an OCI layout, or what skopeo copy writes into a directory.
func imagesInDirectory(ctx context.Context, root *os.Root, wanted Wanted) ([]Volume, error) {
	var l layers
	budget := int64(maxArchive)
	var names []string
	for _, pattern := range []string{"*", "blobs/*/*"} {
		found, err := fs.Glob(root.FS(), pattern)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	if !slices.Contains(names, "index.json") && !slices.Contains(names, "manifest.json") {
		return nil, nil
	}
	for _, name := range names {
		if !l.is(name) {
			continue
		}
		if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		file, err := root.Open(name)
		if err != nil {
			return nil, err
		}
		err = l.add(name, io.NewSectionReader(contextReaderAt{ctx, file}, 0, 1<<62), wanted, &budget)
		file.Close()
		if err != nil {
			return nil, err
		}
	}
	return l.images(), nil
}

func listRoot(ctx context.Context, root *os.Root, dir string) ([]item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(root.FS(), dir)
	if err != nil {
		return nil, err
	}
	var items []item
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed while we read
		}
		if err != nil {
			return nil, err
		}
		items = append(items, item{
			name: e.Name(), kind: e.Type(), size: info.Size(),
			list: func() ([]item, error) { return listRoot(ctx, root, name) },
			link: func() (string, error) { return root.Readlink(name) },
			open: func() (io.ReaderAt, error) { return rootFile{root, name}, nil },
		})
	}
	return items, nil
}

// rootFile opens its file for each read, so that a directory of many files needs no more than one descriptor.
type rootFile struct {
	root *os.Root
	name string
}

func (f rootFile) ReadAt(p []byte, off int64) (int, error) {
	file, err := f.root.Open(f.name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return file.ReadAt(p, off)
}
