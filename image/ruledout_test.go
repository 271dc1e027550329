package image_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/image"
)

// What is too large for a kernel is ruled out unless it may be a disk or an archive; what may be is left to those that
// open it.
func TestRuledOut(t *testing.T) {
	const huge = 1 << 40
	for _, c := range []struct {
		name, head string
		at         int64 // where head stands
		size       int64
		out        bool
	}{
		{"zeros", "", 0, huge, true},
		{"text", "hello", 0, huge, true},
		{"small", "hello", 0, 4096, false},
		{"gzip", "\x1f\x8b\x08", 0, huge, false},
		{"zstd", "\x28\xb5\x2f\xfd", 0, huge, false},
		{"tar", "ustar", 257, huge, false},
		{"deb", "!<arch>\ndebian-binary   ", 0, huge, false},
		{"gpt", "EFI PART", 512, huge, false},
		{"btrfs", "_BHRfS_M", 0x10040, huge, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.name)
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := f.Truncate(c.size); err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt([]byte(c.head), c.at); err != nil {
				t.Fatal(err)
			}
			if err := image.RuledOut(path); (err != nil) != c.out {
				t.Errorf("%v", err)
			}
		})
	}
	if err := image.RuledOut(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Error(err)
	}
}
