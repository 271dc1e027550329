package image

import (
	"archive/tar"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// layers are those of container images: in an OCI layout (OCI Image Format Specification, "Image Layout" and "Image
// Layer Filesystem Changeset"), or in what docker save writes. Each is a tar archive; a manifest, which may come before or
// after them, says in which order they make an image.
type layers struct {
	texts map[string][]byte // JSON by name
	all   map[string]*layer
	links map[string]string
	size  int64 // of texts
	held        // of all layers together
	work  int   // done to merge them
}

// A layer is what one changes: the wanted files in it, and what is gone of the layers below.
type layer struct {
	files  []Entry
	gone   map[string]bool // by path: whatever was there, and below it
	opaque map[string]bool // directories of which nothing of the layers below shows
}

// Bounds on container images.
const (
	maxLayers    = 4096     // blobs of all images
	maxImages    = 64       // images in one file
	maxMerged    = 1 << 22  // files that are compared with a layer
	maxManifests = 64 << 20 // bytes of JSON
	maxManifest  = 4 << 20  // bytes of one
)

// layerNames are names of files in such archives, of layers and of what describes them.
var layerNames = regexp.MustCompile(`^(blobs/[a-z0-9]+/[0-9a-f]{32,}|[0-9a-f]{64}/layer\.tar|[0-9a-f]{64}(\.tar)?(\.gz)?|` +
	`(manifest|index)\.json|oci-layout)$`)

func (l *layers) is(name string) bool { return layerNames.MatchString(name) }

// link notes that a layer is the same as another one.
func (l *layers) link(name, target string) {
	if !l.is(name) || len(l.links) == maxLayers {
		return
	}
	if !strings.HasPrefix(target, "/") {
		target = path.Join(path.Dir(name), target)
	}
	if l.links == nil {
		l.links = map[string]string{}
	}
	l.links[name] = cleanName(target)
}

// add takes a file of the archive. budget is how many bytes may be unpacked of it.
func (l *layers) add(name string, content io.Reader, wanted Wanted, budget *int64) error {
	if l.all == nil {
		l.texts, l.all = map[string][]byte{}, map[string]*layer{}
	}
	if len(l.texts)+len(l.all) == maxLayers {
		return fmt.Errorf("more than %d layers", maxLayers)
	}
	unpacked, err := decompressor(content)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	limited := bounded(unpacked, *budget)
	head := make([]byte, 512)
	n, err := io.ReadFull(limited, head)
	switch {
	case n > 0 && (head[0] == '{' || head[0] == '[') && !isTar(head[:n]):
		rest, err := io.ReadAll(io.LimitReader(limited, maxManifest))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if l.size += int64(n + len(rest)); len(rest) < maxManifest && l.size < maxManifests {
			l.texts[name] = append(head[:n], rest...)
		}
	case isTar(head[:n]):
		l.wanted = wanted
		one, err := l.readLayer(io.MultiReader(bytes.NewReader(head[:n]), limited))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		l.all[name] = one
	case err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: %w", name, err)
	}
	*budget -= limited.read
	return nil
}

// readLayer reads a layer's tar archive.
func (l *layers) readLayer(r io.Reader) (*layer, error) {
	const whiteout, opaque = ".wh.", ".wh..wh..opq"
	one := &layer{gone: map[string]bool{}, opaque: map[string]bool{}}
	l.files = nil
	archive := tar.NewReader(r)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			one.files = l.files
			return one, nil
		}
		if err != nil {
			return nil, err
		}
		name := cleanName(header.Name)
		dir, base := path.Split(name)
		have := len(l.files)
		if l.entries++; l.entries > maxEntries {
			return nil, fmt.Errorf("more than %d files", maxEntries)
		}
		switch {
		case base == opaque:
			one.opaque[path.Clean(dir)] = true
			continue
		case strings.HasPrefix(base, whiteout):
			one.gone[dir+strings.TrimPrefix(base, whiteout)] = true
			continue
		case isRegular(header):
			err = l.held.add(header.Name, header.Size, "", archive)
		case header.Typeflag == tar.TypeDir:
			continue
		default:
			if target, ok := tarLink(header); ok {
				err = l.held.add(header.Name, 0, target, nil)
			}
		}
		if err != nil {
			return nil, err
		}
		if len(l.files) == have && inWanted(l.wanted, name) { // something else takes the place of what was there
			one.gone[name] = true
		}
	}
}

