// Package imagetest makes images for tests: disks and file systems with the programs that distributions make theirs
// with, which scripts/install-tools installs, and unified kernel images.
package imagetest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Files are the files of a file system by their paths. A value that starts with "-> " is a symbolic link, where the
// file system has them.
type Files map[string][]byte

// Link is what Files have for a symbolic link.
func Link(target string) []byte { return []byte("-> " + target) }

// run runs a program. A program that is missing is a failure: see the package comment.
func run(t testing.TB, stdin io.Reader, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/sbin"} { // not in everybody's PATH
		if err != nil {
			path, err = exec.LookPath(filepath.Join(dir, name))
		}
	}
	if err != nil {
		t.Fatalf("no %s: run scripts/install-tools", name)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = stdin
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MTOOLS_SKIP_CHECK=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// Run runs a program of those that scripts/install-tools installs.
func Run(t testing.TB, name string, args ...string) {
	t.Helper()
	run(t, nil, name, args...)
}

// Directory puts files into a new directory.
func Directory(t testing.TB, files Files) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			if target, ok := strings.CutPrefix(string(content), "-> "); ok {
				err = os.Symlink(target, path)
			} else {
				err = os.WriteFile(path, content, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// blank makes an empty file of so many MiB.
func blank(t testing.TB, mib int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(mib)<<20); err != nil {
		t.Fatal(err)
	}
	return path
}

// FAT makes a file system of 12, 16 or 32 bits in a file of so many MiB. More arguments go to mkfs.vfat.
func FAT(t testing.TB, bits, mib int, files Files, args ...string) string {
	t.Helper()
	path := blank(t, mib)
	run(t, nil, "mkfs.vfat", append([]string{"-F", fmt.Sprint(bits), path}, args...)...)
	dir := Directory(t, files)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		run(t, nil, "mcopy", "-i", path, "-s", "-Q", filepath.Join(dir, e.Name()), "::")
	}
	return path
}

// Ext makes an ext2, ext3 or ext4 file system in a file of so many MiB. More arguments go to mkfs.
func Ext(t testing.TB, version, mib int, files Files, args ...string) string {
	t.Helper()
	path := blank(t, mib)
	run(t, nil, fmt.Sprintf("mkfs.ext%d", version),
		slices.Concat([]string{"-q", "-F", "-d", Directory(t, files)}, args, []string{path})...)
	return path
}

// Btrfs makes a btrfs file system in a file of so many MiB, at least 128. More arguments go to mkfs.btrfs.
func Btrfs(t testing.TB, mib int, files Files, args ...string) string {
	t.Helper()
	path := blank(t, mib)
	run(t, nil, "mkfs.btrfs", slices.Concat([]string{"-q", "--rootdir", Directory(t, files)}, args, []string{path})...)
	return path
}

// ISO makes a bootable ISO 9660 file system of the kind that live and installer images are: a disk with a GPT, too, or
// with an MBR.
func ISO(t testing.TB, label string, files Files) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "live.iso")
	args := []string{"-as", "mkisofs", "-quiet", "-R", "-o", path, "-append_partition", "2", "0xef", FAT(t, 12, 2, nil)}
	if label == "gpt" {
		args = append(args, "-appended_part_as_gpt")
	}
	run(t, nil, "xorriso", append(args, "-partition_offset", "16", Directory(t, files))...)
	return path
}

// Types of partitions for Disk: names that sfdisk knows.
const (
	ESP   = "uefi"
	Linux = "linux"
)

// Partition is one of a disk.
type Partition struct {
	Type string
	Path string // the file with its content; "" for nothing
}

// Disk makes a disk with a partition table, "gpt" or "dos", of sectors of 512 bytes. With "logical" it is "dos", and all but
// the first partition are logical ones.
func Disk(t testing.TB, label string, partitions ...Partition) string {
	t.Helper()
	const spare = 1 // MiB before the first partition, and after the last one
	logical := label == "logical"
	if logical {
		label = "dos"
	}
	mib, script := 2*spare, "label: "+label+"\n"
	var starts []int
	for i, p := range partitions {
		if logical && i == 1 {
			script += fmt.Sprintf("start=%d, type=extended\n", (mib-spare)<<20/512)
		}
		if logical && i > 0 {
			mib++ // for its boot record
		}
		size := 1
		if p.Path != "" {
			info, err := os.Stat(p.Path)
			if err != nil {
				t.Fatal(err)
			}
			size = int(info.Size() >> 20)
		}
		starts = append(starts, mib-spare)
		script += fmt.Sprintf("start=%d, size=%d, type=%s\n", (mib-spare)<<20/512, size<<20/512, p.Type)
		mib += size
	}
	path := blank(t, mib)
	run(t, strings.NewReader(script), "sfdisk", "-q", path)
	disk, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	for i, p := range partitions {
		if p.Path == "" {
			continue
		}
		b, err := os.ReadFile(p.Path)
		if err == nil {
			_, err = disk.WriteAt(b, int64(starts[i])<<20)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// Qcow2 converts a raw disk. Options go to qemu-img convert.
func Qcow2(t testing.TB, raw string, options ...string) string {
	t.Helper()
	return Convert(t, raw, "qcow2", options...)
}

// Overlay makes a qcow2 disk of the changes to another one, in the same directory, of which there are none yet. The form of the
// other one is "raw" or "qcow2".
func Overlay(t testing.TB, base, form, name string, options ...string) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(base), name)
	run(t, nil, "qemu-img", slices.Concat([]string{"create", "-q", "-f", "qcow2", "-b", filepath.Base(base), "-F", form}, options, []string{path})...)
	return path
}

// Convert converts a raw disk to another form that qemu-img knows.
func Convert(t testing.TB, raw, format string, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk."+format)
	run(t, nil, "qemu-img",
		slices.Concat([]string{"convert", "-f", "raw", "-O", format}, options, []string{raw, path})...)
	return path
}
