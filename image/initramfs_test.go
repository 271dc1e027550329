package image

import (
	"bytes"
	"io"
	"io/fs"
	"testing"

	"github.com/cavaliergopher/cpio"
)

func TestInitramfs(t *testing.T) {
	files := []File{
		{Name: "dev", Mode: fs.ModeDir | 0o755},
		{Name: "init", Mode: 0o755, Data: []byte("#!init")},
		{Name: "dev/empty", Mode: 0o600},
	}
	archive, err := Initramfs(files...)
	if err != nil {
		t.Fatal(err)
	}
	// The first header, field by field (buffer-format.rst): magic, inode, mode, uid, gid, nlink, mtime, size, four
	// device numbers, length of the name, checksum.
	const first = "070701" + "00000001" + "000041ED" + "00000000" + "00000000" + "00000002" + "00000000" + "00000000" +
		"00000000" + "00000000" + "00000000" + "00000000" + "00000004" + "00000000" + "dev\x00"
	if !bytes.HasPrefix(archive, []byte(first)) {
		t.Errorf("the archive begins with\n%q, want\n%q", archive[:len(first)], first)
	}
	if len(archive)%4 != 0 {
		t.Errorf("the archive has %d bytes: another cannot follow it", len(archive))
	}
	r := cpio.NewReader(bytes.NewReader(archive))
	for i, f := range files {
		header, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		links := 1
		if f.Mode.IsDir() {
			links = 2 // itself and its "."
		}
		data, err := io.ReadAll(r)
		if err != nil || header.Name != f.Name || !bytes.Equal(data, f.Data) || header.Inode != int64(i+1) ||
			header.Links != links || header.FileInfo().Mode() != f.Mode {
			t.Errorf("file %d is %q, %v, inode %d with %d links, %q, %v", i, header.Name, header.FileInfo().Mode(),
				header.Inode, header.Links, data, err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last file: %v", err)
	}
	again, err := Initramfs(files...)
	if err != nil || !bytes.Equal(archive, again) {
		t.Errorf("the same files gave other bytes (%v)", err)
	}
	_, err = Initramfs(File{Name: "link", Mode: fs.ModeSymlink})
	wantError(t, "a link", err, "link", "neither")
}
