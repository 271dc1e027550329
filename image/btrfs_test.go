package image

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// The oracle is mkfs.btrfs.
func TestBtrfs(t *testing.T) {
	for _, args := range [][]string{nil, {"-n", "4096"}, {"-n", "65536"}, {"-m", "single"}, {"-M"}, {"-O", "^no-holes"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			files := sampleFiles(true)
			contents, got := look(t, imagetest.Btrfs(t, 128, files, args...))
			if contents.Volumes[0].Format != "btrfs" {
				t.Errorf("format %s", contents.Volumes[0].Format)
			}
			checkFiles(t, got, files)
		})
	}
}

// The oracle is Linux, where the test may mount: compressed files, with holes and many pieces, and subvolumes, of which
// the default one is what a mount shows.
func TestBtrfsMounted(t *testing.T) {
	for _, compress := range []string{"zlib", "lzo", "zstd"} {
		t.Run(compress, func(t *testing.T) {
			path, at := imagetest.Btrfs(t, 256, nil), t.TempDir()
			if out, err := exec.Command("mount", "-o", "loop,compress-force="+compress, path, at).CombinedOutput(); err != nil {
				t.Skipf("only where mounting is allowed: %s", out)
			}
			mounted := true
			unmount := func() {
				if mounted {
					imagetest.Run(t, "umount", at)
				}
				mounted = false
			}
			t.Cleanup(unmount)
			files := sampleFiles(true)
			files["boot/text"] = bytes.Repeat([]byte("all that can be compressed is\n"), 50_000)
			want := imagetest.Files{}
			for _, name := range []string{"@", "@/inner", "other"} {
				imagetest.Run(t, "btrfs", "-q", "subvolume", "create", filepath.Join(at, name))
				imagetest.Run(t, "cp", "-a", "--sparse=always", imagetest.Directory(t, files)+"/.", filepath.Join(at, name))
				for f, content := range files {
					want[name+"/"+f] = content
				}
			}
			f, err := os.OpenFile(filepath.Join(at, "@/boot/text"), os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 200 { // so that extents are used in part
				if _, err := f.WriteAt([]byte{byte(i)}, int64(i*7001)); err != nil {
					t.Fatal(err)
				}
				if i%10 == 0 {
					f.Sync()
				}
			}
			f.Close()
			changed, err := os.ReadFile(filepath.Join(at, "@/boot/text"))
			if err != nil {
				t.Fatal(err)
			}
			want["@/boot/text"] = changed
			unmount()
			_, got := look(t, path)
			checkFiles(t, got, want)

			imagetest.Run(t, "mount", "-o", "loop", path, at)
			mounted = true
			imagetest.Run(t, "btrfs", "-q", "subvolume", "set-default", filepath.Join(at, "@"))
			unmount()
			inDefault := imagetest.Files{}
			for name, content := range want {
				if rest, ok := strings.CutPrefix(name, "@/"); ok {
					inDefault[rest] = content
				}
			}
			_, got = look(t, path)
			checkFiles(t, got, inDefault)
		})
	}
}

func TestHostileBtrfs(t *testing.T) {
	files := imagetest.Files{"dir/sub/x": {1}, "dir/file": bytes.Repeat([]byte{7}, 200000), "small": []byte("inline data")}
	sound := readFile(t, imagetest.Btrfs(t, 128, files, "-m", "single"))
	le := binary.LittleEndian
	fs, err := openBtrfs(bytes.NewReader(sound), int64(len(sound)))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := fs.tree(btrfsFSTree)
	if err != nil {
		t.Fatal(err)
	}
	node, err := fs.node(tree)
	if err != nil {
		t.Fatal(err)
	}
	leaf := int64(bytes.Index(sound, node[:btrfsHeader+64])) // the tree is one leaf
	// item finds the n-th item of a type: where it stands, and where its data do.
	item := func(kind byte, n int) (entry, data int64) {
		for i := range int64(le.Uint32(node[96:])) {
			e := btrfsHeader + i*btrfsItemSize
			if node[e+8] == kind {
				if n--; n < 0 {
					return leaf + e, leaf + btrfsHeader + int64(le.Uint32(node[e+17:]))
				}
			}
		}
		t.Fatalf("no item %d of type %d", n, kind)
		return 0, 0
	}
	extent := func() int64 { // of the large file
		for n := 0; ; n++ {
			if _, at := item(btrfsExtent, n); sound[at+20] == btrfsRegular {
				return at
			}
		}
	}()
	inline := func() int64 {
		for n := 0; ; n++ {
			if _, at := item(btrfsExtent, n); sound[at+20] == btrfsInline {
				return at
			}
		}
	}()
	entry, data := item(btrfsDirIndex, 0)
	_, inode := item(btrfsInodeItem, 0)
	super := int64(btrfsSuperblock)
	for name, c := range map[string]struct {
		damage func(b []byte)
		want   string
	}{
		"nodes of 3 bytes":             {func(b []byte) { le.PutUint32(b[super+0x94:], 3) }, "nodes of 3 bytes"},
		"sectors of 0 bytes":           {func(b []byte) { le.PutUint32(b[super+0x90:], 0) }, "sectors of 0 bytes"},
		"two devices":                  {func(b []byte) { b[super+0x88] = 2 }, "on 2 devices"},
		"unknown features":             {func(b []byte) { b[super+0xbc+6] = 1 }, "features 0x1"},
		"a map of 2^31 bytes":          {func(b []byte) { le.PutUint32(b[super+0xa0:], 1<<31) }, "a map of"},
		"a chunk after the end":        {func(b []byte) { b[super+0x32b+17+48+8+6] = 1 }, "of a volume of"},
		"a chunk of no bytes":          {func(b []byte) { clear(b[super+0x32b+17:][:8]) }, "damaged chunk"},
		"a root that is nowhere":       {func(b []byte) { b[super+0x50+6] = 1 }, "in no chunk"},
		"a root that is no node":       {func(b []byte) { le.PutUint64(b[super+0x50:], le.Uint64(b[super+0x50:])+4096) }, "damaged node"},
		"a leaf of 2^30 items":         {func(b []byte) { le.PutUint32(b[leaf+96:], 1<<30) }, "damaged node"},
		"a leaf that says it is none":  {func(b []byte) { b[leaf+100] = 1 }, "d"},
		"an item over the end":         {func(b []byte) { le.PutUint32(b[entry+21:], 1<<31) }, "damaged leaf"},
		"an entry with a long name":    {func(b []byte) { le.PutUint16(b[data+27:], 60000) }, "damaged entry"},
		"an entry of no known type":    {func(b []byte) { b[data+8] = 77 }, "an item of type 77"},
		"an entry for no inode":        {func(b []byte) { le.PutUint64(b[data:], 1<<40) }, "there is none"},
		"a subvolume that is not":      {func(b []byte) { le.PutUint64(b[data:], 999); b[data+8] = btrfsRootItem }, "tree 999: there is none"},
		"a subvolume within itself":    {func(b []byte) { le.PutUint64(b[data:], btrfsFSTree); b[data+8] = btrfsRootItem }, "nested more than"},
		"a root that is no directory":  {func(b []byte) { le.PutUint32(b[inode+52:], unixRegular) }, "not a directory"},
		"an extent after the end":      {func(b []byte) { b[extent+21+6] = 1 }, "in no chunk"},
		"more of an extent than it is": {func(b []byte) { le.PutUint64(b[extent+37:], 1<<40) }, "damaged extent"},
		"compressed as nothing known":  {func(b []byte) { b[extent+16] = 9 }, "compression 9"},
		"compressed, of 2^40 bytes":    {func(b []byte) { b[extent+16] = btrfsZstd; le.PutUint64(b[extent+8:], 1<<40) }, "a compressed extent of"},
		"compressed, and it is not":    {func(b []byte) { b[inline+16] = btrfsZstd }, "a compressed extent: "},
		"LZO, and it is not":           {func(b []byte) { b[inline+16] = btrfsLZO }, "a compressed extent: "},
		"encrypted":                    {func(b []byte) { b[extent+17] = 1 }, "encrypted"},
	} {
		b := bytes.Clone(sound)
		c.damage(b)
		if got := complaints(lookAtBytes(b)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q does not say %q", name, got, c.want)
		}
	}
}
