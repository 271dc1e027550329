package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// changes are commands for qemu-io that write, zero and discard at random within so many bytes.
func changes(r *rand.Rand, size, most int64, n int) (args []string) {
	for range n {
		at := r.Int64N(size/512) * 512
		length := min(size-at, (1+r.Int64N(most/512))*512)
		command := fmt.Sprintf("write -P %d %d %d", 1+r.IntN(255), at, length)
		switch r.IntN(6) {
		case 0:
			command = fmt.Sprintf("write -z %d %d", at, length)
		case 1:
			command = fmt.Sprintf("write -z -u %d %d", at, length)
		case 2:
			command = fmt.Sprintf("discard %d %d", at, length)
		}
		args = append(args, "-c", command)
	}
	return args
}

// A disk in several files has the bytes that QEMU reads from it, whatever the layers are like: their clusters, their versions,
// their sizes.
func TestBackingFiles(t *testing.T) {
	const mib, seed = 1 << 20, 20261129
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	esp := readFile(t, imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 12, 2, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": []byte("loader")})}))
	type layer struct {
		size    int64 // bytes
		options string
	}
	for name, c := range map[string]struct {
		base   string // the form of the lowest, and options for it
		layers []layer
	}{
		"raw":                     {"raw", []layer{{4 * mib, "cluster_size=64k"}}},
		"qcow2":                   {"qcow2", []layer{{4 * mib, "cluster_size=64k"}}},
		"compressed":              {"qcow2 -c", []layer{{4 * mib, "cluster_size=512"}}},
		"zstd":                    {"qcow2 -c -o compression_type=zstd", []layer{{4 * mib, "cluster_size=2M"}}},
		"version 2":               {"qcow2 -o compat=0.10", []layer{{4 * mib, "compat=0.10"}}},
		"subclusters":             {"raw", []layer{{4 * mib, "extended_l2=on,cluster_size=16k"}}},
		"subclusters, compressed": {"qcow2 -c -o extended_l2=on,cluster_size=128k", []layer{{4 * mib, "extended_l2=on,cluster_size=2M"}}},
		"a longer disk":           {"raw", []layer{{9*mib + 512, "cluster_size=64k"}}},
		"a shorter disk":          {"raw", []layer{{3 * mib, "cluster_size=64k"}}},
		"shorter between":         {"qcow2", []layer{{3*mib + 512, "cluster_size=4k"}, {8 * mib, "cluster_size=64k"}}},
		"five files":              {"raw", []layer{{4 * mib, "cluster_size=4k"}, {5 * mib, "extended_l2=on,cluster_size=64k"}, {2 * mib, "compat=0.10"}, {6 * mib, "cluster_size=1M"}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			raw := filepath.Join(dir, "raw")
			if err := os.WriteFile(raw, esp, 0o600); err != nil {
				t.Fatal(err)
			}
			imagetest.Run(t, "qemu-io", append(changes(r, mib, 100_000, 10), "-f", "raw", raw)...)
			form, options, _ := strings.Cut(c.base, " ")
			base := filepath.Join(dir, "0")
			imagetest.Run(t, "qemu-img", append(append([]string{"convert", "-f", "raw", "-O", form}, strings.Fields(options)...), raw, base)...)
			for i, l := range c.layers {
				next := filepath.Join(dir, fmt.Sprint(i+1))
				imagetest.Run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-b", fmt.Sprint(i), "-F", form, "-o", l.options, next, fmt.Sprint(l.size))
				imagetest.Run(t, "qemu-io", append(changes(r, l.size, 100_000, 25), "-f", "qcow2", next)...)
				form = "qcow2"
			}
			top := filepath.Join(dir, fmt.Sprint(len(c.layers)))
			flat := filepath.Join(dir, "flat")
			imagetest.Run(t, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", top, flat)
			want := readFile(t, flat)
			d, err := OpenDisk(t.Context(), top)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			got := make([]byte, d.Size())
			if n, err := d.ReadAt(got, 0); n < len(got) || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes of %d, %v; or they differ", n, len(want), err)
			}
			for range 300 {
				at := r.IntN(len(want))
				b := make([]byte, r.IntN(min(len(want)-at, 200_000)+1))
				if n, err := d.ReadAt(b, int64(at)); n < len(b) || !bytes.Equal(b, want[at:][:n]) {
					t.Fatalf("%d bytes at %d: %d, %v; or they differ", len(b), at, n, err)
				}
			}
			if len(d.Below) != len(c.layers) || d.Below[len(d.Below)-1].Size() != int64(len(readFile(t, base))) {
				t.Errorf("%d files below", len(d.Below))
			}
		})
	}
}

// The kernels of a disk with backing files are found, and firmware is not read for one.
func TestLookAtBackingFiles(t *testing.T) {
	dir := t.TempDir()
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, imagetest.Files{"vmlinuz": []byte("kernel")})})
	if err := os.WriteFile(filepath.Join(dir, "base.raw"), readFile(t, disk), 0o600); err != nil {
		t.Fatal(err)
	}
	top := filepath.Join(dir, "top.qcow2")
	imagetest.Run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw", top)
	if c, files := look(t, top); c.Format != "qcow2 disk image" || string(files["partition 1vmlinuz"]) != "kernel" {
		t.Errorf("%s: %v", c.Format, files)
	}
}

