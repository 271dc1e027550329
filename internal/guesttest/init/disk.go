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
		if err := mount(m[0], m[1], m[0]); err != nil {
			return err
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
	const size, at = 1 << 20, 1 << 20
	waitForDisk()
	disk, err := os.OpenFile(diskName, os.O_RDWR, 0)
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

// written says that the disk has what tryDisk or keepFile writes, before that is done.
var written bool

const diskName = "/dev/vda"

// waitForDisk waits until the kernel has looked for partitions.
func waitForDisk() {
	for range 100 {
		if _, err := os.Stat(diskName); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func mount(what, where, kind string) error {
	if err := os.MkdirAll(where, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(what, where, kind, 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// keepFile prints a file of the first virtio disk's ext4 file system, or makes it where it is not there.
func keepFile() error {
	if _, err := os.Stat("/keepfile"); err != nil {
		return nil
	}
	if err := mount("devtmpfs", "/dev", "devtmpfs"); err != nil {
		return err
	}
	waitForDisk()
	if err := mount(diskName, "/disk", "ext4"); err != nil {
		return err
	}
	text, err := os.ReadFile("/disk/kept")
	switch {
	case err == nil:
		written = true
		fmt.Printf("init: found %s\n", text)
	case os.IsNotExist(err):
		fmt.Println("init: no file yet")
		if err := os.WriteFile("/disk/kept", []byte("what was there before"), 0o600); err != nil {
			return err
		}
	default:
		return err
	}
	return unix.Unmount("/disk", 0)
}

func readSome(file string, b []byte) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	_, err = io.ReadFull(f, b)
	return errors.Join(err, f.Close())
}
