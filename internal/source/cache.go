package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A cache is a directory with what has been fetched:
//
//	blobs/    whole files, by digest; when one was last used is when it was last changed
//	parts/    files that have been begun, by digest, and locked by who fetches them
//	views/    what is in use: hard links to blobs, under the names that they have for their users
//
// Since what is used has a link of its own, blobs can be removed at any time. A view whose lock can be had is one of a process
// that has ended.
type cache struct{ dir string }

func openCache(dir string) (*cache, error) {
	for _, sub := range []string{"blobs", "parts", "views"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	c := &cache{dir}
	c.sweep()
	return c, nil
}

func (c *cache) blob(d digest) string {
	return filepath.Join(c.dir, "blobs", strings.Replace(string(d), ":", "-", 1))
}
func (c *cache) part(d digest) string {
	return filepath.Join(c.dir, "parts", strings.Replace(string(d), ":", "-", 1))
}

// newHash is what computes digests of this kind.
func (d digest) newHash() hash.Hash {
	if d.sha256() == "" {
		return sha512.New()
	}
	return sha256.New()
}

// is says whether a hash has come to the digest.
func (d digest) is(h hash.Hash) bool {
	_, value, _ := strings.Cut(string(d), ":")
	return hex.EncodeToString(h.Sum(nil)) == value
}

// has says whether a file is there, whole and as it should be. One that has been damaged since is removed.
func (c *cache) has(ctx context.Context, d digest) (bool, error) {
	path := c.blob(d)
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	h := d.newHash()
	if _, err := io.Copy(h, untilDone{ctx, f}); err != nil {
		return false, err
	}
	if !d.is(h) {
		return false, os.Remove(path)
	}
	now := time.Now()
	return true, os.Chtimes(path, now, now)
}

// lock waits until the file is nobody else's. It goes with the file's closing.
func lock(ctx context.Context, f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil || !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// A view is a directory that shows files of the cache under other names, until it is closed.
type view struct {
	dir  string
	lock *os.File
}

// show makes a view.
func (c *cache) show() (*view, error) {
	dir, err := os.MkdirTemp(filepath.Join(c.dir, "views"), "v")
	if err != nil {
		return nil, err
	}
	v := &view{dir: dir}
	if v.lock, err = os.Create(filepath.Join(dir, "lock")); err == nil {
		err = unix.Flock(int(v.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// link shows a file of the cache under a path in the view.
func (v *view) link(blob string, path ...string) (string, error) {
	to := v.path(path...)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	if err := os.Link(blob, to); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return to, nil
}

// path is that of a file in the view.
func (v *view) path(path ...string) string {
	return filepath.Join(append([]string{v.dir, "files"}, path...)...)
}

func (v *view) close() error {
	err := os.RemoveAll(v.dir)
	if v.lock != nil {
		err = errors.Join(err, v.lock.Close())
	}
	return err
}

// sweep removes views of processes that have ended. One that has just been made, and not locked yet, is left alone.
func (c *cache) sweep() {
	dirs, _ := os.ReadDir(filepath.Join(c.dir, "views")) // what is left takes room, and no more
	for _, d := range dirs {
		dir := filepath.Join(c.dir, "views", d.Name())
		if info, err := d.Info(); err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		f, err := os.Open(filepath.Join(dir, "lock"))
		if err == nil {
			err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		}
		if err == nil || errors.Is(err, os.ErrNotExist) {
			_ = os.RemoveAll(dir)
		}
		if f != nil {
			f.Close()
		}
	}
}

// shrink removes what was not used for the longest time until no more than so many bytes are left.
func (c *cache) shrink(most int64) error {
	type old struct {
		path string
		size int64
		used time.Time
	}
	var all []old
	var size int64
	for _, sub := range []string{"blobs", "parts"} {
		entries, err := os.ReadDir(filepath.Join(c.dir, sub))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				all = append(all, old{filepath.Join(c.dir, sub, e.Name()), info.Size(), info.ModTime()})
				size += info.Size()
			}
		}
	}
	slices.SortFunc(all, func(a, b old) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	for _, o := range all {
		if size <= most {
			break
		}
		if inUse(o.path) {
			continue
		}
		if err := os.Remove(o.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("the cache of images: %w", err)
		}
		size -= o.size
	}
	return nil
}

// inUse says whether somebody has a part locked.
func inUse(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// untilDone reads until its context is done.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (u untilDone) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(b)
}
