package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// A Fetcher gets what references name. Several may be asked for at a time.
type Fetcher struct {
	Dir   string   // of the cache; it is made when it is needed first
	Size  int64    // bytes that the cache may keep, and of the largest image
	Hosts []string // with a port, or for 443: servers in the local network that others may lead to

	// Strangers says that it is others who have written the references: that one names a host of the local network is no reason
	// to ask it.
	Strangers bool

	Keychain authn.Keychain // nil means what Docker's configuration has
	TLS      *tls.Config    // nil means the system's certificates

	// Progress hears how much of an image has come, many times; may be nil.
	Progress func(ref string, read, size int64)

	bounds *limits // nil means the usual ones

	once  sync.Once
	cache *cache
	err   error // why there is no cache
}

// DefaultSize is how much a cache keeps by default, in bytes.
const DefaultSize = 20 << 30

func (f *Fetcher) limits() limits {
	if f.bounds != nil {
		return *f.bounds
	}
	return usual
}

// A File is what a reference names, here: a file, or a directory that is an OCI layout. It is there until it is closed.
type File struct {
	Path   string
	SHA256 string // of what the reference names, in hexadecimal, where that is known; of a container image its manifest's
	close  func() error
}

// Close lets go of the file.
func (f *File) Close() error {
	if f == nil || f.close == nil {
		return nil
	}
	return f.close()
}

func (v *view) file(digest string, path ...string) *File {
	return &File{Path: v.path(path...), SHA256: digest, close: v.close}
}

// Digest is the SHA-256 of what a reference names, in hexadecimal, as it would have it once it is fetched; of a container image
// it is its manifest's, for which the registry is asked. It is empty where only the content could tell.
func (f *Fetcher) Digest(ctx context.Context, ref Reference) (string, error) {
	switch ref.kind {
	case onWeb:
		return ref.digest.sha256(), nil
	case inRegistry:
		r, err := f.repository(ctx, ref.image.Context())
		if err != nil {
			return "", naming(ref, err)
		}
		m, err := r.named(ctx, ref.image)
		return m.digest.sha256(), naming(ref, err)
	case inLayout:
		root, err := os.OpenRoot(ref.dir)
		if err != nil {
			return "", naming(ref, err)
		}
		defer root.Close()
		m, err := f.layoutManifest(root, ref.tag)
		return m.digest.sha256(), naming(ref, err)
	}
	return "", nil
}

// Fetch gets what a reference names. A file here is taken as it is.
func (f *Fetcher) Fetch(ctx context.Context, ref Reference) (*File, error) {
	if ref.kind == aFile {
		return &File{Path: ref.text}, nil
	}
	f.once.Do(func() { f.cache, f.err = openCache(f.Dir) })
	if f.err != nil {
		return nil, fmt.Errorf("the cache of images: %w", f.err)
	}
	var got *File
	var err error
	switch ref.kind {
	case onWeb:
		got, err = f.download(ctx, ref)
	case inRegistry:
		got, err = f.pull(ctx, f.cache, ref)
	case inLayout:
		got, err = f.local(ctx, f.cache, ref)
	}
	if err != nil {
		return nil, naming(ref, err)
	}
	if err := f.cache.shrink(f.Size); err != nil {
		return nil, errors.Join(err, got.Close())
	}
	return got, nil
}

// naming says of which reference an error is.
func naming(ref Reference, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", ref, err)
}

func (f *Fetcher) tell(ref Reference) func(read, size int64) {
	if f.Progress == nil {
		return nil
	}
	return func(read, size int64) { f.Progress(ref.text, read, size) }
}

// download gets a file by its URL.
func (f *Fetcher) download(ctx context.Context, ref Reference) (*File, error) {
	u, err := url.Parse(ref.url)
	if err != nil {
		return nil, err
	}
	v, err := f.cache.show()
	if err != nil {
		return nil, err
	}
	w := wanted{client: f.client(u.Host), url: ref.url, digest: ref.digest, size: -1, most: f.Size, tell: f.tell(ref)}
	if err := f.blob(ctx, f.cache, w, v, ref.Base()); err != nil {
		return nil, errors.Join(err, v.close())
	}
	return v.file(ref.digest.sha256(), ref.Base()), nil
}

// blob shows a file in a view, and gets it if it is not in the cache. What another process removes from there in between is
// got again.
func (f *Fetcher) blob(ctx context.Context, c *cache, w wanted, v *view, path ...string) error {
	for attempt := 1; ; attempt++ {
		there, err := c.has(ctx, w.digest)
		if err == nil && !there {
			err = c.download(ctx, w, f.limits())
		}
		if err == nil {
			_, err = v.link(c.blob(w.digest), path...)
		}
		if !errors.Is(err, os.ErrNotExist) || attempt == 3 {
			return err
		}
	}
}

// Pinned is the same reference with the digest that was found, so that it means the same for ever; a tag of a registry may not.
func (r Reference) Pinned(sha256 string) (Reference, bool) {
	if r.kind != inRegistry || sha256 == "" {
		return r, r.Travels()
	}
	d := r.image.Context().Digest("sha256:" + sha256)
	return Reference{text: dockerScheme + d.String(), kind: inRegistry, image: name.Reference(d)}, true
}
