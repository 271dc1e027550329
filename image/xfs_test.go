package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// The oracle is mkfs.xfs.
func TestXFS(t *testing.T) {
	for _, args := range [][]string{
		nil, {"-b", "size=1024"}, {"-b", "size=1024", "-n", "size=4096"}, {"-i", "size=2048"},
		{"-m", "crc=0"}, {"-m", "crc=0", "-b", "size=512", "-n", "ftype=1"}, {"-m", "crc=0", "-i", "size=256", "-n", "ftype=0"},
		{"-i", "nrext64=1"}, {"-m", "bigtime=0,rmapbt=1"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			files, hyphens := sampleFiles(true), imagetest.Files{}
			for name, content := range files {
				hyphens[strings.ReplaceAll(name, " ", "-")] = content
			}
			contents, got := look(t, imagetest.XFS(t, 64, files, args...))
			if contents.Volumes[0].Format != "XFS" {
				t.Errorf("format %s", contents.Volumes[0].Format)
			}
			checkFiles(t, got, hyphens)
		})
	}
}

// A directory that grows while others do is in many pieces, which the inode has no room for: they are in a tree.
func TestXFSTree(t *testing.T) {
	files := imagetest.Files{}
	for i := range 3000 {
		files[fmt.Sprintf("dir/%04d-%s", i, strings.Repeat("x", 200))] = bytes.Repeat([]byte{byte(i)}, i%2000)
	}
	for _, args := range [][]string{{"-b", "size=1024"}, {"-m", "crc=0", "-b", "size=512", "-i", "size=256"}} {
		path := imagetest.XFS(t, 64, files, args...)
		b := readFile(t, path)
		fs, err := openXFS(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if i := xfsFind(t, fs, "dir"); i.format != xfsTree {
			t.Errorf("%q: format %d, with %d pieces", args, i.format, i.pieces)
		}
		_, got := look(t, path)
		checkFiles(t, got, files)
	}
}

// xfsFind finds what has a name in the root directory, which is within its inode.
func xfsFind(t *testing.T, fs *xfsFS, name string) *xfsInode {
	t.Helper()
	root, err := fs.inode(fs.root)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := bytes.Cut(root.fork, []byte(name))
	if !found {
		t.Fatalf("no %s in %q", name, root.fork)
	}
	if fs.fileTypes {
		after = after[1:]
	}
	i, err := fs.inode(uint64(binary.BigEndian.Uint32(after)))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestHostileXFS(t *testing.T) {
	files := imagetest.Files{"dir/sub/x": {1}, "dir/file": bytes.Repeat([]byte{7}, 20000), "link": imagetest.Link(strings.Repeat("y", 500))}
	for i := range 20 {
		files[fmt.Sprintf("dir/more-%d-%s", i, strings.Repeat("z", 100))] = nil
	}
	sound := readFile(t, imagetest.XFS(t, 16, files, "-m", "crc=0", "-i", "size=256"))
	be := binary.BigEndian
	fs, err := openXFS(bytes.NewReader(sound), int64(len(sound)))
	if err != nil {
		t.Fatal(err)
	}
	dir := xfsFind(t, fs, "dir")
	all, err := dir.where()
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	block := all[0].from
	file := int64(bytes.Index(sound, dir.fork[:16])) // the directory's extent, in its inode
	for name, c := range map[string]struct {
		damage func(b []byte)
		want   string
	}{
		"blocks of 3 bytes":          {func(b []byte) { be.PutUint32(b[4:], 3) }, "blocks of 3 bytes"},
		"more blocks than there are": {func(b []byte) { be.PutUint64(b[8:], 1<<40) }, "blocks of 4096 bytes"},
		"inodes of 300 bytes":        {func(b []byte) { be.PutUint16(b[104:], 300) }, "inodes of 300 bytes"},
		"no groups":                  {func(b []byte) { be.PutUint32(b[88:], 0) }, "0 groups"},
		"groups of 2^200 blocks":     {func(b []byte) { b[124] = 200 }, "groups of"},
		"version 9":                  {func(b []byte) { be.PutUint16(b[100:], 9) }, "version 9"},
		"directories of 2^70 bytes":  {func(b []byte) { b[192] = 60 }, "directories in blocks"},
		"a root that is not in use":  {func(b []byte) { be.PutUint64(b[56:], fs.root+63) }, "not a directory"},
		"a root after the end":       {func(b []byte) { be.PutUint64(b[56:], 1<<50) }, "block 0x"},
		"an extent after the end":    {func(b []byte) { b[file+8] = 0xff }, "block 0x"},
		"an extent that is too long": {func(b []byte) { b[file+13] |= 0x1f }, "blocks from"},
		"a directory without magic":  {func(b []byte) { b[block] = 0 }, "damaged directory"},
		"an index of 2^32 entries":   {func(b []byte) { be.PutUint32(b[block+4096-8:], 1<<31) }, "damaged directory"},
		"free space of no length": {func(b []byte) {
			at := bytes.LastIndex(b[block:][:3000], []byte{0xff, 0xff})
			be.PutUint16(b[block+int64(at)+2:], 0)
		}, "damaged free space"},
		"a name over the end": {func(b []byte) {
			at := bytes.LastIndex(b[block:][:4096], []byte("more-19-"))
			b[block+int64(at)-1] = 255
			be.PutUint32(b[block+4096-8:], uint32(4096-8-at-100)/8) // the index begins before the name ends
		}, "damaged entry"},
		"an inode that is not there": {func(b []byte) { be.PutUint64(b[block+16+32:], 1<<40) }, "block 0x"},
		"a directory in itself": {func(b []byte) {
			at := bytes.Index(b[block:][:4096], []byte("\x03sub"))
			copy(b[block+int64(at)-8:][:8], b[block+16:][:8])
		}, "nested more than"},
		"more pieces than the inode has": {func(b []byte) { be.PutUint32(b[file-100+76:], 1000) }, "more pieces"},
	} {
		b := bytes.Clone(sound)
		c.damage(b)
		if got := complaints(lookAtBytes(b)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q does not say %q", name, got, c.want)
		}
	}
}
