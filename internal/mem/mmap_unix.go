//go:build unix

package mem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserve maps n bytes that the host backs page by page when they are written.
func reserve(n uint64) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, int(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	if err := keepSmallPages(b); err != nil {
		_ = unix.Munmap(b)
		return nil, err
	}
	return b, nil
}

func unreserve(b []byte) error { return unix.Munmap(b) }

// remap maps something else where b is: pages of a file, or fresh ones.
func remap(b []byte, flags, fd int, offset int64) error {
	at := unsafe.Pointer(unsafe.SliceData(b))
	got, err := unix.MmapPtr(fd, offset, at, uintptr(len(b)), unix.PROT_READ|unix.PROT_WRITE, flags|unix.MAP_FIXED)
	if err == nil && got != at {
		panic("BUG: a fixed mapping has moved")
	}
	return err
}
