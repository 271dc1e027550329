package bench

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// canRunNatively says whether a loop that needs no privileges runs on the host's processor.
const canRunNatively = true

// native runs n turns of the loop on the host's processor, in a process of its own.
func (l *Loop) native(ctx context.Context, n uint64) (Usage, error) {
	program, err := l.program(n, nil)
	if err != nil {
		return Usage{}, err
	}
	fd, err := unix.MemfdCreate("loop", unix.MFD_CLOEXEC)
	if err != nil {
		return Usage{}, fmt.Errorf("memory for a program: %w", err)
	}
	file := os.NewFile(uintptr(fd), "loop")
	if _, err := file.Write(program); err != nil {
		return Usage{}, errors.Join(err, file.Close())
	}
	// A file that is open for writing is not executed: the other descriptor is for reading.
	reading, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err = errors.Join(err, file.Close()); err != nil {
		return Usage{}, err
	}
	defer reading.Close()
	p := Process{Args: []string{"/proc/self/fd/3"}, Files: []*os.File{reading}}
	return p.Run(ctx)
}
