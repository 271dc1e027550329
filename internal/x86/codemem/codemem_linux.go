//go:build !arm64

package codemem

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

func reserve(n, _ int) (*mappings, error) {
	fd, err := memfd()
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, int64(n)); err != nil {
		return nil, err
	}
	m := new(mappings)
	if m.data, err = unix.Mmap(fd, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return nil, err
	}
	if m.code, err = unix.Mmap(fd, 0, n, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_SHARED); err != nil {
		_ = unix.Munmap(m.data)
		return nil, fmt.Errorf("mapped to be executed: %w", err)
	}
	return m, nil
}

// memfd returns a file without a name. Linux from 6.3 wants to be told that it will be mapped to be executed (and
// vm.memfd_noexec can forbid it); older ones refuse the flag.
func memfd() (int, error) {
	fd, err := unix.MemfdCreate("tacit code", unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("tacit code", unix.MFD_CLOEXEC)
	}
	return fd, err
}

func (m *mappings) write(offset int, b []byte) error {
	copy(m.data[offset:], b)
	return nil
}

func (m *mappings) release() error {
	return errors.Join(unix.Munmap(m.data), unix.Munmap(m.code))
}
