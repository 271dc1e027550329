package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// lookAtBytes looks into a file with these bytes. What cannot be read is in the error, or in the contents.
func lookAtBytes(b []byte) (*Contents, error) {
	return lookIn(io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), "FILE", nil, everything{})
}

// complaints is all that was said of a file.
func complaints(c *Contents, err error) string {
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, v := range c.Volumes {
		all = append(append(all, v.Unread), v.Problems...)
		for _, e := range v.Files {
			if e.Link == "" {
				if _, err := e.Bytes(1 << 20); err != nil {
					all = append(all, err.Error())
				}
			}
		}
	}
	return strings.Join(all, "\n")
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Each is damaged at one place, and says so without taking more memory than the file has, or time.
func TestHostileFAT(t *testing.T) {
	files := imagetest.Files{"dir/file": make([]byte, 20000)}
	sound := readFile(t, imagetest.FAT(t, 16, 16, files, "-s", "1"))
	le := binary.LittleEndian
	fat := int(le.Uint16(sound[14:])) * 512
	root := fat + int(sound[16])*int(le.Uint16(sound[22:]))*512
	data := root + int(le.Uint16(sound[17:]))*32
	// Cluster 2 is that of the directory, 3 the first one of the file.
	for name, c := range map[string]struct {
		damage func(b []byte)
		want   string
	}{
		"a directory whose chain is a circle": {func(b []byte) { le.PutUint16(b[fat+4:], 2) }, "is it cyclic?"},
		"a file whose chain is short":         {func(b []byte) { le.PutUint16(b[fat+6:], 0xffff) }, "ends after 512"},
		"a cluster after the last one":        {func(b []byte) { le.PutUint16(b[fat+6:], 0xfff0) }, "cluster 65520 of"},
		"a directory in itself": {func(b []byte) {
			entry := bytes.Index(b[data:], []byte("FILE    ")) + data
			b[entry+11], b[entry+26], b[entry+27] = 0x10, 2, 0
		}, "nested more than"},
		"more sectors than the volume has": {func(b []byte) { le.PutUint16(b[19:], 0); le.PutUint32(b[32:], 1<<31) }, "sectors of 512 bytes"},
		"a table that is too small":        {func(b []byte) { le.PutUint16(b[22:], 1) }, "a table of 256 entries"},
		"a table without end":              {func(b []byte) { le.PutUint16(b[22:], 0); le.PutUint32(b[36:], 1<<31) }, "data begin at byte"},
	} {
		b := bytes.Clone(sound)
		c.damage(b)
		if got := complaints(lookAtBytes(b)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q does not say %q", name, got, c.want)
		}
	}
}

// Files that all say to have the same clusters would be followed as often as there are names.
func TestFATFilesWithoutEnd(t *testing.T) {
	b := readFile(t, imagetest.FAT(t, 16, 16, nil, "-s", "1"))
	le := binary.LittleEndian
	fat := int(le.Uint16(b[14:])) * 512
	root := fat + int(b[16])*int(le.Uint16(b[22:]))*512
	for i := range 30000 { // one chain of so many clusters
		le.PutUint16(b[fat+4+2*i:], uint16(3+i))
	}
	for i := range 500 {
		entry := b[root+32*i:]
		copy(entry, fmt.Sprintf("F%07dBIN", i))
		le.PutUint16(entry[26:], 2)
		le.PutUint32(entry[28:], 30000*512)
	}
	if got := complaints(lookAtBytes(b)); !strings.Contains(got, "are they cyclic?") {
		t.Errorf("%.300s", got)
	}
}

func TestHostileExt(t *testing.T) {
	files := imagetest.Files{"dir/file": make([]byte, 20000), "dir/sub/x": {1}}
	for i := range files["dir/file"] {
		files["dir/file"][i] = byte(i)
	}
	sound := readFile(t, imagetest.Ext(t, 4, 8, files, "-b", "1024", "-O", "^metadata_csum"))
	le := binary.LittleEndian
	fs, err := openExt(bytes.NewReader(sound), int64(len(sound)))
	if err != nil {
		t.Fatal(err)
	}
	// inode finds where the inode of a name is.
	find := func(path string) (number uint32, at int64) {
		number = extRoot
		for name := range strings.SplitSeq(path, "/") {
			i, err := fs.inode(number)
			if err != nil {
				t.Fatal(err)
			}
			d, err := i.data()
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, i.size)
			d.ReadAt(b, 0)
			for ; len(b) >= 8; b = b[le.Uint16(b[4:]):] {
				if string(b[8:8+b[6]]) == name {
					number = le.Uint32(b)
				}
			}
		}
		table := int64(le.Uint32(sound[fs.groups.at(0)+8:]))
		return number, table*fs.blockSize + int64(number-1)*fs.inodeSize
	}
	dir, _ := find("dir")
	sub, subAt := find("dir/sub")
	_, fileAt := find("dir/file")
	dirBlock := int64(le.Uint32(sound[mustInode(t, find, "dir")+0x28+20:])) * fs.blockSize
	for name, c := range map[string]struct {
		damage func(b []byte)
		want   string
	}{
		"a directory in itself": {func(b []byte) {
			for at := dirBlock; ; at += int64(le.Uint16(b[at+4:])) {
				if le.Uint32(b[at:]) == sub {
					le.PutUint32(b[at:], dir)
					return
				}
			}
		}, "nested more than"},
		"an entry of no length":      {func(b []byte) { le.PutUint16(b[dirBlock+4:], 0) }, "damaged entry"},
		"an inode that is not there": {func(b []byte) { le.PutUint32(b[dirBlock+24:], 1<<30) }, "inode 1073741824 of"},
		"a tree of extents in a circle": {func(b []byte) {
			extents := b[fileAt+0x28:]
			node := dirBlock // a block that holds a node whose only child is itself
			clear(b[node:][:1024])
			for _, n := range [][]byte{extents, b[node:]} {
				le.PutUint16(n, 0xf30a)
				le.PutUint16(n[2:], 4)
				le.PutUint16(n[4:], 4)
				le.PutUint16(n[6:], 5)
				for k := range 4 {
					le.PutUint32(n[12+12*k:], uint32(k))
					le.PutUint32(n[12+12*k+4:], uint32(node/1024))
					le.PutUint32(n[12+12*k+8:], 0)
				}
			}
		}, "damaged"},
		"an extent after the end":    {func(b []byte) { le.PutUint32(b[fileAt+0x28+20:], 1<<30) }, "block 1073741"},
		"a huge file":                {func(b []byte) { le.PutUint32(b[fileAt+4:], 1<<31) }, "bytes on a volume of"},
		"a huge directory":           {func(b []byte) { le.PutUint32(b[subAt+4:], 7<<20) }, "no more"},
		"blocks of 2^60 bytes":       {func(b []byte) { le.PutUint32(b[extSuperblock+0x18:], 50) }, "blocks of 2^50"},
		"no inodes in a group":       {func(b []byte) { le.PutUint32(b[extSuperblock+0x28:], 0) }, "damaged superblock"},
		"more blocks than there are": {func(b []byte) { le.PutUint32(b[extSuperblock+4:], 1<<31) }, "blocks of 1024 bytes"},
		"unknown features":           {func(b []byte) { le.PutUint32(b[extSuperblock+0x60:], 1<<31) }, "features 0x80000000"},
		"inodes of 7 bytes":          {func(b []byte) { le.PutUint16(b[extSuperblock+0x58:], 7) }, "inodes of 7 bytes"},
	} {
		b := bytes.Clone(sound)
		c.damage(b)
		got := complaints(lookAtBytes(b))
		if c.want == "no more" { // a directory with a hole in it has no entries there
			c.want = "damaged entry"
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %q does not say %q", name, got, c.want)
		}
	}
}

