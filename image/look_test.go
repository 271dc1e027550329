package image

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// everything wants all files.
type everything struct{}

func (everything) Directory(string) bool           { return true }
func (everything) File(string, int64, []byte) bool { return true }

// look looks into a file and reads what is in it, by volume and path.
func look(t testing.TB, path string) (*Contents, map[string][]byte) {
	t.Helper()
	c, err := Look(context.Background(), path, everything{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	files := map[string][]byte{}
	for _, v := range c.Volumes {
		if v.Unread != "" || len(v.Problems) > 0 {
			t.Errorf("%s: unread: %s %q", v.Name, v.Unread, v.Problems)
		}
		for _, e := range v.Files {
			if e.Link != "" {
				files[v.Name+e.Name] = imagetest.Link(e.Link)
				continue
			}
			b, err := e.Bytes(1 << 30)
			if err != nil {
				t.Errorf("%v", err)
			}
			files[v.Name+e.Name] = b
		}
	}
	return c, files
}

func writeFile(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// sampleFiles are what file systems differ in: sizes around those of blocks, holes, long names, many names, links.
func sampleFiles(links bool) imagetest.Files {
	random := rand.New(rand.NewPCG(1, 2))
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	holes := bytesOf(1 << 20)
	clear(holes[64<<10 : 512<<10])
	clear(holes[900<<10:])
	files := imagetest.Files{
		"empty": {}, "boot/one": {1}, "boot/sector": bytesOf(512), "boot/block": bytesOf(4096),
		"boot/block-and-one": bytesOf(4097),
		"boot/holes":         holes, "boot/large": bytesOf(3<<20 + 17), "EFI/BOOT/BOOTX64.EFI": bytesOf(70000),
		"loader/entries/" + strings.Repeat("a long name ", 10) + ".conf": bytesOf(100),
		"boot/ünïcödé with a long name":                                  bytesOf(10), "boot/LONGNAME.CFG": {2}, "boot/lower.cfg": {3}, "boot/Mixed.Cfg": {4},
	}
	for i := range 300 {
		files[fmt.Sprintf("many/file number %d", i)] = []byte{byte(i)}
	}
	if links {
		files["vmlinuz"] = imagetest.Link("boot/one")
		files["long"] = imagetest.Link("boot/" + strings.Repeat("x", 100))
	}
	return files
}

func checkFiles(t *testing.T, got map[string][]byte, want imagetest.Files, ignore ...string) {
	t.Helper()
	for name, content := range want {
		if !bytes.Equal(got[name], content) {
			t.Errorf("%s has %d bytes, want %d; or they differ", name, len(got[name]), len(content))
		}
		delete(got, name)
	}
	for _, name := range ignore {
		delete(got, name)
	}
	for name := range got {
		t.Errorf("found %s, which is not there", name)
	}
}

// The oracles are the programs that make these file systems.
func TestFAT(t *testing.T) {
	for _, c := range []struct {
		bits, mib int
		args      []string
	}{
		{12, 8, []string{"-s", "8"}}, {12, 8, []string{"-s", "16", "-S", "512"}},
		{16, 32, nil}, {16, 64, []string{"-s", "4", "-f", "1"}},
		{32, 64, nil}, {32, 300, []string{"-s", "1"}}, {32, 300, []string{"-S", "4096"}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			files := sampleFiles(false)
			contents, got := look(t, imagetest.FAT(t, c.bits, c.mib, files, c.args...))
			if want := fmt.Sprintf("FAT%d", c.bits); contents.Volumes[0].Format != want {
				t.Errorf("format %s, want %s", contents.Volumes[0].Format, want)
			}
			checkFiles(t, got, files)
		})
	}
}

func TestExt(t *testing.T) {
	for _, c := range []struct {
		version, mib int
		args         []string
	}{
		{2, 32, nil}, {2, 32, []string{"-b", "1024"}}, {3, 32, []string{"-b", "1024"}},
		{4, 32, []string{"-b", "1024"}}, {4, 64, nil}, {4, 300, []string{"-b", "4096", "-I", "512"}},
		{4, 64, []string{"-O", "^64bit,^metadata_csum"}}, {4, 64, []string{"-O", "^flex_bg,^resize_inode"}},
		{4, 64, []string{"-O", "bigalloc", "-C", "16384"}},
		{4, 300, []string{"-b", "1024", "-O", "meta_bg,^resize_inode"}},
		{4, 300, []string{"-b", "1024", "-O", "meta_bg,^resize_inode,^sparse_super,^64bit"}},
		{4, 300, []string{"-b", "1024", "-O", "meta_bg,^resize_inode,sparse_super2,^flex_bg"}},
		{4, 300, []string{"-b", "1024", "-O", "meta_bg,^resize_inode,bigalloc", "-C", "4096"}},
		{4, 600, []string{"-b", "4096", "-g", "256", "-O", "meta_bg,^resize_inode,^flex_bg"}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			files := sampleFiles(true)
			contents, got := look(t, imagetest.Ext(t, c.version, c.mib, files, c.args...))
			if contents.Volumes[0].Format != "ext4" {
				t.Errorf("format %s", contents.Volumes[0].Format)
			}
			checkFiles(t, got, files)
		})
	}
}

// Small files, links and directories may lie within their inodes, of which those of 128 bytes have no room for more than
// 60 bytes.
func TestExtInlineData(t *testing.T) {
	for _, inode := range []string{"256", "1024"} {
		files := imagetest.Files{
			"small/a": {1}, "small/b": bytes.Repeat([]byte{2}, 59), "small/c": bytes.Repeat([]byte{3}, 60),
			"small/d": bytes.Repeat([]byte{4}, 61), "small/e": bytes.Repeat([]byte{5}, 100), "empty/x": {},
			"boot/vmlinuz": make([]byte, 5000), "link": imagetest.Link(strings.Repeat("y", 80)),
		}
		for i := range 4 {
			files[fmt.Sprintf("dir/a longer name of a file, number %d", i)] = []byte{byte(i)}
		}
		path := imagetest.Ext(t, 4, 64, files, "-O", "inline_data", "-I", inode)
		b := readFile(t, path)
		fs, err := openExt(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		inline := 0
		for n := uint32(11); n < 40; n++ {
			if i, err := fs.inode(n); err == nil && i.flags&extInlineData != 0 {
				inline++
			}
		}
		if inline < 8 {
			t.Errorf("only %d files are within their inodes, so that this proves little", inline)
		}
		_, got := look(t, path)
		checkFiles(t, got, files)
	}
}

// Damaged data within an inode are told.
func TestHostileExtInline(t *testing.T) {
	files := imagetest.Files{"file": bytes.Repeat([]byte{5}, 100)}
	sound := readFile(t, imagetest.Ext(t, 4, 8, files, "-O", "inline_data,^metadata_csum"))
	entry := bytes.Index(sound, []byte("\x04\x07")) // of the attribute, by the length of its name and its index
	if entry < 0 || string(sound[entry+16:][:4]) != "data" {
		t.Fatal("no attribute system.data")
	}
	for name, c := range map[string]struct {
		at   int
		b    byte
		want string
	}{
		"a value after the inode":   {entry + 3, 0xff, "damaged data within the inode"},
		"a value of another inode":  {entry + 4, 1, "damaged data within the inode"},
		"a value that is too large": {entry + 10, 1, "damaged data within the inode"},
	} {
		b := bytes.Clone(sound)
		b[c.at] = c.b
		if got := complaints(lookAtBytes(b)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q does not say %q", name, got, c.want)
		}
	}
}

// A file system that was in use when it was copied may say something else once its journal is replayed.
func TestExtInUse(t *testing.T) {
	path := imagetest.Ext(t, 4, 16, imagetest.Files{"a": {1}})
	b := readFile(t, path)
	b[extSuperblock+0x60] |= extRecover
	c, err := lookAtBytes(b)
	if err != nil || len(c.Volumes[0].Files) != 1 || !strings.Contains(complaints(c, err), "journal") {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestDisk(t *testing.T) {
	esp := imagetest.Files{"EFI/BOOT/BOOTX64.EFI": []byte("loader")}
	root := imagetest.Files{"boot/vmlinuz": []byte("kernel")}
	for _, label := range []string{"gpt", "dos", "logical"} {
		disk := imagetest.Disk(t, label,
			imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, esp)},
			imagetest.Partition{Type: imagetest.Linux, Path: imagetest.Ext(t, 4, 16, root)},
			imagetest.Partition{Type: "swap"},
		)
		for name, path := range map[string]string{
			"raw": disk, "qcow2": imagetest.Qcow2(t, disk), "compressed qcow2": imagetest.Qcow2(t, disk, "-c"),
			"qcow2, zstd":       imagetest.Qcow2(t, disk, "-c", "-o", "compression_type=zstd,cluster_size=4096"),
			"qcow2 version 2":   imagetest.Qcow2(t, disk, "-o", "compat=0.10"),
			"qcow2 extended L2": imagetest.Qcow2(t, disk, "-o", "extended_l2=on,cluster_size=128k"),
		} {
			c, err := Look(context.Background(), path, everything{}, nil)
			if err != nil {
				t.Errorf("%s %s: %v", label, name, err)
				continue
			}
			if len(c.Volumes) != 3 || c.Volumes[0].Type != "EFI system partition" || c.Volumes[1].Type != "Linux" ||
				c.Volumes[2].Unread == "" || len(c.Volumes[0].Files) != 1 || len(c.Volumes[1].Files) != 1 {
				t.Errorf("%s %s: %+v", label, name, c.Volumes)
			} else if b, err := c.Volumes[1].Files[0].Bytes(100); err != nil || string(b) != "kernel" {
				t.Errorf("%s %s: %q, %v", label, name, b, err)
			}
			c.Close()
		}
	}
}

// Logical partitions are numbered from 5, whatever else there is; a chain of them that is damaged ends.
func TestLogicalPartitions(t *testing.T) {
	fat := imagetest.FAT(t, 12, 2, imagetest.Files{"a": {1}})
	part := imagetest.Partition{Type: imagetest.ESP, Path: fat}
	disk := readFile(t, imagetest.Disk(t, "logical", part, part, part, part))
	c, err := lookAtBytes(disk)
	if err != nil || len(c.Volumes) != 4 {
		t.Fatalf("%+v, %v", c, err)
	}
	for i, want := range []string{"partition 1", "partition 5", "partition 6", "partition 7"} {
		if v := c.Volumes[i]; v.Name != want || len(v.Files) != 1 || v.Type != "EFI system partition" {
			t.Errorf("%+v, want %s", v, want)
		}
	}
	le := binary.LittleEndian
	extended := int(le.Uint32(disk[446+16+8:])) * 512
	for name, damage := range map[string]func(b []byte){
		"in a circle":                   func(b []byte) { le.PutUint32(b[extended+446+16+8:], 0) },
		"no boot record":                func(b []byte) { le.PutUint32(b[extended+446+16+8:], 7) },
		"of an extended one of":         func(b []byte) { le.PutUint32(b[extended+446+16+8:], 1<<31) },
		"leads out of the extended one": func(b []byte) { le.PutUint32(b[extended+446+12:], 1<<31) },
		"overlap":                       func(b []byte) { le.PutUint32(b[extended+446+12:], 10000) },
	} {
		b := bytes.Clone(disk)
		damage(b)
		if got := complaints(lookAtBytes(b)); !strings.Contains(got, name) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// What lies in a BIOS boot partition is no file system, and nothing that was left unread.
func TestBIOSBoot(t *testing.T) {
	fat := imagetest.FAT(t, 12, 2, nil)
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: fat},
		imagetest.Partition{Type: "21686148-6449-6E6F-744E-656564454649"})
	c, _ := look(t, disk) // which fails if anything was left unread
	if len(c.Volumes) != 2 || c.Volumes[1].Type != biosBoot {
		t.Errorf("%+v", c.Volumes)
	}
}

// The second copy of a GPT counts where the first one is damaged.
func TestBackupGPT(t *testing.T) {
	fat := imagetest.FAT(t, 16, 16, imagetest.Files{"a": {1}})
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: fat})
	b, err := os.ReadFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[512:1024])
	_, files := look(t, writeFile(t, b))
	if len(files) != 1 {
		t.Errorf("%d files", len(files))
	}
}