// images puts the layers together. Without a manifest there is no image.
func (l *layers) images() (all []Volume) {
	var named []containerImage
	if b := l.texts["manifest.json"]; b != nil {
		named = append(named, l.saved(b)...)
	}
	if len(named) == 0 {
		named = l.indexed(l.texts["index.json"], "", 0)
	}
	for _, image := range named {
		v := Volume{Name: image.name, Format: formatContainer}
		if len(all) == maxImages {
			v.Unread = fmt.Sprintf("no more than %d images are read", maxImages)
			return append(all, v)
		}
		v.Files, v.Unread = l.merge(image.layers)
		all = append(all, v)
	}
	return all
}

// A containerImage is the names of its layers' files, the lowest first.
type containerImage struct {
	name   string
	layers []string
}

// saved reads the manifest of docker save, or of a directory as skopeo writes it.
func (l *layers) saved(b []byte) (all []containerImage) {
	var manifests []struct {
		RepoTags []string
		Layers   []string
	}
	if json.Unmarshal(b, &manifests) != nil {
		return l.indexed(b, "", 0)
	}
	for i, m := range manifests {
		name := fmt.Sprintf("image %d", i+1)
		if len(m.RepoTags) > 0 {
			name = "image " + printableName(m.RepoTags[0])
		}
		all = append(all, containerImage{name, m.Layers})
	}
	return all
}

// indexed reads an OCI index or manifest.
func (l *layers) indexed(b []byte, name string, depth int) (all []containerImage) {
	const deepest = 4 // indexes in indexes
	type descriptor struct {
		Digest      string
		Annotations map[string]string
		Platform    struct{ Architecture, OS string }
	}
	var index struct{ Manifests, Layers []descriptor }
	if json.Unmarshal(b, &index) != nil || depth > deepest {
		return nil
	}
	for i, m := range index.Manifests {
		if len(all) > maxImages {
			break
		}
		inside := name
		if inside == "" {
			inside = fmt.Sprintf("image %d", i+1)
		}
		if ref := m.Annotations["org.opencontainers.image.ref.name"]; ref != "" {
			inside = "image " + printableName(ref)
		}
		switch m.Platform.Architecture {
		case "", "amd64":
			all = append(all, l.indexed(l.texts[blobName(m.Digest)], inside, depth+1)...)
		}
	}
	if len(index.Layers) > 0 {
		image := containerImage{name: cmp.Or(name, "image 1")}
		for _, d := range index.Layers {
			image.layers = append(image.layers, blobName(d.Digest))
		}
		all = append(all, image)
	}
	return all
}

// blobName is the name of the file that has a digest.
func blobName(digest string) string {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return path.Join("blobs", algorithm, hex)
}

// printableName is a name out of a file, as a terminal should get it.
func printableName(name string) string {
	const longest = 128 // bytes
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == '\uFFFD' || c >= 0x80 && c < 0xa0 {
			return '?'
		}
		return c
	}, name[:min(len(name), longest)])
}

// merge is the files of an image: of each path what the highest layer has. Why they are not all there, it tells in unread.
func (l *layers) merge(names []string) (files []Entry, unread string) {
	found := map[string]Entry{}
	missing := 0
	for _, name := range names {
		one := l.layer(name)
		if one == nil {
			missing++
			continue
		}
		if l.work += len(found) + 1; l.work > maxMerged {
			return nil, "more layers than any image has"
		}
		for p := range found {
			if one.hides(p) {
				delete(found, p)
			}
		}
		for _, e := range one.files {
			found[e.Name] = e
		}
	}
	for _, p := range slices.Sorted(maps.Keys(found)) {
		files = append(files, found[p])
	}
	if missing > 0 {
		unread = fmt.Sprintf("%d of its %d layers are not in it, or are no tar archives", missing, len(names))
	}
	return files, unread
}

// layer finds a layer by the name of its file.
func (l *layers) layer(name string) *layer {
	name = cleanName(name)
	for range 8 { // links, one after the other
		if one := l.all[name]; one != nil {
			return one
		}
		if hex := path.Base(name); l.all[hex] != nil { // in a directory as skopeo writes it
			return l.all[hex]
		}
		target, ok := l.links[name]
		if !ok {
			return nil
		}
		name = target
	}
	return nil
}

// hides tells whether a path of the layers below does not show through this one.
func (one *layer) hides(p string) bool {
	for ; p != "."; p = path.Dir(p) {
		if one.gone[p] || one.opaque[path.Dir(p)] {
			return true
		}
	}
	return false
}
