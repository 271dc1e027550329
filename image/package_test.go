package image

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// packagesOf makes a package of each kind.
func packagesOf(t testing.TB, files imagetest.Files) map[string][]byte {
	t.Helper()
	return map[string][]byte{
		"deb": imagetest.Deb(t, files), "rpm": rpmOf(t, files), "pkg.tar.zst": imagetest.Zstd(t, imagetest.Tar(t, files)), "tar": imagetest.Tar(t, files),
	}
}

// A kernel comes out of every kind of package, from wherever distributions put it.
func TestPackages(t *testing.T) {
	kernel := bzImage([]byte("payload"))
	for _, name := range []string{"boot/vmlinuz-6.12.9", "usr/lib/modules/6.12.9/vmlinuz", "lib/modules/6.12.9/vmlinuz"} {
		files := imagetest.Files{name: kernel, "boot/config": []byte("text"), "a/first": []byte("MZ"), "z": imagetest.Link(name)}
		for format, b := range packagesOf(t, files) {
			path := writeFile(t, b)
			img, err := Open(t.Context(), path)
			if err != nil {
				t.Errorf("%s: %v", format, err)
				continue
			}
			if !bytes.Equal(img.Data, kernel) || img.Name != syntheticRelease || img.Source != path+": "+name {
				t.Errorf("%s: %s of %d bytes from %s", format, img.Name, len(img.Data), img.Source)
			}
			_, err = Open(t.Context(), writeFile(t, b[:len(b)/3]))
			wantError(t, format+" that is truncated", err, "")
		}
	}
	for format, b := range packagesOf(t, imagetest.Files{"boot/config": []byte("text"), "boot/vmlinuz-6": imagetest.Link("elsewhere")}) {
		path := writeFile(t, b)
		_, err := Open(t.Context(), path)
		wantError(t, format+" without a kernel", err, path+": no kernel in this package")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for format, b := range packagesOf(t, imagetest.Files{"boot/vmlinuz-6": kernel}) {
		if _, err := Open(ctx, writeFile(t, b)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: cancelled: %v", format, err)
		}
	}
}