func TestArchives(t *testing.T) {
	inOrder := imagetest.Files{"boot/vmlinuz-6": []byte("MZ" + strings.Repeat("k", 3000)), "boot/a": {1}}
	files := maps.Clone(inOrder)
	files["vmlinuz"] = imagetest.Link("boot/vmlinuz-6") // after the kernel, where packages are not searched
	// opkg's packages are as Debian's, in a tar archive instead of one of ar.
	ipk := gzipped(t, imagetest.Tar(t, imagetest.Files{
		"control.tar.gz": gzipped(t, imagetest.Tar(t, nil)), "debian-binary": []byte("2.0\n"),
		"data.tar.gz": gzipped(t, imagetest.Tar(t, files)),
	}))
	// Packages of installers have their kernels deep below usr, and those of programs have programs.
	installer := imagetest.Files{
		"usr/lib/debian-installer/images/13/amd64/gtk/debian-installer/amd64/linux": []byte("MZ kernel"),
		"usr/share/x/y.efi": []byte("MZ loader"),
	}
	for _, c := range []struct {
		format string
		b      []byte
		want   imagetest.Files
	}{
		{"tar archive", imagetest.Tar(t, files), files},
		{"tar archive", imagetest.Zstd(t, imagetest.Tar(t, files)), files},
		{"Debian package", imagetest.Deb(t, files), inOrder},
		{"ipk package", ipk, inOrder},
		{"Debian package", imagetest.Deb(t, installer), installer},
		{"RPM package", rpmOf(t, files), inOrder},
	} {
		contents, got := look(t, writeFile(t, c.b))
		if contents.Format != c.format {
			t.Errorf("format %q, want %q", contents.Format, c.format)
		}
		checkFiles(t, got, c.want)
	}
}