// Nodes that all point to the same one below would be read more often than there are blocks on any disk.
func TestExtentsWithoutEnd(t *testing.T) {
	b := readFile(t, imagetest.Ext(t, 4, 8, nil, "-b", "1024"))
	fs, err := openExt(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	const first = 1000 // block
	le := binary.LittleEndian
	node := func(n []byte, depth, entries, child int) {
		le.PutUint16(n, 0xf30a)
		le.PutUint16(n[2:], uint16(entries))
		le.PutUint16(n[6:], uint16(depth))
		for k := range entries {
			le.PutUint32(n[12+12*k+4:], uint32(child))
		}
	}
	for depth := range 5 {
		node(b[(first+depth)*1024:], depth, 84*min(depth, 1), first+depth-1)
	}
	i := &extInode{fs: fs, mode: unixRegular, flags: extExtents, size: 1 << 20}
	node(i.block[:], 5, 4, first+4)
	if _, err := i.data(); err == nil || !strings.Contains(err.Error(), "are they cyclic?") {
		t.Errorf("%v", err)
	}
	// Nor are many files of few nodes read for ever.
	node(i.block[:], 1, 4, first)
	if _, err := i.data(); err != nil {
		t.Error(err)
	}
	fs.nodes = extMaxAllNodes
	if _, err := i.data(); err == nil || !strings.Contains(err.Error(), "are they cyclic?") {
		t.Errorf("%v", err)
	}
}

func mustInode(t *testing.T, find func(string) (uint32, int64), path string) int64 {
	t.Helper()
	_, at := find(path)
	return at
}

func TestHostileDisks(t *testing.T) {
	fat := imagetest.FAT(t, 12, 2, nil)
	sound := readFile(t, imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: fat}))
	qcow2 := readFile(t, imagetest.Qcow2(t, writeFile(t, sound)))
	le, be := binary.LittleEndian, binary.BigEndian
	// l1 and l2 are where the two tables of a qcow2 file are.
	l1 := func(b []byte) uint64 { return be.Uint64(b[40:]) }
	l2 := func(b []byte) uint64 { return be.Uint64(b[l1(b):]) & (1<<56 - 1) }
	// seal makes the checksums of the first table right again; the second one is removed.
	seal := func(b []byte) {
		clear(b[len(b)-512:])
		if count, size := int(le.Uint32(b[512+80:])), int(le.Uint32(b[512+84:])); 1024+count*size <= len(b) {
			le.PutUint32(b[512+88:], crc32.ChecksumIEEE(b[1024:][:count*size]))
		}
		clear(b[512+16:][:4])
		le.PutUint32(b[512+16:], crc32.ChecksumIEEE(b[512:][:92]))
	}
	for name, c := range map[string]struct {
		from   []byte
		damage func(b []byte)
		want   string
	}{
		"entries without size":        {sound, func(b []byte) { le.PutUint32(b[512+84:], 0); seal(b) }, "entries of 0 bytes"},
		"too many entries":            {sound, func(b []byte) { le.PutUint32(b[512+80:], 1<<31); seal(b) }, "2147483648 entries"},
		"entries after the end":       {sound, func(b []byte) { le.PutUint64(b[512+72:], 1<<60); seal(b) }, "at sector"},
		"a partition after the end":   {sound, func(b []byte) { le.PutUint64(b[1024+40:], 1<<40); seal(b) }, "partition 1 has sectors"},
		"a partition in another":      {sound, func(b []byte) { copy(b[1024+128:], b[1024:1024+48]); seal(b) }, "partitions 1 and 2 overlap"},
		"a wrong checksum":            {sound, func(b []byte) { b[512+60]++; clear(b[len(b)-512:]) }, "the checksum of its header"},
		"a wrong checksum of entries": {sound, func(b []byte) { b[1024+60]++; clear(b[len(b)-512:]) }, "the checksum of its entries"},
		"qcow2: clusters of 2^62":     {qcow2, func(b []byte) { be.PutUint32(b[20:], 62) }, "clusters of 2^62"},
		"qcow2: a huge table":         {qcow2, func(b []byte) { be.PutUint32(b[36:], 1<<31) }, "a table of"},
		"qcow2: another file":         {qcow2, func(b []byte) { be.PutUint64(b[8:], 600); be.PutUint32(b[16:], 4) }, "flatten it"},
		"qcow2: encrypted":            {qcow2, func(b []byte) { be.PutUint32(b[32:], 1) }, "encrypted"},
		"qcow2: a huge disk":          {qcow2, func(b []byte) { be.PutUint64(b[24:], 1<<63) }, "a disk of"},
		"qcow2: a table too small":    {qcow2, func(b []byte) { be.PutUint32(b[36:], 0) }, "a table of 0 entries for a disk of"},
		"qcow2: a table nowhere":      {qcow2, func(b []byte) { be.PutUint64(b[l1(b):], 1<<40) }, "a table that ends at byte 1099511627776"},
		"qcow2: a table astride":      {qcow2, func(b []byte) { b[l1(b)+6] |= 2 }, "a table of clusters at"},
		"qcow2: a cluster astride":    {qcow2, func(b []byte) { b[l2(b)+6] |= 2 }, "a cluster at"},
		"qcow2: a cluster nowhere":    {qcow2, func(b []byte) { be.PutUint64(b[l2(b):], 1<<40) }, "a cluster at byte 1099511627776 of the file"},
		"qcow2: not compressed":       {qcow2, func(b []byte) { b[l2(b)] |= 0x40 }, "a compressed cluster for byte 0"},
		"qcow2: truncated":            {qcow2[:70], func([]byte) {}, "qcow"},
		"qcow2: no partition table":   {qcow2[:len(qcow2)/2], func([]byte) {}, "partition table: damaged qcow2"},
	} {
		b := bytes.Clone(c.from)
		c.damage(b)
		if got := complaints(lookAtBytes(b)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q does not say %q", name, got, c.want)
		}
	}
}

