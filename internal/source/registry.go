package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A descriptor is what an index or manifest says of each of its parts (OCI Image Format Specification, "Descriptor").
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      digest            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *struct {
		Architecture string `json:"architecture"`
		OS           string `json:"os"`
	} `json:"platform,omitempty"`
}

// A manifest is an index of manifests, or that of one image or artifact.
type manifest struct {
	Manifests []descriptor `json:"manifests"`
	Layers    []descriptor `json:"layers"`

	digest digest
	text   []byte
}

func parseManifest(text []byte, l limits) (m manifest, err error) {
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("its manifest: %w", err)
	}
	sum := sha256.Sum256(text)
	m.text, m.digest = text, digest("sha256:"+hex.EncodeToString(sum[:]))
	if len(m.Layers) > l.layers {
		return m, fmt.Errorf("%d layers: at most %d are taken", len(m.Layers), l.layers)
	}
	for _, d := range slices.Concat(m.Manifests, m.Layers) {
		if _, err := parseDigest(string(d.Digest)); err != nil {
			return m, fmt.Errorf("its manifest: %w", err)
		}
		if d.Size < 0 {
			return m, errors.New("its manifest: a negative size")
		}
	}
	return m, nil
}

// forPC returns the manifest in an index that is for amd64, or for no machine in particular.
func (m *manifest) forPC() (descriptor, error) {
	for _, d := range m.Manifests {
		if p := d.Platform; p == nil || (p.Architecture == "amd64" || p.Architecture == "") && (p.OS == "linux" || p.OS == "") {
			return d, nil
		}
	}
	return descriptor{}, errors.New("no image in it is for amd64")
}

// size is how many bytes all layers have.
func (m *manifest) size() (n int64) {
	for _, l := range m.Layers {
		if n += l.Size; n < 0 || l.Size > 1<<50 {
			return 1 << 62
		}
	}
	return n
}

// A repository is one of a registry's, with what shows the registry who we are.
type repository struct {
	name.Repository
	client *http.Client
	limits limits
}

// repository logs in, with what Docker's configuration has for the registry.
func (f *Fetcher) repository(ctx context.Context, r name.Repository) (*repository, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, f.limits().answers(), errNoAnswer)
	defer cancel()
	client := f.client(r.RegistryStr())
	auth, err := authn.Resolve(ctx, cmp.Or[authn.Keychain](f.Keychain, authn.DefaultKeychain), r)
	if err != nil {
		return nil, fmt.Errorf("the configuration of Docker: %w", err)
	}
	client.Transport, err = transport.NewWithContext(ctx, r.Registry, auth, client.Transport, []string{r.Scope(transport.PullScope)})
	if err != nil {
		return nil, because(ctx, err)
	}
	return &repository{r, client, f.limits()}, nil
}

var errNoAnswer = errors.New("the registry does not answer in time")

// answers is how long a short answer may take, with all that goes before it.
func (l limits) answers() time.Duration { return 2 * l.silence }

// because is why a context was done, or else the error, without the URL that those of HTTP begin with: it is not always the
// one that was named.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// url is where a part of the repository is (OCI Distribution Specification, "Pull").
func (r *repository) url(what, which string) string {
	return fmt.Sprintf("%s://%s/v2/%s/%s/%s", r.Scheme(), r.RegistryStr(), r.RepositoryStr(), what, which)
}

// manifest gets one by its tag or digest.
func (r *repository) manifest(ctx context.Context, which string) (m manifest, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.limits.answers(), errNoAnswer)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url("manifests", which), nil)
	if err != nil {
		return m, err
	}
	request.Header.Set("Accept", strings.Join([]string{
		string(types.OCIImageIndex), string(types.OCIManifestSchema1), string(types.DockerManifestList), string(types.DockerManifestSchema2),
	}, ","))
	answer, err := r.client.Do(request)
	if err != nil {
		return m, because(ctx, err)
	}
	defer answer.Body.Close()
	if err := transport.CheckError(answer, http.StatusOK); err != nil {
		return m, because(ctx, err)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, r.limits.manifest+1))
	if err != nil {
		return m, because(ctx, err)
	}
	if int64(len(text)) > r.limits.manifest {
		return m, fmt.Errorf("a manifest of more than %d bytes", r.limits.manifest)
	}
	return parseManifest(text, r.limits)
}

// get is manifest by digest, which it has to have.
func (r *repository) get(ctx context.Context, d digest) (m manifest, err error) {
	if m, err = r.manifest(ctx, string(d)); err != nil {
		return m, err
	}
	if h := d.newHash(); true {
		h.Write(m.text)
		if !d.is(h) {
			return m, fmt.Errorf("the manifest that came has another digest than %.19s…", d)
		}
	}
	return m, nil
}

// deepest is how many indexes are in one another at most.
const deepest = 4

// named gets the manifest that a reference names: of an index that for amd64.
func (r *repository) named(ctx context.Context, ref name.Reference) (m manifest, err error) {
	if by, ok := ref.(name.Digest); ok {
		m, err = r.get(ctx, digest(by.DigestStr()))
	} else {
		m, err = r.manifest(ctx, ref.Identifier())
	}
	return within(m, err, func(d digest) (manifest, error) { return r.get(ctx, d) })
}

// within follows indexes to the manifest of an image.
func within(m manifest, err error, get func(digest) (manifest, error)) (manifest, error) {
	for range deepest {
		if err != nil || len(m.Manifests) == 0 {
			break
		}
		var d descriptor
		if d, err = m.forPC(); err == nil {
			m, err = get(d.Digest)
		}
	}
	switch {
	case err != nil:
		return m, err
	case len(m.Manifests) > 0:
		return m, errors.New("indexes in indexes in indexes")
	case len(m.Layers) == 0:
		return m, errors.New("an image without layers")
	}
	return m, nil
}

// pull shows the image of a manifest as a layout, with all its layers.
func (f *Fetcher) pull(ctx context.Context, c *cache, ref Reference) (*File, error) {
	r, err := f.repository(ctx, ref.image.Context())
	if err != nil {
		return nil, err
	}
	m, err := r.named(ctx, ref.image)
	if err != nil {
		return nil, err
	}
	all := m.size()
	if all > f.Size {
		return nil, tooLarge(all, f.Size)
	}
	v, err := c.show()
	if err != nil {
		return nil, err
	}
	var before int64
	for _, l := range m.Layers {
		w := wanted{client: r.client, url: r.url("blobs", string(l.Digest)), digest: l.Digest, size: l.Size, most: f.Size}
		if tell := f.tell(ref); tell != nil {
			w.tell = func(read, _ int64) { tell(before+read, all) }
		}
		if err = f.blob(ctx, c, w, v, layoutPath(ref.Base(), l.Digest)...); err != nil {
			err = fmt.Errorf("layer %.19s…: %w", l.Digest, err)
			break
		}
		before += l.Size
	}
	if err == nil {
		err = v.layout(ref.Base(), m)
	}
	if err != nil {
		return nil, errors.Join(err, v.close())
	}
	return v.file(m.digest.sha256(), ref.Base()), nil
}