// A name that leads out of the image's directory is not followed, and what is no disk below one says so, in one line.
func TestBackingFilesRefused(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "images")
	if err := errors.Join(os.Mkdir(in, 0o700), os.Mkdir(filepath.Join(in, "sub"), 0o700)); err != nil {
		t.Fatal(err)
	}
	content := make([]byte, 1<<20)
	for _, path := range []string{filepath.Join(dir, "secret"), filepath.Join(in, "base")} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(unix.Mkfifo(filepath.Join(in, "pipe"), 0o600), os.Symlink("../secret", filepath.Join(in, "link")), os.Symlink("base", filepath.Join(in, "inside")))
	if err != nil {
		t.Fatal(err)
	}
	// overlay makes one that names such a file; -u does not look whether it is there.
	overlay := func(path, backing, form string) string {
		path = filepath.Join(in, path)
		imagetest.Run(t, "qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", backing, "-F", form, path, "1M")
		return path
	}
	for i := range maxBacking + 1 {
		overlay(fmt.Sprint("deep", i), fmt.Sprint("deep", i+1), "qcow2")
	}
	overlay(fmt.Sprint("deep", maxBacking+1), "base", "raw")
	overlay("circle", "sub/circle", "qcow2")
	overlay("sub/circle", "../circle", "qcow2")
	overlay("sub/out", "../../secret", "raw")
	for _, c := range []struct{ backing, form, want string }{
		{"/etc/shadow", "raw", `backing file "/etc/shadow" is not in its directory: flatten it with qemu-img convert`},
		{"../secret", "raw", `backing file "../secret" is not in its directory`},
		{"sub/../../secret", "raw", "is not in its directory"},
		{filepath.Join(dir, "secret"), "raw", "is not in its directory"},
		{"sub/out", "qcow2", `backing file "../../secret" is not in its directory`},
		{"link", "raw", "cannot be used: path escapes from parent"},
		{"pipe", "raw", "cannot be used: not a regular file"},
		{"sub", "raw", "cannot be used: not a regular file"},
		{"none", "raw", "cannot be used: no such file"},
		{"base", "qcow2", "cannot be used: not a qcow2 disk image, as it should be"},
		{"base", "vmdk", `is of the form "vmdk"`},
		{"nbd://host/export", "raw", `backing file "nbd://host/export" is no file: flatten it`},
		{`json:{"driver":"null-co"}`, "raw", "is no file"},
		{"refused", "qcow2", `backing file "refused" leads back to itself`},
		{"circle", "qcow2", `backing file "../circle" leads back to itself`},
		{"deep1", "qcow2", "more than 32 backing files"},
	} {
		path := overlay("refused", c.backing, c.form)
		_, err := OpenDisk(t.Context(), path)
		wantError(t, c.backing, err, c.want)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line: %v", c.backing, err)
		}
		if _, err := Look(t.Context(), path, everything{}, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: looked into: %v", c.backing, err)
		}
	}
	for _, c := range []struct{ backing, form string }{
		{"deep3", "qcow2"}, {"inside", "raw"}, {filepath.Join(in, "base"), "raw"}, {"sub/../base", "raw"},
	} {
		d, err := OpenDisk(t.Context(), overlay("taken", c.backing, c.form))
		if err != nil {
			t.Errorf("%s: %v", c.backing, err)
			continue
		}
		b := make([]byte, d.Size())
		if n, err := d.ReadAt(b, 0); n < len(b) || !bytes.Equal(b, content) {
			t.Errorf("%s: %d bytes, %v", c.backing, n, err)
		}
		d.Close()
	}
	// What has been unpacked of another file has none beside it.
	sound := readFile(t, overlay("sound", "base", "raw"))
	_, err = lookAtBytes(sound)
	wantError(t, "bytes", err, "which is not beside it: flatten it with qemu-img convert")
	packed := filepath.Join(in, "packed.gz")
	if err := os.WriteFile(packed, gzipped(t, sound), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = OpenDisk(t.Context(), packed)
	wantError(t, "compressed", err, "which is not beside it")
	// One that does not say in which form it is was made by a QEMU before 6.1.
	kind := bytes.Index(sound, []byte{0xe2, 0x79, 0x2a, 0xca})
	binary.BigEndian.PutUint32(sound[kind:], 0x12345678) // an extension that is not known is passed over
	silent := filepath.Join(in, "silent")
	if err := os.WriteFile(silent, sound, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = OpenDisk(t.Context(), silent)
	wantError(t, "no form", err, `does not say in which form its backing file "base" is: say it with qemu-img rebase -u`)
}

// A damaged file in a chain is an error, or other bytes, and takes neither memory nor time.
func TestHostileBackingFiles(t *testing.T) {
	dir := t.TempDir()
	base := filepath.Join(dir, "base")
	if err := os.WriteFile(filepath.Join(dir, "raw"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	imagetest.Run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-b", "raw", "-F", "raw", "-o", "cluster_size=512", base)
	imagetest.Run(t, "qemu-io", "-f", "qcow2", "-c", "write -P 0 0 20k", "-c", "write -z 64k 8k", base)
	top := imagetest.Overlay(t, base, "qcow2", "top", "-o", "extended_l2=on,cluster_size=16k")
	imagetest.Run(t, "qemu-io", "-f", "qcow2", "-c", "write -P 0 3k 5k", "-c", "write -z 32k 8k", top)
	for _, path := range []string{top, base} {
		sound := readFile(t, path)
		for at := range sound {
			if sound[at] == 0 && at > 120 {
				continue
			}
			for _, v := range []byte{0, 1, 0x7f, 0xff} {
				b := bytes.Clone(sound)
				b[at] = v
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
				d, err := OpenDisk(t.Context(), top)
				if err != nil {
					continue
				}
				for _, from := range []int64{0, 60 << 10, d.Size() - 4096} {
					_, _ = d.ReadAt(make([]byte, 40<<10), from)
				}
				d.Close()
			}
			if at > 2000 && testing.Short() {
				break
			}
		}
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Every change of the file that a disk stands on, or of their order, is another checksum; that of a single file is its own.
func TestChecksum(t *testing.T) {
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	if Checksum([]string{a}) != a {
		t.Error("of one file it is another one")
	}
	// printf '%s\n' aaa… bbb… | sha256sum
	const want = "913f9338fb6c17253f3a14816fc08d52522454bfc19a8c99538a197cfb23fb41"
	if ab := Checksum([]string{a, b}); ab != want || ab == Checksum([]string{b, a}) || ab == Checksum([]string{a, b, b}) {
		t.Error(ab)
	}
}
