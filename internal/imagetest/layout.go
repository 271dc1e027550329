package imagetest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Layout makes an OCI layout of an image of layers, and returns its directory.
func Layout(t testing.TB, layers ...[]byte) string {
	t.Helper()
	dir := t.TempDir()
	blob := func(b []byte) string {
		sum := sha256.Sum256(b)
		digest := hex.EncodeToString(sum[:])
		path := filepath.Join(dir, "blobs", "sha256", digest)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"digest":"sha256:%s","size":%d}`, digest, len(b))
	}
	var all []string
	for _, l := range layers {
		all = append(all, blob(l))
	}
	index := fmt.Sprintf(`{"schemaVersion":2,"manifests":[%s]}`, blob([]byte(`{"layers":[`+strings.Join(all, ",")+`]}`)))
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "index.json"), []byte(index), 0o600),
		os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir
}
