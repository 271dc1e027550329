package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// packages are the kernel packages that are opened, for --help.
const packages = "a kernel package (.deb, .rpm, .pkg.tar.zst)"

// openImage opens what the command line calls an image.
func openImage(ctx context.Context, path string) (*image.Image, error) {
	img, err := image.Open(ctx, path)
	return img, elsewhere(path, err)
}

var (
	aURL = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

	// What pulls container images takes these: a name with a tag or a digest, or one that begins with a registry's host.
	aContainer = regexp.MustCompile(`^[a-z0-9][a-z0-9._/-]*(?::[0-9]+/[a-z0-9._/-]+)?(?::[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]+)$` +
		`|^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?/[a-z0-9._/-]+$`)

	// … with the name of a transport in front, as skopeo has them.
	aTransport = regexp.MustCompile(`^(?:docker|docker-daemon|docker-archive|containers-storage|oci|oci-archive):`)
)

// elsewhere says of an image that is no file here how it becomes one, where its name shows what it is.
func elsewhere(path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	switch {
	case aTransport.MatchString(path):
		return fmt.Errorf("%s: no such file, and of container images tacit takes docker://NAME and oci:DIRECTORY (boot, certify, inspect), "+
			"and what docker save and docker export write (inspect)", path)
	case aContainer.MatchString(path):
		return fmt.Errorf("%s: no such file; a container image is docker://%s (boot, certify, inspect)", path, path)
	case strings.HasPrefix(path, "https://"):
		return fmt.Errorf("%s: it is tacit boot, certify and inspect that fetch images: curl -fLO %s", path, path)
	case aURL.MatchString(path):
		return fmt.Errorf("%s: no such file, and tacit fetches by https only: curl -fLO %s", path, path)
	}
	return err
}
