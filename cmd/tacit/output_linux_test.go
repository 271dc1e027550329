package main

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestDiskWithoutRoom(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8k"); err != nil {
		t.Skip("only root may mount, and TestNoRoom has a limit that looks the same to a writer: ", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, 0) })
	noRoom(t, dir, "")
}
