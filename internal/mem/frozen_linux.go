package mem

import (
	"os"

	"golang.org/x/sys/unix"
)

// namelessFile makes a file in memory.
func namelessFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("guest memory", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "guest memory"), nil
}
