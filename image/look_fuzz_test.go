package image

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// Whatever the bytes are, looking into them ends, and takes no memory that they only speak of.
func FuzzLook(f *testing.F) {
	files := imagetest.Files{"boot/vmlinuz": []byte("MZ kernel"), "EFI/BOOT/a long file name.efi": make([]byte, 3000)}
	part := imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(f, 12, 1, files)}
	disk := imagetest.Disk(f, "gpt", part)
	sound := [][]byte{
		readFile(f, imagetest.FAT(f, 12, 1, files)), readFile(f, imagetest.FAT(f, 32, 40, files, "-s", "1")),
		readFile(f, imagetest.Ext(f, 4, 1, files, "-b", "1024", "-O", "^has_journal")),
		readFile(f, imagetest.Ext(f, 2, 1, files, "-b", "1024")),
		readFile(f, disk), readFile(f, imagetest.Qcow2(f, disk, "-c")), imagetest.Tar(f, files), imagetest.Deb(f, files),
		slices.Concat([]byte(rpmLeadMagic), make([]byte, 92), rpmHeader(0), rpmHeader(0), imagetest.Cpio(f, files)),
		readFile(f, imagetest.Disk(f, "logical", part, part, part)),
		gzipped(f, imagetest.Tar(f, imagetest.Files{"disk.raw": readFile(f, disk)})), gzipped(f, readFile(f, disk)),
		gzipped(f, imagetest.Tar(f, imagetest.Files{
			"control.tar.gz": nil, "data.tar.gz": gzipped(f, imagetest.Tar(f, files)),
		})),
		readFile(f, imagetest.XFS(f, 16, files)), readFile(f, imagetest.XFS(f, 16, files, "-m", "crc=0", "-b", "size=1024")),
		readFile(f, imagetest.Btrfs(f, 128, files, "-m", "single")),
		readFile(f, imagetest.Ext(f, 4, 2, files, "-b", "1024", "-O", "^has_journal,^resize_inode,inline_data,meta_bg")),
	}
	images := containerImages(f)
	for _, what := range []string{"docker save", "an OCI archive"} {
		sound = append(sound, readFile(f, images[what]))
	}
	for i := range sound {
		f.Add(uint8(i), []byte{})
	}
	// A file of a megabyte is too much to mutate. So a fuzzer's bytes are changes to a sound one, of five bytes each: a
	// place, as a fraction of the file and a number to add, and the new byte.
	f.Fuzz(func(t *testing.T, which uint8, changes []byte) {
		b := bytes.Clone(sound[int(which)%len(sound)])
		for ; len(changes) >= 5; changes = changes[5:] {
			place := uint64(binary.LittleEndian.Uint16(changes)) * uint64(len(b)) >> 16
			place += uint64(binary.LittleEndian.Uint16(changes[2:]))
			b[place%uint64(len(b))] = changes[4]
		}
		complaints(lookAtBytes(b))
	})
}
