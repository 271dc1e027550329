//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tryDisk reads all of the first virtio disk, writes to its second MiB, reads that back from the disk, and prints the
// checksums; it prints what other virtio devices there are, and some randomness of theirs.
func tryDisk() error {
	if _, err := os.Stat("/trydisk"); err != nil {
		return nil
	}
	for _, m := range [][2]string{{"devtmpfs", "/dev"}, {"sysfs", "/sys"}} {
		if err := os.MkdirAll(m[1], 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m[0], m[1], m[0], 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("%s: %w", m[0], err)
		}
	}
	links, err := filepath.Glob("/sys/bus/virtio/drivers/*/virtio*")
	if err != nil {
		return err
	}
	for _, l := range links {
		fmt.Println("init: driven", strings.TrimPrefix(l, "/sys/bus/virtio/drivers/"))
	}
	if b := make([]byte, 16); readSome("/dev/hwrng", b) == nil {
		fmt.Printf("init: random %x\n", b)
	}
	const name, size, at = "/dev/vda", 1 << 20, 1 << 20
	for range 100 { // until the kernel has looked for partitions
		if _, err := os.Stat(name); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	disk, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, disk)
	if err != nil {
		return err
	}
	fmt.Printf("init: disk of %d bytes %x\n", n, sum.Sum(nil))
	mark := make([]byte, len("tacit"))
	if _, err := disk.ReadAt(mark, at); err != nil {
		return err
	}
	written = string(mark) == "tacit"
	if _, err := disk.WriteAt(bytes.Repeat([]byte("tacit"), size/5+1)[:size], at); err != nil {
		return err
	}
	if err := disk.Sync(); err != nil {
		return err
	}
	if err := unix.IoctlSetInt(int(disk.Fd()), unix.BLKFLSBUF, 0); err != nil {
		return fmt.Errorf("BLKFLSBUF: %w", err)
	}
	back := make([]byte, size)
	if _, err := disk.ReadAt(back, at); err != nil {
		return err
	}
	fmt.Printf("init: read back %x\n", sha256.Sum256(back))
	return disk.Close()
}

// written says that the disk has what tryDisk writes, before it has done so.
var written bool

func readSome(file string, b []byte) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	_, err = io.ReadFull(f, b)
	return errors.Join(err, f.Close())
}