func TestHostileArchives(t *testing.T) {
	rpm := append([]byte(rpmLeadMagic), make([]byte, 200)...)
	huge := append([]byte(rpmLeadMagic), make([]byte, 92)...)
	huge = append(huge, rpmHeader(0)...)
	binary.BigEndian.PutUint32(huge[rpmLeadSize+8:], 1<<31)
	archive := imagetest.Tar(t, imagetest.Files{"boot/vmlinuz": make([]byte, 5000)})
	nested := imagetest.Zstd(t, imagetest.Zstd(t, archive))
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"nothing":                  {nil, "an empty file"},
		"text":                     {[]byte("hello"), "not a kernel"},
		"no rpm header":            {rpm, "no rpm header at byte 96"},
		"a huge rpm header":        {huge, "an rpm header of"},
		"a truncated tar":          {archive[:2000], "unexpected EOF"},
		"an archive in an archive": {nested, "no tar archive; unpack it first"},
		"compressed text":          {imagetest.Zstd(t, []byte("hello")), "no tar archive; unpack it first"},
		"nothing in lzma":          {append([]byte{0x5d, 0, 0}, make([]byte, 600)...), "with lzma that cannot be unpacked: lzma: wrong"},
		"truncated zstd":           {imagetest.Zstd(t, archive)[:20], "cannot be unpacked"},
		"a VMDK":                   {append([]byte("KDMV"), make([]byte, 600)...), "one file of several"},
		"a kernel for arm64":       {append(make([]byte, 56), "ARM\x64"...), "arm64"},
	} {
		if got := complaints(lookAtBytes(c.b)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q does not say %q", name, got, c.want)
		}
	}
}

