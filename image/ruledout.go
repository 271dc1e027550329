package image

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

// RuledOut says why the file cannot be an image, as [Open] would, where that takes no more than its size and first bytes:
// a file too large for a kernel that is neither a disk nor an archive. It is for those who would read the whole file
// before they open it. The error is nil for all else, and for what cannot be read.
func RuledOut(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() <= maxFile {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	file := io.NewSectionReader(f, 0, info.Size())
	head := make([]byte, spoolHead)
	n, err := file.ReadAt(head, 0)
	if err != nil || isDeb(file) || isRPM(head[:n]) {
		return nil
	}
	unpacked, err := decompressor(bufio.NewReader(file))
	if err != nil {
		return nil
	}
	if _, compressed := unpacked.(*unpacker); compressed || isTar(head[:n]) {
		return nil
	}
	var d Disk
	if known, err := d.plain(file, nil); known || err != nil {
		return nil
	}
	return tooLarge(path, info.Size())
}

func tooLarge(path string, size int64) error {
	return fmt.Errorf("%s: %d bytes; at most %d can be loaded", path, size, maxFile)
}