// rpmOf makes an RPM package.
func rpmOf(t testing.TB, files imagetest.Files) []byte {
	t.Helper()
	rpm := append(make([]byte, rpmLeadSize), rpmHeader(8)...)
	copy(rpm, rpmLeadMagic)
	rpm = append(rpm, make([]byte, (8-len(rpm)%8)%8)...)
	return append(append(rpm, rpmHeader(1000)...), imagetest.Zstd(t, imagetest.Cpio(t, files))...)
}

// rpmHeader makes a header with one index entry and so many bytes of data.
func rpmHeader(size int) []byte {
	b := append([]byte(rpmHeaderMagic), 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, byte(size>>8), byte(size))
	return append(b, make([]byte, rpmIndexSize+size)...)
}

// Links that lead out of a directory are not followed, nor is what is no file.
func TestDirectory(t *testing.T) {
	outside := writeFile(t, []byte("secret"))
	dir := imagetest.Directory(t, imagetest.Files{"boot/vmlinuz": []byte("kernel"), "boot/link": imagetest.Link(outside)})
	contents, got := look(t, dir)
	if contents.Format != "directory" {
		t.Errorf("format %q", contents.Format)
	}
	checkFiles(t, got, imagetest.Files{"boot/vmlinuz": []byte("kernel"), "boot/link": imagetest.Link(outside)})
}
