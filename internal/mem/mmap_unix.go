//go:build unix

package mem

import "golang.org/x/sys/unix"

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
