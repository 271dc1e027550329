package inside

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ThisKernel is the one that this process runs on. Its first memory marks the process as the one that the kernel ends
// first, should it run out of memory all the same: to do so gives back all that is held.
type ThisKernel struct {
	root  fs.FS
	held  [][]byte
	first bool // the process has been marked
}

// NewKernel makes one. It fails where this process may not use the memory of all nodes.
func NewKernel() (*ThisKernel, error) {
	root := os.DirFS("/")
	if err := checkNodes(root); err != nil {
		return nil, err
	}
	return &ThisKernel{root: root}, nil
}

func (k *ThisKernel) Books() (Books, error) { return readBooks(k.root) }
func (k *ThisKernel) Room() (uint64, error) { return roomOf(k.root) }

// Hold maps n bytes and has the kernel put pages there, a step at a time.
func (k *ThisKernel) Hold(n uint64) error {
	if !k.first {
		// Anybody may raise it (Linux fs/proc/base.c).
		if err := os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0); err != nil {
			return fmt.Errorf("this process cannot offer itself to the kernel's out-of-memory killer: %w", err)
		}
		k.first = true
	}
	b, err := unix.Mmap(-1, 0, int(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	k.held = append(k.held, b)
	// Large pages are quicker to take and to give back; a kernel may have none.
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE)
	for {
		switch err := unix.Madvise(b, unix.MADV_POPULATE_WRITE); {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN): // as the Go runtime's preemption by signal does
			continue
		default:
			return os.NewSyscallError("madvise", err) // EINVAL before 5.14, which had no unaccepted memory
		}
	}
}

// Release unmaps all that is held.
func (k *ThisKernel) Release() (err error) {
	for _, b := range k.held {
		err = errors.Join(err, os.NewSyscallError("munmap", unix.Munmap(b)))
	}
	k.held = nil
	return err
}

// Log reads the kernel's log, as far as its ring buffer goes back.
func Log() (string, error) {
	const sizeBuffer, readAll = 10, 3 // SYSLOG_ACTION_SIZE_BUFFER, SYSLOG_ACTION_READ_ALL (Linux include/linux/syslog.h)
	n, err := unix.Klogctl(sizeBuffer, nil)
	if err != nil {
		return "", os.NewSyscallError("syslog", err)
	}
	b := make([]byte, min(n, maxFile))
	if n, err = unix.Klogctl(readAll, b); err != nil {
		return "", fmt.Errorf("the kernel's log, which has its address, cannot be read: %w", os.NewSyscallError("syslog", err))
	}
	return string(b[:n]), nil
}

// SystemTime is how long the kernel has worked for this process.
func SystemTime() (time.Duration, error) {
	var u unix.Rusage
	err := unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Stime.Nano()), os.NewSyscallError("getrusage", err)
}
