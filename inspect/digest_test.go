package inspect_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

// The digest of a kernel is that of what firmware starts: of a unified kernel image, the whole. One is not computed that
// he has not asked for.
func TestDigests(t *testing.T) {
	kernel := vmlinuz(t, debian12)
	uki := imagetest.PE(imagetest.Section{Name: ".cmdline", Data: []byte("quiet")}, imagetest.Section{Name: ".linux", Data: kernel})
	dir := imagetest.Directory(t, imagetest.Files{"boot/vmlinuz-a": kernel, "boot/efi/EFI/Linux/b.efi": uki})
	for _, wanted := range []bool{true, false} {
		r, err := inspect.File(t.Context(), dir, inspect.Options{Digest: wanted})
		if err != nil || len(r.Kernels) != 2 {
			t.Fatalf("%v: %+v", err, r)
		}
		for i, data := range [][]byte{uki, kernel} {
			want := ""
			if wanted {
				sum := sha256.Sum256(data)
				want = hex.EncodeToString(sum[:])
			}
			if k := r.Kernels[i]; k.SHA256 != want {
				t.Errorf("%s: %q, want %q", k.Name(), k.SHA256, want)
			}
		}
	}
}
