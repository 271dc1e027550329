package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/source"
)

// sourceHelp is the part of --help that says what an image may be named by.
const sourceHelp = "An image elsewhere is https://HOST/PATH#sha256=DIGEST (or #sha512=), docker://REGISTRY/NAME:TAG for a container\n" +
	"image with a kernel or a disk in it, or oci:DIRECTORY[:TAG] for one in an OCI layout. It is fetched into a cache.\n" +
	"A qcow2 image may stand on others, its backing files, that are in its own directory.\n\n"

// sourceFlags say how images are fetched that are elsewhere.
type sourceFlags struct {
	cache string
	size  size
	hosts []string
}

func (f *sourceFlags) add(flags *pflag.FlagSet) {
	f.size = source.DefaultSize
	flags.StringVar(&f.cache, "cache", "", "keep images that were fetched in the directory `DIR` (default: tacit/images in the user's cache)")
	flags.Var(&f.size, "cache-size", "how much of them; a larger image is not fetched")
	flags.StringSliceVar(&f.hosts, "local-host", nil, "let servers lead to these `HOSTS` of the local network, with their ports if they are not 443")
}

func (f *sourceFlags) check() error {
	if f.size == 0 || f.size > 1<<50 {
		return errors.New("--cache-size is more than 0, and at most 1024T")
	}
	return nil
}

// trusted is how servers show who they are; nil means by certificates that the system believes. It is a variable for tests.
var trusted *tls.Config

// fetcher fetches as the flags say.
func (f *sourceFlags) fetcher() (*source.Fetcher, error) {
	dir := f.cache
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("where to keep images: %w: say it with --cache", err)
		}
		dir = filepath.Join(cache, "tacit", "images")
	}
	return &source.Fetcher{Dir: dir, Size: int64(f.size), Hosts: f.hosts, TLS: trusted}, nil
}

// A found image is where its name leads.
type found struct {
	name string
	ref  source.Reference
	from *source.Fetcher
}

// find reads the name of an image. Nothing is fetched yet.
func (f *sourceFlags) find(name string) (found, error) {
	ref, err := source.Parse(name)
	if err != nil || ref.Local() {
		return found{name: name, ref: ref}, err
	}
	from, err := f.fetcher()
	return found{name, ref, from}, err
}

// here fetches the image, if it is not here, and names it by its path here, until it is closed.
func (f found) here(ctx context.Context) (*source.File, error) {
	if f.from == nil {
		return &source.File{Path: f.name}, nil
	}
	return f.from.Fetch(ctx, f.ref)
}

// called has an error name the image as the user does, and not by where it has been put.
func (f found) called(at *source.File, err error) error {
	if err == nil || at.Path == f.name {
		return err
	}
	return calledError{strings.ReplaceAll(err.Error(), at.Path, f.name), err}
}

type calledError struct {
	text string
	error
}

func (e calledError) Error() string { return e.text }
func (e calledError) Unwrap() error { return e.error }

// base is the name of the image's file, without directories.
func (f found) base() string {
	if f.from == nil {
		return filepath.Base(f.name)
	}
	return f.ref.Base()
}

// image opens what firmware can start.
func (f found) image(ctx context.Context) (*image.Image, error) {
	at, err := f.here(ctx)
	if err != nil {
		return nil, err
	}
	defer at.Close()
	img, err := openImage(ctx, at.Path)
	return img, f.called(at, err)
}

// disk opens the disk.
func (f found) disk(ctx context.Context) (*image.Disk, error) { return f.opened(ctx, image.OpenDisk) }

// data opens the disk, from which nothing has to be started.
func (f found) data(ctx context.Context) (*image.Disk, error) { return f.opened(ctx, image.OpenData) }

// A diskOpener opens the disk at a path.
type diskOpener func(ctx context.Context, path string) (*image.Disk, error)

// opened opens a disk. What is open of a file stays when its name goes.
func (f found) opened(ctx context.Context, open diskOpener) (*image.Disk, error) {
	at, err := f.here(ctx)
	if err != nil {
		return nil, err
	}
	defer at.Close()
	d, err := open(ctx, at.Path)
	return d, f.called(at, err)
}

// digest is the SHA-256 of what is named, in hexadecimal, without fetching it if that can be; empty for what is no file. What is
// found in this way names the same ever after, though its tag may come to name something else.
func (f found) digest(ctx context.Context) (_ found, digest string, err error) {
	if f.from == nil {
		digest, err = fileDigest(ctx, f.name, nil)
		return f, digest, err
	}
	if digest, err = f.from.Digest(ctx, f.ref); err != nil {
		return f, "", err
	}
	if pinned, ok := f.ref.Pinned(digest); ok {
		f.ref = pinned
	}
	if digest == "" {
		at, err := f.here(ctx)
		if err != nil {
			return f, "", err
		}
		defer at.Close()
		digest, err = fileDigest(ctx, at.Path, nil)
		return f, digest, err
	}
	return f, digest, nil
}

// certified is the disk as certify takes it, by the name and digest of its file.
func (f found) certified(name, digest string, open diskOpener) *certify.Disk {
	return &certify.Disk{Name: name, SHA256: digest, Open: func(ctx context.Context) (*image.Disk, error) { return f.opened(ctx, open) }}
}
