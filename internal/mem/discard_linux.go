package mem

import (
	"errors"

	"golang.org/x/sys/unix"
)

// keepSmallPages asks the host not to back 2 MiB for a store of one byte: what a guest has not written must not cost
// memory.
func keepSmallPages(b []byte) error {
	err := unix.Madvise(b, unix.MADV_NOHUGEPAGE)
	if errors.Is(err, unix.EINVAL) {
		return nil // a host kernel without transparent huge pages has none to refuse
	}
	return err
}

// discard returns pages to the host; they read as zeros afterwards (madvise(2), private anonymous mappings).
func discard(b []byte) error { return unix.Madvise(b, unix.MADV_DONTNEED) }
