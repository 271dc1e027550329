package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// layoutPath is where a layout has what has a digest.
func layoutPath(dir string, d digest) []string {
	algorithm, value, _ := strings.Cut(string(d), ":")
	return []string{dir, "blobs", algorithm, value}
}

// layout writes what makes a directory with layers the layout of one image.
func (v *view) layout(dir string, m manifest) error {
	index, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "manifests": []descriptor{{MediaType: "application/vnd.oci.image.manifest.v1+json", Digest: m.digest, Size: int64(len(m.text))}},
	})
	if err != nil {
		return err
	}
	for _, file := range []struct {
		path []string
		text []byte
	}{
		{layoutPath(dir, m.digest), m.text}, {[]string{dir, "index.json"}, index}, {[]string{dir, "oci-layout"}, []byte(`{"imageLayoutVersion":"1.0.0"}`)},
	} {
		path := v.path(file.path...)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, file.text, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// refName is the annotation by which an index names its images.
const refName = "org.opencontainers.image.ref.name"

// layoutManifest reads the manifest that a reference to a layout names.
func (f *Fetcher) layoutManifest(root *os.Root, tag string) (m manifest, err error) {
	read := func(path string) (m manifest, err error) {
		file, err := root.Open(path)
		if err != nil {
			return m, err
		}
		defer file.Close()
		text, err := io.ReadAll(io.LimitReader(file, f.limits().manifest+1))
		if err != nil {
			return m, err
		}
		if int64(len(text)) > f.limits().manifest {
			return m, fmt.Errorf("a manifest of more than %d bytes", f.limits().manifest)
		}
		return parseManifest(text, f.limits())
	}
	if m, err = read("index.json"); err != nil {
		return m, err
	}
	var names []string
	var chosen []descriptor
	for _, d := range m.Manifests {
		names = append(names, d.Annotations[refName])
		if tag == "" || d.Annotations[refName] == tag {
			chosen = append(chosen, d)
		}
	}
	if tag != "" && len(chosen) == 0 {
		return m, fmt.Errorf("no image %q in it: there are %q", tag, names)
	}
	m.Manifests = chosen
	if tag == "" && len(chosen) > 1 && chosen[0].Platform == nil {
		return m, fmt.Errorf("several images in it, %q: say which, as oci:DIRECTORY:NAME", names)
	}
	return within(m, nil, func(d digest) (manifest, error) {
		m, err := read(filepath.Join(layoutPath("", d)...))
		if h := d.newHash(); err == nil {
			h.Write(m.text)
			if !d.is(h) {
				err = fmt.Errorf("manifest %.19s…: it has another digest", d)
			}
		}
		return m, err
	})
}

// local shows an image of a layout here as a layout of that alone, after it has looked at all its digests.
func (f *Fetcher) local(ctx context.Context, c *cache, ref Reference) (*File, error) {
	root, err := os.OpenRoot(ref.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	m, err := f.layoutManifest(root, ref.tag)
	if err != nil {
		return nil, err
	}
	v, err := c.show()
	if err != nil {
		return nil, err
	}
	for _, l := range m.Layers {
		if err = v.adopt(ctx, root, ref, l); err != nil {
			err = fmt.Errorf("layer %.19s…: %w", l.Digest, err)
			break
		}
	}
	if err == nil {
		err = v.layout(ref.Base(), m)
	}
	if err != nil {
		return nil, errors.Join(err, v.close())
	}
	return v.file(m.digest.sha256(), ref.Base()), nil
}

// adopt shows a layer that is here: as a link where that can be, or else as a copy.
func (v *view) adopt(ctx context.Context, root *os.Root, ref Reference, l descriptor) error {
	path := filepath.Join(layoutPath("", l.Digest)...)
	file, err := root.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	h, to := l.Digest.newHash(), io.Writer(nil)
	shown := v.path(layoutPath(ref.Base(), l.Digest)...)
	if err := os.MkdirAll(filepath.Dir(shown), 0o700); err != nil {
		return err
	}
	to = h
	if err := os.Link(filepath.Join(ref.dir, path), shown); err != nil && !errors.Is(err, os.ErrExist) {
		copied, err := os.Create(shown)
		if err != nil {
			return err
		}
		defer copied.Close()
		to = io.MultiWriter(h, copied)
	}
	n, err := io.Copy(to, io.LimitReader(untilDone{ctx, file}, l.Size+1))
	switch {
	case err != nil:
		return err
	case n != l.Size || !l.Digest.is(h):
		return errors.New("it has another size or digest than its manifest says")
	}
	return nil
}
