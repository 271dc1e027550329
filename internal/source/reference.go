package source

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// A kind is where an image is.
type kind uint8

const (
	aFile      kind = iota // here
	onWeb                  // behind an https URL
	inRegistry             // of container images
	inLayout               // an OCI layout here, as such
)

// A Reference is what somebody has written for an image.
type Reference struct {
	text   string
	kind   kind
	url    string         // on the web, without its fragment
	digest digest         // on the web
	image  name.Reference // in a registry
	dir    string         // of a layout
	tag    string         // likewise, or empty for the only image
}

// String is the reference as it was written.
func (r Reference) String() string { return r.text }

// Local says whether it names a file, directory or device of this machine as it is.
func (r Reference) Local() bool { return r.kind == aFile }

// Travels says whether it means the same on another machine, for ever: it has a digest of what is there.
func (r Reference) Travels() bool {
	_, pinned := r.image.(name.Digest)
	return r.kind == onWeb || r.kind == inRegistry && pinned
}

// Schemes of references. Those of container images are skopeo's (containers-transports(5)).
const (
	httpsScheme  = "https://"
	dockerScheme = "docker://"
	ociScheme    = "oci:"
)

// Parse reads a reference: https://HOST/PATH#sha256=DIGEST, or #sha512=; docker://REGISTRY/NAME:TAG or @DIGEST; oci:DIRECTORY or
// oci:DIRECTORY:TAG. Anything else is the path of a file or directory here, and so is what is there under such a name.
func Parse(text string) (Reference, error) {
	r := Reference{text: text}
	_, err := os.Lstat(text)
	if err == nil {
		return r, nil
	}
	err = nil
	switch {
	case text == "":
		return r, errors.New("the name of an image is empty")
	case strings.HasPrefix(text, httpsScheme):
		r.kind = onWeb
		err = r.parseURL()
	case strings.HasPrefix(text, dockerScheme):
		r.kind = inRegistry
		r.image, err = name.ParseReference(strings.TrimPrefix(text, dockerScheme))
	case strings.HasPrefix(text, ociScheme):
		r.kind = inLayout
		r.dir = strings.TrimPrefix(text, ociScheme)
		if i := strings.LastIndexByte(r.dir, ':'); i > strings.LastIndexByte(r.dir, '/') {
			r.dir, r.tag = r.dir[:i], r.dir[i+1:]
		}
		if r.dir == "" {
			err = errors.New("no directory")
		}
	case strings.HasPrefix(text, "http://"):
		err = errors.New("plain HTTP is not taken: is there https?")
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", text, err)
	}
	return r, nil
}

func (r *Reference) parseURL() error {
	address, fragment, _ := strings.Cut(r.text, "#")
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("not a URL")
	}
	if u.Host == "" || strings.HasSuffix(u.Path, "/") || u.Path == "" {
		return errors.New("the URL names no file")
	}
	r.url = address
	if fragment == "" {
		return errors.New("give the digest that its publisher says it has: " + address + "#sha256=…, or #sha512=…")
	}
	r.digest, err = parseDigest(strings.Replace(fragment, "=", ":", 1))
	return err
}

// Base is the name of the file that it becomes.
func (r Reference) Base() string {
	switch r.kind {
	case onWeb:
		u, err := url.Parse(r.url)
		if err == nil {
			if b := path.Base(u.Path); b != "." && b != "/" && b != ".." {
				return b
			}
		}
		return "image"
	case inRegistry:
		return path.Base(r.image.Context().RepositoryStr())
	}
	return path.Base(path.Clean(r.dir))
}

// A digest is "sha256:…" or "sha512:…", in hexadecimal.
type digest string

func parseDigest(text string) (digest, error) {
	algorithm, value, _ := strings.Cut(text, ":")
	size := map[string]int{"sha256": 32, "sha512": 64}[algorithm]
	b, err := hex.DecodeString(value)
	if size == 0 || err != nil || len(b) != size {
		return "", fmt.Errorf("%.80q is no digest: there are sha256 and sha512, in hexadecimal", text)
	}
	return digest(algorithm + ":" + strings.ToLower(value)), nil
}

// sha256 is the digest's value if it is of that kind; empty for others.
func (d digest) sha256() string {
	value, ok := strings.CutPrefix(string(d), "sha256:")
	if !ok {
		return ""
	}
	return value
}