// What is unpacked while looking for files is not held, ends where no honest file is packed so well, and a file of an
// absurd size is not even begun.
func TestBomb(t *testing.T) {
	const size = 2 << 30
	var header bytes.Buffer
	if err := tar.NewWriter(&header).WriteHeader(&tar.Header{Name: "bomb", Mode: 0o644, Size: size}); err != nil {
		t.Fatal(err)
	}
	zeros := imagetest.Zstd(t, make([]byte, 16<<20))
	bomb := append(imagetest.Zstd(t, header.Bytes()), bytes.Repeat(zeros, size/(16<<20)+1)...)
	file := io.NewSectionReader(bytes.NewReader(bomb), 0, int64(len(bomb)))
	var before, after runtime.MemStats
	for _, c := range []struct {
		wanted Wanted
		want   string
	}{{nothing{}, "zstd: a bomb: "}, {everything{}, "bomb: 2147483648 bytes; at most 1073741824"}} {
		runtime.ReadMemStats(&before)
		contents, err := lookIn(file, "FILE", nil, c.wanted)
		runtime.ReadMemStats(&after)
		if got := complaints(contents, err); !strings.Contains(got, c.want) {
			t.Errorf("%q does not say %q", got, c.want)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
			t.Errorf("took %d MiB", took>>20)
		}
	}
}

// Compressed data that have no end and nothing in them end all the same: zeros are blocks of no bytes to zstd.
func TestNothingWithoutEnd(t *testing.T) {
	var empty bytes.Buffer
	z := gzip.NewWriter(&empty)
	z.Close()
	for name, head := range map[string][]byte{
		"zstd": {0x28, 0xb5, 0x2f, 0xfd, 0, 0x58}, "gzip": bytes.Repeat(empty.Bytes(), 4<<20/empty.Len()),
	} {
		_, err := lookIn(io.NewSectionReader(endless{head, name == "gzip"}, 0, 1<<40), "FILE", nil, everything{})
		if err == nil || !strings.Contains(err.Error(), "bytes that unpack to nothing") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// endless is bytes, and after them zeros or these bytes again and again.
type endless struct {
	head   []byte
	repeat bool
}

func (e endless) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		at := off + int64(i)
		switch {
		case e.repeat && at >= int64(len(e.head)):
			p[i] = e.head[at%int64(len(e.head))]
		case at < int64(len(e.head)):
			p[i] = e.head[at]
		default:
			p[i] = 0
		}
	}
	return len(p), nil
}

// Cancelling ends it even while bytes come out of what was read before.
func TestCancelledBomb(t *testing.T) {
	var header bytes.Buffer
	if err := tar.NewWriter(&header).WriteHeader(&tar.Header{Name: "bomb", Mode: 0o644, Size: 8 << 30}); err != nil {
		t.Fatal(err)
	}
	zeros := bytes.Repeat(imagetest.Zstd(t, make([]byte, 64<<20)), 100)
	ctx, cancel := context.WithCancel(context.Background())
	path := writeFile(t, append(imagetest.Zstd(t, header.Bytes()), zeros...))
	reads := 0
	_, err := Look(ctx, path, nothing{}, func(int64, int64) {
		if reads++; reads > 60 { // looking what it is takes some thirty
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v after %d reads", err, reads)
	}
}

type nothing struct{}

func (nothing) Directory(string) bool           { return true }
func (nothing) File(string, int64, []byte) bool { return false }

// Cancelling ends it.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Look(ctx, writeFile(t, imagetest.Tar(t, imagetest.Files{"a": {1}})), everything{}, nil); err == nil {
		t.Error("no error")
	}
}
