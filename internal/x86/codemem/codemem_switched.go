//go:build darwin || (linux && arm64)

package codemem

import "golang.org/x/sys/unix"

func reserve(n, data int) (*mappings, error) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err == nil && data > 0 {
		if err = unix.Mprotect(b[:data], unix.PROT_READ|unix.PROT_WRITE); err != nil {
			_ = unix.Munmap(b)
		}
	}
	return &mappings{code: b, data: b}, err
}

// write makes the pages under b writable, and not executable, for as long as it takes.
func (m *mappings) write(offset int, b []byte) error {
	page := unix.Getpagesize()
	first, last := offset&^(page-1), min((offset+len(b)+page-1)&^(page-1), len(m.data))
	pages := m.data[first:last]
	if err := unix.Mprotect(pages, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		return err
	}
	copy(m.data[offset:], b)
	synchronize(m.data[offset : offset+len(b)])
	return unix.Mprotect(pages, unix.PROT_READ|unix.PROT_EXEC)
}

func (m *mappings) release() error { return unix.Munmap(m.code) }
